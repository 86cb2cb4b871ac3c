"""What was logged, as arrays and pictures: for notebooks and scripts, without a server."""

from __future__ import annotations

import base64
import html
import io
import os
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from tb_filterviz import mosaic, records, slices, wire
from tb_filterviz.store import ByteCache, Datum, EventFileSource, LogdirIndex, Series, Store
from tb_filterviz.store.series import run_order

_CACHE_BYTES = 64 << 20
_MEMO_BYTES = 1 << 20


class Figure:
    """A picture that shows itself in a notebook, and can be saved.

    Attributes:
        pixels: uint8 `[height, width, 3]`, sRGB.
        title: What it shows.
    """

    def __init__(self, pixels: NDArray[np.uint8], title: str) -> None:
        self.pixels, self.title = pixels, title

    def save(self, path: str | os.PathLike[str]) -> None:
        """Writes a PNG, whatever the path ends with."""
        Image.fromarray(self.pixels).save(path, format="PNG")

    def _repr_png_(self) -> bytes:
        file = io.BytesIO()
        Image.fromarray(self.pixels).save(file, format="PNG")
        return file.getvalue()

    def _repr_html_(self) -> str:
        source = base64.b64encode(self._repr_png_()).decode("ascii")
        title = html.escape(self.title)
        return (
            f'<figure><img src="data:image/png;base64,{source}" alt="{title}"><figcaption>{title}</figcaption></figure>'
        )


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

    def kernel(
        self, run: str, layer: str, step: int = -1, filters: int | slice | Sequence[int] | None = None
    ) -> NDArray[np.floating]:
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
        datum = self._datum(run, layer, step, wire.KERNEL)
        source = self._source()
        header = self._store.header(source, datum)
        wanted = _positions(filters, len(header.filters))
        if not wanted:
            return np.zeros((*header.shape[:-1], 0), header.encoding if header.encoding != "int8" else np.float32)
        low, high = min(wanted), max(wanted) + 1
        stored = self._store.filters(source, datum, header, low, high)
        return np.moveaxis(stored[[position - low for position in wanted]], 0, -1)

    def patterns(self, run: str, layer: str, step: int = -1) -> records.Patterns:
        """Reads the patterns of a layer at one step; arguments and exceptions are those of `kernel`."""
        datum = self._datum(run, layer, step, wire.PATTERNS)
        source = self._source()
        header = self._store.header(source, datum)
        numbers = self._store.numbers(source, datum, header)
        pngs = self._store.pictures(source, datum, header, range(len(header.filters)))
        images = np.stack([np.asarray(Image.open(io.BytesIO(png), formats=["PNG"])) for png in pngs])
        return records.Patterns(
            layer=header.layer,
            filters=np.array(header.filters, np.int64),
            images=images.reshape(len(images), *header.shape),
            start=numbers[:, 0],
            reached=numbers[:, 1],
            failed=numbers[:, 2] != 0,
            input_range=header.input_range,
            recipe=header.recipe,
            steps=header.steps,
        )

    def grid(
        self,
        run: str,
        layer: str,
        step: int = -1,
        *,
        kind: str = wire.KERNEL,
        inputs: str | int | None = None,
        colormap: str = "bluered",
        scale: int | None = None,
        columns: int | None = None,
    ) -> Figure:
        """Draws all filters of a layer, or the patterns of all that have one.

        Args:
            run: Name of the run.
            layer: Name of the layer.
            step: One of `steps(run, layer)`, or -1 for the newest.
            kind: `"kernel"` or `"patterns"`.
            inputs: Which slices: the index of an input, `"mean"`, `"strongest"`, `"all"`, or `"rgb"` for a layer of
                three inputs, where 0 is mid grey; the default is `"rgb"` there, else `"strongest"`. The scale is
                symmetric about 0, up to the largest weight shown.
            colormap: One of `tb_filterviz.colormap.MAPS`.
            scale: Pixels along each side of a weight; the default makes tiles about 32 pixels wide. Patterns are shown
                as they are.
            columns: Tiles in a row; the default makes the whole about square.

        Raises:
            ValueError: If an argument is not one of these; else as `kernel`.
        """
        title = f"{layer}, run {run}, step {self._datum(run, layer, step, kind).step}"
        if kind == wire.PATTERNS:
            images = self.patterns(run, layer, step).images
            return Figure(mosaic.grid(np.broadcast_to(images, (*images.shape[:3], 3)), columns, scale or 1, 4), title)
        filters = np.moveaxis(self.kernel(run, layer, step), -1, 0)
        chosen = inputs if inputs is not None else "rgb" if filters.shape[-1] == 3 else "strongest"
        if isinstance(chosen, str) and chosen not in slices.SELECTIONS:
            raise ValueError(f"`inputs` must be an index or one of {slices.SELECTIONS}. Received: inputs={inputs!r}")
        pictures, _ = slices.select(filters, chosen)
        tiles = mosaic.kernel_tiles(pictures, float(slices.limits(pictures).max(initial=0)), colormap, chosen == "rgb")
        size = scale or max(1, 32 // max(tiles.shape[1:3]))
        return Figure(mosaic.grid(tiles, columns, size, max(1, size // 4)), title)

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
        runs = self.runs()
        if run not in runs:
            raise KeyError(f"there is no run {run!r}; there are {', '.join(map(repr, runs)) or 'none'}")
        listed, _ = self._store.index(self._source(), run)
        names = {(header.name, header.layer.path) for _, header in listed}
        paths = [path for _, path in names]
        named = []
        for series, header in listed:
            path, name = header.layer.path, header.name
            named.append(
                (path if paths.count(path) == 1 and path else "/".join(filter(None, (name, path))), series, header)
            )
        return named

    def _series(self, run: str, layer: str, kind: str) -> Series:
        named = self._named(run)
        for name, series, _ in named:
            if name == layer and series.kind == kind:
                return series
        names = dict.fromkeys(name for name, series, _ in named if series.kind == kind)
        raise KeyError(
            f"run {run!r} has no {kind} of a layer {layer!r}; it has {', '.join(map(repr, names)) or 'none'}"
        )

    def _datum(self, run: str, layer: str, step: int, kind: str) -> Datum:
        data = self._series(run, layer, kind).data
        by_step = {datum.step: datum for datum in data}
        if step not in by_step and step != -1:
            raise KeyError(f"{layer!r} has no step {step}; it has {len(data)}, from {data[0].step} to {data[-1].step}")
        return by_step.get(step, data[-1])


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


def _positions(filters: int | slice | Sequence[int] | None, count: int) -> list[int]:
    every = range(count)
    if filters is None:
        return list(every)
    if isinstance(filters, slice):
        return list(every[filters])
    wanted = [filters] if isinstance(filters, int) else list(filters)
    try:
        return [every[position] for position in wanted]
    except (IndexError, TypeError) as error:
        raise IndexError(f"`filters` must be indices of the {count} filters. Received: filters={filters!r}") from error
