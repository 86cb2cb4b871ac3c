"""What a pattern maximises: the response of one filter, on average, at spots or at one position."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import tensorflow as tf

DIVERSITY = 1.0
"""How much of its score a facet gives up for being quite another than the others."""

BORDER = 2
"""Positions at each border that do not count: padding answers there, not the picture."""


LEAK = 0.1
"""How much of a response below 0 counts on average: little, since a ReLU passes none of it on, and not nothing, so that
a filter that fires nowhere finds a way up."""


def mean(response: Any, positions: int, leak: float = LEAK) -> Any:
    """Averages over the positions that count: the objective `"channel"`.

    Two positions at each border are left out, but never more than a quarter of a side at each: zero padding would
    otherwise be answered with strips along the borders of the picture. What is below 0 counts a tenth, as in a leaky
    ReLU: A. Maas, A. Hannun, A. Ng, "Rectifier Nonlinearities Improve Neural Network Acoustic Models", 2013.

    Args:
        response: Tensor `[batch, *positions]` or `[batch, *positions, filters]`, any float type.
        positions: Number of axes of positions.
        leak: How much of what is below 0 counts.

    Returns:
        float32 tensor `[batch]` or `[batch, filters]`.

    Example:
        >>> mean(tf.constant([[1.0, 3.0, -10.0]]), 1).numpy().tolist()
        [1.0]
    """
    sides = tf.shape(response)[1 : 1 + positions]
    borders = tf.minimum(BORDER, sides // 4)
    rest = [0] * (response.shape.rank - 1 - positions)
    begin = tf.concat([[0], borders, rest], 0)
    size = tf.concat([[-1], sides - 2 * borders, [-1] * len(rest)], 0)
    counted = tf.nn.leaky_relu(tf.cast(tf.slice(response, begin, size), tf.float32), leak)
    for axis in range(positions, 0, -1):  # one by one: together they round otherwise for one picture than for several
        counted = tf.reduce_mean(counted, axis)
    return counted


def at_spots(response: Any, positions: int, apart: Sequence[Any]) -> Any:
    """Averages over positions of a grid that lies in the middle: the objective `"spots"`.

    Args:
        response: As for `mean`; the same positions at the borders are left out.
        positions: As for `mean`.
        apart: int32 scalar tensors, from 1: how many positions the spots are apart, along each axis of positions.

    Returns:
        As `mean` does.

    Example:
        >>> row = tf.reshape(tf.range(12.0), (1, 12))
        >>> at_spots(row, 1, [4]).numpy().tolist()  # of the positions 3 and 7
        [5.0]
    """
    for axis in range(positions):
        side = tf.shape(response)[1 + axis]
        counted = side - 2 * tf.minimum(BORDER, side // 4)
        steps = (counted - 1) // apart[axis]
        first = (side - 1 - steps * apart[axis]) // 2
        response = tf.gather(response, first + apart[axis] * tf.range(steps + 1), axis=1 + axis)
    return tf.reduce_mean(tf.cast(response, tf.float32), axis=list(range(1, 1 + positions)))


def centre(response: Any, positions: int) -> Any:
    """Takes the position in the middle: the objective `"neuron"`.

    Args:
        response: As for `mean`.
        positions: As for `mean`.

    Returns:
        As `mean` does.

    Example:
        >>> centre(tf.reshape(tf.range(9.0), (1, 3, 3)), 2).numpy().tolist()
        [4.0]
    """
    for _ in range(positions):
        response = tf.gather(response, tf.shape(response)[1] // 2, axis=1)
    return tf.cast(response, tf.float32)


def project(response: Any, directions: Sequence[Sequence[float]]) -> Any:
    """Adds channels up with weights: what a direction in the space of a layer's channels answers.

    Args:
        response: float32 tensor `[batch, *positions, filters]`.
        directions: Weights `[directions][filters]`. A channel with the weight 0 does not count, even if it is not a
            finite number.

    Returns:
        float32 tensor `[batch, *positions, directions]`.

    Raises:
        ValueError: If there are more or fewer weights than channels.

    Example:
        >>> project(tf.constant([[1.0, 2.0, float("nan")]]), [[1, 1, 0], [0, -1, 0]]).numpy().tolist()
        [[3.0, -2.0]]
    """
    if response.shape[-1] != len(directions[0]):
        raise ValueError(
            f"`direction` must hold {response.shape[-1]} numbers, one for each channel of the layer. "
            f"Received: {len(directions[0])}"
        )
    columns = []
    for weights in directions:
        used = [index for index, weight in enumerate(weights) if weight]
        chosen = tf.gather(response, used, axis=-1)
        columns.append(tf.reduce_sum(chosen * tf.constant([weights[index] for index in used], tf.float32), -1))
    return tf.stack(columns, -1)


def sameness(features: Any, facets: int, frames: int = 1) -> Any:
    """Measures how alike the pictures of one filter are to a layer, which diversity takes away.

    The mean cosine between the Gram matrix of a picture's features (which of them occur together) and those of the
    other facets: C. Olah, A. Mordvintsev, L. Schubert, "Feature Visualization", Distill 2017, section "Diversity".

    Where there are more channels than positions, no Gram matrix is made: the inner product of those of the features `a`
    and `b`, `[positions, channels]`, is the sum of the squares of the smaller `a @ b.T`.

    Args:
        features: Tensor `[n * facets * frames, *positions, channels]`: the facets of a filter follow one another.
        facets: How many there are of each filter, from 2.
        frames: How many samples after one another are of one picture: their positions are positions of that picture.

    Returns:
        float32 tensor `[n * facets]`, -1 to 1.

    Example:
        >>> red, blue = tf.constant([1.0, 0.0]), tf.constant([0.0, 1.0])
        >>> sameness(tf.stack([red, red, red, blue]), 2).numpy().tolist()
        [1.0, 1.0, 0.0, 0.0]
    """
    *sides, channels = features.shape[1:]
    flat = tf.cast(tf.reshape(features, [tf.shape(features)[0] // frames, -1, channels]), tf.float32)
    if None not in sides and frames * math.prod(sides) < channels:
        cosines = _cosines_by_positions(flat, facets, frames * math.prod(sides))
    else:
        gram = tf.matmul(flat, flat, transpose_a=True)
        unit = tf.math.l2_normalize(tf.reshape(gram, [-1, facets, channels * channels]), -1)
        cosines = tf.matmul(unit, unit, transpose_b=True)
    others = tf.reduce_sum(cosines, -1) - tf.linalg.diag_part(cosines)
    return tf.reshape(others / (facets - 1), [-1])


def _cosines_by_positions(flat: Any, facets: int, positions: int) -> Any:
    """Returns the cosines `[n, facets, facets]` between Gram matrices of `[n * facets, positions, channels]`."""
    together = tf.reshape(flat, [-1, facets * positions, flat.shape[-1]])
    products = tf.matmul(together, together, transpose_b=True)
    products = tf.reshape(tf.square(products), [-1, facets, positions, facets, positions])
    inner = tf.reduce_sum(products, [2, 4])
    inverse = tf.math.rsqrt(tf.maximum(tf.linalg.diag_part(inner), 1e-12))  # as in `l2_normalize`
    return inner * inverse[:, :, None] * inverse[:, None, :]
