"""Whether the range of a model's inputs can be right: its normalisations remember what it was trained on."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from tb_filterviz.patterns import parameterization, tap
from tb_filterviz.patterns.recipes import RECIPES
from tb_filterviz.sources.keras import layer_tree

FACTOR = 30.0
"""How many times more or less than remembered is taken for a wrong range. Ranges that are mixed up differ by a factor
of 127 or 255; responses to natural pictures differ from channel to channel by less than 10."""

_FEWEST = 4
_RANGES = ((0.0, 1.0), (-1.0, 1.0), (0.0, 255.0))


def warn_if_wrong(
    model: Any, shape: tuple[int, ...], span: tuple[float, float], feed: Callable[[tuple[float, float]], Any]
) -> None:
    """Warns, with the numbers, if pictures in a range excite a model much more or less than those of its training.

    Heard is the first `BatchNormalization` or `Normalization` whose statistics were learned. On noise of the spectrum
    and the contrast of natural pictures the standard deviation of what it takes should be about the one it remembers.
    A model without one, with one that has hardly begun to learn, or with one that cannot be heard, says nothing.

    Args:
        model: Built Keras model with one input.
        shape: `(*spatial, channels)` of pictures.
        span: The range that is in question.
        feed: Makes what feeds the model of a range.
    """
    found = next(
        ((path, layer, known) for path, layer in layer_tree(model) if (known := _remembered(layer)) is not None), None
    )
    if found is None:
        return
    path, layer, known = found
    pictures = tf.constant(_pictures(shape))

    def spread(candidate: tuple[float, float]) -> Any:
        hear = tf.function(lambda given: tap.listen(model, layer, feed(candidate)(given)).features, autograph=False)
        taken = hear.get_concrete_function(pictures)(pictures).numpy().astype(np.float64)
        axis = layer.axis[0] if isinstance(layer.axis, (list, tuple)) else layer.axis
        return np.moveaxis(taken, axis, -1).reshape(-1, taken.shape[axis]).std(0)

    try:
        ratios = _ratios(spread(span), known)
        if ratios is None or (np.quantile(ratios, 0.9) >= 1 / FACTOR and np.quantile(ratios, 0.1) <= FACTOR):
            return
        others = {one: _ratios(spread(one), known) for one in _RANGES if one != span}
    except Exception:  # the climb can do without; the model may not call it, not on pictures, or not where it is heard
        return
    better = {one: float(np.median(other)) for one, other in others.items() if other is not None}
    best = min(better, key=lambda one: abs(np.log(better[one] + 1e-30)))
    ratio = float(np.median(ratios))
    times = f"{ratio:.3g} times" if ratio >= 1 else f"1/{1 / max(ratio, 1e-30):.3g} of"
    warnings.warn(
        f"The range of the model's inputs is probably wrong: on pictures in {span} the standard deviation of what "
        f"{path!r} normalises is {times} the one it remembers from training; in {best} it would be "
        f"{better[best]:.3g} times. If it was trained on that, pass input_range={best}, or `preprocess`. "
        f"Received: model={model.name!r}",
        stacklevel=5,
    )


def warn_if_other(natural: NDArray[Any], span: tuple[float, float]) -> None:
    """Warns, with the numbers, if natural inputs are not in the range that they are said to be in.

    Args:
        natural: Finite numbers.
        span: The range.
    """
    low, high = span
    inside = (natural >= low - 0.02 * (high - low)) & (natural <= high + 0.02 * (high - low))
    narrow = (high - low) / FACTOR > natural.max() - natural.min() > 0
    if inside.mean() < 0.99 or narrow:
        warnings.warn(
            f"`reference` is probably not in the input range {span}: its values reach from {natural.min():.4g} to "
            f"{natural.max():.4g}, and {100 * inside.mean():.0f}% of them are within. What is not is cut off. "
            "Scale them, or pass `input_range`.",
            stacklevel=5,
        )


def _remembered(layer: Any) -> NDArray[np.float64] | None:
    """Returns the standard deviations that a normalisation has learned, None if it has not."""
    if isinstance(layer, keras.layers.Normalization) and getattr(layer, "mean", None) is not None:
        return np.sqrt(np.atleast_1d(np.squeeze(np.asarray(layer.variance, np.float64))))
    if not isinstance(layer, keras.layers.BatchNormalization) or not layer.built:
        return None
    variance = np.asarray(layer.moving_variance, np.float64)
    # Statistics start from 1 in all channels; while that still outweighs what was learned, they are much alike.
    learned = np.isfinite(variance).all() and variance.max() > 1.5 * variance.min()
    return np.sqrt(variance + layer.epsilon) if learned else None


def _ratios(found: NDArray[np.float64], known: NDArray[np.float64]) -> NDArray[np.float64] | None:
    """Compares channel by channel those that were alive in training; None where these are too few to tell."""
    known = np.broadcast_to(known, found.shape)
    alive = known > 0.01 * known.max()
    few = alive.sum() < min(_FEWEST, len(known))
    return None if few else found[alive] / known[alive]


def _pictures(shape: tuple[int, ...]) -> NDArray[np.float32]:
    noise = parameterization.make(RECIPES["default"], shape).start(np.random.default_rng(0))
    pictures: NDArray[np.float32] = np.clip(0.5 + 0.25 * noise[np.newaxis], 0, 1).astype(np.float32)
    return pictures
