"""Which spatial pictures of a kernel's filters to show."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

SELECTIONS = ("all", "mean", "strongest", "rgb")
"""The ways to select slices, beside the index of one input."""


def select(filters: NDArray[Any], inputs: str | int) -> tuple[NDArray[Any], list[int] | None]:
    """Selects slices of filters.

    Args:
        filters: Floating-point `[filters][*spatial][in]`; NaN and infinities are allowed.
        inputs: `"all"`; an input's index; `"mean"`: the mean over the inputs; `"strongest"`: of each filter the slice
            with the largest L2 norm (a value that is not finite counts as 0); `"rgb"`: all slices of a filter of three
            inputs.

    Returns:
        The slices `[filters][inputs][*spatial]`, float32 for `"mean"`, else of the dtype of `filters`; and for
        `"strongest"` the input of each filter's slice, else None.

    Raises:
        ValueError: If there is no such input, or not three for `"rgb"`.
    """
    count = filters.shape[-1]
    if inputs == "mean":
        return filters.mean(axis=-1, dtype=np.float32)[:, np.newaxis], None
    by_input = np.moveaxis(filters, -1, 1)
    if inputs == "strongest":
        flat = filters.reshape(len(filters), -1, count).astype(np.float32, copy=False)
        energies = np.einsum("fki,fki->fi", flat, flat)
        if not np.isfinite(energies).all():
            flat = np.where(np.isfinite(flat), flat, 0.0)
            energies = np.einsum("fki,fki->fi", flat, flat)
        chosen = energies.argmax(axis=1)
        return by_input[np.arange(len(filters)), chosen][:, np.newaxis], chosen.tolist()
    if inputs == "rgb" and count != 3:
        raise ValueError(f"'rgb' needs a kernel of 3 inputs, and this one has {count}")
    if isinstance(inputs, int):
        if not 0 <= inputs < count:
            raise ValueError(f"an input from 0 to {count - 1}")
        return by_input[:, inputs : inputs + 1], None
    return by_input, None


def limits(pictures: NDArray[Any]) -> NDArray[np.float32]:
    """Returns the largest finite magnitude of each picture of `pictures`, `[filters][...]`; 0 where there is none."""
    flat = np.abs(pictures.reshape(len(pictures), -1)).astype(np.float32)
    return np.asarray(np.where(np.isfinite(flat), flat, 0.0).max(axis=1, initial=0.0))
