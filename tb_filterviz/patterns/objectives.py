"""What a pattern maximises: the mean response of one filter."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

BORDER = 2
"""Positions at each border that do not count: padding answers there, not the picture."""


def channel_sum(response: Any, filters: Any) -> tuple[Any, Any]:
    """Sums, for each sample, the response of its own filter over the positions that count.

    Two positions at each border are left out, but never more than a quarter of a side at each: zero padding would
    otherwise be answered with strips along the borders of the picture.

    Args:
        response: Tensor `[batch, *positions, filters]`, any float type.
        filters: int32 tensor `[batch]`, the filter of each sample.

    Returns:
        float32 tensor `[batch]`, the sums, and a float32 scalar, the number of positions in each: the mean is their
        ratio.

    Example:
        >>> total, positions = channel_sum(tf.ones((2, 8, 8, 5)), tf.constant([4, 0]))
        >>> total.numpy().tolist(), float(positions)
        ([16.0, 16.0], 16.0)
    """
    sides = tf.shape(response)[1:-1]
    borders = tf.minimum(BORDER, sides // 4)
    inner = sides - 2 * borders
    counted = tf.slice(response, tf.concat([[0], borders, [0]], 0), tf.concat([[-1], inner, [-1]], 0))
    sums = tf.reduce_sum(tf.cast(counted, tf.float32), axis=list(range(1, response.shape.rank - 1)))
    return tf.gather(sums, filters, axis=1, batch_dims=1), tf.cast(tf.reduce_prod(inner), tf.float32)
