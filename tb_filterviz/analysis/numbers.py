"""Cheap numbers of each filter, computed when a kernel is logged, from its exact weights."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

NUMBERS = ("norm", "min", "max", "mean", "std", "near_zero", "nonfinite", "l1")
"""The columns of `filter_numbers`."""

_NEAR_ZERO = 0.01
_DROWNED = 1e-6  # a variance of less, beside the square of the mean, is found by another pass
_BLOCK_BYTES = 1 << 19  # float64 working set that stays in a core's second-level cache


def filter_numbers(values: NDArray[Any]) -> NDArray[np.float32]:
    """Computes the numbers of each filter, accumulated in float64.

    Args:
        values: Kernel `(*spatial, in, out)`, any real dtype and range. Values that are not finite are counted and left
            out of the other numbers.

    Returns:
        float32 `[out, len(NUMBERS)]`, in the order of `NUMBERS`:

        - `norm`: L2 norm.
        - `min`, `max`, `mean`, `std` (population standard deviation).
        - `near_zero`: share, 0 to 1, of weights with a magnitude below 1% of the largest in the whole layer, the
          threshold of Gavrikov and Keuper, "CNN Filter DB", CVPR 2022, section 4.
        - `nonfinite`: count of NaN and infinite weights.
        - `l1`: L1 norm, the pruning criterion of Li et al., "Pruning Filters for Efficient ConvNets", ICLR 2017.

        All but `nonfinite` are NaN for a filter without a single finite weight.

    Example:
        >>> kernel = np.array([[3.0, 0.0], [4.0, 1.0]])  # axes (in, out)
        >>> filter_numbers(kernel)[0].tolist()
        [5.0, 3.0, 4.0, 3.5, 0.5, 0.0, 0.0, 7.0]
    """
    weights = values.reshape(-1, values.shape[-1])
    if weights.dtype not in (np.float32, np.float64):
        weights = weights.astype(np.float64)
    with np.errstate(invalid="ignore", over="ignore", divide="ignore"):
        low, high = weights.min(axis=0), weights.max(axis=0)
        if np.isfinite(low).all() and np.isfinite(high).all():
            return _numbers(weights, low, high, np.zeros(weights.shape[1], np.int64))
        finite = np.isfinite(weights)
        low = np.where(finite, weights, np.inf).min(axis=0)
        high = np.where(finite, weights, -np.inf).max(axis=0)
        return _numbers(np.where(finite, weights, np.nan), low, high, np.count_nonzero(~finite, axis=0))


def _numbers(
    weights: NDArray[Any], low: NDArray[Any], high: NDArray[Any], nonfinite: NDArray[np.int64]
) -> NDArray[np.float32]:
    """Sums block by block; NaN in `weights` stands for a value that is left out."""
    magnitudes = np.maximum(np.abs(low), np.abs(high))
    threshold = weights.dtype.type(_NEAR_ZERO * float(magnitudes[np.isfinite(magnitudes)].max(initial=0.0)))
    count = len(weights) - nonfinite
    total, squares, sizes = np.zeros(len(low)), np.zeros(len(low)), np.zeros(len(low))
    near = np.zeros(len(low), np.int64)
    rows = max(1, _BLOCK_BYTES // (8 * weights.shape[1]))
    for start in range(0, len(weights), rows):
        block = weights[start : start + rows]
        size = np.abs(block)
        near += (size < threshold).view(np.uint8).sum(axis=0, dtype=np.uint32)
        exact = block.astype(np.float64)
        if nonfinite.any():
            exact[np.isnan(exact)] = 0.0
            size[np.isnan(size)] = 0.0
        sizes += size.sum(axis=0, dtype=np.float64)
        total += exact.sum(axis=0)
        squares += np.einsum("ko,ko->o", exact, exact)
    mean = total / count
    variance = np.maximum(squares / count - mean**2, 0.0)
    drowned = np.flatnonzero(variance < _DROWNED * mean**2)
    if len(drowned):
        variance[drowned] = _squares_about(weights, mean, drowned, rows) / count[drowned]
    variance[low == high] = 0.0  # rounding must not give a constant filter a spread
    columns = [np.sqrt(squares), low, high, mean, np.sqrt(variance), near / count, nonfinite, sizes]
    numbers = np.stack(columns, axis=1)
    numbers[count == 0] = [np.nan if name != "nonfinite" else len(weights) for name in NUMBERS]
    return numbers.astype(np.float32)


def _squares_about(
    weights: NDArray[Any], mean: NDArray[np.float64], filters: NDArray[np.intp], rows: int
) -> NDArray[np.float64]:
    """Sums the squares of how far the weights of some filters are from their mean, as many rows at a time."""
    squares = np.zeros(len(filters))
    for start in range(0, len(weights), rows):
        apart = weights[start : start + rows, filters] - mean[filters]
        squares += np.nansum(apart**2, axis=0)
    return squares
