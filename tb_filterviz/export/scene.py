"""A page: pictures and lines of text at their places. Every format draws the same one."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Colour = tuple[int, int, int]
"""sRGB, 0 to 255."""


@dataclasses.dataclass(frozen=True)
class Picture:
    """Pixels, uint8 `[height, width, 3]`, whose top left corner is at `(x, y)`."""

    x: int
    y: int
    pixels: NDArray[np.uint8]


@dataclasses.dataclass(frozen=True)
class Text:
    """A line of text; `(x, y)` is on its base line, at its start, middle or end."""

    x: int
    y: int
    text: str
    size: int
    colour: Colour
    anchor: Literal["start", "middle", "end"] = "start"


@dataclasses.dataclass(frozen=True)
class Scene:
    """All of a page.

    Attributes:
        width, height: In pixels.
        background: Its colour.
        title: What it shows, for whoever cannot see it.
        pictures: None overlaps another.
        texts: Drawn above the pictures.
    """

    width: int
    height: int
    background: Colour
    title: str
    pictures: Sequence[Picture]
    texts: Sequence[Text]
