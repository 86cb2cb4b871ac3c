"""Where everything stands on a page of strips: rows of words, each with filters of its own size."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from tb_filterviz import mosaic
from tb_filterviz.export import layout
from tb_filterviz.export.content import BACKGROUNDS, Sheet, Strip
from tb_filterviz.export.options import Budget, OptionError, Options
from tb_filterviz.export.scene import Picture, Scene, Text

WIDTHS = (960, 800, 640, 480)
"""Of a page, in pixels, unless one was asked for: the first at which it is not too large."""

_LEAST_WIDTH = 100
_NARROW = (400, 320, 240, 160, _LEAST_WIDTH)  # of pages that are advised, but made only if they are asked for
_TILE_IN_TEXT = 2  # height of a tile, in sizes of the text beside it
_TOO_WIDE = "Its filters are too wide to be drawn"
_UNREADABLE = "Cannot be read"


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

    A strip of which not even one tile fits the width is left out: a line says so in its place.

    Args:
        sheet: What they show.
        options: How it looks: `scale` and `columns` are those of each strip, which is cut where the page ends.
        budget: Its largest number of pixels.
        title: For whoever cannot see it.

    Raises:
        OptionError: If the page does not fit the budget, or filters fit the width only at a smaller `scale`.
    """
    if options.width and options.width < _LEAST_WIDTH:
        raise OptionError("width", f"at least {_LEAST_WIDTH}", options.width)
    widths = (options.width,) if options.width else WIDTHS
    if options.scale:
        _check_scale(sheet, options.scale, _room(widths[0]))
    for width in widths:
        page = _page(sheet, options, budget, title, width)
        if page:
            return _drawn(*page, options)
    raise _too_large(sheet, options, budget, title, widths[-1])


def _check_scale(sheet: Sheet, scale: int, room: int) -> None:
    """Raises `OptionError` if there is a strip of which a tile fits only at a smaller scale."""
    widest = max((wide for count, _, wide in (one.shape for one in sheet.strips) if count and wide <= room), default=0)
    if scale * widest > room:
        raise OptionError("scale", f"at most {room // widest}, so that a filter fits {room} pixels", scale)


def _too_large(sheet: Sheet, options: Options, budget: Budget, title: str, width: int) -> OptionError:
    """Returns the error of a page that has too many pixels even at a width; what it advises makes one that has not."""
    most = f"a picture may have {budget.pixels} pixels, and this has more; or take a table (csv)"
    name, asked = ("scale", options.scale) if options.scale else ("width", options.width)
    if options.scale:
        scales = [options.scale >> by for by in range(1, options.scale.bit_length())]
        advised = {one: dataclasses.replace(options, scale=one) for one in scales}
    else:
        narrower = [one for one in (*WIDTHS, *_NARROW) if one < width]
        advised = {one: dataclasses.replace(options, width=one) for one in narrower}
    drawn = sum(_count(strip, options, width) > 0 for strip in sheet.strips)
    for value, one in advised.items():
        page = _page(sheet, one, budget, title, one.width or width)
        if page and len(page[1]) >= drawn:
            return OptionError(name, f"{'less' if asked else 'given'}, such as {value}: {most}", asked)
    return OptionError("run", f"one of fewer or smaller layers: {most}", f"{len(sheet.strips)} layers")


def _room(width: int) -> int:
    """Returns what a page of a width has between its margins, which are as wide as its text is high."""
    return width - 2 * layout.text_size(width)


def _scale(strip: Strip, options: Options, width: int) -> int:
    return options.scale or max(1, _TILE_IN_TEXT * layout.text_size(width) // max(strip.shape[1:]))


def _gap(strip: Strip, scale: int) -> int:
    return max(1, strip.shape[-1] * scale // 12)


def _count(strip: Strip, options: Options, width: int) -> int:
    """Returns how many tiles of a strip fit a page of a width."""
    count, _, wide = strip.shape
    scale = _scale(strip, options, width)
    gap = _gap(strip, scale)
    return min(count, (_room(width) + gap) // (wide * scale + gap))


def _small(size: int) -> int:
    """Returns the size of lesser text."""
    return max(layout.SMALLEST, size * 4 // 5)


def _page(sheet: Sheet, options: Options, budget: Budget, title: str, width: int) -> tuple[Scene, list[_Row]] | None:
    """Lays strips out on a page of a width: all but their tiles, and where these stand.

    Returns:
        None if it has too many pixels.
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
        count = _count(strip, options, width)
        if options.labels:
            lines = strip.lines if count or not strip.shape[0] else [*strip.lines, _TOO_WIDE]
            y = layout.write(texts, [strip.heading], size, y, room, size, strong)
            y = layout.write(texts, lines, size, y, room, _small(size), weak)
        if count:
            scale = _scale(strip, options, width)
            rows.append(_Row(strip, y + size // 4, count, scale, _gap(strip, scale)))
            y += strip.shape[1] * scale + size // 4
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


def _drawn(page: Scene, rows: Sequence[_Row], options: Options) -> Scene:
    """Draws the tiles on a page; in the room of those that cannot be read it says so."""
    size, (_, weak) = layout.text_size(page.width), layout.INKS[options.theme]
    pictures: list[Picture] = []
    texts = [*page.texts]
    for row in rows:
        tiles = row.strip.tiles(row.count)
        if tiles is None:
            layout.write(texts, [_UNREADABLE], size, row.y, _room(page.width), _small(size), weak)
        else:
            pixels = mosaic.grid(tiles, len(tiles), row.scale, row.gap, page.background)
            pictures.append(Picture(size, row.y, pixels))
    return dataclasses.replace(page, pictures=[*pictures, *page.pictures], texts=texts)
