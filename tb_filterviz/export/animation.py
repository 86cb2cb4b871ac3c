"""Pages one after another: GIF, APNG and WebP. All frames share their scale of colours."""

from __future__ import annotations

import io
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray
from PIL import Image, features

from tb_filterviz.export.options import OptionError

_SHADES = 15
_GIF_COLOURS = 256
_BLOCK = 1 << 12  # colours compared with a palette at a time


def apng(frames: Iterable[Image.Image], fps: float) -> bytes:
    """Returns an animated PNG, which repeats; each pixel is exact."""
    first, *rest = frames
    file = io.BytesIO()
    first.save(file, format="PNG", save_all=True, append_images=rest, duration=round(1000 / fps), loop=0)
    return file.getvalue()


def webp(frames: Iterable[Image.Image], fps: float) -> bytes:
    """Returns a WebP, animated and repeating where there are several frames; lossless, so that each pixel is exact.

    Raises:
        OptionError: If Pillow was built without it.
    """
    if not features.check("webp"):
        raise OptionError("format", "another, as the Pillow installed was built without WebP", "webp")
    first, *rest = frames
    file = io.BytesIO()
    more = {"save_all": True, "append_images": rest, "duration": round(1000 / fps), "loop": 0}
    first.save(file, format="WEBP", lossless=True, quality=50, method=2, **more)
    return file.getvalue()


def gif(frames: Iterable[Image.Image], fps: float, colours: NDArray[np.uint8] | None) -> bytes:
    """Returns a GIF, which repeats.

    Args:
        frames: RGB images of one size.
        fps: Frames a second; a GIF counts in hundredths of a second.
        colours: The map, uint8 `[n, 3]`, of pictures that are coloured by one. A GIF has 256 colours: each pixel gets
            the nearest of 239 of the map's, the mark of what is not finite, and shades for text, the same in all
            frames. None for other pictures: each frame then has 256 colours of its own.
    """
    first, *rest = frames
    palette = None if colours is None else _palette(colours, first)
    paletted = [_quantized(frame, palette) for frame in rest]
    duration = max(2, round(100 / fps)) * 10
    file = io.BytesIO()
    _quantized(first, palette).save(
        file, format="GIF", save_all=True, append_images=paletted, duration=duration, loop=0, optimize=False
    )
    return file.getvalue()


def _quantized(frame: Image.Image, palette: NDArray[np.uint8] | None) -> Image.Image:
    if palette is None:
        return frame.quantize(_GIF_COLOURS, dither=Image.Dither.NONE)
    red, green, blue = np.moveaxis(np.asarray(frame).astype(np.uint32), -1, 0)
    packed = red << 16 | green << 8 | blue
    places = np.zeros(1 << 24, np.uint8)  # of each colour there is: faster than to sort all pixels
    places[packed] = 1
    used = np.flatnonzero(places)
    colours = np.stack([used >> 16, used >> 8 & 255, used & 255], axis=1)
    for start in range(0, len(used), _BLOCK):
        apart = colours[start : start + _BLOCK, np.newaxis] - palette.astype(np.int64)
        places[used[start : start + _BLOCK]] = (apart**2).sum(axis=2).argmin(axis=1)
    image = Image.fromarray(places[packed]).convert("P")
    image.putpalette(palette.tobytes())
    return image


def _palette(colours: NDArray[np.uint8], page: Image.Image) -> NDArray[np.uint8]:
    """Returns 256 colours: of the map, with its middle and its ends, and shades of text."""
    count = _GIF_COLOURS - _SHADES - 1
    places = np.round(np.linspace(0, len(colours) - 2, count - 1)).astype(np.intp)
    background = np.asarray(page)[0, 0].astype(np.float64)
    ink = 33.0 if background.mean() > 127 else 255.0
    shades = background + (ink - background) * np.linspace(0, 1, _SHADES)[:, np.newaxis]
    return np.concatenate([colours[places], colours[-1:], np.round(shades)]).astype(np.uint8)
