"""A page as pixels."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image

from tb_filterviz.export import fonts
from tb_filterviz.export.scene import Scene

_ANCHORS = {"start": 0.0, "middle": 0.5, "end": 1.0}


def image(scene: Scene) -> Image.Image:
    """Draws a page; pixels of weights are exactly those of its pictures."""
    page = Image.new("RGB", (scene.width, scene.height), scene.background)
    for picture in scene.pictures:
        page.paste(Image.fromarray(np.ascontiguousarray(picture.pixels)), (picture.x, picture.y))
    for text in scene.texts:
        inked, below = fonts.mask(text.text, text.size)
        left = text.x - round(_ANCHORS[text.anchor] * fonts.length(text.text, text.size))
        page.paste(text.colour, (left, text.y + below - inked.height), inked)
    return page


def png(picture: Image.Image) -> bytes:
    """Returns a PNG that holds nothing but pixels: no date, no program."""
    file = io.BytesIO()
    picture.save(file, format="PNG")
    return file.getvalue()
