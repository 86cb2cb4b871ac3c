"""From one step or run to another."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tb_filterviz.analysis.similarity import cosines


def change(before: NDArray[Any], after: NDArray[Any]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Computes how far each filter went.

    Args:
        before: Kernel `(*spatial, in, out)`, any real dtype.
        after: Kernel of the same shape.

    Returns:
        float64 `[out]`, `|after - before| / |before|` by L2 norm, and float64 `[out]`, the cosine between the two.
        Both are NaN where a filter is 0 before, the cosine also where it is 0 after.

    Raises:
        ValueError: If the shapes differ.

    Example:
        >>> relative, cosine = change(np.array([[3.0], [4.0]]), np.array([[6.0], [8.0]]))
        >>> float(relative[0]), round(float(cosine[0]), 6)
        (1.0, 1.0)
    """
    if before.shape != after.shape:
        raise ValueError(f"The kernels must have one shape. Received: {tuple(before.shape)} and {tuple(after.shape)}")
    first, second = _flat(before), _flat(after)
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        norm, norm_after = _norm(first), _norm(second)
        relative = _norm(second - first) / norm
        cosine = np.einsum("fk,fk->f", first, second, dtype=np.float64) / (norm * norm_after)
    relative[norm == 0] = np.nan
    return relative, np.clip(cosine, -1, 1)


def _flat(values: NDArray[Any]) -> NDArray[Any]:
    flat = np.moveaxis(values, -1, 0).reshape(values.shape[-1], -1)
    flat = flat.astype(np.float64 if flat.dtype == np.float64 else np.float32, copy=False)
    return flat if np.isfinite(flat).all() else np.where(np.isfinite(flat), flat, flat.dtype.type(0))


def _norm(flat: NDArray[Any]) -> NDArray[np.float64]:
    return np.asarray(np.sqrt(np.einsum("fk,fk->f", flat, flat, dtype=np.float64)))


def match(left: NDArray[Any], right: NDArray[Any]) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Pairs the filters of two kernels by likeness: two trainings find like filters at different indices.

    Greedy, and so the same on every machine: of all filters that are left, the two with the largest cosine become a
    pair, until one side is used up. It finds a permuted copy exactly; else the sum of cosines is at least half of the
    largest possible one, where cosines are not negative (Avis 1983), and near it in practice.

    Args:
        left: Kernel `(*spatial, in, out)`, any real dtype.
        right: Kernel `(*spatial, in, others)`.

    Returns:
        int64 `[out]`, the index of each left filter's partner, -1 for those without; and float32 `[out]`, the cosine
        of each pair, NaN for those without.

    Raises:
        ValueError: If the filters have different shapes.

    Example:
        >>> match(np.eye(3), np.eye(3)[:, [2, 0, 1]])[0].tolist()
        [1, 2, 0]
    """
    cosine = cosines(left, right)
    partners = _pairs(cosine)
    found = partners >= 0
    return partners, np.where(found, cosine[np.arange(len(cosine)), partners], np.float32(np.nan))


def _pairs(cosine: NDArray[np.float32]) -> NDArray[np.int64]:
    """Returns the partner of each left filter, greedily, without all pairs being sorted.

    Two that are each other's nearest, of all that are left, are a pair of the greedy order, whatever else there is.
    They are found at the end of a chain from one filter to its nearest and on; what comes before them in the chain is
    still there afterwards, so that each filter joins a chain once. (Chains of nearest neighbours: Benzecri 1982.)
    Of equal ones the first is nearest, for rows and columns alike: no chain turns in circles.
    """
    free = np.array(cosine)
    partners = np.full(len(free), -1)
    chain: list[int] = []  # left and right filters in turn
    starts = iter(range(len(free)))
    for _ in range(min(free.shape)):
        if not chain:
            chain.append(next(one for one in starts if partners[one] < 0))
        while True:
            tip, of_left = chain[-1], len(chain) % 2 == 1
            nearest = int((free[tip] if of_left else free[:, tip]).argmax())
            if len(chain) > 1 and nearest == chain[-2]:
                break
            chain.append(nearest)
        one, other = (tip, nearest) if of_left else (nearest, tip)
        partners[one] = other
        free[one], free[:, other] = -np.inf, -np.inf
        del chain[-2:]
    return partners
