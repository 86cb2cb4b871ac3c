"""What a pattern maximises: the response of one filter, on average or at one position."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

BORDER = 2
"""Positions at each border that do not count: padding answers there, not the picture."""


def mean(response: Any, positions: int) -> Any:
    """Averages over the positions that count: the objective `"channel"`.

    Two positions at each border are left out, but never more than a quarter of a side at each: zero padding would
    otherwise be answered with strips along the borders of the picture.

    Args:
        response: Tensor `[batch, *positions]` or `[batch, *positions, filters]`, any float type.
        positions: Number of axes of positions.

    Returns:
        float32 tensor `[batch]` or `[batch, filters]`.

    Example:
        >>> mean(tf.ones((2, 8, 8, 5)), 2).shape
        TensorShape([2, 5])
    """
    sides = tf.shape(response)[1 : 1 + positions]
    borders = tf.minimum(BORDER, sides // 4)
    rest = [0] * (response.shape.rank - 1 - positions)
    begin = tf.concat([[0], borders, rest], 0)
    size = tf.concat([[-1], sides - 2 * borders, [-1] * len(rest)], 0)
    counted = tf.cast(tf.slice(response, begin, size), tf.float32)
    return tf.reduce_mean(counted, axis=list(range(1, 1 + positions)))


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


OBJECTIVES = {"channel": mean, "neuron": centre}
"""The objectives by name."""
