"""The typeface of pictures: the one that comes with Pillow, so that a figure is the same on every machine."""

from __future__ import annotations

import functools

from PIL import ImageFont

from tb_filterviz.export.options import OptionError

_PLAINER = str.maketrans({"\N{MINUS SIGN}": "-", "\N{MULTIPLICATION SIGN}": "x"})
_DRAWN = frozenset("\N{HORIZONTAL ELLIPSIS}\N{MIDDLE DOT}")


@functools.lru_cache(16)
def font(size: int) -> ImageFont.FreeTypeFont:
    """Returns the typeface at a size in pixels; kerning does not depend on what else is installed."""
    default = ImageFont.load_default(size)
    if not isinstance(default, ImageFont.FreeTypeFont):
        raise OptionError("caption", "false, and `labels` and `bar` too, as the Pillow installed has no FreeType", True)
    return default.font_variant(layout_engine=ImageFont.Layout.BASIC)


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
    return -int(-font(size).getlength(drawable(text)) // 1)


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
