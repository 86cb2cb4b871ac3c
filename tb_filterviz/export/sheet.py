"""Where everything stands on a page of strips: rows of words, each with filters of its own size."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Sequence

from tb_filterviz import mosaic
from tb_filterviz.export import layout
from tb_filterviz.export.content import BACKGROUNDS, Sheet, Strip
from tb_filterviz.export.options import Budget, OptionError, Options
from tb_filterviz.export.scene import Colour, Picture, Scene, Text

WIDTHS = (960, 800, 640, 480)
"""Of a page, in pixels, unless one was asked for: the first at which it is not too large."""

_LEAST_WIDTH = 100
_TILE_IN_TEXT = 2  # height of a tile, in sizes of the text beside it


@dataclasses.dataclass(frozen=True)
class _Row:
    """Where the tiles of a strip stand: the first `count` of them, from `y` on, with a gap between them."""

    strip: Strip
    y: int
    count: int
    scale: int
    gap: int


def compose(sheet: Sheet, options: Options, budget: Budget, title: str) -> Scene:
    """Lays strips out, one below the other, and then draws what the page has room for.

    Args:
        sheet: What they show.
        options: How it looks: `scale` and `columns` are those of each strip, which is cut where the page ends.
        budget: Its largest number of pixels.
        title: For whoever cannot see it.

    Raises:
        OptionError: If not even one filter fits the width, or the page not the budget.
    """
    if options.width and options.width < _LEAST_WIDTH:
        raise OptionError("width", f"at least {_LEAST_WIDTH}", options.width)
    widths = (options.width,) if options.width else WIDTHS
    _check_tiles(sheet, options, widths[0])
    for width in widths:
        page = _page(sheet, options, budget, title, width)
        if page:
            return _drawn(*page, BACKGROUNDS[options.theme])
    raise _too_large(sheet, options, budget)


def _too_large(sheet: Sheet, options: Options, budget: Budget) -> OptionError:
    """Returns the error of a page with too many pixels, which names what was asked for."""
    holds = f"a picture may have {budget.pixels} pixels, and this has more; or take a table"
    for name, value in (("width", options.width), ("scale", options.scale)):
        if value:
            return OptionError(name, f"less: {holds}", value)
    return OptionError(
        "run", f"one of fewer layers: {holds}, or a `width` below {WIDTHS[-1]}", f"{len(sheet.strips)} layers"
    )


def _check_tiles(sheet: Sheet, options: Options, width: int) -> None:
    """Raises `OptionError` if there is a strip of which not even one tile fits a page of a width."""
    size = layout.text_size(width)
    for strip in sheet.strips:
        wide = strip.shape[-1] * _scale(strip, options, size)
        if strip.shape[0] and wide > _room(width):
            if options.scale:
                raise OptionError("scale", f"less, so that a filter fits {_room(width)} pixels", options.scale)
            enough = next(one for one in itertools.count(wide) if _room(one) >= wide)
            least = f"at least {enough}, as a filter of {strip.heading} is {wide} pixels wide"
            raise OptionError("width", least if options.width else f"given, and {least}", options.width)


def _room(width: int) -> int:
    """Returns what a page of a width has between its margins, which are as wide as its text is high."""
    return width - 2 * layout.text_size(width)


def _scale(strip: Strip, options: Options, size: int) -> int:
    return options.scale or max(1, _TILE_IN_TEXT * size // max(strip.shape[1:]))


def _page(sheet: Sheet, options: Options, budget: Budget, title: str, width: int) -> tuple[Scene, list[_Row]] | None:
    """Lays strips out on a page of a width: all but their tiles, and where these stand.

    Returns:
        None if it has too many pixels, or a strip of which not even one tile fits.
    """
    size = layout.text_size(width)
    background, (strong, weak) = BACKGROUNDS[options.theme], layout.INKS[options.theme]
    texts: list[Text] = []
    pictures: list[Picture] = []
    rows: list[_Row] = []
    y, room = size, _room(width)
    if options.caption:
        heading, lines = [sheet.heading], sheet.lines
        if isinstance(options.caption, str):
            heading, lines = options.caption.splitlines(), ()
        y = layout.write(texts, heading, size, y, room, size * 5 // 4, strong)
        y = layout.write(texts, lines, size, y, room, size, weak) + size
    for strip in sheet.strips:
        if options.labels:
            y = layout.write(texts, [strip.heading], size, y, room, size, strong)
            y = layout.write(texts, strip.lines, size, y, room, max(layout.SMALLEST, size * 4 // 5), weak)
        count, high, wide = strip.shape
        if count:
            scale = _scale(strip, options, size)
            gap = max(1, wide * scale // 12)
            fitting = (room + gap) // (wide * scale + gap)
            if not fitting:
                return None
            rows.append(_Row(strip, y + size // 4, min(count, fitting), scale, gap))
            y += high * scale + size // 4
        y += size
        if width * y > budget.pixels:
            return None
    if options.bar and sheet.bar:
        y = layout.draw_bar(pictures, texts, sheet.bar, size, y, room, size, strong)
    if options.caption is True:
        y = layout.write(texts, sheet.notes, size, y + size // 2, room, size, weak)
    if width * (y + size) > budget.pixels:
        return None
    return Scene(width, y + size, background, title, pictures, texts), rows


def _drawn(page: Scene, rows: Sequence[_Row], background: Colour) -> Scene:
    """Draws the tiles on a page; room is left of those that cannot be read."""
    margin, pictures = layout.text_size(page.width), []
    for row in rows:
        tiles = row.strip.tiles(row.count)
        if tiles is not None:
            pixels = mosaic.grid(tiles, len(tiles), row.scale, row.gap, background)
            pictures.append(Picture(margin, row.y, pixels))
    return dataclasses.replace(page, pictures=[*pictures, *page.pictures])
