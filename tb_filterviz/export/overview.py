"""All layers of a run at one step: a strip of filters of each, and what is wrong with them."""

from __future__ import annotations

import dataclasses
import functools
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tb_filterviz import analysis, insight, mosaic, slices, wire
from tb_filterviz.export import kernels, sheet
from tb_filterviz.export.content import Sheet, Strip, number, plain
from tb_filterviz.export.layers import Layers, header_of, too_large, unreadable
from tb_filterviz.export.options import LIMITS, Budget, OptionError, Options
from tb_filterviz.export.place import Place
from tb_filterviz.store import Datum, DatumGoneError

NAMES = (
    *("class", "shape", "axes", "filters", "norm_min", "norm_median", "norm_max", "nonfinite"),
    *("dead", "duplicates", "opposites", "change_median", "change_first_median"),
    *("slices", "randomness", "near_random", "entropy", "bound", "orthogonality", "sparsity", "explained", "problem"),
)
"""The columns of the table, after `run`, `layer` and `step`."""

_STRIP = 32  # filters of a layer that are drawn, unless `columns` says otherwise


class Overview(Layers):
    """What there is of every layer. A layer that is damaged costs no other: it says so in its row."""

    formats = ("png", "svg", "webp", "csv", "npy", "npz")

    def __init__(self, run: str, layers: Sequence[tuple[Place, Datum]], options: Options, budget: Budget) -> None:
        """Looks at the layers; raises as `Layers` does, and `OptionError` if they have no such `inputs`."""
        if options.inputs not in (None, "strongest", "mean"):
            raise OptionError("inputs", "strongest or mean, as layers have different inputs", options.inputs)
        super().__init__("Overview", run, layers, dataclasses.replace(options, depth="full"), budget)

    def content(self) -> Sheet:
        """Returns a strip for each layer, with its numbers in words."""
        facts = self._found
        counts = ", ".join(f"{sum(int(one.get(name, 0)) for one in facts)} {word}" for name, word in _BADGES)
        random = sum(int(one.get("near_random", 0)) for one in facts)
        headers = (header_of(*one) for one in self._places)
        rgb = any(header and self._inputs(header) == "rgb" for header in headers)
        return Sheet(
            heading=f"Overview of run {plain(self._run)}",
            lines=[f"{len(facts)} layers: {counts} filters, {random} layers near random"],
            strips=[self._strip(*one, row) for one, row in zip(self._places, facts, strict=True)],
            notes=kernels.notes_of_layers(self._options, self._options.inputs or "strongest", rgb),
            bar=kernels.bar_of_layers(self._options),
        )

    def arrays(self) -> Mapping[str, NDArray[Any]]:
        """Returns `numbers`, float64 `[layers][names]`, NaN where unknown; their `names`, `layers` and `steps`."""
        names = [name for name in NAMES if name not in _WORDS]
        return {
            "numbers": np.array([[row.get(name, np.nan) for name in names] for row in self._found], np.float64),
            "names": self._texts(names),
            "layers": self._texts([place.layer for place, _ in self._places]),
            "steps": np.array([datum.step for _, datum in self._places], np.int64),
        }

    def table(self) -> tuple[Sequence[str], Iterable[Sequence[object]]]:
        """Returns a row for each layer."""
        rows = [
            (self._run, place.layer, datum.step, *(row.get(name, "" if name in _WORDS else np.nan) for name in NAMES))
            for (place, datum), row in zip(self._places, self._found, strict=True)
        ]
        return ("run", "layer", "step", *NAMES), rows

    def _look(self, place: Place, datum: Datum) -> dict[str, Any]:
        """Returns some of `NAMES`."""
        row: dict[str, Any] = {}
        try:
            header = place.header(datum)
            row |= {"class": header.layer.layer_class, "shape": "x".join(map(str, header.shape)), "axes": header.axes}
            row |= _stored(header, place.numbers(datum, header))
            return row | _computed(place.analysis(datum, header))
        except insight.TooLargeError as error:
            return {**row, "problem": too_large(error)}
        except (wire.FormatError, DatumGoneError) as error:
            return {**row, "problem": unreadable(error)}

    def _inputs(self, header: wire.Header) -> str | int:
        return self._options.inputs_of(header.shape[-2])

    def _strip(self, place: Place, datum: Datum, row: Mapping[str, Any]) -> Strip:
        """Says what is known of a layer, and which of its filters are to be drawn; reads its header only."""
        name, words = plain(place.layer), _words(row)
        header = header_of(place, datum)
        if header is None:
            return Strip(name, words)
        words = [plain(f"{kernels.facts(header)}, step {datum.step}"), *words]
        options = self._options
        room = (options.width or max(sheet.WIDTHS)) // 2  # of a pixel and a gap each
        count = min(len(header.filters), options.columns or _STRIP, room)
        try:
            place.check(header, count, self._inputs(header) if options.limit in LIMITS else None)
        except OptionError:
            return Strip(name, [*words, "Its filters are too large to be drawn"])
        shape = (count, *mosaic.tile_size(header.shape[:-2]))
        return Strip(name, words, shape, functools.partial(self._tiles, place, datum))

    def _tiles(self, place: Place, datum: Datum, count: int) -> NDArray[np.uint8] | None:
        """Draws the first filters of a layer; None where they cannot be read."""
        options, first = self._options, range(count)
        try:
            header = place.header(datum)
            inputs = self._inputs(header)
            pictures, _ = slices.select([place.filters(datum, header, first)], inputs)
            largest = place.magnitudes(datum, header, inputs) if options.limit in LIMITS else None
        except (wire.FormatError, DatumGoneError):
            return None
        limit = kernels.shown(first, inputs, options, largest, 0).limit
        return mosaic.kernel_tiles(pictures, limit, options.map, inputs == "rgb")


