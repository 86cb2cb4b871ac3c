"""Which filters of a layer resemble each other."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tb_filterviz.analysis.rows import rows

DUPLICATE_COSINE = 0.95


def cosines(values: NDArray[Any], others: NDArray[Any] | None = None) -> NDArray[np.float32]:
    """Computes the cosine of the angle between filters, weight by weight.

    Filters of different groups read different inputs; they are compared all the same, place by place.

    Args:
        values: Kernel `(*spatial, in, out)`, any real dtype.
        others: Another kernel `(*spatial, in, others)`; None for `values` itself.

    Returns:
        float32 `[out, others]`, -1 to 1; 0 for filters without weights other than 0.

    Raises:
        ValueError: If the filters have different shapes.

    Example:
        >>> cosines(np.array([[1.0, -2.0, 0.0], [0.0, 0.0, 3.0]])).tolist()
        [[1.0, -1.0, 0.0], [-1.0, 1.0, 0.0], [0.0, 0.0, 1.0]]
    """
    if others is not None and others.shape[:-1] != values.shape[:-1]:
        raise ValueError(
            "Filters can be compared where they have equal shapes. "
            f"Received: {tuple(values.shape[:-1])} and {tuple(others.shape[:-1])}"
        )
    left = _unit(rows(values))
    right = left if others is None else _unit(rows(others))
    return np.asarray(np.clip(left @ right.T, -1, 1))


def _unit(flat: NDArray[np.float32]) -> NDArray[np.float32]:
    # Divided by its largest weight first: the squares of the weights of a small filter would vanish.
    flat = flat / _or_one(np.abs(flat).max(axis=1, initial=0.0))[:, np.newaxis]
    return np.asarray(flat / _or_one(np.sqrt(np.einsum("fk,fk->f", flat, flat)))[:, np.newaxis])


def _or_one(sizes: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.where(sizes == 0, np.float32(1), sizes)


def orthogonality(cosine: NDArray[np.float32]) -> float:
    """Returns 1 minus the mean |cosine| over all pairs of filters: 1 where all are orthogonal, 0 where all are alike.

    The measure of Gavrikov and Keuper, "The Power of Linear Combinations" (2023) and of their CNN Filter DB.

    Args:
        cosine: float32 `[out, out]`, as `cosines` returns it.

    Returns:
        0 to 1; 1 for a single filter.
    """
    count = len(cosine)
    if count < 2:
        return 1.0
    off = float(np.abs(cosine).sum(dtype=np.float64)) - float(np.abs(np.diagonal(cosine)).sum(dtype=np.float64))
    return 1 - off / (count * (count - 1))


@dataclasses.dataclass(frozen=True)
class Clusters:
    """Filters that are nearly the same, or nearly each other's negative.

    The two are told apart: before a ReLU a filter and its negative find different things, and neither is redundant.

    Attributes:
        labels: int64 `[out]`, the smallest index of a filter's cluster; -1 for one that is like no other.
        opposites: int64 `[out]`, the filter that is most nearly a filter's negative; -1 where none is near enough.
    """

    labels: NDArray[np.int64]
    opposites: NDArray[np.int64]


def clusters(cosine: NDArray[np.float32], threshold: float = DUPLICATE_COSINE) -> Clusters:
    """Finds duplicates, chains of filters of which each has a cosine > `threshold` with the next, and negatives.

    Clusters and not pairs: in a depthwise layer pairs number tens of thousands. RoyChowdhury et al., "Reducing
    Duplicate Filters in Deep Neural Networks" (2017), find duplicates by the cosine, too.

    Args:
        cosine: float32 `[out, out]`, as `cosines` returns it.
        threshold: 0 to 1; negatives have a cosine below `-threshold`.

    Example:
        >>> clusters(cosines(np.array([[1.0, 0.0, 2.0], [0.0, 1.0, 0.0]]))).labels.tolist()
        [0, -1, 0]
    """
    count = len(cosine)
    alike = cosine > threshold
    np.fill_diagonal(alike, False)
    pairs = np.argwhere(np.triu(alike))
    labels = np.arange(count)
    # Labels sink to the smallest of a chain; to jump to the label of the label halves the way.
    while len(pairs):
        before = labels.copy()
        lowest = np.minimum(labels[pairs[:, 0]], labels[pairs[:, 1]])
        np.minimum.at(labels, pairs[:, 0], lowest)
        np.minimum.at(labels, pairs[:, 1], lowest)
        labels = labels[labels]
        if (labels == before).all():
            break
    least = cosine.argmin(axis=1)
    opposed = cosine[np.arange(count), least] < -threshold
    return Clusters(np.where(alike.any(axis=1), labels, -1), np.where(opposed, least, -1))


def nearest(cosine: NDArray[np.float32], count: int = 8) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Finds the filters with the largest |cosine| of each filter, itself left out.

    Args:
        cosine: float32 `[out, out]`, as `cosines` returns it.
        count: How many to find of each; a smaller layer has fewer.

    Returns:
        int64 `[out, found]`, indices, most similar first, and float32 `[out, found]`, their cosines with sign.
    """
    sizes = np.abs(cosine)
    np.fill_diagonal(sizes, -1)
    found = min(count, len(cosine) - 1)
    best = np.argpartition(-sizes, found, axis=1)[:, :found] if found else np.empty((len(cosine), 0), np.int64)
    ranked = np.argsort(-np.take_along_axis(sizes, best, axis=1), axis=1, kind="stable")
    best = np.take_along_axis(best, ranked, axis=1)
    return best, np.take_along_axis(cosine, best, axis=1)


