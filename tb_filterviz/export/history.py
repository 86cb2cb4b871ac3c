"""Figures of several steps: a filmstrip, or an animation on one scale of colours."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from tb_filterviz import slices, wire
from tb_filterviz.export import kernels
from tb_filterviz.export.content import Content, plain
from tb_filterviz.export.figure import MOVING, Figure
from tb_filterviz.export.options import LIMITS, OptionError, Options
from tb_filterviz.export.place import Chosen, NoFilterError, Place, check_values, patterned
from tb_filterviz.export.still import aim, pattern_facts, patterns_content
from tb_filterviz.store import Datum, DatumGoneError, spread

T = TypeVar("T")


class History(Figure):
    """What all histories have in common: their steps. Those that are damaged or of another shape are left out."""

    formats = MOVING

    def __init__(self, place: Place, options: Options) -> None:
        """Chooses steps.

        Raises:
            OptionError: If there are to be more than the budget allows.
            tb_filterviz.wire.FormatError: If no step can be read.
        """
        super().__init__(f"{place.layer}, run {place.series.run}, history", options, place.budget)
        most = place.budget.frames
        if options.frames is not None and options.frames > most:
            raise OptionError("frames", f"an integer from 1 to {most}", options.frames)
        self._place = place
        _, self._newest = place.newest()
        self._data = spread(place.series.data, options.frames or most)
        self._filters: list[int] = []

    def table(self) -> tuple[Sequence[str], Iterable[Sequence[object]]]:
        """Returns a row for each filter at each step."""
        self._check(len(self._newest.numbers))
        where = (self._place.series.run, self._place.layer)

        def read(datum: Datum, header: wire.Header) -> tuple[NDArray[np.float32], Iterable[str]]:
            return self._numbers(datum, header), aim(header).values()

        rows = (
            (*where, step, index, *row, *texts)
            for step, (numbers, texts) in self._each(read)
            for index, row in zip(self._filters, numbers, strict=True)
        )
        return ("run", "layer", "step", "filter", *self._newest.numbers, *aim(self._newest)), rows

    def _numbers(self, datum: Datum, header: wire.Header) -> NDArray[np.float32]:
        """Reads the numbers of the filters that are shown."""
        kernel = header.kind == wire.KERNEL
        places = self._filters if kernel else patterned(self._filters, header.filters)
        return self._place.numbers(datum, header)[places]

    def _each(self, read: Callable[[Datum, wire.Header], T]) -> list[tuple[int, T]]:
        """Reads something of each step, the newest first; returns it by ascending steps.

        Raises:
            tb_filterviz.wire.FormatError: If there is no step of which it can be read.
        """
        found = []
        for datum in reversed(self._data):
            try:
                header = self._place.header(datum)
                alike = (header.shape, header.numbers) == (self._newest.shape, self._newest.numbers)
                if alike:
                    found.append((datum.step, read(datum, header)))
            except (wire.FormatError, DatumGoneError, NoFilterError):  # the last: a pattern that this step has not
                continue
        if not found:
            raise wire.FormatError("none of its steps can be read")
        return found[::-1]

    def _check(self, values: int) -> None:
        """Checks that so many values of each step are not too many."""
        check_values(values * len(self._filters) * len(self._data), self._place.budget)

    def _lines(self, facts: str, shown: int) -> list[str]:
        count = len(self._place.series.data)
        of = f", {shown} of its {count} steps" if shown < count else ""
        return [plain(f"Run {self._place.series.run}{of}"), plain(facts)]


class KernelHistory(History):
    """Filters over steps, all drawn on one scale."""

    def __init__(self, place: Place, filters: Chosen, options: Options) -> None:
        """Chooses filters; raises as `History` does, and `NoFilterError` if there is no such filter."""
        super().__init__(place, options)
        self._filters = place.chosen(self._newest, filters)
        self._inputs = options.inputs_of(self._newest.shape[-2])

    def content(self) -> Content:
        """Returns a row for each step; the steps of one slice as tiles."""
        if len(self._filters) > 1 and self._inputs == "all":
            raise OptionError("filters", "one filter, or `inputs` one slice of each", f"{len(self._filters)} filters")
        steps, pictures, shown = self._read
        lines = self._lines(kernels.facts(self._newest), len(steps))
        return kernels.over_steps(shown, pictures, steps, self._options, plain(self._place.layer), lines)

    def frames(self, most: int) -> Iterator[Content]:
        """Yields the picture of each step."""
        steps, pictures, shown = self._read
        places = spread(range(len(steps)), most)
        heading, lines = plain(self._place.layer), self._lines(kernels.facts(self._newest), len(places))
        for at in places:
            yield kernels.one_step(shown, pictures[at], self._options, heading, [f"Step {steps[at]}", *lines])

    def arrays(self) -> Mapping[str, NDArray[Any]]:
        """Returns `kernels`, `(steps, *spatial, in, filters)` as stored; `steps`, `filters`, `numbers` and `names`."""
        self._check(int(np.prod(self._newest.shape[:-1], dtype=object)) + len(self._newest.numbers))
        read = self._each(lambda datum, header: (self._filters_of(datum, header), self._numbers(datum, header)))
        return {
            "kernels": np.moveaxis(np.stack([values for _, (values, _) in read]), 1, -1),
            "steps": np.array([step for step, _ in read], np.int64),
            "filters": np.array(self._filters, np.int64),
            "numbers": np.stack([numbers for _, (_, numbers) in read]),
            "names": self._texts(self._newest.numbers),
        }

    @property
    def _colours(self) -> NDArray[np.uint8] | None:
        return None if self._inputs == "rgb" else super()._colours

    def _filters_of(self, datum: Datum, header: wire.Header) -> NDArray[Any]:
        return self._place.filters(datum, header, self._filters)

    @functools.cached_property
    def _read(self) -> tuple[list[int], NDArray[Any], kernels.Shown]:
        """Reads steps, pictures `[steps][filters][inputs][*spatial]`, and what they are.

        The scale of means is that of the filters shown: of the whole layer, it would take all weights of each step. The
        strongest slice is that of the newest step, so that one and the same slice is seen over time.
        """
        options, inputs = self._options, self._inputs
        each = self._newest.shape[-2] if inputs in ("all", "rgb") else 1
        self._check(each * int(np.prod(self._newest.shape[:-2], dtype=object)))
        strongest: list[int] | None = None

        def read(datum: Datum, header: wire.Header) -> tuple[NDArray[Any], NDArray[np.float32] | None]:
            nonlocal strongest
            stored = self._filters_of(datum, header)
            if strongest is not None:
                pictures = np.moveaxis(stored, -1, 1)[np.arange(len(stored)), strongest][:, np.newaxis]
            else:
                pictures, strongest = slices.select([stored], inputs)
            if options.limit not in LIMITS:
                return pictures, None
            if inputs != "mean":
                return pictures, self._place.magnitudes(datum, header, inputs)
            limits = np.zeros(header.shape[-1], np.float32)
            limits[self._filters] = slices.limits(pictures)
            return pictures, limits

        found = self._each(read)
        limits = [one for _, (_, one) in found if one is not None]
        pictures = np.stack([one for _, (one, _) in found])
        largest = np.max(limits, axis=0) if limits else None
        shown = kernels.shown(self._filters, inputs, options, largest, kernels.not_finite(pictures))
        if inputs == "mean":
            shown = dataclasses.replace(shown, layer="the filters shown")
        return [step for step, _ in found], pictures, shown


class PatternHistory(History):
    """Patterns over steps: of the filters that have one at the newest step."""

    def __init__(self, place: Place, filters: Chosen, options: Options) -> None:
        """Chooses filters; raises as `History` does, and `NoFilterError` if one has no pattern."""
        super().__init__(place, options)
        known = self._newest.filters
        self._filters = [known[position] for position in place.chosen(self._newest, filters)]

    def content(self) -> Content:
        """Returns a row for each step; the steps of one filter as tiles."""
        steps, images, numbers, _ = self._read
        lines = self._lines(pattern_facts(self._newest, self._filters), len(steps))
        names = [str(step) for step in steps for _ in self._filters]
        flat, failed = images.reshape(-1, *images.shape[2:]), numbers[..., 2].ravel() != 0
        content = patterns_content(self._newest, names, flat, failed, self._place.layer, lines)
        if len(self._filters) == 1:
            return content
        columns = [str(index) for index in self._filters]
        return dataclasses.replace(content, labels=(), rows=[str(step) for step in steps], columns=columns)

    def frames(self, most: int) -> Iterator[Content]:
        """Yields the patterns of each step."""
        steps, images, numbers, _ = self._read
        places = spread(range(len(steps)), most)
        names = [str(index) for index in self._filters]
        lines = self._lines(pattern_facts(self._newest, self._filters), len(places))
        failed = numbers[..., 2] != 0
        for at in places:
            texts = [f"Step {steps[at]}", *lines]
            yield patterns_content(
                self._newest, names, images[at], failed[at], self._place.layer, texts, marked=bool(failed.any())
            )

    def arrays(self) -> Mapping[str, NDArray[Any]]:
        """Returns `images`, uint8 `[steps, filters, height, width, channels]`; the others of `KernelHistory`.

        And `objectives`, that of each step.
        """
        steps, images, numbers, objectives = self._read
        return {
            "images": images,
            "steps": np.array(steps, np.int64),
            "filters": np.array(self._filters, np.int64),
            "numbers": numbers,
            "names": self._texts(self._newest.numbers),
            "objectives": self._texts(objectives),
        }

    @property
    def _colours(self) -> None:
        return None

    @functools.cached_property
    def _read(self) -> tuple[list[int], NDArray[np.uint8], NDArray[np.float32], list[str]]:
        """Reads steps, images `[steps, filters, height, width, channels]`, numbers `[steps, filters, names]`; aims."""
        self._check(int(np.prod(self._newest.shape, dtype=object)))

        def read(datum: Datum, header: wire.Header) -> tuple[NDArray[np.uint8], NDArray[np.float32], str]:
            wanted = patterned(self._filters, header.filters)
            return self._place.images(datum, header, wanted), self._numbers(datum, header), header.objective

        found = self._each(read)
        images, numbers, objectives = zip(*(one for _, one in found), strict=True)
        return [step for step, _ in found], np.stack(images), np.stack(numbers), list(objectives)
