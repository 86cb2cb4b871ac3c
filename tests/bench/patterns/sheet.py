"""The contact sheet: the same filters by every contender, for eyes to judge."""

from __future__ import annotations

import pathlib
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

_GAP, _MARGIN, _LINE = 3, 130, 16


def write(path: pathlib.Path, pictures: Mapping[str, Mapping[str, NDArray[np.uint8]]]) -> None:
    """Writes a PNG of a block a layer, a row a contender and a column a filter.

    Args:
        path: The file.
        pictures: By layer and contender, uint8 `[filters, side, side, 3]`, all of one side.
    """
    rows = [
        (layer if number == 0 else "", name, images)
        for layer, block in pictures.items()
        for number, (name, images) in enumerate(block.items())
    ]
    side = rows[0][2].shape[1] + _GAP
    width = _MARGIN + side * max(len(images) for *_, images in rows)
    sheet = Image.new("RGB", (width, side * len(rows) + _LINE * len(pictures)), "white")
    draw = ImageDraw.Draw(sheet)
    top = 0
    for layer, name, images in rows:
        if layer:
            draw.text((2, top + 2), layer, "black")
            top += _LINE
        draw.text((2, top + 2), name, "black")
        for column, image in enumerate(images):
            sheet.paste(Image.fromarray(image), (_MARGIN + column * side, top))
        top += side
    sheet.save(path)
