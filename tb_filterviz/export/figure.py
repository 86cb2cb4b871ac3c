"""Figures: what an export shows, in each format."""

from __future__ import annotations

import abc
import base64
import functools
import html
import itertools
import os
import pathlib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from tb_filterviz import colormap
from tb_filterviz.export import animation, layout, raster, sheet, svg, tables
from tb_filterviz.export.content import Content, Sheet
from tb_filterviz.export.options import Budget, OptionError, Options
from tb_filterviz.export.scene import Scene

CONTENT_TYPES = {
    "png": "image/png",
    "svg": "image/svg+xml",
    "webp": "image/webp",
    "gif": "image/gif",
    "apng": "image/apng",
    "csv": "text/csv",
    "npy": "application/octet-stream",
    "npz": "application/octet-stream",
}
"""The formats, with their media types."""

STILL = ("png", "svg", "webp", "csv", "npy", "npz")
MOVING = ("png", "svg", "webp", "gif", "apng", "csv", "npy", "npz")
NUMBERS = ("csv", "npy", "npz")

_LONGEST_SIDE = {"gif": 65_535, "webp": 16_383}
"""Of a picture in a file of the format, in pixels, where that can be less than what an export may take."""

_LONGEST_STEM = 100
_ROWS = 20  # of a table in a notebook


class Figure(abc.ABC):
    """Something to look at or to save, in several formats; a notebook shows it.

    Attributes:
        title: What it shows.
        formats: What it can be saved as, the first by default.
    """

    formats: tuple[str, ...] = STILL

    def __init__(self, title: str, options: Options, budget: Budget) -> None:
        """Takes what all have in common."""
        self.title, self._options, self._budget = title, options, budget

    @property
    def pixels(self) -> NDArray[np.uint8]:
        """uint8 `[height, width, 3]`, sRGB."""
        return np.asarray(raster.image(self._scene))

    @property
    def stem(self) -> str:
        """A name for its file that any file system and header can hold, without the suffix."""
        return re.sub(r"[^A-Za-z0-9]+", "_", self.title.replace(", run ", "_").replace(", step ", "_"))[-_LONGEST_STEM:]

    @classmethod
    def check_format(cls, form: str) -> None:
        """Raises `OptionError` if such a figure has no such format."""
        if form not in cls.formats:
            raise OptionError("format", f"one of {', '.join(cls.formats)}", form)

    def encode(self, form: str) -> bytes:
        """Returns the content of a file.

        Args:
            form: One of `formats`. `png`, `svg` (text as text, pictures as exact pixels) and `webp` hold the picture;
                `gif`, `apng` and `webp` a history as an animation; `npy` the stored values, and `npz` also the numbers,
                filters and steps; `csv` the numbers of each filter. Equal content gives equal bytes.

        Raises:
            OptionError: If the figure has no such format, or does not fit what was asked for.
            tb_filterviz.wire.FormatError: If a datum is damaged.
        """
        self.check_format(form)
        if form == "csv":
            return tables.table(*self.table(), self._budget.text)
        if form in ("npy", "npz"):
            return tables.npz(self.arrays()) if form == "npz" else tables.npy(self.values())
        if form == "svg":
            return svg.svg(self._scene)
        if form == "png":
            return raster.png(raster.image(self._scene))
        frames = self._drawn(form)
        if form == "gif":
            return animation.gif(frames, self._options.fps, self._colours)
        return (animation.webp if form == "webp" else animation.apng)(frames, self._options.fps)

    def save(self, path: str | os.PathLike[str], form: str | None = None) -> None:
        """Writes a file, in the format that its suffix names, or in `form`; raises as `encode` does."""
        content = self.encode(form or pathlib.Path(path).suffix[1:].lower())
        pathlib.Path(path).write_bytes(content)

    @abc.abstractmethod
    def content(self) -> Content | Sheet:
        """Returns what the still picture shows."""

    @abc.abstractmethod
    def arrays(self) -> Mapping[str, NDArray[Any]]:
        """Returns arrays for NumPy; the first holds the values themselves, exactly as they are stored."""

    def values(self) -> NDArray[Any]:
        """Returns the first of `arrays`."""
        return next(iter(self.arrays().values()))

    @abc.abstractmethod
    def table(self) -> tuple[Sequence[str], Iterable[Sequence[object]]]:
        """Returns the names and the rows of a table of numbers."""

    def frames(self, most: int) -> Iterator[Content | Sheet]:
        """Yields what each frame of the animation shows, of at most so many; a figure of one step has one."""
        yield self.content()

    @functools.cached_property
    def _scene(self) -> Scene:
        return self._composed(self.content())

    def _texts(self, strings: Sequence[str]) -> NDArray[np.str_]:
        """Returns names as an array, if that does not take too much; raises as `tables.texts` does."""
        return tables.texts(strings, self._budget.text)

    @property
    def _colours(self) -> NDArray[np.uint8] | None:
        return colormap.table(self._options.map)

    def _drawn(self, form: str) -> Iterator[Image.Image]:
        """Draws the frames: as many steps as there is room for, or those that were asked for."""
        moving = "gif" in self.formats
        page = self._composed(next(self.frames(1))) if moving else self._scene
        side = max(page.width, page.height)
        if side > _LONGEST_SIDE.get(form, side):
            fits = f"one that can hold a side of {side} pixels, and {form} holds {_LONGEST_SIDE[form]} at most"
            raise OptionError("format", f"{fits}: choose png, or a smaller `width`", form)
        most = self._budget.total // (page.width * page.height)
        if self._options.frames and self._options.frames > most:
            raise OptionError("frames", f"at most {most} at this size", self._options.frames)
        if not moving:
            return iter([raster.image(page)])
        return (raster.image(self._composed(content)) for content in self.frames(max(1, most)))

    def _composed(self, content: Content | Sheet) -> Scene:
        if isinstance(content, Sheet):
            return sheet.compose(content, self._options, self._budget, self.title)
        return layout.compose(content, self._options, self._budget, self.title)

    def _repr_png_(self) -> bytes | None:
        return raster.png(raster.image(self._scene)) if "png" in self.formats else None

    def _repr_html_(self) -> str:
        title, picture = html.escape(self.title), self._repr_png_()
        if picture is None:
            return f"<table><caption>{title}</caption>{''.join(self._html_rows())}</table>"
        source = base64.b64encode(picture).decode("ascii")
        return (
            f'<figure><img src="data:image/png;base64,{source}" alt="{title}"><figcaption>{title}</figcaption></figure>'
        )

    def _html_rows(self) -> Iterator[str]:
        """Yields the first rows of a table, as a notebook shows them."""
        header, rows = self.table()
        for tag, row in itertools.chain([("th", header)], (("td", row) for row in itertools.islice(rows, _ROWS))):
            yield f"<tr>{''.join(f'<{tag}>{html.escape(str(one))}</{tag}>' for one in row)}</tr>"