_WORDS = ("class", "shape", "axes", "problem")
_BADGES = (("dead", "dead"), ("duplicates", "duplicate"), ("opposites", "flipped"))
_QUALITY = (("randomness", "random"), ("orthogonality", "orthogonal"), ("sparsity", "sparse"))


def _stored(header: wire.Header, numbers: NDArray[np.float32]) -> dict[str, Any]:
    norms = numbers[:, 0][np.isfinite(numbers[:, 0])].astype(np.float64)
    low, middle, high = np.quantile(norms, (0, 0.5, 1)).tolist() if len(norms) else [np.nan] * 3
    odd = wire.number(header, numbers, "nonfinite")
    return {
        **{"filters": len(numbers), "norm_min": low, "norm_median": middle, "norm_max": high},
        "nonfinite": _count(odd),
        "dead": int(analysis.dead(numbers[:, 0]).sum()),
    }


def _count(odd: NDArray[np.float32] | None) -> float:
    """Adds up what a log says of each filter, which may be anything."""
    total = math.nan if odd is None else float(odd.sum(dtype=np.float64))
    return int(total) if math.isfinite(total) else math.nan


def _computed(answer: Mapping[str, Any]) -> dict[str, Any]:
    """Returns what an analysis, as JSON has it, says of the layer."""
    columns = dict(zip(answer["names"], np.array(answer["values"], np.float64).T, strict=True))
    layer, basis = answer["layer"], answer["basis"]
    randomness = layer["randomness"]
    return {
        "duplicates": int(np.count_nonzero(np.isfinite(columns["duplicate_of"]))),
        "opposites": int(np.count_nonzero(np.isfinite(columns["opposite_of"]))),
        "change_median": _median(columns["change"]),
        "change_first_median": _median(columns["change_first"]),
        **{name: np.nan if one is None else one for name, one in layer.items()},
        **({} if randomness is None else {"near_random": int(randomness >= analysis.NEAR_RANDOM)}),
        "explained": np.nan if basis is None else basis["explained"][0],
    }


def _median(values: NDArray[np.float64]) -> float:
    finite = values[np.isfinite(values)]
    return float(np.median(finite)) if len(finite) else math.nan


def _words(row: Mapping[str, Any]) -> list[str]:
    """Returns the numbers of a layer in words."""
    known = {name: one for name, one in row.items() if name not in _WORDS and math.isfinite(one)}
    dot = " \N{MIDDLE DOT} "
    lines = []
    if "norm_median" in known:
        low, middle, high = (number(known[f"norm_{name}"]) for name in ("min", "median", "max"))
        moved = [f"change since the step before {number(known['change_median'])}"] if "change_median" in known else []
        lines.append(dot.join([f"L2 norm {middle} ({low} to {high})", *moved]))
    parts = [f"{known[name]} {word}" for name, word in _BADGES if name in known]
    parts += ["near random"] * known.get("near_random", 0)
    parts += [f"{word} {number(known[name])}" for name, word in _QUALITY if name in known]
    if "explained" in known:
        parts.append(f"explained by one picture {number(known['explained'])}")
    return [*lines, *filter(None, (dot.join(parts), plain(row.get("problem", ""))))]
