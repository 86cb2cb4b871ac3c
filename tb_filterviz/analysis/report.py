"""All on-demand numbers of one kernel together."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tb_filterviz.analysis.change import change
from tb_filterviz.analysis.quality import Basis, Quality, basis, quality
from tb_filterviz.analysis.rows import rows
from tb_filterviz.analysis.similarity import clusters, cosines, nearest, order, orthogonality
from tb_filterviz.analysis.spectrum import colour_share, spectrum

COLUMNS = (
    *("duplicate_of", "opposite_of", "high_frequency", "orientation", "orientation_strength", "colour"),
    *("change", "cosine", "change_first", "cosine_first"),
)
"""The columns of `Report.filters`."""


@dataclasses.dataclass(frozen=True)
class Report:
    """What can be said about a kernel.

    Attributes:
        filters: float64 `[out, len(COLUMNS)]`, NaN for what does not apply:

            - `duplicate_of`: the first filter of its cluster of duplicates.
            - `opposite_of`: the filter whose negative it is.
            - `high_frequency`, `orientation` (degrees), `orientation_strength`, `colour`: see `spectrum`.
            - `change`, `cosine` since the step before, `change_first`, `cosine_first` since the first one.
        order: int64 `[out]`, filters so that like stands beside like.
        nearest: int64 `[out, n]`, most similar filters of each.
        nearest_cosines: float32 `[out, n]`, with sign.
        orthogonality: 0 to 1.
        quality: Of the layer.
        basis: Of its slices, or None.
    """

    filters: NDArray[np.float64]
    order: NDArray[np.int64]
    nearest: NDArray[np.int64]
    nearest_cosines: NDArray[np.float32]
    orthogonality: float
    quality: Quality
    basis: Basis | None


def report(values: NDArray[Any], previous: NDArray[Any] | None = None, first: NDArray[Any] | None = None) -> Report:
    """Computes all of it.

    Args:
        values: Kernel `(*spatial, in, out)`, any real dtype and range; what is not finite counts as 0.
        previous: The kernel at the step before; None where there is none of this shape.
        first: The same for the first step.

    Example:
        >>> kernel = np.random.default_rng(0).normal(size=(3, 3, 8, 16))
        >>> report(kernel).filters.shape
        (16, 10)
    """
    if values.dtype == np.float16:
        values = values.astype(np.float32)
    nothing = np.full(values.shape[-1], np.nan)
    changes = [(nothing, nothing) if previous is None else change(previous, values)]
    if first is previous:  # as at the second step
        changes += changes
    else:
        changes.append((nothing, nothing) if first is None else change(first, values))
    # All that follows needs `rows` of the kernel, which of this one take no copy.
    values = np.moveaxis(rows(values).reshape(values.shape[-1], *values.shape[:-1]), 0, -1)
    cosine = cosines(values)
    found = clusters(cosine)
    frequencies = spectrum(values)
    columns = [
        *(np.where(found_at < 0, np.nan, found_at) for found_at in (found.labels, found.opposites)),
        *(frequencies.high, frequencies.angle, frequencies.strength, colour_share(values)),
        *(column for pair in changes for column in pair),
    ]
    components = basis(values)
    near, near_cosines = nearest(cosine)
    return Report(
        filters=np.stack(columns, axis=1),
        order=order(cosine),
        nearest=near,
        nearest_cosines=near_cosines,
        orthogonality=orthogonality(cosine),
        quality=quality(values, components),
        basis=components,
    )
