"""What was logged, as arrays and pictures: for notebooks and scripts, without a server."""

from __future__ import annotations

import dataclasses
import os
from typing import Any

from tb_filterviz import wire
from tb_filterviz.export.comparison import Comparison
from tb_filterviz.export.figure import Figure
from tb_filterviz.export.layers import AllNumbers
from tb_filterviz.export.make import make
from tb_filterviz.export.options import LOCAL, OptionError, Options
from tb_filterviz.export.overview import Overview
from tb_filterviz.export.place import Chosen
from tb_filterviz.logged import Logged


class Log(Logged):
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
        layer: str | None = None,
        step: int = -1,
        *,
        kind: str = wire.KERNEL,
        filters: Chosen = None,
        depth: str = "full",
    ) -> Figure:
        """Returns the numbers of each filter of a layer, or of all layers, to be saved as `.csv`, `.npy` or `.npz`.

        Of a kernel, these are all that are known: those that were stored when it was logged, and those that are
        computed from its weights and from those of the step before and the first one. Kernels of more than 16,777,216
        weights or 4096 filters have the former only.

        Args:
            run: Name of the run.
            layer: Name of the layer; None for the kernels of all layers in one table, however many there are. It has a
                column more than that of one layer, the last: why numbers are missing.
            step: One of `steps(run, layer)`, or -1 for the newest. Of all layers any, as for `overview`: each is at its
                newest step up to it, which its rows name.
            kind: `"kernel"` or `"patterns"`.
            filters: Which filters, as for `kernel`; the default is all.
            depth: `"stored"` leaves out what is computed now.

        Raises:
            ValueError: If an option cannot be, or `kind` or `filters` are given where `layer` is not; else as `kernel`.

        Example:
            ```python
            log.numbers("run1", "conv1/kernel").save("numbers.csv")
            log.numbers("run1").save("all.csv")
            ```
        """
        if layer is None:
            if kind != wire.KERNEL or filters is not None:
                raise OptionError("layer", "given where `kind` or `filters` are", layer)
            return AllNumbers(run, self._all_layers(run, step), Options(depth=depth), LOCAL)
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
        return Overview(run, self._all_layers(run, step), _options(options), LOCAL)

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
