"""Figures of two kernels side by side: two steps, or two runs."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tb_filterviz import insight, slices, wire
from tb_filterviz.answers import unframed
from tb_filterviz.export import kernels
from tb_filterviz.export.content import Content, number, plain
from tb_filterviz.export.figure import Figure
from tb_filterviz.export.options import LIMITS, OptionError, Options
from tb_filterviz.export.place import Chosen, Place
from tb_filterviz.store import Datum

Side = tuple[Place, Datum]
"""A series of kernels, and its step."""


class Comparison(Figure):
    """Each filter of a kernel A, its partner in a kernel B, and their difference."""

    def __init__(self, left: Side, right: Side, filters: Chosen, options: Options) -> None:
        """Reads and pairs both kernels, which may wait for other analyses; what it draws is in memory from then on.

        Args:
            left: A.
            right: B.
            filters: Which of those of A.
            options: How it looks, and `match`: how filters are paired.

        Raises:
            OptionError: If a kernel is too large, or their filters have other shapes, or `inputs` cannot be.
            tb_filterviz.export.place.NoFilterError: If there is no such filter.
            tb_filterviz.wire.FormatError: If a datum is damaged.
            tb_filterviz.store.DatumGoneError: If it is not there any more.
        """
        (place, datum), (other, other_datum) = self._sides = left, right
        against = f"run {other_datum.run}, step {other_datum.step}"
        against = against if other.layer == place.layer else f"{other.layer}, {against}"
        super().__init__(f"{place.layer}, run {datum.run}, step {datum.step}, against {against}", options, place.budget)
        self._header, header_b = _headers(left, right)
        self._filters = place.chosen(self._header, filters)
        self._inputs = _inputs(place, self._header, options)
        ends = ((datum, self._header), (other_datum, header_b))
        by_likeness = options.match == "likeness"
        answer = insight.compared(place.thoughts, place.store, place.source, *ends, by_likeness, self._inputs)
        self._facts, body = unframed(answer)
        self._pictures = np.frombuffer(body, "<f4").reshape(self._facts["shape"])
        self._partners = np.array(self._facts["partners"], np.int64)[self._filters]
        self._changes = np.array(self._facts["changes"], np.float64)[self._filters]
        self._cosines = np.array(self._facts["cosines"], np.float64)[self._filters]

    def content(self) -> Content:
        """Returns A, B and B - A of each filter beside each other, on one scale, and below them how far it went."""
        with np.errstate(invalid="ignore"):
            three = np.stack([*self._pictures, self._pictures[1] - self._pictures[0]])
        missing = self._partners < 0
        odd = kernels.not_finite(self._pictures[:, self._filters])
        odd -= int(missing.sum()) * self._pictures[0, 0].size  # what is not there is NaN, too
        of_each = self._options.limit in LIMITS
        sizes = np.max([slices.limits(one) for one in three], axis=0) if of_each else None
        shown = kernels.shown(self._filters, self._inputs, self._options, sizes, odd)
        pairs = zip(self._filters, self._partners.tolist(), strict=True)
        return kernels.side_by_side(
            shown,
            three[:, self._filters],
            missing,
            [str(one) if one == to else f"{one} | {'none' if to < 0 else to}" for one, to in pairs],
            [number(one) if np.isfinite(one) else "n/a" for one in self._changes.tolist()],
            self._options,
            plain(self._sides[0][0].layer),
            self._lines(),
        )

    def arrays(self) -> Mapping[str, NDArray[Any]]:
        """Returns `pictures`, float32 `[2][filters][inputs][*spatial]`, NaN where there is no partner.

        And `filters`, `partners` (int64, -1 for none), `changes` and `cosines` (float64, NaN where unknown).
        """
        return {
            "pictures": self._pictures[:, self._filters],
            "filters": np.array(self._filters, np.int64),
            "partners": self._partners,
            "changes": self._changes,
            "cosines": self._cosines,
        }

    def table(self) -> tuple[Sequence[str], Iterable[Sequence[object]]]:
        """Returns a row for each filter of A."""
        where = [part for place, datum in self._sides for part in (datum.run, place.layer, datum.step)]
        partners = (one if one >= 0 else np.nan for one in self._partners.tolist())
        rows = zip(self._filters, partners, self._changes.tolist(), self._cosines.tolist(), strict=True)
        names = ("run", "layer", "step", "run_b", "layer_b", "step_b", "filter", "partner", "change", "cosine")
        return names, [(*where, *row) for row in rows]

    @property
    def _colours(self) -> NDArray[np.uint8] | None:
        return None if self._inputs == "rgb" else super()._colours

    def _lines(self) -> list[str]:
        (place, datum), (other, other_datum) = self._sides
        named = "" if other.layer == place.layer else f"{other.layer}, "
        lines = [
            plain(f"A: run {datum.run}, step {datum.step}"),
            plain(f"B: {named}run {other_datum.run}, step {other_datum.step}"),
            plain(kernels.facts(self._header)),
        ]
        whole, cosine = ("unknown" if self._facts[name] is None else number(self._facts[name]) for name in _WHOLE)
        lines.append(f"Paired by {self._options.match}; all pairs together: change {whole}, cosine {cosine}")
        left_over = len(self._facts["unpaired"])
        return [*lines, f"Filters of B without a partner, not shown: {left_over}"] if left_over else lines


_WHOLE = ("change", "cosine")


def _headers(left: Side, right: Side) -> tuple[wire.Header, wire.Header]:
    """Reads the headers of two kernels; raises `OptionError` if they cannot be compared."""
    header, header_b = (_sized(name, *side) for name, side in (("layer", left), ("layer_b", right)))
    if header_b.shape[:-1] != header.shape[:-1]:
        expected = f"one whose filters have the shape {header.shape[:-1]}, not {header_b.shape[:-1]}"
        raise OptionError("layer_b", expected, right[0].layer)
    return header, header_b


def _inputs(place: Place, header: wire.Header, options: Options) -> str | int:
    """Returns which slices are pictured; raises `OptionError` if they cannot be."""
    inputs = options.inputs_of(header.shape[-2])
    if inputs == "all":
        raise OptionError("inputs", "strongest, mean, rgb or the index of an input", "all")
    _check_pictures(place, header, inputs)
    return inputs


def _check_pictures(place: Place, header: wire.Header, inputs: str | int) -> None:
    """Raises `OptionError` if the pictures of A, B and B - A, of all filters, hold more than the budget allows."""
    *spatial, channels, count = header.shape
    values = 3 * count * math.prod(spatial) * (channels if inputs == "rgb" else 1)
    most = place.budget.values
    if values > most:
        raise OptionError(
            "layer", f"one whose pictures, and those of B and B - A, have at most {most} values", f"{values} values"
        )


def _sized(name: str, place: Place, datum: Datum) -> wire.Header:
    """Reads the header of a kernel that is not too large; `name` is what the error calls it."""
    header = place.header(datum)
    try:
        insight.check_size(header)
    except insight.TooLargeError as error:
        raise OptionError(name, f"that of {error}", place.layer) from error
    return header
