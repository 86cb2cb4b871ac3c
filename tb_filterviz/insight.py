"""What takes the weights of several data, or some thought: on demand, from the store."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tb_filterviz import analysis, slices, wire
from tb_filterviz.answers import finite_list
from tb_filterviz.store import Datum, Series, Source, Store, spread

MOST_VALUES = 1 << 24
MOST_FILTERS = 4096
MOST_STEPS = 100
QUANTILES = (0.0, 0.25, 0.5, 0.75, 1.0)


class TooLargeError(ValueError):
    """A kernel that is larger than what is analysed on demand."""


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


def layer_steps(series: Series, header: wire.Header) -> tuple[list[Datum], list[Datum]]:
    """Chooses what `layer_history` reads.

    Args:
        series: Of kernels.
        header: Of its newest step.

    Returns:
        The steps whose numbers are read; and those of them whose weights are: of large kernels few, or none.
    """
    data, weights = spread(series.data, MOST_STEPS), math.prod(header.shape)
    return data, spread(data, MOST_VALUES // weights) if weights <= MOST_VALUES // 2 else []


def filter_steps(series: Series, header: wire.Header) -> list[Datum]:
    """Chooses the steps of which `filter_history` reads one filter; the arguments are those of `layer_steps`."""
    return spread(series.data, max(1, min(MOST_STEPS, MOST_VALUES // math.prod(header.shape[:-1]))))


def layer_history_work(series: Series, header: wire.Header) -> int:
    """Returns how much `layer_history` takes: the numbers and weights that it reads."""
    data, weighed = layer_steps(series, header)
    return len(data) * len(header.filters) * len(header.numbers) + len(weighed) * math.prod(header.shape)


def filter_history_work(series: Series, header: wire.Header) -> int:
    """Returns how much `filter_history` takes: the weights that are stored together with those of the filter."""
    together = min(header.chunk, len(header.filters)) * math.prod(header.shape[:-1])
    return len(filter_steps(series, header)) * together


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
    earlier = {one: _kernel_like(store, source, series.data[one], header) for one in {at - 1, 0} if 0 <= one < at}
    values = kernel(store, source, datum, header)
    return analysis.report(values, earlier.get(at - 1), earlier.get(0)), store.numbers(source, datum, header)


def _kernel_like(store: Store, source: Source, datum: Datum, header: wire.Header) -> NDArray[Any] | None:
    """Reads the kernel of another step; None where it is damaged or has another shape.

    One that is gone is an error: the answer would be kept for a series that has a step less now.
    """
    found = _header_like(store, source, datum, header)
    try:
        return None if found is None else kernel(store, source, datum, found)
    except wire.FormatError:
        return None


def _header_like(store: Store, source: Source, datum: Datum, header: wire.Header) -> wire.Header | None:
    try:
        found = store.header(source, datum)
    except wire.FormatError:
        return None
    return found if found.kind == wire.KERNEL and found.shape == header.shape else None


def layer_history(store: Store, source: Source, series: Series, header: wire.Header) -> dict[str, Any]:
    """Tells how the norms of a layer's filters went over its steps, and how far the layer as a whole moved.

    Norms come from the stored numbers. A change needs the weights: where these are many, it is that between fewer
    steps, evenly spread.

    Returns:
        `steps`; `norms`, five quantiles a step; `dead`, a count a step; `change_steps` and `changes`, the relative
        change of the layer from one of these steps to the next. What cannot be read is None.
    """
    data, weighed = layer_steps(series, header)
    norms: list[list[float] | None] = []
    dead: list[int | None] = []
    for datum in data:
        found = _numbers_like(store, source, datum, header)
        column = np.empty(0) if found is None else found[:, 0].astype(np.float64)
        finite = column[np.isfinite(column)]
        norms.append(np.quantile(finite, QUANTILES).tolist() if len(finite) else None)
        dead.append(int(analysis.dead(column).sum()) if len(finite) else None)
    changes: list[float | None] = []
    before = None
    for at, datum in enumerate(weighed):
        after = _kernel_like(store, source, datum, header)
        if at:
            changes.append(None if before is None or after is None else _whole_change(before, after))
        before = after
    return {
        "steps": [datum.step for datum in data],
        "norms": norms,
        "dead": dead,
        "change_steps": [datum.step for datum in weighed],
        "changes": changes,
    }


def _numbers_like(store: Store, source: Source, datum: Datum, header: wire.Header) -> NDArray[np.float32] | None:
    found = _header_like(store, source, datum, header)
    try:
        return None if found is None else store.numbers(source, datum, found)
    except wire.FormatError:
        return None


def _whole_change(before: NDArray[Any], after: NDArray[Any]) -> float | None:
    """The relative change of all weights together, those of one large filter."""
    relative, _ = analysis.change(before.reshape(-1, 1), after.reshape(-1, 1))
    return float(relative[0]) if np.isfinite(relative[0]) else None


def filter_history(
    store: Store, source: Source, series: Series, header: wire.Header, index: int, inputs: str | int
) -> tuple[dict[str, Any], NDArray[np.float32]]:
    """Follows one filter over all steps.

    Args:
        store: Where it is read.
        source: What the request may see.
        series: Of kernels.
        header: Of its newest step; steps of another shape are left out.
        index: Of the filter.
        inputs: Which of its slices is pictured, as for `slices.select`; `"strongest"` is that of the newest step, so
            that one and the same slice is seen over time.

    Returns:
        Facts: `steps`, and for each of them `norms` (those that were stored, of the exact weights), `changes`
        (relative, since the one listed before), `cosines` (with that one), `cosines_first`, None where unknown;
        `input`. And the pictures, float32 `[steps][inputs][*spatial]`.

    Raises:
        ValueError: If there are no such inputs.
    """
    found = []
    for datum in filter_steps(series, header):
        same = _header_like(store, source, datum, header)
        try:
            if same is not None:
                norm = store.numbers(source, datum, same)[index, 0]
                found.append((datum.step, norm, store.filters(source, datum, same, index, index + 1)))
        except wire.FormatError:
            continue
    if not found:
        raise wire.FormatError("no step of this filter can be read")
    filters = [np.moveaxis(values, 0, -1) for *_, values in found]
    slices.check(inputs, header.shape[-2])
    _, chosen = slices.select([found[-1][-1]], inputs)
    wanted = inputs if chosen is None else chosen[0]
    pictures = np.concatenate([slices.select([values], wanted)[0].astype(np.float32) for *_, values in found])
    since = [analysis.change(before, after) for before, after in itertools.pairwise(filters)]
    first = [analysis.change(filters[0], after)[1] for after in filters]
    facts = {
        "steps": [step for step, *_ in found],
        "norms": finite_list(np.array([norm for _, norm, _ in found])),
        "changes": [None, *finite_list(np.array([relative[0] for relative, _ in since]))],
        "cosines": [None, *finite_list(np.array([cosine[0] for _, cosine in since]))],
        "cosines_first": finite_list(np.array([cosine[0] for cosine in first])),
        "input": wanted,
    }
    return facts, pictures


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
        ValueError: If the filters have different shapes, or there are no such inputs.
    """
    shapes = [header.shape[:-1] for _, header in (left, right)]
    if shapes[0] != shapes[1]:
        raise ValueError(f"the filters have the shapes {shapes[0]} and {shapes[1]}: they must be equal")
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
