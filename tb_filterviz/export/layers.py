"""All layers of a run: what is said of each, and the numbers of all their filters."""

from __future__ import annotations

import abc
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tb_filterviz import analysis, insight, wire
from tb_filterviz.export import tables
from tb_filterviz.export.content import Content, Sheet
from tb_filterviz.export.figure import NUMBERS, Figure
from tb_filterviz.export.options import Budget, OptionError, Options
from tb_filterviz.export.place import Place
from tb_filterviz.store import Datum, DatumGoneError

_MOST_READ = 8  # times the weights that may be read at once


class Layers(Figure):
    """Something of every layer of a run. A layer that is damaged costs no other: what is wrong is said beside it."""

    def __init__(
        self, what: str, run: str, layers: Sequence[tuple[Place, Datum]], options: Options, budget: Budget
    ) -> None:
        """Takes the layers, and works out their numbers: analyses are kept by `Place.thoughts`, and take turns there.

        Args:
            what: What the figure is called.
            run: Name of the run.
            layers: Series of kernels in model order, and their steps; at least one.
            options: How it looks, and `depth`.
            budget: The most it may take.

        Raises:
            OptionError: If there are more layers, weights, filters or pairs of filters than the budget allows.
        """
        super().__init__(f"{what}, run {run}, step {max(datum.step for _, datum in layers)}", options, budget)
        if len(layers) > budget.layers:
            raise OptionError("run", f"one of at most {budget.layers} layers", f"{len(layers)} layers")
        self._run, self._places = run, layers
        weights = work = numbers = 0
        for place, datum in layers:
            if header := header_of(place, datum):  # not kept: a log may hold large ones
                weights += math.prod(header.shape)
                work += _work(header)
                numbers += len(header.filters) * max(len(_names("full")), len(header.numbers))
        if options.depth == "full":
            _check_full(_MOST_READ * budget.values, weights, "weights")
            _check_full(budget.work, work, "weights and pairs of filters")
        if numbers > budget.values:
            raise OptionError("run", f"one of at most {budget.values} numbers of filters", f"{numbers} numbers")
        self._found = [self._look(*one) for one in layers]

    @abc.abstractmethod
    def _look(self, place: Place, datum: Datum) -> Any:
        """Returns what is known of a layer, one of `_found`."""


class _Numbers(NamedTuple):
    """Of one layer: indices of filters, int64 `[n]`, their numbers, float32 `[n][names]`, and what is wrong."""

    filters: NDArray[np.int64]
    numbers: NDArray[np.float32]
    problem: str = ""


class AllNumbers(Layers):
    """The numbers of every filter of every layer. A layer that cannot be read has one row, without numbers."""

    formats = NUMBERS

    def __init__(self, run: str, layers: Sequence[tuple[Place, Datum]], options: Options, budget: Budget) -> None:
        """Looks at the layers; `options.depth` says how deep; raises as `Layers` does."""
        super().__init__("Numbers", run, layers, options, budget)

    def content(self) -> Content | Sheet:
        """Raises `OptionError`: a picture of numbers there is not."""
        raise OptionError("format", f"one of {', '.join(self.formats)}", "png")

    def arrays(self) -> Mapping[str, NDArray[Any]]:
        """Returns `numbers`, float32 `[rows][names]`, NaN where one does not apply, and their `names`.

        Of each row the `filters`, -1 for a layer that cannot be read, and `layer`, the place of its layer in `layers`
        and `steps`. Indices and steps are int64.
        """
        return {
            "numbers": np.concatenate([one.numbers for one in self._found]),
            "names": self._texts(_names(self._options.depth)),
            "filters": np.concatenate([one.filters for one in self._found]),
            "layer": np.repeat(np.arange(len(self._found)), [len(one.filters) for one in self._found]),
            "layers": self._texts([place.layer for place, _ in self._places]),
            "steps": np.array([datum.step for _, datum in self._places], np.int64),
        }

    def table(self) -> tuple[Sequence[str], Iterable[Sequence[object]]]:
        """Returns a row for each filter of each layer."""
        names = _names(self._options.depth)
        rows = (
            (self._run, place.layer, datum.step, index if index >= 0 else np.nan, *tables.cells(names, row), problem)
            for (place, datum), (filters, numbers, problem) in zip(self._places, self._found, strict=True)
            for index, row in zip(filters.tolist(), numbers, strict=True)
        )
        return ("run", "layer", "step", "filter", *names, "problem"), rows

    def _look(self, place: Place, datum: Datum) -> _Numbers:
        names = _names(self._options.depth)
        try:
            header = place.header(datum)
            numbers: NDArray[Any] = place.numbers(datum, header)
        except (wire.FormatError, DatumGoneError) as error:
            return _Numbers(np.array([-1]), np.full((1, len(names)), np.nan, np.float32), unreadable(error))
        known, problem, dead = [*header.numbers], "", analysis.dead(numbers[:, 0])
        if self._options.depth == "full":
            try:
                known, numbers = place.full_numbers(datum, header)
            except insight.TooLargeError as error:
                problem = too_large(error)
            except (wire.FormatError, DatumGoneError) as error:
                problem = unreadable(error)
        columns = {"dead": dead, **dict(zip(known, numbers.T, strict=True))}
        found = np.full((len(numbers), len(names)), np.nan, np.float32)
        with np.errstate(over="ignore"):
            for at, name in enumerate(names):
                found[:, at] = columns.get(name, np.nan)
        return _Numbers(np.arange(len(found)), found, problem)


def too_large(error: insight.TooLargeError) -> str:
    """Returns in words why a layer was not analysed."""
    return f"To be analysed, it must be {error}"


def unreadable(error: wire.FormatError | DatumGoneError) -> str:
    """Returns in words why a layer cannot be read."""
    return "It is not there any more" if isinstance(error, DatumGoneError) else f"It cannot be read: {error}"


def header_of(place: Place, datum: Datum) -> wire.Header | None:
    """Reads a header; None where it cannot be read."""
    try:
        return place.header(datum)
    except (wire.FormatError, DatumGoneError):
        return None


def _work(header: wire.Header) -> int:
    """Returns how much it takes to analyse a layer: nothing, where it is too large for that."""
    try:
        insight.check_size(header)
    except insight.TooLargeError:
        return 0
    return insight.work(header)


def _check_full(most: int, count: int, what: str) -> None:
    """Raises `OptionError` if there are more than `most` of what all layers' analyses take."""
    if count > most:
        others = "the layers one by one, or the numbers of all with `depth` stored"
        raise OptionError("run", f"one of at most {most} {what}; else take {others}", f"{count} {what}")


def _names(depth: str) -> list[str]:
    """Returns the names of the numbers of each filter: those of the newest logs, where older ones have fewer."""
    return [*analysis.NUMBERS, *(("dead", *analysis.COLUMNS) if depth == "full" else ())]
