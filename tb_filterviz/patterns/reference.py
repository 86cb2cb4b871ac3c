"""What filters answer to natural inputs."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tb_filterviz.patterns.engine import MEMORY
from tb_filterviz.patterns.quantisation import quantise, shown

MOST = 400
"""The most cuts that are measured."""

_BATCH = 8
"""How many are measured together, if they take no more than `MEMORY`."""


def cut(natural: Any, shape: tuple[int, ...]) -> NDArray[np.float32]:
    """Cuts natural inputs into pieces of the size of the pictures.

    Args:
        natural: Array `[n, *spatial, channels]`, any numbers.
        shape: `(*spatial, channels)` of the pictures.

    Returns:
        float32 `[cuts, *shape]`: as many, side by side, as the inputs hold, but 400 at most, evenly chosen.

    Raises:
        ValueError: If the inputs are of another form, smaller than the pictures, or not finite.
    """
    values, sides = np.asarray(natural), shape[:-1]
    fits = values.ndim == len(shape) + 1 and values.shape[-1] == shape[-1] and len(values) > 0
    if not fits or min(np.subtract(values.shape[1:-1], sides)) < 0:
        raise ValueError(
            "`reference` must be an array [n, *spatial, channels], along no side shorter than the pictures, of "
            f"{shape}. Received: shape {values.shape}"
        )
    wrong = np.flatnonzero(~np.isfinite(values.reshape(len(values), -1)).all(1))
    if wrong.size:
        raise ValueError(
            "`reference` must hold finite numbers: leave out inputs with NaN or infinity. "
            f"Received: {wrong.size} of {len(values)} with some, the first at index {wrong[0]}"
        )
    starts = [range(0, side - part + 1, part) for side, part in zip(values.shape[1:-1], sides, strict=True)]
    cuts = list(itertools.product(range(len(values)), *starts))
    chosen = [cuts[i] for i in np.linspace(0, len(cuts) - 1, min(len(cuts), MOST)).round().astype(int)]
    pieces = np.stack(
        [values[n][tuple(slice(at, at + part) for at, part in zip(begin, sides, strict=True))] for n, *begin in chosen]
    )
    return pieces.astype(np.float32)


def respond(
    engine: Any, cuts: NDArray[np.float32], input_range: tuple[float, float], apart: int = 0
) -> NDArray[np.float32]:
    """Measures the response of all filters to natural inputs.

    Args:
        engine: Engine of the layer.
        cuts: What `cut` returned, values in `input_range`.
        input_range: What 0 and 255 of a picture stand for.
        apart: See `Engine.measure`.

    Returns:
        float32 `[2, cuts, filters]`, as `Engine.measure` returns them.
    """
    low, high = input_range
    images = quantise((cuts - low) / (high - low))
    size = max(1, min(_BATCH, MEMORY // max(engine.picture_bytes, 1)))
    batches = [shown(images[at : at + size]) for at in range(0, len(images), size)]
    return np.concatenate([engine.measure(batch, apart) for batch in batches], 1)
