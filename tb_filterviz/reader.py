"""What was logged, as arrays and pictures: for notebooks and scripts, without a server."""

from __future__ import annotations

import dataclasses
import html
import os
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tb_filterviz import records, wire
from tb_filterviz.export.comparison import Comparison
from tb_filterviz.export.figure import Figure
from tb_filterviz.export.make import make
from tb_filterviz.export.options import LOCAL, Options
from tb_filterviz.export.overview import Overview
from tb_filterviz.export.place import Chosen, Place, named, places, positions
from tb_filterviz.store import ByteCache, Datum, EventFileSource, LogdirIndex, Series, Store
from tb_filterviz.store.series import run_order

_CACHE_BYTES = 64 << 20
_MEMO_BYTES = 1 << 20


class Log:
    """The kernels and patterns of a log directory; `filterviz.read` opens one. Each call sees what is there now.

    A layer is named by its path, such as `"conv1/kernel"`, by `"name/path"` where several names hold that path, or by
    the name of what has no path. Steps are those that were logged; `-1`, unless that is one, is the newest.

    Example:
        ```python
        log = filterviz.read("logs")
        run = log.runs()[0]
        layer = log.layers(run)[0]
        log.kernel(run, layer, filters=[0, 7])  # [*spatial, in, 2]
        log.grid(run, layer).save("grid.png")
        ```
    """

    def __init__(self, logdir: str | os.PathLike[str]) -> None:
        """Takes the directory; raises `NotADirectoryError` if it is none."""
        self._logdir = os.path.expanduser(os.fspath(logdir))
        if not os.path.isdir(self._logdir):
            raise NotADirectoryError(f"`logdir` must be a directory of logs. Received: logdir={os.fspath(logdir)!r}")
        self._index = LogdirIndex(self._logdir)
        self._store, self._memo = Store(_CACHE_BYTES), ByteCache(_MEMO_BYTES)

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
        )

    def grid(
        self, run: str, layer: str, step: int = -1, *, kind: str = wire.KERNEL, filters: Chosen = None, **options: Any
    ) -> Figure:
        """Draws filters of a layer, or the patterns of those that have one.

        `save` writes it as the suffix says: `.png`, `.svg`, `.webp`; `.npy` and `.npz` hold the stored values, exactly;
        `.csv` the numbers of each filter. Two files of the same content are equal, byte by byte.

        Args:
            run: Name of the run.
            layer: Name of the layer.
            step: One of `steps(run, layer)`, or -1 for the newest.
            kind: `"kernel"` or `"patterns"`.
            filters: Which filters, as for `kernel`; the default is all. With one filter and `inputs="all"`, all its
                slices are drawn as tiles.
            **options: Attributes of `tb_filterviz.export.options.Options`: `inputs`, `limit`, `colormap`, `theme`,
                `scale`, `width`, `columns`, `caption`, `labels`, `bar`.

        Raises:
            ValueError: If an option cannot be; else as `kernel`.

        Example:
            ```python
            log.grid("run1", "conv1/kernel").save("grid.svg")
            log.grid("run1", "conv2/kernel", filters=7, inputs="all", width=1200, theme="dark").save("filter7.png")
            ```
        """
        what = "kernels" if kind == wire.KERNEL else "patterns"
        return self.figure(what, run, layer, step, kind=kind, filters=filters, options=_options(options))

    def history(
        self, run: str, layer: str, *, kind: str = wire.KERNEL, filters: Chosen = None, **options: Any
    ) -> Figure:
        """Draws filters of a layer, or their patterns, over all steps, on one scale of colours.

        `save` writes it as the suffix says: an animation as `.gif`, `.apng` or `.webp`; a filmstrip as `.png` or
        `.svg`; `.npy` and `.npz` the stored values, exactly; `.csv` the numbers of each filter at each step. Steps that
        are damaged, or of another shape than the newest, are left out.

        Args:
            run: Name of the run.
            layer: Name of the layer.
            kind: `"kernel"` or `"patterns"`.
            filters: Which filters, as for `kernel`; the default is all.
            **options: As for `grid`, and `frames`, the most steps, and `fps`, frames a second.

        Raises:
            ValueError: If an option cannot be; else as `kernel`.

        Example:
            ```python
            log.history("run1", "conv1/kernel", fps=8).save("training.gif")
            ```
        """
        return self.figure("history", run, layer, kind=kind, filters=filters, options=_options(options))

    def numbers(
        self,
        run: str,
        layer: str,
        step: int = -1,
        *,
        kind: str = wire.KERNEL,
        filters: Chosen = None,
        depth: str = "full",
    ) -> Figure:
        """Returns the numbers of each filter at one step, to be saved as `.csv`, `.npy` or `.npz`; raises as `kernel`.

        Of a kernel, these are all that are known: those that were stored when it was logged, and those that are
        computed from its weights and from those of the step before and the first one. `depth="stored"` leaves the
        latter out; so do kernels of more than 16,777,216 weights or 4096 filters.

        Example:
            ```python
            log.numbers("run1", "conv1/kernel").save("numbers.csv")
            ```
        """
        return self.figure("numbers", run, layer, step, kind=kind, filters=filters, options=Options(depth=depth))

    def overview(self, run: str, step: int = -1, **options: Any) -> Figure:
        """Draws all layers of a run: a strip of filters of each, its norms, and what is wrong with it.

        `save` writes `.png`, `.svg` or `.webp`; `.csv` has a row for each layer, with the counts of dead, duplicate
        and sign-flipped filters and the quality numbers, and `.npy` and `.npz` the same numbers. A layer that is
        damaged, or too large to be analysed, says so.

        Args:
            run: Name of the run.
            step: Each layer is shown at its newest step up to this; -1 is the newest.
            **options: As for `grid`; `scale` and `columns` are those of each strip.

        Raises:
            KeyError: If there is no such run, or nothing was logged up to that step.
            ValueError: If an option cannot be.

        Example:
            ```python
            log.overview("run1").save("layers.png")
            ```
        """
        self._check_run(run)
        layers = places(self._store, self._source(), run, None if step == -1 else step, LOCAL)
        if not layers:
            raise KeyError(f"run {run!r} has no kernel up to step {step}")
        return Overview(run, layers, _options(options), LOCAL)

    def compare(
        self,
        run: str,
        layer: str,
        step: int = -1,
        *,
        run_b: str | None = None,
        layer_b: str | None = None,
        step_b: int = -1,
        filters: Chosen = None,
        **options: Any,
    ) -> Figure:
        """Draws a kernel A, a kernel B, and B - A: of each filter side by side, on one scale, with its change.

        `save` writes `.png`, `.svg` or `.webp`; `.csv` has the partner, the change and the cosine of each filter, and
        `.npz` these with the pictures.

        Args:
            run: Name of the run of A.
            layer: Name of the layer.
            step: One of `steps(run, layer)`, or -1 for the newest.
            run_b: Of B; the default is `run`.
            layer_b: Of B; the default is `layer`.
            step_b: Of B.
            filters: Which filters of A, as for `kernel`; the default is all.
            **options: As for `grid`, and `match`: `"index"`, or `"likeness"` to pair the filters that are most alike,
                as two trainings find like filters at different places. The limits `"layer"` and `"filter"` are the
                largest magnitudes of the three pictures of all filters, and of each.

        Raises:
            ValueError: If an option cannot be, or the kernels cannot be compared; else as `kernel`.

        Example:
            ```python
            log.compare("run1", "conv1/kernel", 0, step_b=500).save("change.svg")
            log.compare("run1", "conv1/kernel", run_b="run2", match="likeness").save("pairs.csv")
            ```
        """
        left = self._place(run, layer, step, wire.KERNEL)
        right = self._place(run if run_b is None else run_b, layer if layer_b is None else layer_b, step_b, wire.KERNEL)
        return Comparison(left, right, filters, _options(options))

    def figure(
        self,
        what: str,
        run: str,
        layer: str,
        step: int = -1,
        *,
        kind: str = wire.KERNEL,
        filters: Chosen = None,
        options: Options | None = None,
    ) -> Figure:
        """Returns what `grid`, `history` and `numbers` do, by its name: one of `tb_filterviz.export.make.WHAT`."""
        place, datum = self._place(run, layer, step, kind)
        return make(what, place, None if what == "history" else datum, filters, options or Options())

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
        return Place(self._store, self._source(), series, layer, LOCAL), by_step.get(step, data[-1])


def read(logdir: str | os.PathLike[str]) -> Log:
    """Opens a log directory, which may go on growing.

    Args:
        logdir: As for `tensorboard --logdir`.

    Raises:
        NotADirectoryError: If there is no such directory.

    Example:
        ```python
        filterviz.read("logs").runs()
        ```
    """
    return Log(logdir)


def _options(given: dict[str, Any]) -> Options:
    names = [field.name for field in dataclasses.fields(Options)]
    unknown = sorted(set(given) - set(names))
    if unknown:
        raise TypeError(f"there is no option `{unknown[0]}`; there are {', '.join(names)}")
    return Options(**given)
