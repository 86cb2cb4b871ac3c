"""How much of the input one filter sees."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf

from tb_filterviz.patterns import tap
from tb_filterviz.patterns.signature import Signature

BOUNDS = {1: (64, 1024), 2: (48, 224), 3: (16, 64)}
"""The shortest and the longest side that is chosen here, by the number of spatial axes."""

_SHARE = 0.99
_ROOM = 1.5
_PROBES = 2


def sides(model: Any, layer: Any, feed: Callable[[Any], Any], shape: tuple[int | None, ...]) -> tuple[int, ...]:
    """Chooses the open sides of the pictures for a layer.

    The field that counts is measured: around the point that the middle position sees, the square that holds 99% of
    the squared gradient on noise, on average over the filters. It is smaller than the one that strides and kernels
    admit: W. Luo, Y. Li, R. Urtasun, R. Zemel, "Understanding the Effective Receptive Field in Deep Convolutional
    Neural Networks", NeurIPS 2016.

    Args:
        model: Built Keras model.
        layer: The layer.
        feed: Makes what the model takes of pictures, 0..1, in the graph.
        shape: `(*spatial, channels)` of the pictures, None for the sides that are chosen.

    Returns:
        All sides: those that are open half as much again as the side of that square (or of the interval, or cube), a
        multiple of 16 within `BOUNDS`.

    Example:
        >>> import keras
        >>> conv = keras.layers.Conv2D(4, 3)
        >>> model = keras.Sequential([keras.Input((None, None, 3)), conv])
        >>> sides(model, conv, lambda pictures: pictures, (None, None, 3))
        (48, 48)
    """
    smallest, largest = BOUNDS[len(shape) - 1]
    open_axes = tuple(axis for axis, side in enumerate(shape) if not side)
    canvas = smallest
    while True:
        try:
            seen = _seen(model, layer, feed, tuple(side or canvas for side in shape), open_axes)
        except ValueError:  # nothing is left at the layer
            if canvas >= largest:
                raise
            seen = canvas
        if seen < canvas // 2 or canvas >= largest:
            chosen = int(np.clip(-(-int(_ROOM * seen) // 16) * 16, smallest, largest))
            return tuple(side or chosen for side in shape[:-1])
        canvas = min(2 * canvas, largest)


def apart(model: Any, layer: Any, feed: Callable[[Any], Any], shape: tuple[int, ...]) -> int:
    """Chooses how far apart spots are whose fields are not to meet.

    Args:
        model: Built Keras model.
        layer: The layer.
        feed: Makes what the model takes of pictures, 0..1, in the graph.
        shape: `(*spatial, channels)` of the pictures.

    Returns:
        Half as much again as the side of the field that counts, see `sides`, in pixels, but 2 at least.

    Example:
        >>> import keras
        >>> conv = keras.layers.Conv2D(4, 3)
        >>> apart(keras.Sequential([keras.Input((16, 16, 3)), conv]), conv, lambda pictures: pictures, (16, 16, 3))
        4
    """
    return max(2, int(_ROOM * _seen(model, layer, feed, shape, tuple(range(len(shape) - 1)))))


def _seen(model: Any, layer: Any, feed: Callable[[Any], Any], shape: tuple[int, ...], axes: tuple[int, ...]) -> int:
    """Measures the side of the square on pictures of a shape, along some of their axes; the longest, if all counts."""
    random = np.random.default_rng(0)

    def gradient(pictures: Any, signs: Any) -> Any:
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(pictures)
            # A filter that is not finite would take its gradient, times 0, to all others.
            heard = tap.listen(model, layer, feed(pictures), finite=True)
            response = tf.cast(heard.response, tf.float32)
            middle = response
            for axis in range(1, response.shape.rank - 1):
                middle = tf.gather(middle, tf.shape(response)[axis] // 2, axis=1)
            score = tf.reduce_sum(middle * tf.repeat(tf.sign(signs[:, : middle.shape[-1]]), heard.frames, axis=0))
        return tape.gradient(score, pictures)

    noise = tf.constant(random.random((_PROBES, *shape)), tf.float32)
    signs = tf.constant(random.normal(size=(_PROBES, 1 << 14)), tf.float32)
    # Called as a concrete function: TensorFlow would warn of the tracing of several in a row.
    slope = tf.function(gradient, autograph=False).get_concrete_function(noise, signs)(noise, signs)
    longest = max(shape[axis] for axis in axes)
    if slope is None:
        return longest
    others = tuple(axis for axis in range(len(shape)) if axis not in axes)
    slope = np.nan_to_num(slope.numpy().astype(np.float64), posinf=0.0, neginf=0.0)
    energy = np.square(slope).sum((0, *(1 + axis for axis in others)))
    if not energy.sum():
        return longest
    grid = np.indices(energy.shape)
    centre = [round(float((energy * along).sum() / energy.sum())) for along in grid]
    distance = np.max([np.abs(along - at) for along, at in zip(grid, centre, strict=True)], axis=0)
    within = np.cumsum(np.bincount(distance.ravel(), energy.ravel())) / energy.sum()
    return 2 * int(np.argmax(within >= _SHARE)) + 1


def seen_inputs(model: Any, layer: Any, takes: Signature, able: list[int]) -> list[int]:
    """Finds which inputs of a model have a gradient from a layer.

    Args:
        model: Built Keras model.
        layer: The layer.
        takes: The inputs of the model.
        able: Indices of those that are asked for.

    Returns:
        The indices of those that the layer sees; none where the model cannot run on inputs of the sizes that are tried.
    """

    def slopes() -> list[Any]:
        tensors = []
        for one in takes.inputs:
            smallest, _ = BOUNDS.get(len(one.shape) - 2, (1, 1))
            tensors.append(tf.zeros([1, *(side or smallest for side in one.shape[1:])], one.dtype))
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch([tensors[index] for index in able])
            response = tap.listen(model, layer, takes.pack(tensors)).response
        return [
            index
            for index, slope in zip(able, tape.gradient(response, [tensors[i] for i in able]), strict=True)
            if slope is not None
        ]

    found: list[int] = []
    try:
        tf.function(lambda: found.extend(slopes()), autograph=False).get_concrete_function()
    except ValueError:
        return []
    return found
