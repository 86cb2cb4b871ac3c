"""What sets a filter apart from the others of its layer: the objective `"distinct"`.

A picture that excites a filter most excites others, too, and often some of them more, for what they are used to. Here
each filter's response is counted in standard deviations from its mean over natural inputs, and what is climbed is how
far that of the wanted filter is ahead of all others.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

FLAT = 1e-3
"""The share of its mean below which a filter's deviation is taken for rounding: so much is that of bfloat16."""

SOFTNESS = 0.3
"""By how many standard deviations filters may differ to be pushed down together, and not only the first of them."""

PATIENCE = 3
"""How many times more steps than for a response alone it takes to get ahead of all others."""

_TINY = float(np.finfo(np.float32).tiny)

UNKNOWN = np.zeros((2, 0), np.float32)
"""Stands for `statistics` where nothing is compared."""

FEWEST = 16
"""Of fewer cuts of natural inputs, even of unlike ones, a standard deviation is off by a fifth and more."""


def statistics(natural: NDArray[np.float32]) -> NDArray[np.float32]:
    """Returns mean and standard deviation of responses to natural inputs.

    Args:
        natural: float32 `[cuts, filters]`.

    Returns:
        float32 `[2, filters]`. A filter that always answers the same but for rounding, or not with finite numbers, has
        the mean 0 and an infinite deviation, so that nothing of it counts.

    Example:
        >>> statistics(np.array([[1, 5, np.nan], [3, 5, 0]], np.float32)).tolist()
        [[2.0, 0.0, 0.0], [1.0, inf, inf]]
    """
    with np.errstate(invalid="ignore", over="ignore"):
        mean, deviation = natural.mean(0, dtype=np.float64), natural.std(0, dtype=np.float64)
        varies = np.isfinite(mean + deviation) & (deviation > np.maximum(FLAT * np.abs(mean), _TINY))
    return np.stack([np.where(varies, mean, 0), np.where(varies, deviation, np.inf)]).astype(np.float32)


def lead(responses: NDArray[np.float32], natural: NDArray[np.float32]) -> NDArray[np.float32]:
    """Measures how far each filter is ahead of all others, or of its own mean where the others are below theirs.

    Args:
        responses: float32 `[batch, filters]`, on average over positions.
        natural: What `statistics` returned.

    Returns:
        float32 `[batch, filters]`, in standard deviations: above 0 for one filter of a picture, at most. Not-a-number
        for a filter whose response is; others are not compared with it.

    Example:
        >>> lead(np.array([[4, 10, 0]], np.float32), np.array([[0, 0, 0], [1, 5, 1]], np.float32)).tolist()
        [[2.0, -2.0, -4.0]]
    """
    with np.errstate(invalid="ignore"):
        z = (responses - natural[0]) / natural[1]
    known = np.where(np.isnan(z), -np.inf, z)
    rows = np.arange(len(z))
    first = known.argmax(1)
    best = known[rows, first]
    known[rows, first] = -np.inf
    others = np.broadcast_to(best[:, np.newaxis], z.shape).copy()
    others[rows, first] = known.max(1)
    with np.errstate(invalid="ignore"):
        leads: NDArray[np.float32] = (z - np.maximum(others, 0)).astype(np.float32)
    return leads


def own_lead(responses: Any, natural: Any, targets: Any) -> tuple[Any, Any]:
    """Measures what `lead` does, of each picture's own filter alone; and what is climbed: its lead over all together.

    Args:
        responses: float32 tensor `[batch, filters]`.
        natural: float32 tensor `[2, filters]`.
        targets: int32 tensor `[batch]`.

    Returns:
        The leads, float32 tensor `[batch]`; and those over a mean of the others in which who is about as far as the
        first counts with it: weighed by the exponential of z over `SOFTNESS`. Weights are constants to the gradient,
        which is then that of the lead over the logarithm of the sum of these exponentials.
    """
    heard = tf.math.is_finite(responses)
    z = (tf.where(heard, responses, tf.zeros_like(responses)) - natural[0]) / natural[1]
    is_own = tf.one_hot(targets, responses.shape[-1], True, False, dtype=tf.bool)
    others = tf.where(is_own | ~heard, tf.zeros_like(z), z)
    own, first = tf.gather(z, targets, axis=1, batch_dims=1), tf.reduce_max(others, 1, keepdims=True)
    # The exponential and the sum, by functions that round the same wherever in a tensor a number is, and however many
    # pictures there are, unlike `tf.exp` and `tf.reduce_sum`.
    half = tf.tanh((others - first) / (2 * SOFTNESS))
    weights = tf.stop_gradient((1 + half) / (1 - half))
    weights /= tf.cumsum(weights, 1)[:, -1:]
    return own - first[:, 0], own - tf.reduce_sum(weights * others, 1)
