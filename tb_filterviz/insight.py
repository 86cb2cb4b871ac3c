"""What takes the weights of several data, or some thought: on demand, from the store."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tb_filterviz import analysis, slices, wire
from tb_filterviz.answers import finite_list, frame
from tb_filterviz.store import Datum, Series, Source, Store
from tb_filterviz.thoughts import Thoughts

MOST_VALUES = 1 << 24
MOST_FILTERS = 4096


class TooLargeError(ValueError):
    """A kernel that is larger than what is analysed on demand."""


class UnlikeError(ValueError):
    """Two kernels whose filters have different shapes."""


def check_size(header: wire.Header) -> None:
    """Refuses kernels whose analysis would take long or much memory.

    Raises:
        TooLargeError: If it has more than `MOST_VALUES` weights or `MOST_FILTERS` filters.
    """
    values, filters = math.prod(header.shape), header.shape[-1]
    if values > MOST_VALUES or filters > MOST_FILTERS:
        raise TooLargeError(
            f"a kernel of at most {MOST_VALUES} weights and {MOST_FILTERS} filters. This one has {values} weights and "
            f"{filters} filters"
        )


def work(header: wire.Header) -> int:
    """Returns how much it takes to look at a kernel: its weights, and the pairs of its filters."""
    return math.prod(header.shape) + header.shape[-1] ** 2


def kernel(store: Store, source: Source, datum: Datum, header: wire.Header) -> NDArray[Any]:
    """Reads a whole kernel, `(*spatial, in, out)`; raises as `Store.filters` does."""
    return np.moveaxis(store.filters(source, datum, header, 0, header.shape[-1]), 0, -1)


def report(
    store: Store, source: Source, series: Series, datum: Datum, header: wire.Header
) -> tuple[analysis.Report, NDArray[np.float32]]:
    """Analyses a kernel at one step, with its change since the step before and since the first.

    Returns:
        The report; and the numbers that were stored, float32 `[filters][columns]`.

    Raises:
        TooLargeError: If it is too large.
        wire.FormatError: If the datum is damaged. A damaged step before it only leaves the change unknown.
        DatumGoneError: If it, or one of these steps, is not there any more.
    """
    check_size(header)
    at = series.before(datum.step)
    earlier = {one: kernel_like(store, source, series.data[one], header) for one in {at - 1, 0} if 0 <= one < at}
    values = kernel(store, source, datum, header)
    return analysis.report(values, earlier.get(at - 1), earlier.get(0)), store.numbers(source, datum, header)


def kernel_like(store: Store, source: Source, datum: Datum, header: wire.Header) -> NDArray[Any] | None:
    """Reads the kernel of another step; None where it is damaged or has another shape.

    One that is gone is an error: the answer would be kept for a series that has a step less now.
    """
    found = header_like(store, source, datum, header)
    try:
        return None if found is None else kernel(store, source, datum, found)
    except wire.FormatError:
        return None


def header_like(store: Store, source: Source, datum: Datum, header: wire.Header) -> wire.Header | None:
    """Reads the header of another step; None where it is damaged, or that of another shape."""
    try:
        found = store.header(source, datum)
    except wire.FormatError:
        return None
    return found if found.kind == wire.KERNEL and found.shape == header.shape else None


def compare(
    store: Store,
    source: Source,
    left: tuple[Datum, wire.Header],
    right: tuple[Datum, wire.Header],
    by_likeness: bool,
    inputs: str | int,
) -> tuple[dict[str, Any], NDArray[np.float32]]:
    """Sets the filters of two kernels side by side.

    Args:
        store: Where they are read.
        source: What the request may see.
        left: One datum of kind kernel and its header.
        right: The other.
        by_likeness: Pair filters by `analysis.match`, not by their indices.
        inputs: Which slices are pictured; `"strongest"` is that of the left filter, on both sides.

    Returns:
        Facts: `partners` (the right filter of each left one, -1 where there is none), `unpaired` (the right filters
        that are nobody's partner), `cosines` and `changes` of each pair, None where unknown, `change` and `cosine` of
        all pairs together, `limits` of both sides, `chosen`. And the pictures, float32
        `[2][filters][inputs][*spatial]`, NaN where a partner is missing.

    Raises:
        TooLargeError: If one is too large.
        wire.FormatError: If one is damaged.
        DatumGoneError: If one is not there any more.
        UnlikeError: If the filters have different shapes.
        ValueError: If there are no such inputs.
    """
    shapes = [header.shape[:-1] for _, header in (left, right)]
    if shapes[0] != shapes[1]:
        raise UnlikeError(f"the filters have the shapes {shapes[0]} and {shapes[1]}: they must be equal")
    slices.check(inputs, shapes[0][-1])
    check_size(left[1])
    check_size(right[1])
    first, second = (kernel(store, source, *one) for one in (left, right))
    count, others = first.shape[-1], second.shape[-1]
    if by_likeness:
        partners, _ = analysis.match(first, second)
    else:
        partners = np.where(np.arange(count) < others, np.arange(count), -1)
    paired = partners >= 0
    aligned = second[..., np.where(paired, partners, 0)]
    relative, cosine = analysis.change(first, aligned)
    relative[~paired], cosine[~paired] = np.nan, np.nan
    pictures, chosen = slices.select([np.moveaxis(first, -1, 0)], inputs)
    if chosen is None:
        partner_pictures, _ = slices.select([np.moveaxis(aligned, -1, 0)], inputs)
    else:
        partner_pictures = np.moveaxis(aligned, (-1, -2), (0, 1))[np.arange(count), chosen][:, np.newaxis]
    both = np.stack([pictures, partner_pictures]).astype(np.float32)
    both[1, ~paired] = np.nan
    whole, whole_cosine = (
        analysis.change(first[..., paired].reshape(-1, 1), aligned[..., paired].reshape(-1, 1))
        if paired.any()
        else (np.array([np.nan]), np.array([np.nan]))
    )
    facts = {
        "partners": partners.tolist(),
        "unpaired": sorted({*range(others)} - {*partners.tolist()}),
        "cosines": finite_list(cosine),
        "changes": finite_list(relative),
        "change": finite_list(whole)[0],
        "cosine": finite_list(whole_cosine)[0],
        "limits": [slices.limits(side).tolist() for side in both],
        "chosen": chosen,
    }
    return facts, both


def compared(
    thoughts: Thoughts,
    store: Store,
    source: Source,
    left: tuple[Datum, wire.Header],
    right: tuple[Datum, wire.Header],
    by_likeness: bool,
    inputs: str | int,
) -> bytes:
    """Returns what `compare` does as a frame: worked out once for all that show it, large kernels in turns.

    Arguments and exceptions are those of `compare`; `thoughts` keeps the answer.
    """
    check_size(left[1])
    check_size(right[1])

    def think() -> bytes:
        facts, pictures = compare(store, source, left, right, by_likeness, inputs)
        facts |= {"shape": pictures.shape, "dtype": "float32"}
        return frame(facts, [np.ascontiguousarray(pictures, "<f4")])

    return thoughts.answer(("compare", left[0], right[0], by_likeness, inputs), work(left[1]) + work(right[1]), think)


def analysed(
    thoughts: Thoughts, store: Store, source: Source, series: Series, datum: Datum, header: wire.Header
) -> bytes:
    """Returns `full_answer` of `report` as JSON: worked out once for all that show it, large kernels in turns.

    Raises:
        TooLargeError: If the kernel is too large.
        wire.FormatError: If the datum is damaged.
        DatumGoneError: If it, or a step that it is compared with, is not there any more.
    """
    check_size(header)

    def think() -> bytes:
        found, numbers = report(store, source, series, datum, header)
        return json.dumps(full_answer(header, numbers, found), allow_nan=False).encode()

    before = series.data[max(0, series.before(datum.step) - 1)]
    return thoughts.answer(("analysis", datum, series.data[0], before), work(header), think)


def stored_answer(header: wire.Header, numbers: NDArray[np.float32]) -> dict[str, Any]:
    """Returns the numbers that were stored, float32 `[filters][columns]`, as JSON has them."""
    return {
        "filters": list(header.filters),
        "names": header.numbers,
        "values": [finite_list(row) for row in numbers],
        "dtype": header.dtype,
        "encoding": header.encoding,
    }


def full_numbers(
    header: wire.Header, numbers: NDArray[np.float32], found: analysis.Report
) -> tuple[list[str], NDArray[np.float64]]:
    """Returns all numbers of each filter with their names: those that were stored, `dead`, and those of a report.

    Args:
        header: Of the datum.
        numbers: Those that were stored, float32 `[filters][columns]`.
        found: The report about it.

    Returns:
        The names, and float64 `[filters][names]`, NaN where a number does not apply.
    """
    dead = analysis.dead(numbers[:, 0]).astype(np.float64)[:, np.newaxis]
    return [*header.numbers, "dead", *analysis.COLUMNS], np.concatenate([numbers, dead, found.filters], axis=1)


def full_answer(header: wire.Header, numbers: NDArray[np.float32], found: analysis.Report) -> dict[str, Any]:
    """Returns a report as JSON has it, the columns of `numbers` before its own."""
    names, values = full_numbers(header, numbers, found)
    basis = found.basis
    return {
        **stored_answer(header, numbers),
        "names": names,
        "values": [finite_list(row) for row in values],
        "order": found.order.tolist(),
        "nearest": found.nearest.tolist(),
        "nearest_cosines": [finite_list(row) for row in found.nearest_cosines],
        "layer": {"orthogonality": found.orthogonality, **vars(found.quality)},
        "basis": None
        if basis is None
        else {"pictures": basis.pictures.tolist(), "explained": basis.explained.tolist()},
    }
