"""The typeface of pictures: the one that comes with Pillow, so that a figure is the same on every machine."""

from __future__ import annotations

import functools
import math

from PIL import Image, ImageDraw, ImageFont

from tb_filterviz.export.options import OptionError

_FINE = 48  # pixels: small text is drawn larger, as letters at whole pixels would run words together

_PLAINER = str.maketrans({"\N{MINUS SIGN}": "-", "\N{MULTIPLICATION SIGN}": "x"})
_DRAWN = frozenset("\N{HORIZONTAL ELLIPSIS}\N{MIDDLE DOT}")


@functools.lru_cache(16)
def _font(size: int) -> ImageFont.FreeTypeFont:
    """Returns the typeface; how letters are set does not depend on what else is installed."""
    default = ImageFont.load_default(size)
    if not isinstance(default, ImageFont.FreeTypeFont):
        raise OptionError("caption", "false, and `labels` and `bar` too, as the Pillow installed has no FreeType", True)
    return default.font_variant(layout_engine=ImageFont.Layout.BASIC)


def _finer(size: int) -> int:
    return max(1, _FINE // size)


def drawable(text: str) -> str:
    r"""Returns what can be drawn of a text: letters that the typeface lacks are written as escapes.

    Example:
        >>> drawable("3 \u00d7 \u65e5")
        '3 x \\u65e5'
    """
    return "".join(
        one if one.isascii() or one in _DRAWN else one.encode("unicode_escape").decode()
        for one in text.translate(_PLAINER)
    )


def length(text: str, size: int) -> int:
    """Returns the width of a line of text in pixels, rounded up."""
    finer = _finer(size)
    return math.ceil(_font(finer * size).getlength(drawable(text)) / finer)


def mask(text: str, size: int) -> tuple[Image.Image, int]:
    """Draws a line of text, with letters set to a fraction of a pixel.

    Returns:
        The share of each pixel that is inked, mode `L`, and how far above its lower edge the base line is. The left
        edge is where the text begins.
    """
    finer, words = _finer(size), drawable(text)
    above, below = size * 5 // 4, size // 2
    large = Image.new("L", (finer * (length(text, size) + size), finer * (above + below)))
    ImageDraw.Draw(large).text((0, finer * above), words, fill=255, font=_font(finer * size), anchor="ls")
    return large.reduce(finer), below


def wrap(text: str, size: int, width: int) -> list[str]:
    """Breaks a text into lines of at most `width` pixels, at spaces, and within a word that is longer than a line."""
    lines = [""]
    for word in text.split(" "):
        longer = f"{lines[-1]} {word}" if lines[-1] else word
        if length(longer, size) <= width:
            lines[-1] = longer
            continue
        if lines[-1]:
            lines.append("")
        for letter in word:
            if lines[-1] and length(lines[-1] + letter, size) > width:
                lines.append("")
            lines[-1] += letter
    return lines
