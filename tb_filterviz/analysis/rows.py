"""Filters as rows of a matrix, and those that are as good as absent."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

DEAD_SHARE = 0.01


def rows(values: NDArray[Any]) -> NDArray[np.float32]:
    """Returns each filter as one row of float32, scaled so that squares of its weights cannot overflow.

    Args:
        values: Kernel `(*spatial, in, out)`, any real dtype and range. What is not finite becomes 0.

    Returns:
        float32 `[out, weights]`, times a power of two that is the same for all filters: for what does not depend on
        the scale of the layer. Weights are in C order `(*spatial, in)`.

    Example:
        >>> rows(np.array([[3.0, 0.0], [4.0, 1.0]]))[0].tolist()  # axes (in, out); the layer's largest weight is 4
        [0.75, 1.0]
    """
    flat = np.moveaxis(values, -1, 0).reshape(values.shape[-1], -1)
    flat = flat.astype(np.float64 if flat.dtype == np.float64 else np.float32, copy=False)
    largest = float(np.abs(flat).max(initial=0.0))
    if not np.isfinite(largest):
        flat = np.where(np.isfinite(flat), flat, flat.dtype.type(0))
        largest = float(np.abs(flat).max(initial=0.0))
    # The frexp of 4 is (0.5, 3): one less, so that a power of two becomes 1.
    shift = 1 - int(np.frexp(largest)[1]) if largest else 0
    return np.asarray(np.ldexp(flat, shift) if shift else flat, np.float32)


def dead(norms: NDArray[Any]) -> NDArray[np.bool_]:
    """Tells filters that are as good as absent: an L2 norm below 1% of the layer's largest, or 0.

    Args:
        norms: Floating-point `[out]`, L2 norms; NaN for a filter without finite weights, which is not called dead.

    Returns:
        bool `[out]`.

    Example:
        >>> dead(np.array([1.0, 0.009, 0.5, 0.0])).tolist()
        [False, True, False, True]
    """
    norms = np.asarray(norms, np.float64)
    finite = norms[np.isfinite(norms)]
    return np.asarray((norms < DEAD_SHARE * finite.max(initial=0.0)) | (norms == 0))
