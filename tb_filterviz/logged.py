"""What was logged, as arrays: the half of the reader that draws nothing."""

from __future__ import annotations

import html
import os

import numpy as np
from numpy.typing import NDArray

from tb_filterviz import records, wire
from tb_filterviz.export.options import LOCAL
from tb_filterviz.export.place import Chosen, Place, named, places, positions
from tb_filterviz.store import ByteCache, Datum, EventFileSource, LogdirIndex, Series, Store
from tb_filterviz.store.series import run_order
from tb_filterviz.thoughts import Thoughts

_CACHE_BYTES = 64 << 20
_MEMO_BYTES = 1 << 20
_THOUGHT_BYTES = 16 << 20


class Logged:
    """The kernels and patterns of a log directory. `reader.Log` draws them, and says how they are named."""

    def __init__(self, logdir: str | os.PathLike[str]) -> None:
        """Takes the directory; raises `NotADirectoryError` if it is none."""
        self._logdir = os.path.expanduser(os.fspath(logdir))
        if not os.path.isdir(self._logdir):
            raise NotADirectoryError(f"`logdir` must be a directory of logs. Received: logdir={os.fspath(logdir)!r}")
        self._index = LogdirIndex(self._logdir)
        self._store, self._memo = Store(_CACHE_BYTES), ByteCache(_MEMO_BYTES)
        self._thoughts = Thoughts(_THOUGHT_BYTES)

    def runs(self) -> list[str]:
        """Returns the names of the runs with kernels or patterns, in the order of TensorBoard."""
        self._index.refresh()
        return sorted(self._index.contents.runs, key=run_order)

    def layers(self, run: str) -> list[str]:
        """Returns the names of a run's layers in model order; raises `KeyError` if there is no such run."""
        return list(dict.fromkeys(name for name, _, _ in self._named(run)))

    def steps(self, run: str, layer: str, kind: str = wire.KERNEL) -> list[int]:
        """Returns the steps of a layer's kernel, or with `kind="patterns"` of its patterns, ascending.

        Raises:
            KeyError: If there is no such run, or no such layer in it.
        """
        return [datum.step for datum in self._series(run, layer, kind).data]

    def problems(self) -> list[str]:
        """Returns a sentence for each file or record that cannot be read."""
        self._index.refresh()
        _, problems = self._store.index(self._source())
        return [": ".join(part for part in (one.run, one.tag, one.message) if part) for one in problems]

    def kernel(self, run: str, layer: str, step: int = -1, filters: Chosen = None) -> NDArray[np.floating]:
        """Reads a kernel at one step, or some of its filters.

        Args:
            run: Name of the run.
            layer: Name of the layer, one of `layers(run)`.
            step: One of `steps(run, layer)`, or -1 for the newest.
            filters: Which filters: an index, a slice or a sequence of indices, negative ones from the end. The default
                is all. Only these, and what lies between them, are read.

        Returns:
            `(*spatial, in, filters)`, float16, float32 or float64 as stored; of one index too, with one filter.

        Raises:
            KeyError: If there is no such run, layer or step.
            IndexError: If there is no such filter.
            tb_filterviz.wire.FormatError: If the datum is damaged.
        """
        place, datum = self._place(run, layer, step, wire.KERNEL)
        header = place.header(datum)
        return np.moveaxis(place.filters(datum, header, positions(filters, len(header.filters))), 0, -1)

    def patterns(self, run: str, layer: str, step: int = -1) -> records.Patterns:
        """Reads the patterns of a layer at one step; arguments and exceptions are those of `kernel`."""
        place, datum = self._place(run, layer, step, wire.PATTERNS)
        header = place.header(datum)
        numbers = place.numbers(datum, header)
        spots = wire.number(header, numbers, "spots")
        return records.Patterns(
            layer=header.layer,
            filters=np.array(header.filters, np.int64),
            images=place.images(datum, header, range(len(header.filters))),
            start=numbers[:, 0],
            reached=numbers[:, 1],
            failed=numbers[:, 2] != 0,
            input_range=header.input_range,
            recipe=header.recipe,
            steps=header.steps,
            noise=wire.number(header, numbers, "noise"),
            natural=wire.number(header, numbers, "natural"),
            percentile=wire.number(header, numbers, "percentile"),
            curve=place.store.curve(place.source, datum, header),
            spots=None if spots is None else spots != 0,
            objective=header.objective,
        )

    def __repr__(self) -> str:
        return f"tb_filterviz.read({self._logdir!r})"

    def _repr_html_(self) -> str:
        """Shows runs, layers and steps as a table."""
        rows = [
            (
                run,
                name,
                series.kind,
                " x ".join(map(str, header.shape)),
                f"{len(series.data)}",
                f"{series.data[-1].step}",
            )
            for run in self.runs()
            for name, series, header in self._named(run)
        ]
        head = ("run", "layer", "kind", "shape", "steps", "newest")
        cells = [[f"<td>{html.escape(cell)}</td>" for cell in row] for row in rows]
        lines = "".join(f"<tr>{''.join(row)}</tr>" for row in cells)
        return f"<table><tr>{''.join(f'<th>{cell}</th>' for cell in head)}</tr>{lines}</table>"

    def _source(self) -> EventFileSource:
        return EventFileSource(self._index.contents, self._memo)

    def _named(self, run: str) -> list[tuple[str, Series, wire.Header]]:
        """Returns the series of a run in model order, with the name of each one's layer."""
        self._check_run(run)
        return named(self._store.index(self._source(), run)[0])

    def _check_run(self, run: str) -> None:
        runs = self.runs()
        if run not in runs:
            raise KeyError(f"there is no run {run!r}; there are {', '.join(map(repr, runs)) or 'none'}")

    def _series(self, run: str, layer: str, kind: str) -> Series:
        found = self._named(run)
        for name, series, _ in found:
            if name == layer and series.kind == kind:
                return series
        names = dict.fromkeys(name for name, series, _ in found if series.kind == kind)
        raise KeyError(
            f"run {run!r} has no {kind} of a layer {layer!r}; it has {', '.join(map(repr, names)) or 'none'}"
        )

    def _place(self, run: str, layer: str, step: int, kind: str) -> tuple[Place, Datum]:
        """Returns a series, and its datum at a step."""
        series = self._series(run, layer, kind)
        data = series.data
        by_step = {datum.step: datum for datum in data}
        if step not in by_step and step != -1:
            raise KeyError(f"{layer!r} has no step {step}; it has {len(data)}, from {data[0].step} to {data[-1].step}")
        return Place(self._store, self._thoughts, self._source(), series, layer, LOCAL), by_step.get(step, data[-1])

    def _all_layers(self, run: str, step: int) -> list[tuple[Place, Datum]]:
        """Returns all series of kernels of a run, and of each its newest datum up to a step, -1 for any."""
        self._check_run(run)
        return places(self._store, self._thoughts, self._source(), run, None if step == -1 else step, LOCAL)
