"""What a figure shows, before it is known where on the page."""

from __future__ import annotations

import dataclasses
import unicodedata
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

BACKGROUNDS = {"light": (255, 255, 255), "dark": (48, 48, 48)}
"""Of pages, sRGB, by theme: those of TensorBoard."""

_LONGEST = 120


@dataclasses.dataclass(frozen=True)
class Bar:
    """A scale of colours.

    Attributes:
        colours: uint8 `[n, 3]`, from the lowest to the highest.
        low, middle, high: What the first, the middle and the last one stand for.
    """

    colours: NDArray[np.uint8]
    low: str
    middle: str
    high: str


@dataclasses.dataclass(frozen=True)
class Content:
    """One picture's content.

    Attributes:
        tiles: uint8 `[n, height, width, 3]`, sRGB, in reading order.
        labels: One text a tile.
        heading: What is shown, in a few words.
        lines: What else is to be known of it: each text begins a line.
        notes: What the colours and marks mean, for below the picture.
        rows: Texts for whole rows, and then `columns` for whole columns, where the tiles are a table of two things.
        columns: See `rows`.
        counted: Whether the labels count from the first on, so that those of rows and columns can say all of them.
        bar: The scale of colours, if there is one.
        below: One text a tile, for below it, where all tiles have a label of their own.
        parts: How many pictures a tile holds, a column of background between them.
        as_is: Whether tiles are pictures, shown pixel by pixel unless something else was asked for.
    """

    tiles: NDArray[np.uint8]
    labels: Sequence[str]
    heading: str
    lines: Sequence[str]
    notes: Sequence[str]
    rows: Sequence[str] = ()
    columns: Sequence[str] = ()
    counted: bool = False
    bar: Bar | None = None
    as_is: bool = False
    below: Sequence[str] = ()
    parts: int = 1


@dataclasses.dataclass(frozen=True)
class Strip:
    """A row of a sheet.

    Attributes:
        heading: What it is of.
        lines: What else is to be known of it.
        shape: How many tiles there are at most, which may be none; their height, and their width.
        tiles: Draws the first so many of them, uint8 `[n, height, width, 3]`, sRGB; None where they cannot be read. All
            of a sheet may be large together, and so they are drawn when it is known that the page holds them.
    """

    heading: str
    lines: Sequence[str]
    shape: tuple[int, int, int] = (0, 1, 1)
    tiles: Callable[[int], NDArray[np.uint8] | None] = lambda count: None


@dataclasses.dataclass(frozen=True)
class Sheet:
    """Strips one below the other; the other attributes are as of `Content`."""

    heading: str
    lines: Sequence[str]
    strips: Sequence[Strip]
    notes: Sequence[str]
    bar: Bar


def plain(text: str, longest: int = _LONGEST) -> str:
    r"""Returns a text from a log as one line that can be shown: what no reader can see is written as an escape.

    Args:
        text: Any; it may hold control characters and lone surrogates.
        longest: The most characters; the middle of a longer text is left out.

    Example:
        >>> plain("a\nb")
        'a\\nb'
    """
    if len(text) > longest:
        half = (longest - 1) // 2
        text = f"{text[:half]}\N{HORIZONTAL ELLIPSIS}{text[-half:]}"
    return "".join(
        one.encode("unicode_escape").decode()
        if unicodedata.category(one) in ("Cc", "Cf", "Cn", "Cs", "Zl", "Zp")
        else one
        for one in text
    )


def number(value: float) -> str:
    """Returns a number with three significant digits and a true minus."""
    return f"{value:.3g}".replace("-", "\N{MINUS SIGN}")


def product(shape: Sequence[int]) -> str:
    """Returns a shape as `3 x 3 x 64`, with the sign of multiplication."""
    return " \N{MULTIPLICATION SIGN} ".join(map(str, shape))
