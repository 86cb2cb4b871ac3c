"""What a figure must look like, worked out without the package."""

from __future__ import annotations

import base64
import io
import math
import xml.etree.ElementTree

import numpy as np
from PIL import Image

SVG = "{http://www.w3.org/2000/svg}"
HREF = "{http://www.w3.org/1999/xlink}href"


def grey(value: float, limit: float) -> tuple[int, int, int]:
    """The colour of a weight on the grey map: 127 steps each way from mid grey to black and to white."""
    places = math.copysign(math.floor(min(abs(value) / limit, 1) * 127 + 0.5), value)
    level = math.floor(127.5 + 127.5 * places / 127 + 0.5)
    return level, level, level


def pixels(content: bytes) -> np.ndarray:
    """The pixels of a still picture, uint8 `[height, width, 3]`."""
    return np.asarray(Image.open(io.BytesIO(content)).convert("RGB"))


def frames(content: bytes) -> list[np.ndarray]:
    """The pixels of each frame of an animation."""
    image = Image.open(io.BytesIO(content))
    found = []
    for index in range(getattr(image, "n_frames", 1)):
        image.seek(index)
        found.append(np.asarray(image.convert("RGB")))
    return found


def svg_pictures(content: bytes) -> list[tuple[int, int, np.ndarray]]:
    """The pictures of an SVG: x, y, and pixels."""
    found = []
    for image in xml.etree.ElementTree.fromstring(content).iter(f"{SVG}image"):
        data = base64.b64decode(image.attrib[HREF].removeprefix("data:image/png;base64,"))
        picture = pixels(data)
        assert picture.shape[:2] == (int(image.attrib["height"]), int(image.attrib["width"]))
        found.append((int(image.attrib["x"]), int(image.attrib["y"]), picture))
    return found


def svg_texts(content: bytes) -> list[tuple[int, int, str]]:
    """The texts of an SVG: x, y, and what they say."""
    texts = xml.etree.ElementTree.fromstring(content).iter(f"{SVG}text")
    return [(int(text.attrib["x"]), int(text.attrib["y"]), text.text) for text in texts]
