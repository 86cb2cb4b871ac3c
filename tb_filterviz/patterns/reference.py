"""What filters answer to natural inputs."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tb_filterviz.patterns.parameterization import quantise

MOST = 400
"""The most cuts that are measured."""

_BATCH = 8


def cut(natural: Any, shape: tuple[int, ...]) -> NDArray[np.float32]:
    """Cuts natural inputs into pieces of the size of the pictures.

    Args:
        natural: Array `[n, height, width, channels]`, any numbers.
        shape: Height, width and channels of the pictures.

    Returns:
        float32 `[cuts, *shape]`: as many, side by side, as the inputs hold, but 400 at most, evenly chosen.

    Raises:
        ValueError: If the inputs are of another form, smaller than the pictures, or not finite.
    """
    values = np.asarray(natural)
    if (
        values.ndim != 4
        or values.shape[3] != shape[2]
        or min(len(values), *np.subtract(values.shape[1:3], shape[:2]) + 1) < 1
    ):
        raise ValueError(
            "`reference` must be an array [n, height, width, channels], at least as high and wide as the pictures, of "
            f"{shape}. Received: shape {values.shape}"
        )
    if not np.isfinite(values).all():
        raise ValueError("`reference` must hold finite numbers. Received: some that are not")
    height, width = shape[:2]
    cuts = [
        (n, top, left)
        for n in range(len(values))
        for top in range(0, values.shape[1] - height + 1, height)
        for left in range(0, values.shape[2] - width + 1, width)
    ]
    chosen = [cuts[i] for i in np.linspace(0, len(cuts) - 1, min(len(cuts), MOST)).round().astype(int)]
    pieces = np.stack([values[n, top : top + height, left : left + width] for n, top, left in chosen])
    return pieces.astype(np.float32)


def respond(engine: Any, cuts: NDArray[np.float32], input_range: tuple[float, float]) -> NDArray[np.float32]:
    """Measures the response of all filters to natural inputs.

    Args:
        engine: Engine of the layer.
        cuts: What `cut` returned, values in `input_range`.
        input_range: What 0 and 255 of a picture stand for.

    Returns:
        float32 `[cuts, filters]`.
    """
    low, high = input_range
    images = quantise((cuts - low) / (high - low))
    return np.concatenate([engine.measure(images[at : at + _BATCH]) for at in range(0, len(images), _BATCH)])
