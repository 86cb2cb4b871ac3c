"""How much of the input one filter sees."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf

from tb_filterviz.patterns import tap

SMALLEST, LARGEST = 48, 224
"""Bounds of the side of a picture that is chosen here, in pixels."""

_SHARE = 0.99
_PROBES = 2


def side(model: Any, layer: Any, feed: Callable[[Any], Any], channels: int) -> int:
    """Chooses the side of square pictures for a layer.

    The field that counts is measured: around the point that the middle position sees, the square that holds 99% of
    the squared gradient on noise, on average over the filters. It is smaller than the one that strides and kernels
    admit: W. Luo, Y. Li, R. Urtasun, R. Zemel, "Understanding the Effective Receptive Field in Deep Convolutional
    Neural Networks", NeurIPS 2016.

    Args:
        model: Built Keras model that leaves the size of its input open.
        layer: The layer.
        feed: Makes what the model takes of pictures, 0..1, in the graph.
        channels: Channels of the pictures.

    Returns:
        Half as much again as the side of that square, a multiple of 16 from 48 to 224 pixels.

    Example:
        >>> import keras
        >>> conv = keras.layers.Conv2D(4, 3)
        >>> side(keras.Sequential([keras.Input((None, None, 3)), conv]), conv, lambda pictures: pictures, 3)
        48
    """
    canvas = SMALLEST
    while True:
        seen = _seen(model, layer, feed, (canvas, canvas, channels))
        if seen < canvas // 2 or canvas >= LARGEST:
            return int(np.clip(-(-int(1.5 * seen) // 16) * 16, SMALLEST, LARGEST))
        canvas = min(2 * canvas, LARGEST)


def _seen(model: Any, layer: Any, feed: Callable[[Any], Any], shape: tuple[int, int, int]) -> int:
    """Measures the side of the square on a canvas; the whole canvas where nothing is left of it at the layer."""
    random = np.random.default_rng(0)

    def gradient(pictures: Any, signs: Any) -> Any:
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(pictures)
            response = tf.cast(tap.listen(model, layer, feed(pictures)).response, tf.float32)
            middle = response
            for axis in range(1, response.shape.rank - 1):
                middle = tf.gather(middle, tf.shape(response)[axis] // 2, axis=1)
            score = tf.reduce_sum(middle * tf.cast(tf.sign(signs[:, : middle.shape[-1]]), tf.float32))
        return tape.gradient(score, pictures)

    try:
        noise = tf.constant(random.random((_PROBES, *shape)), tf.float32)
        signs = tf.constant(random.normal(size=(_PROBES, 1 << 14)), tf.float32)
        # Called as a concrete function: TensorFlow would warn of the tracing of several in a row.
        slope = tf.function(gradient, autograph=False).get_concrete_function(noise, signs)(noise, signs)
    except ValueError:
        if max(shape) >= LARGEST:
            raise
        return max(shape)
    if slope is None:
        return shape[0]
    energy = np.nan_to_num(np.square(slope.numpy().astype(np.float64)).sum((0, 3)))
    if not energy.sum():
        return shape[0]
    grid = np.arange(shape[0])
    row, column = (round(float((energy.sum(1 - axis) * grid).sum() / energy.sum())) for axis in (0, 1))
    distance = np.maximum(np.abs(grid[:, None] - row), np.abs(grid - column))
    within = np.cumsum(np.bincount(distance.ravel(), energy.ravel())) / energy.sum()
    return 2 * int(np.argmax(within >= _SHARE)) + 1
