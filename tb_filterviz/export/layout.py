"""Where everything of a figure stands: from what it shows to a page."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np

from tb_filterviz import mosaic
from tb_filterviz.export import fonts
from tb_filterviz.export.content import BACKGROUNDS, Bar, Content, plain
from tb_filterviz.export.options import Budget, OptionError, Options
from tb_filterviz.export.scene import Colour, Picture, Scene, Text

INKS: dict[str, tuple[Colour, Colour]] = {
    "light": ((33, 33, 33), (97, 97, 97)),
    "dark": ((255, 255, 255), (189, 189, 189)),
}
"""Text and lesser text: those of TensorBoard."""

SMALLEST = 10
"""Size of the smallest text, in pixels."""

_SMALLEST_TEXT, _LARGEST_TEXT = 12, 200
_WIDTHS_IN_TEXT = 60  # of a picture, in sizes of its text: print it over a page, and the text is as small as a caption
_LEAST_WIDTH = 30  # of a page, in sizes of its text, that a line holds a few words
_TILES = (32, 160)  # smallest and largest tiles of weights, in pixels, where no size was asked for
_PATTERN_GAP = 4
_LONGEST_LINE = 2000  # characters
_LEAST_COLUMNS = 4
_ROUND = 8  # columns are a multiple of it where there are many, that places are easily counted


@dataclasses.dataclass(frozen=True)
class _Plan:
    """The mosaic of a page: the size of its text, and where tiles and labels stand."""

    text: int
    label: int
    scale: int
    columns: int
    gap_x: int
    gap_y: int
    on_tiles: bool
    left: int
    top: int
    bottom: int
    width: int
    height: int


def compose(content: Content, options: Options, budget: Budget, title: str) -> Scene:
    """Lays a figure out.

    Args:
        content: What it shows.
        options: How it looks.
        budget: Its largest number of pixels.
        title: For whoever cannot see it.

    Raises:
        OptionError: If it does not fit the width that was asked for, or the budget.
    """
    plan = _plan(content, options)
    background, (strong, weak) = BACKGROUNDS[options.theme], INKS[options.theme]
    margin = _margin(content, options, plan.text)
    least = _LEAST_WIDTH * plan.text if margin else 0
    width = options.width or max(plan.left + plan.width, least) + 2 * margin
    texts: list[Text] = []
    pictures: list[Picture] = []
    y = margin
    if options.caption:
        heading, lines = [content.heading], content.lines
        if isinstance(options.caption, str):
            heading, lines = options.caption.splitlines(), ()
        y = write(texts, heading, margin, y, width - 2 * margin, _larger(plan.text), strong)
        y = write(texts, lines, margin, y, width - 2 * margin, plan.text, weak) + plan.text // 2
    x = margin + plan.left
    y += plan.top
    height = y + plan.height + plan.bottom
    notes = content.notes if options.caption is True else ()
    below: list[Text] = []
    if options.bar and content.bar:
        height = draw_bar(
            pictures, below, content.bar, margin, height + plan.text, width - 2 * margin, plan.text, strong
        )
    if notes:
        height = write(below, notes, margin, height + plan.text // 2, width - 2 * margin, plan.text, weak)
    height += margin
    if width * height > budget.pixels:
        raise OptionError(
            "width" if options.width else "scale",
            f"less, or fewer filters shown: a picture may have {budget.pixels} pixels, not {width * height}",
            options.width or plan.scale,
        )
    pixels = mosaic.grid(content.tiles, plan.columns, plan.scale, (plan.gap_y, plan.gap_x), background)
    if options.labels:
        texts += _labels(content, plan, x, y, weak)
    return Scene(width, height, background, title, [Picture(x, y, pixels), *pictures], [*texts, *below])


def _plan(content: Content, options: Options) -> _Plan:
    """Chooses scale and columns."""
    count, high, wide = content.tiles.shape[:3]
    given = len(content.columns) or options.columns
    longest = [*_longest(content.rows or content.labels), *_longest(content.below)]
    if options.width is None:
        columns = given or _columns(count, high, wide)
        scale = options.scale or _scale(content, columns)
        text = text_size(columns * (wide * scale + _gap(content, scale)))
        return _fitted(content, options, longest, scale, columns, text)
    text = text_size(options.width)
    columns = given or _columns(count, high, wide)
    while True:
        for scale in range(max(1, options.width // (columns * wide)), 0, -1):
            plan = _fitted(content, options, longest, scale, columns, text)
            needed = plan.left + plan.width + 2 * _margin(content, options, text)
            if needed <= options.width:
                return _spread(plan, options.width - needed)
        if given or columns == 1:
            raise OptionError("width", f"at least {needed}, or `columns` less", options.width)
        columns = max(1, columns * options.width // needed if needed > 2 * options.width else columns - 1)


def _fitted(content: Content, options: Options, longest: Sequence[str], scale: int, columns: int, text: int) -> _Plan:
    """Makes room for labels, the `longest` of which are given, around or between the tiles."""
    count, high, wide = content.tiles.shape[:3]
    gap = _gap(content, scale)
    label = max(SMALLEST, text * 4 // 5)
    gap_x = gap_y = gap
    left = top = bottom = 0
    on_tiles = False
    rows = -(-count // columns)
    if options.labels and content.columns:
        left, top = _widest(longest, label) + label // 2, label * 3 // 2
    elif options.labels:
        widest = _widest(longest, label)
        on_tiles = widest <= wide * scale or not content.counted
        if on_tiles:
            top = label * 4 // 3
            bottom = label * 4 // 3 if content.below else 0
            gap_y, gap_x = gap + label // 3 + top + bottom, max(gap, widest + label // 2 - wide * scale)
        else:
            left, top = widest + label // 2, label * 3 // 2
    width, height = columns * (wide * scale + gap_x) - gap_x, rows * (high * scale + gap_y) - gap_y
    return _Plan(text, label, scale, columns, gap_x, gap_y, on_tiles, left, top, bottom, width, height)


def _spread(plan: _Plan, room: int) -> _Plan:
    """Sets tiles further apart, to fill the width."""
    more = room // max(1, plan.columns - 1)
    return dataclasses.replace(plan, gap_x=plan.gap_x + more, width=plan.width + more * (plan.columns - 1))


def _labels(content: Content, plan: _Plan, x: int, y: int, colour: Colour) -> list[Text]:
    """Writes indices: on tiles where there is room, else of rows and columns, as many as fit."""
    count, high, wide = content.tiles.shape[:3]
    pitch_x, pitch_y = wide * plan.scale + plan.gap_x, high * plan.scale + plan.gap_y
    above, size = plan.label // 3, plan.label
    if plan.on_tiles:
        under = high * plan.scale + size
        return [
            Text(x + at % plan.columns * pitch_x, y + at // plan.columns * pitch_y + height, text, size, colour)
            for height, texts in ((-above, content.labels), (under, content.below))
            for at, text in enumerate(texts)
        ]
    columns = content.columns or [f"+{column}" for column in range(plan.columns)]
    rows = content.rows or content.labels[:: plan.columns]
    every_x = _every(pitch_x, _widest(_longest(columns), size) + size // 2)
    every_y = _every(pitch_y, size)
    middle = (high * plan.scale + size * 2 // 3) // 2
    found = [
        Text(x + at * pitch_x + wide * plan.scale // 2, y - above, columns[at], size, colour, "middle")
        for at in range(0, min(plan.columns, count), every_x)
    ]
    return found + [
        Text(x - size // 2, y + at * pitch_y + middle, rows[at], size, colour, "end")
        for at in range(0, len(rows), every_y)
    ]


def draw_bar(
    pictures: list[Picture], texts: list[Text], bar: Bar, x: int, y: int, room: int, size: int, colour: Colour
) -> int:
    """Draws the scale of colours with three marks; returns where it ends."""
    width = min(room, 24 * size)
    places = np.floor(np.arange(width) * (len(bar.colours) / width)).astype(np.intp)
    pictures.append(Picture(x, y, np.broadcast_to(bar.colours[places], (size, width, 3))))
    base = y + size * 2 + size // 4
    texts += [
        Text(x, base, bar.low, size, colour),
        Text(x + width // 2, base, bar.middle, size, colour, "middle"),
        Text(x + width, base, bar.high, size, colour, "end"),
    ]
    return base + size // 4


def write(texts: list[Text], lines: Sequence[str], x: int, y: int, width: int, size: int, colour: Colour) -> int:
    """Writes lines, broken where they are longer than the page; returns where they end."""
    for line in (part for text in lines for part in fonts.wrap(plain(text, _LONGEST_LINE), size, width)):
        texts.append(Text(x, y + size, line, size, colour))
        y += size * 3 // 2
    return y


def _columns(count: int, pitch_y: int, pitch_x: int) -> int:
    columns = max(min(count, _LEAST_COLUMNS), mosaic.default_columns(count, pitch_y, pitch_x))
    return min(count, -(-columns // _ROUND) * _ROUND) if columns > _LEAST_COLUMNS + 1 else columns


def _margin(content: Content, options: Options, text: int) -> int:
    """Returns the room around everything: none where there is nothing but tiles."""
    return text if options.caption or options.labels or (options.bar and content.bar) else 0


def _gap(content: Content, scale: int) -> int:
    if content.as_is:
        return _PATTERN_GAP
    return max(1, _side(content) * scale // (2 if content.parts > 1 else 12))


def _side(content: Content) -> int:
    """Returns the longer side of a picture, in weights."""
    high, wide = content.tiles.shape[1:3]
    return max(int(high), (int(wide) + 1 - content.parts) // content.parts)


def _scale(content: Content, columns: int) -> int:
    """Returns the scale where none was asked for: tiles are larger where they are few."""
    most = max(columns, -(-len(content.tiles) // columns))
    tile = max(_TILES[0], min(_TILES[1], _LEAST_WIDTH * _SMALLEST_TEXT // most))
    return 1 if content.as_is else max(1, tile // _side(content))


def _longest(texts: Sequence[str]) -> list[str]:
    """Returns the texts with the most characters, among which the widest is."""
    return sorted(texts, key=len)[-20:]


def _widest(texts: Sequence[str], size: int) -> int:
    return max((fonts.length(text, size) for text in texts), default=0)


def _every(pitch: int, needed: int) -> int:
    """Returns a round number of places after which there is room for the next label."""
    step = 1
    for factor in (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024):
        step = factor
        if step * pitch >= needed:
            break
    return step


def text_size(width: int) -> int:
    """Returns the size of the text of a picture of so many pixels."""
    return max(_SMALLEST_TEXT, min(_LARGEST_TEXT, width // _WIDTHS_IN_TEXT))


def _larger(size: int) -> int:
    return size * 5 // 4
