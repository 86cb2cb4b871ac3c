"""How well a layer as a whole uses its weights: the measures of CNN Filter DB.

Gavrikov and Keuper, "CNN Filter DB: An Empirical Investigation of Trained Convolutional Filters", CVPR 2022, section 4.
All of them are of a layer's *slices*, the spatial pictures of one input and one filter.
"""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tb_filterviz.analysis.rows import rows
from tb_filterviz.analysis.spectrum import MOST_TAPS

NEAR_RANDOM = 0.98
"""The randomness from which on a layer looks untrained."""

_SPARSE = 0.01
_FEWEST_SLICES = 64  # fewer random slices are up to a half above the bound, and structured ones may be at it


@dataclasses.dataclass(frozen=True)
class Basis:
    """Principal components of the slices of a layer.

    Attributes:
        pictures: float64 `[components, *spatial]`, of unit norm, most important first; the largest weight of each is
            positive. As many as a slice has weights.
        explained: float64 `[components]`, the share of the variance that each explains; all 0 where nothing varies.
    """

    pictures: NDArray[np.float64]
    explained: NDArray[np.float64]


@dataclasses.dataclass(frozen=True)
class Quality:
    """Numbers about a layer; None where they do not apply.

    Attributes:
        slices: How many slices the layer has.
        sparsity: Share of slices whose every weight is below 1% of the layer's largest.
        entropy: Variance entropy, 0 (all slices are multiples of one) to log10 of the weights of a slice.
        bound: The entropy above which 3x3 slices are as good as random, for so many slices; 64 at least, as the fitted
            curve does not hold for fewer.
        randomness: `entropy / bound`: about 1 for an untrained layer, about 0 for a redundant one.
    """

    slices: int
    sparsity: float | None
    entropy: float | None
    bound: float | None
    randomness: float | None


def basis(values: NDArray[Any]) -> Basis | None:
    """Computes the principal components of all slices of a kernel, about their mean.

    Args:
        values: Kernel `(*spatial, in, out)`, any real dtype.

    Returns:
        The basis; None for a kernel whose slices have one weight, or more than any convolution's.

    Example:
        >>> basis(np.ones((1, 1, 8, 8))) is None
        True
    """
    spatial = values.shape[:-2]
    taps = math.prod(spatial)
    if not 1 < taps <= MOST_TAPS:
        return None
    slices = rows(values).reshape(values.shape[-1], taps, values.shape[-2])
    count = slices.shape[0] * slices.shape[2]
    total = slices.sum(axis=(0, 2), dtype=np.float64)
    # The eigenvectors of the covariance are the right singular vectors of the slices, for a hundredth of the work.
    covariance = np.zeros((taps, taps))
    for start in range(0, len(slices), 64):
        block = slices[start : start + 64].astype(np.float64)
        covariance += np.matmul(block, block.transpose(0, 2, 1)).sum(axis=0)
    covariance -= np.outer(total, total) / count
    variances, vectors = np.linalg.eigh(covariance)
    # What rounding leaves of a variance of zero is no structure.
    variances = np.where(variances > 1e-10 * max(float(np.trace(covariance)), 0.0), variances, 0.0)[::-1]
    pictures = vectors[:, ::-1].T
    signs = np.sign(pictures[np.arange(taps), np.abs(pictures).argmax(axis=1)])
    pictures = pictures * signs[:, np.newaxis]
    explained = variances / variances.sum() if variances.any() else variances
    return Basis(pictures.reshape(taps, *spatial), explained)


def randomness_bound(slices: int) -> float:
    """Returns the variance entropy above which 3x3 slices are as good as random (CNN Filter DB, section 4.3).

    Args:
        slices: How many slices the layer has: few random ones vary in fewer directions.

    Example:
        >>> round(randomness_bound(512 * 512), 3)
        0.951
    """
    return 1.2618 / (1 + math.exp(-0.8877 * (math.log2(max(1, slices)) - 2.3044))) - 0.3105


def quality(values: NDArray[Any], components: Basis | None) -> Quality:
    """Computes the numbers of a layer.

    Args:
        values: Kernel `(*spatial, in, out)`, any real dtype.
        components: Its `basis`.
    """
    spatial, (inputs, count) = values.shape[:-2], values.shape[-2:]
    slices = inputs * count
    if components is None:
        return Quality(slices, None, None, None, None)
    sizes = np.abs(rows(values)).reshape(count, -1, inputs).max(axis=1)
    sparsity = float((sizes < _SPARSE * sizes.max()).mean()) if sizes.any() else 1.0
    shares = components.explained[components.explained > 0]
    # + 0.0: one component alone gives -0.0
    entropy = float(-(shares * np.log10(shares)).sum()) + 0.0
    if spatial != (3, 3) or slices < _FEWEST_SLICES:
        return Quality(slices, sparsity, entropy, None, None)
    bound = randomness_bound(slices)
    return Quality(slices, sparsity, entropy, bound, entropy / bound if bound > 0 else None)