def order(cosine: NDArray[np.float32]) -> NDArray[np.int64]:
    """Orders filters so that like stands beside like: the leaves of a hierarchical clustering.

    Average linkage of the distance 1 - cosine, by nearest-neighbour chains (Benzécri 1982; Murtagh 1983), which need
    one pass over a matrix of distances. Where two clusters join, the ends that are most alike come to touch.

    Args:
        cosine: float32 `[out, out]`, as `cosines` returns it.

    Returns:
        int64 `[out]`, a permutation.

    Example:
        >>> kernel = np.array([[1.0, 0.0, 2.0, 0.0], [0.0, 1.0, 0.0, 2.0]])
        >>> order(cosines(kernel)).tolist()
        [0, 2, 1, 3]
    """
    count = len(cosine)
    distance = np.float32(1) - cosine
    np.fill_diagonal(distance, np.inf)
    sizes = np.ones(count)
    leaves = [[one] for one in range(count)]
    chain: list[int] = []
    for _ in range(count - 1):
        if not chain:
            chain.append(next(one for one in range(count) if sizes[one]))
        while True:
            tip = chain[-1]
            to = int(distance[tip].argmin())
            # A tie with the one before must end the chain, or it would turn in circles.
            if len(chain) > 1 and distance[tip, chain[-2]] <= distance[tip, to]:
                break
            chain.append(to)
        first, second = sorted((chain.pop(), chain.pop()))
        merged = (sizes[first] * distance[first] + sizes[second] * distance[second]) / (sizes[first] + sizes[second])
        distance[first], distance[:, first] = merged, merged
        distance[first, first] = np.inf
        distance[second], distance[:, second] = np.inf, np.inf
        sizes[first], sizes[second] = sizes[first] + sizes[second], 0
        leaves[first] = _join(leaves[first], leaves[second], cosine)
        leaves[second] = []
    return np.array(leaves[0] if count else [], np.int64)


def _join(left: list[int], right: list[int], cosine: NDArray[np.float32]) -> list[int]:
    choices = ((left, right), (left[::-1], right), (left, right[::-1]), (left[::-1], right[::-1]))
    first, second = max(choices, key=lambda pair: cosine[pair[0][-1], pair[1][0]])
    return first + second
