"""The course of a layer, or of one of its filters, over the steps of a series."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tb_filterviz import analysis, insight, slices, wire
from tb_filterviz.answers import finite_list
from tb_filterviz.store import Datum, Series, Source, Store, spread

MOST_STEPS = 100
QUANTILES = (0.0, 0.25, 0.5, 0.75, 1.0)


def layer_steps(series: Series, header: wire.Header) -> tuple[list[Datum], list[Datum]]:
    """Chooses what `of_layer` reads.

    Args:
        series: Of kernels.
        header: Of its newest step.

    Returns:
        The steps whose numbers are read; and those of them whose weights are: of large kernels few, or none.
    """
    data, weights = spread(series.data, MOST_STEPS), math.prod(header.shape)
    return data, spread(data, insight.MOST_VALUES // weights) if weights <= insight.MOST_VALUES // 2 else []


def filter_steps(series: Series, header: wire.Header) -> list[Datum]:
    """Chooses the steps of which `of_filter` reads one filter; the arguments are those of `layer_steps`."""
    return spread(series.data, max(1, min(MOST_STEPS, insight.MOST_VALUES // math.prod(header.shape[:-1]))))


def work_of_layer(series: Series, header: wire.Header) -> int:
    """Returns how much `of_layer` takes: the numbers and weights that it reads."""
    data, weighed = layer_steps(series, header)
    return len(data) * len(header.filters) * len(header.numbers) + len(weighed) * math.prod(header.shape)


def work_of_filter(series: Series, header: wire.Header) -> int:
    """Returns how much `of_filter` takes: the weights that are stored together with those of the filter."""
    together = min(header.chunk, len(header.filters)) * math.prod(header.shape[:-1])
    return len(filter_steps(series, header)) * together


def of_layer(store: Store, source: Source, series: Series, header: wire.Header) -> dict[str, Any]:
    """Tells how the norms of a layer's filters went over its steps, and how far the layer as a whole moved.

    Norms come from the stored numbers. A change needs the weights: where these are many, it is that between fewer
    steps, evenly spread.

    Returns:
        `steps`; `norms`, five quantiles a step; `dead`, a count a step; `change_steps` and `changes`, the relative
        change of the layer from one of these steps to the next. What cannot be read is None.

    Raises:
        DatumGoneError: If a step is not there any more.
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
        after = insight.kernel_like(store, source, datum, header)
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
    found = insight.header_like(store, source, datum, header)
    try:
        return None if found is None else store.numbers(source, datum, found)
    except wire.FormatError:
        return None


def _whole_change(before: NDArray[Any], after: NDArray[Any]) -> float | None:
    """The relative change of all weights together, those of one large filter."""
    relative, _ = analysis.change(before.reshape(-1, 1), after.reshape(-1, 1))
    return float(relative[0]) if np.isfinite(relative[0]) else None


def of_filter(
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
        wire.FormatError: If no step can be read.
        DatumGoneError: If one is not there any more.
    """
    found = []
    for datum in filter_steps(series, header):
        same = insight.header_like(store, source, datum, header)
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
