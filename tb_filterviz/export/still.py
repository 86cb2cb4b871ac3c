"""Figures of one step: a layer's kernels, its patterns, or their numbers."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tb_filterviz import insight, slices, wire
from tb_filterviz.export import kernels, tables
from tb_filterviz.export.content import Content, plain, product
from tb_filterviz.export.figure import NUMBERS, Figure
from tb_filterviz.export.options import LIMITS, OptionError, Options
from tb_filterviz.export.place import Chosen, Place
from tb_filterviz.store import Datum


class Numbers(Figure):
    """The numbers of each filter of a kernel, or of each pattern: a table, and no picture."""

    formats: tuple[str, ...] = NUMBERS

    def __init__(self, place: Place, datum: Datum, filters: Chosen, options: Options) -> None:
        """Reads them; raises as `Figure.encode` does, and `NoFilterError` if there is no such filter."""
        super().__init__(f"{place.layer}, run {datum.run}, step {datum.step}", options, place.budget)
        self._place, self._datum, self._header = place, datum, place.header(datum)
        known = self._header.filters
        self._positions = place.chosen(self._header, filters)
        self._filters = [known[position] for position in self._positions]
        self._numbers = place.numbers(datum, self._header)[self._positions]

    def content(self) -> Content:
        """Raises `OptionError`: a picture of numbers there is not."""
        raise OptionError("format", f"one of {', '.join(self.formats)}", "png")

    def arrays(self) -> Mapping[str, NDArray[Any]]:
        """Returns `numbers`, float32 `[filters][names]`, their `names`, and `filters` and `step`, int64.

        With patterns, also their `objective`, that tells the unit of the numbers: a text, empty where it is not known.
        """
        names, numbers = self._wanted
        return {
            "numbers": numbers,
            "names": self._texts(names),
            "filters": np.array(self._filters, np.int64),
            "step": np.array(self._datum.step, np.int64),
            **{name: np.array(text) for name, text in aim(self._header).items()},
        }

    def table(self) -> tuple[Sequence[str], Iterable[Sequence[object]]]:
        """Returns a row for each filter."""
        where = (self._datum.run, self._place.layer, self._datum.step)
        names, numbers = self._wanted
        rows = zip(self._filters, numbers, strict=True)
        texts = aim(self._header)
        return ("run", "layer", "step", "filter", *names, *texts), [
            (*where, one, *tables.cells(names, row), *texts.values()) for one, row in rows
        ]

    @functools.cached_property
    def _wanted(self) -> tuple[Sequence[str], NDArray[np.float32]]:
        """Names and numbers that were asked for; pictures hold none, and so the whole kernel need not be read."""
        if self._options.depth == "stored" or self._header.kind != wire.KERNEL:
            return self._header.numbers, self._numbers
        try:
            names, numbers = self._place.full_numbers(self._datum, self._header)
        except insight.TooLargeError:
            return self._header.numbers, self._numbers
        with np.errstate(over="ignore"):
            return names, numbers[self._positions].astype(np.float32)

    def _lines(self, facts: str) -> list[str]:
        return [plain(f"Run {self._datum.run}, step {self._datum.step}"), plain(facts)]


class Kernels(Numbers):
    """Slices of a layer's filters."""

    formats = ("png", "svg", "webp", *NUMBERS)

    def __init__(self, place: Place, datum: Datum, filters: Chosen, options: Options) -> None:
        """Reads the weights; raises as `Numbers` does."""
        super().__init__(place, datum, filters, options)
        self._inputs = options.inputs_of(self._header.shape[-2])
        self._values = place.filters(datum, self._header, self._positions)

    def content(self) -> Content:
        """Returns the filters, or all slices of one."""
        options, limits = self._options, None
        pictures, _ = slices.select([self._values], self._inputs)
        if options.limit in LIMITS:
            limits = self._place.magnitudes(self._datum, self._header, self._inputs)
        shown = kernels.shown(self._filters, self._inputs, options, limits, kernels.not_finite(pictures))
        return kernels.one_step(
            shown, pictures, options, plain(self._place.layer), self._lines(kernels.facts(self._header))
        )

    def arrays(self) -> Mapping[str, NDArray[Any]]:
        """Returns `kernel`, `(*spatial, in, filters)` of the stored dtype, then those of `Numbers`."""
        return {"kernel": self.values(), **super().arrays()}

    def values(self) -> NDArray[Any]:
        """Returns the kernel alone, for which no number need be computed."""
        return np.moveaxis(self._values, 0, -1)


class Patterns(Numbers):
    """Pictures that maximise filters."""

    formats = ("png", "svg", "webp", *NUMBERS)

    def __init__(self, place: Place, datum: Datum, filters: Chosen, options: Options) -> None:
        """Reads the pictures; raises as `Numbers` does."""
        super().__init__(place, datum, filters, options)
        self._images = place.images(datum, self._header, self._positions)

    def content(self) -> Content:
        """Returns the pictures as they are."""
        lines = self._lines(pattern_facts(self._header, self._filters))
        names, failed = [str(index) for index in self._filters], self._numbers[:, 2] != 0
        return patterns_content(self._header, names, self._images, failed, self._place.layer, lines)

    def arrays(self) -> Mapping[str, NDArray[Any]]:
        """Returns `images`, uint8 `[filters, height, width, channels]`, then those of `Numbers`."""
        return {"images": self._images, **super().arrays()}

    @property
    def _colours(self) -> None:
        return None


def aim(header: wire.Header) -> dict[str, str]:
    """Tells the unit of the numbers.

    Args:
        header: Of the stored kernel or patterns.

    Returns:
        A text by the name of its column: what was climbed, by `"objective"`; of kernels nothing.
    """
    return {"objective": header.objective} if header.kind == wire.PATTERNS else {}


def pattern_facts(header: wire.Header, filters: Sequence[int]) -> str:
    """Says what patterns of a layer these are.

    Args:
        header: Of the stored patterns.
        filters: The indices of those that are shown.

    Returns:
        A line of text.
    """
    what = f"patterns of {len(filters)} filters" if len(filters) > 1 else f"pattern of filter {filters[0]}"
    climbed = f", objective {header.objective}" if header.objective not in ("", "channel") else ""
    return f"{header.layer.layer_class}, {what}, {product(header.shape[:2])} pixels, recipe {header.recipe}{climbed}"


def patterns_content(
    header: wire.Header,
    names: Sequence[str],
    images: NDArray[np.uint8],
    failed: NDArray[np.bool_],
    layer: str,
    lines: Sequence[str],
    marked: bool = False,
) -> Content:
    """Shows patterns side by side.

    Args:
        header: Of one of them.
        names: A label for each.
        images: uint8 `[n, height, width, channels]`.
        failed: bool `[n]`: these get a star.
        layer: Name of the layer.
        lines: What else is to be known.
        marked: Whether to explain the star though there may be none.

    Returns:
        What a figure shows.
    """
    low, high = header.input_range
    notes = [f"Black is an input of {low:g}, white of {high:g}"]
    if marked or failed.any():
        better = "others" if header.objective == "distinct" else "natural inputs"
        notes.append(f"* failed: no better than noise or {better}")
    return Content(
        np.broadcast_to(images, (*images.shape[:3], 3)),
        [f"{name}*" if bad else name for name, bad in zip(names, failed, strict=True)],
        heading=plain(layer),
        lines=lines,
        notes=notes,
        as_is=True,
    )
