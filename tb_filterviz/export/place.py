"""The series that an export is of, and what is read of it."""

from __future__ import annotations

import collections
import dataclasses
import io
import json
import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from tb_filterviz import insight, slices, wire
from tb_filterviz.export.options import Budget, OptionError
from tb_filterviz.store import Datum, Series, Source, Store, up_to
from tb_filterviz.thoughts import Thoughts

Chosen = int | np.integer[Any] | slice | range | Sequence[int] | None
"""Filters: an index, a slice or a sequence of indices, negative ones from the end; None for all."""


class NoFilterError(IndexError):
    """A filter that there is not, or one without a pattern."""


class NoKernelError(KeyError):
    """A run without kernels, or without any up to a step."""


@dataclasses.dataclass(frozen=True)
class Place:
    """One series of a log.

    Attributes:
        store: Where it is read.
        thoughts: Where its analyses are worked out, and kept.
        source: What may be seen.
        series: Of which layer.
        layer: What that layer is called.
        budget: The most that may be read at once.
    """

    store: Store
    thoughts: Thoughts
    source: Source
    series: Series
    layer: str
    budget: Budget

    def header(self, datum: Datum) -> wire.Header:
        """Reads the header of a datum of this series.

        Raises:
            wire.FormatError: If it is damaged, or of another kind.
            DatumGoneError: If it is not there any more.
        """
        return self.store.header(self.source, datum, self.series.kind)

    def newest(self) -> tuple[Datum, wire.Header]:
        """Returns the newest datum whose header can be read, and that; raises as `Store.newest` does."""
        return self.store.newest(self.source, self.series)

    def chosen(self, header: wire.Header, filters: Chosen) -> list[int]:
        """Returns where the chosen filters stand among those of a datum.

        Raises:
            OptionError: If there are more than the budget allows, or none.
            NoFilterError: If there is no such filter.
        """
        known = header.filters
        if header.kind == wire.KERNEL and (filters is None or isinstance(filters, slice)):
            filters = range(len(known))[filters or slice(None)]
        many = len(filters) if header.kind == wire.KERNEL and isinstance(filters, range) else 0
        if self.budget.filters < many <= len(known):
            # Before there is a list of them, as a header can claim any number.
            raise OptionError("filters", f"at most {self.budget.filters} of the {len(known)} there are", filters)
        found = positions(filters, len(known)) if header.kind == wire.KERNEL else patterned(filters, known)
        if not 0 < len(found) <= self.budget.filters:
            raise OptionError("filters", f"from 1 to {self.budget.filters} that there are", filters)
        return found

    def numbers(self, datum: Datum, header: wire.Header) -> NDArray[np.float32]:
        """Reads the numbers of all filters, float32 `[filters][columns]`; raises as `header` does."""
        return self.store.numbers(self.source, datum, header)

    def analysis(self, datum: Datum, header: wire.Header) -> dict[str, Any]:
        """Returns what `insight.full_answer` does, None for what is not finite; raises as `insight.analysed` does."""
        answer = insight.analysed(self.thoughts, self.store, self.source, self.series, datum, header)
        found: dict[str, Any] = json.loads(answer)
        return found

    def full_numbers(self, datum: Datum, header: wire.Header) -> tuple[list[str], NDArray[np.float64]]:
        """Computes all numbers of all filters of a kernel, and their names: those of `insight.full_numbers`.

        Raises as `insight.analysed` does.
        """
        names, rows = (self.analysis(datum, header)[name] for name in ("names", "values"))
        stored = self.numbers(datum, header)  # as they are: JSON has no infinities
        computed = np.array([row[stored.shape[1] :] for row in rows], np.float64)
        return names, np.concatenate([stored, computed], axis=1)

    def filters(self, datum: Datum, header: wire.Header, wanted: Sequence[int]) -> NDArray[Any]:
        """Reads filters of a kernel, `[filters][*spatial][in]`, and only the chunks that hold them.

        Raises:
            OptionError: If there are more weights than the budget allows.
            wire.FormatError: If the datum is damaged.
        """
        self._check_filters(header, len(wanted))
        found = np.empty((len(wanted), *header.shape[:-1]), "float32" if header.encoding == "int8" else header.encoding)
        order = np.argsort(wanted, kind="stable")
        ascending = np.asarray(wanted, np.int64)[order]
        apart = np.flatnonzero(np.diff(ascending // header.chunk) > 1) + 1
        for group in np.split(ascending, apart) if wanted else []:
            at, stop = int(group[0]), int(group[-1]) + 1
            for piece in self.store.chunks(self.source, datum, header, at, stop):
                low, high = np.searchsorted(ascending, (at, at + len(piece)))
                found[order[low:high]] = piece[ascending[low:high] - at]
                at += len(piece)
        return found

    def magnitudes(self, datum: Datum, header: wire.Header, inputs: str | int) -> NDArray[np.float32]:
        """Returns the largest finite magnitude of each filter of the layer: `[filters]`, of the mean for `"mean"`.

        Raises as `filters` does.
        """
        if inputs == "mean":
            self._check_means(header)
            pictures, _ = slices.select(self.store.chunks(self.source, datum, header, 0, header.shape[-1]), "mean")
            return slices.limits(pictures)
        return slices.limits(self.numbers(datum, header)[:, 1:3])

    def images(self, datum: Datum, header: wire.Header, positions: Sequence[int]) -> NDArray[np.uint8]:
        """Reads patterns, uint8 `[n, height, width, channels]`; raises as `filters` does."""
        check_values(len(positions) * int(np.prod(header.shape, dtype=object)), self.budget)
        images = np.empty((len(positions), *header.shape), np.uint8)
        for image, png in zip(images, self.store.pictures(self.source, datum, header, positions), strict=True):
            try:
                image[:] = np.asarray(Image.open(io.BytesIO(png), formats=["PNG"])).reshape(header.shape)
            except (OSError, SyntaxError, ValueError) as error:
                raise wire.FormatError(f"a picture cannot be read: {error}") from error
        return images

    def check(self, header: wire.Header, count: int, inputs: str | int | None) -> None:
        """Checks that so many filters can be read, and the `magnitudes` of `inputs`, if these are not None.

        Raises:
            OptionError: If there are more weights than the budget allows.
        """
        self._check_filters(header, count)
        if inputs == "mean":
            self._check_means(header)

    def _check_means(self, header: wire.Header) -> None:
        *spatial, _, count = header.shape
        check_values(math.prod(spatial) * count, self.budget)
        self._check_filters(header, 1)

    def _check_filters(self, header: wire.Header, count: int) -> None:
        """Checks that so many filters of a kernel, and each chunk that is read of it, are not too many values."""
        together = min(header.chunk, header.shape[-1])
        check_values(max(count, together) * math.prod(header.shape[:-1]), self.budget)


def named(listed: Sequence[tuple[Series, wire.Header]]) -> list[tuple[str, Series, wire.Header]]:
    """Names the layer of each series of a run: by its path, by name and path where several names hold that path."""
    names = {(header.name, header.layer.path) for _, header in listed}
    shared = collections.Counter(path for _, path in names)
    return [
        (path if path and shared[path] == 1 else "/".join(filter(None, (header.name, path))), series, header)
        for series, header in listed
        for path in [header.layer.path]
    ]


def places(
    store: Store, thoughts: Thoughts, source: Source, run: str, step: int | None, budget: Budget
) -> list[tuple[Place, Datum]]:
    """Returns the kernels of a run in model order, each at its newest step up to `step`; none that begins later.

    Args:
        store: As of a `Place`.
        thoughts: As of a `Place`.
        source: As of a `Place`.
        run: Name of the run.
        step: None for the newest.
        budget: As of a `Place`.

    Raises:
        NoKernelError: If there is none.
        SourceUnavailableError: If the source does not answer.
    """
    listed, _ = store.index(source, run)
    every = [(layer, series) for layer, series, _ in named(listed) if series.kind == wire.KERNEL]
    if not every:
        raise NoKernelError(f"run {run!r} has no kernel")
    found = [
        (Place(store, thoughts, source, series, layer, budget), datum)
        for layer, series in every
        if (datum := up_to(series, step))
    ]
    if not found:
        first = min(series.data[0].step for _, series in every)
        raise NoKernelError(f"run {run!r} has no kernel up to step {step}; the first is of step {first}")
    return found


def check_values(count: int, budget: Budget) -> None:
    """Raises `OptionError` if there are more values than the budget allows."""
    if count > budget.values:
        raise OptionError("filters", f"fewer: at most {budget.values} values are read", f"{count} values")


def positions(filters: Chosen, count: int) -> list[int]:
    """Returns the indices of chosen filters.

    Args:
        filters: Which.
        count: How many there are.

    Raises:
        NoFilterError: If there is no such filter.
    """
    every = range(count)
    if filters is None:
        return list(every)
    if isinstance(filters, slice):
        return list(every[filters])
    try:
        if isinstance(filters, range) and len(filters) > count:
            raise IndexError(filters)  # before a list of it is made
        return [every[position] for position in ([filters] if isinstance(filters, int | np.integer) else filters)]
    except (IndexError, TypeError) as error:
        expected = f"indices of the {count} filters"
        raise NoFilterError(f"`filters` must be {expected}. Received: filters={filters!r}") from error


def patterned(filters: Chosen, known: Sequence[int]) -> list[int]:
    """Returns where the chosen filters stand among those that have a pattern, `known`, which ascend.

    A slice or range chooses those of its filters that have one.

    Raises:
        NoFilterError: If there is no such pattern.
    """
    if filters is None:
        return list(range(len(known)))
    if isinstance(filters, slice | range):
        wanted = range(*filters.indices(known[-1] + 1)) if isinstance(filters, slice) else filters
        return [position for position, index in enumerate(known) if index in wanted]
    places = {index: position for position, index in enumerate(known)}
    try:
        return [places[int(index)] for index in ([filters] if isinstance(filters, int | np.integer) else filters)]
    except (KeyError, TypeError, ValueError) as error:
        raise NoFilterError(f"`filters` must be of those that have a pattern. Received: filters={filters!r}") from error
