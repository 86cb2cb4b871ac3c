"""Small movements of the pictures while they climb, so that what they show does not hang on a pixel.

C. Olah, A. Mordvintsev, L. Schubert, "Feature Visualization", Distill 2017, section "Transformation robustness".
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from tb_filterviz.patterns.recipes import Recipe

STILL = np.array([0, 0, 1, 0], np.float32)
"""What `draw` says of a picture that stays as it is."""


def draw(recipe: Recipe, steps: int, seed: int, filters: Iterable[int], attempt: int = 0) -> NDArray[np.float32]:
    """Draws the movement of each picture at each step.

    Args:
        recipe: How far pictures may move.
        steps: Number of steps.
        seed: Seed, from 0.
        filters: Indices of the filters; each has a generator of its own.
        attempt: Number of the try, from 0.

    Returns:
        float32 `[steps, filters, 4]`: shift down and right as shares of a side, factor of size, angle in radians.
    """
    reach = np.array([recipe.jitter, recipe.jitter, recipe.scale, np.deg2rad(recipe.rotate)])
    draws = [
        np.random.default_rng((seed, int(index), attempt, 1)).uniform(-1, 1, (steps, 4)) * reach for index in filters
    ]
    moves: NDArray[np.float32] = (np.stack(draws, axis=1) + STILL).astype(np.float32)
    return moves


def matrices(draws: NDArray[np.float32], height: int, width: int) -> NDArray[np.float32]:
    """Tells of movements where each pixel comes from.

    Args:
        draws: float32 `[..., 4]`: see `draw`.
        height: Of the pictures, in pixels.
        width: Likewise.

    Returns:
        float32 `[..., 8]`, the first eight numbers of a matrix 3 x 3 that turns (column, row, 1) of a pixel of the
        moved picture into that of the picture: turned and scaled around the centre, then shifted. The ninth is 1.
    """
    down, right, size, angle = np.moveaxis(draws.astype(np.float64), -1, 0)
    cos, sin = np.cos(angle) / size, np.sin(angle) / size
    y, x = (height - 1) / 2, (width - 1) / 2
    rows = [cos, -sin, x - cos * x + sin * y - right * width, sin, cos, y - sin * x - cos * y - down * height]
    return np.stack([*rows, np.zeros_like(cos), np.zeros_like(cos)], axis=-1).astype(np.float32)


def move(pictures: Any, moves: Any) -> Any:
    """Moves pictures, differentiably; what comes in from outside is mirrored.

    Args:
        pictures: float32 tensor `[batch, height, width, channels]`.
        moves: float32 tensor `[batch, 8]`: see `matrices`.

    Returns:
        The moved pictures, of the same shape. Their gradient is moved back by resampling too: as TensorFlow does it,
        that is nearly the adjoint, but for a factor where pictures change their size.

    Example:
        >>> picture = tf.reshape(tf.range(9.0), (1, 3, 3, 1))
        >>> down_by_one = matrices(np.array([[1 / 3, 0.0, 1.0, 0.0]], np.float32), 3, 3)
        >>> move(picture, tf.constant(down_by_one))[0, :, 0, 0].numpy().tolist()
        [0.0, 0.0, 3.0]
    """
    return tf.raw_ops.ImageProjectiveTransformV3(
        images=pictures,
        transforms=moves,
        output_shape=tf.shape(pictures)[1:3],
        fill_value=0.0,
        interpolation="BILINEAR",
        fill_mode="REFLECT",
    )
