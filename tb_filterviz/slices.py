"""Which spatial pictures of a kernel's filters to show."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

SELECTIONS = ("all", "mean", "strongest", "rgb")
"""The ways to select slices, beside the index of one input."""


def check(inputs: str | int, count: int) -> None:
    """Raises a `ValueError` if filters of `count` inputs have no slices of the selection `inputs`."""
    if inputs == "rgb" and count != 3:
        raise ValueError(f"another: 'rgb' needs a kernel of 3 inputs, and this one has {count}")
    if isinstance(inputs, int) and not 0 <= inputs < count:
        raise ValueError(f"an input from 0 to {count - 1}")


def select(chunks: Iterable[NDArray[Any]], inputs: str | int) -> tuple[NDArray[Any], list[int] | None]:
    """Selects slices of filters.

    Args:
        chunks: The filters in one or more pieces, each floating-point `[filters][*spatial][in]`; NaN and infinities are
            allowed. One piece is worked on at a time, and but for `"all"` and `"rgb"` none is kept.
        inputs: `"all"`; an input's index; `"mean"`: the mean over the inputs; `"strongest"`: of each filter the slice
            with the largest L2 norm (a value that is not finite counts as 0); `"rgb"`: all slices of a filter of three
            inputs. It is one for which `check` raises nothing.

    Returns:
        The slices `[filters][inputs][*spatial]`, float32 for `"mean"`, else of the dtype of `chunks`; and for
        `"strongest"` the input of each filter's slice, else None.

    Example:
        >>> pictures, chosen = select([np.zeros((8, 3, 3, 16)), np.ones((2, 3, 3, 16))], "strongest")
        >>> pictures.shape, len(chosen)
        ((10, 1, 3, 3), 10)
    """
    pictures: list[NDArray[Any]] = []
    chosen: list[int] = []
    for chunk in chunks:
        by_input = np.moveaxis(chunk, -1, 1)
        if inputs == "mean":
            pictures.append(chunk.mean(axis=-1, dtype=np.float32)[:, np.newaxis])
        elif inputs == "strongest":
            strongest = _strongest(chunk)
            pictures.append(by_input[np.arange(len(chunk)), strongest][:, np.newaxis])
            chosen += strongest.tolist()
        elif isinstance(inputs, int):
            pictures.append(by_input[:, inputs : inputs + 1].copy())  # a view would keep the whole piece
        else:
            pictures.append(by_input)
    return np.concatenate(pictures), chosen if inputs == "strongest" else None


def _strongest(filters: NDArray[Any]) -> NDArray[np.intp]:
    """Returns of each filter the input of the slice with the largest L2 norm."""
    flat = filters.reshape(len(filters), -1, filters.shape[-1]).astype(np.float32, copy=False)
    energies = np.einsum("fki,fki->fi", flat, flat)
    if not np.isfinite(energies).all():
        flat = np.where(np.isfinite(flat), flat, 0.0)
        energies = np.einsum("fki,fki->fi", flat, flat)
    return np.asarray(energies.argmax(axis=1))


def limits(pictures: NDArray[Any]) -> NDArray[np.float32]:
    """Returns the largest finite magnitude of each picture of `pictures`, `[filters][...]`; 0 where there is none."""
    flat = np.abs(pictures.reshape(len(pictures), -1)).astype(np.float32)
    return np.asarray(np.where(np.isfinite(flat), flat, 0.0).max(axis=1, initial=0.0))
