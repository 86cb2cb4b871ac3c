"""A page as SVG: text stays text, and pictures stay exact pixels."""

from __future__ import annotations

import base64
from xml.etree import ElementTree

import numpy as np
from PIL import Image

from tb_filterviz.export import raster
from tb_filterviz.export.content import plain
from tb_filterviz.export.scene import Colour, Scene

_LONGEST_TITLE = 500
_FAMILY = "Helvetica, Arial, 'Liberation Sans', sans-serif"


def svg(scene: Scene) -> bytes:
    """Returns an SVG 1.1 document, UTF-8, that refers to nothing outside of it.

    The pixels of pictures are those of the PNG, whatever program draws them and however it enlarges them.
    """
    root = ElementTree.Element(
        "svg",
        {
            "xmlns": "http://www.w3.org/2000/svg",
            "xmlns:xlink": "http://www.w3.org/1999/xlink",
            "width": str(scene.width),
            "height": str(scene.height),
            "viewBox": f"0 0 {scene.width} {scene.height}",
        },
    )
    ElementTree.SubElement(root, "title").text = plain(scene.title, _LONGEST_TITLE)
    ElementTree.SubElement(root, "rect", {"width": "100%", "height": "100%", "fill": _hex(scene.background)})
    for picture in scene.pictures:
        height, width = picture.pixels.shape[:2]
        data = base64.b64encode(raster.png(Image.fromarray(np.ascontiguousarray(picture.pixels)))).decode()
        ElementTree.SubElement(
            root,
            "image",
            {
                **{"x": str(picture.x), "y": str(picture.y), "width": str(width), "height": str(height)},
                "image-rendering": "pixelated",
                "xlink:href": f"data:image/png;base64,{data}",
            },
        )
    for text in scene.texts:
        place = {"x": str(text.x), "y": str(text.y), "font-size": str(text.size), "text-anchor": text.anchor}
        style = {"font-family": _FAMILY, "fill": _hex(text.colour)}
        ElementTree.SubElement(root, "text", {**place, **style}).text = text.text
    document: bytes = ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)
    return document


def _hex(colour: Colour) -> str:
    return "#{:02x}{:02x}{:02x}".format(*colour)
