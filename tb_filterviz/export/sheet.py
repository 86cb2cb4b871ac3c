"""Where everything stands on a page of strips: rows of words, each with filters of its own size."""

from __future__ import annotations

from tb_filterviz import mosaic
from tb_filterviz.export import layout
from tb_filterviz.export.content import BACKGROUNDS, Sheet
from tb_filterviz.export.options import Budget, OptionError, Options
from tb_filterviz.export.scene import Picture, Scene, Text

WIDTHS = (960, 800, 640, 480)
"""Of a page, in pixels, unless one was asked for: the first at which it is not too large."""

_LEAST_WIDTH = 100
_TILE_IN_TEXT = 2  # height of a tile, in sizes of the text beside it


def compose(sheet: Sheet, options: Options, budget: Budget, title: str) -> Scene:
    """Lays strips out, one below the other.

    Args:
        sheet: What they show.
        options: How it looks: `scale` and `columns` are those of each strip, which is cut where the page ends.
        budget: Its largest number of pixels.
        title: For whoever cannot see it.

    Raises:
        OptionError: If not even one filter fits the width that was asked for, or the page not the budget.
    """
    if options.width and options.width < _LEAST_WIDTH:
        raise OptionError("width", f"at least {_LEAST_WIDTH}", options.width)
    for width in (options.width,) if options.width else WIDTHS:
        page = _page(sheet, options, budget, title, width)
        if page:
            return page
    expected = f"less: a picture may have {budget.pixels} pixels, and this has more; or fewer layers"
    raise OptionError("width", expected, width)


def _page(sheet: Sheet, options: Options, budget: Budget, title: str, width: int) -> Scene | None:
    """Lays strips out on a page of a width; None if that has too many pixels."""
    size = layout.text_size(width)
    background, (strong, weak) = BACKGROUNDS[options.theme], layout.INKS[options.theme]
    texts: list[Text] = []
    pictures: list[Picture] = []
    y, room = size, width - 2 * size
    if options.caption:
        heading, lines = [sheet.heading], sheet.lines
        if isinstance(options.caption, str):
            heading, lines = options.caption.splitlines(), ()
        y = layout.write(texts, heading, size, y, room, size * 5 // 4, strong)
        y = layout.write(texts, lines, size, y, room, size, weak) + size
    for strip in sheet.strips():
        if options.labels:
            y = layout.write(texts, [strip.heading], size, y, room, size, strong)
            y = layout.write(texts, strip.lines, size, y, room, max(layout.SMALLEST, size * 4 // 5), weak)
        if len(strip.tiles):
            high, wide = strip.tiles.shape[1:3]
            scale = options.scale or max(1, _TILE_IN_TEXT * size // max(high, wide))
            gap = max(1, wide * scale // 12)
            fitting = (room + gap) // (wide * scale + gap)
            if not fitting:
                if options.scale:
                    raise OptionError("scale", f"less, so that a filter fits {room} pixels", scale)
                raise OptionError("width", f"at least {wide * scale + 2 * size}", width)
            tiles = strip.tiles[:fitting]
            row = mosaic.grid(tiles, len(tiles), scale, gap, background)
            pictures.append(Picture(size, y + size // 4, row))
            y += row.shape[0] + size // 4
        y += size
        if width * y > budget.pixels:
            return None
    if options.bar and sheet.bar:
        y = layout.draw_bar(pictures, texts, sheet.bar, size, y, room, size, strong)
    if options.caption is True:
        y = layout.write(texts, sheet.notes, size, y + size // 2, room, size, weak)
    if width * (y + size) > budget.pixels:
        return None
    return Scene(width, y + size, background, title, pictures, texts)
