"""A page as pixels."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image, ImageDraw

from tb_filterviz.export import fonts
from tb_filterviz.export.scene import Scene

_ANCHORS = {"start": "ls", "middle": "ms", "end": "rs"}


def image(scene: Scene) -> Image.Image:
    """Draws a page; pixels of weights are exactly those of its pictures."""
    page = Image.new("RGB", (scene.width, scene.height), scene.background)
    for picture in scene.pictures:
        page.paste(Image.fromarray(np.ascontiguousarray(picture.pixels)), (picture.x, picture.y))
    draw = ImageDraw.Draw(page)
    for text in scene.texts:
        place, words = (text.x, text.y), fonts.drawable(text.text)
        draw.text(place, words, fill=text.colour, font=fonts.font(text.size), anchor=_ANCHORS[text.anchor])
    return page


def png(picture: Image.Image) -> bytes:
    """Returns a PNG that holds nothing but pixels: no date, no program."""
    file = io.BytesIO()
    picture.save(file, format="PNG")
    return file.getvalue()
