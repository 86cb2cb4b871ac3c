"""Colours for signed numbers, on a scale that is symmetric about 0: in the tab, and in pictures made in Python.

Index 0 stands for `-limit`, 127 exactly for 0, 254 for `+limit` and 255 for what is not finite. The diverging maps are
made in OKLCH (Bjoern Ottosson, "A perceptual color space for image processing", 2020): both arms share lightness and
chroma and differ in hue only, so that equal magnitudes weigh the same on the eye.
"""

from __future__ import annotations

import functools
import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

ZERO = 127
NOT_FINITE = 255
MAPS = ("bluered", "blueorange", "night", "grey")
"""The names of the maps; `night` is dark at zero, for dark pages."""

# Lightness at zero and at the limit, greatest chroma, and the hues below and above zero in degrees.
_DIVERGING = {
    "bluered": (0.97, 0.36, 0.17, 256.0, 25.0),
    "blueorange": (0.96, 0.42, 0.13, 242.0, 58.0),
    "night": (0.2, 0.88, 0.14, 240.0, 38.0),
}
_NOT_FINITE_COLOUR = (194, 24, 91)  # of the hatch in the tab


@functools.cache
def table(name: str) -> NDArray[np.uint8]:
    """Returns a map's colours.

    Args:
        name: One of `MAPS`.

    Returns:
        uint8 `[256, 3]`, sRGB, read-only; the last entry is the mark of numbers that are not finite.

    Raises:
        ValueError: If there is no such map.

    Example:
        >>> table("grey")[[0, 127, 254]].tolist()
        [[0, 0, 0], [128, 128, 128], [255, 255, 255]]
    """
    if name not in MAPS:
        raise ValueError(f"`colormap` must be one of {', '.join(MAPS)}. Received: colormap={name!r}")
    colours = [_colour_at(name, (index - ZERO) / ZERO) for index in range(NOT_FINITE)]
    result = np.array([*colours, _NOT_FINITE_COLOUR], np.uint8)
    result.flags.writeable = False
    return result


def indices(values: NDArray[Any], limits: NDArray[Any] | float) -> NDArray[np.uint8]:
    """Returns where numbers stand in a table.

    Args:
        values: Any real dtype, shape and range.
        limits: One magnitude, or magnitudes that broadcast against `values`. Where a limit is 0 or not finite,
            everything is drawn as zero.

    Returns:
        uint8 of the shape of `values`: 0..254, or 255 for what is not finite. Symmetric: `-v` stands as far below 127
        as `v` above it.

    Example:
        >>> indices(np.array([-2.0, -1.0, 0.0, 0.5, np.nan]), 1.0).tolist()
        [0, 0, 127, 191, 255]
    """
    exact = np.asarray(values, np.float64)
    scales = np.asarray(limits, np.float64)
    usable = np.isfinite(scales) & (scales > 0)
    finite = np.isfinite(exact)
    with np.errstate(over="ignore"):  # beyond the limit is the limit
        scaled = np.where(finite, exact, 0.0) * np.where(usable, ZERO / np.where(usable, scales, 1.0), 0.0)
    steps = np.floor(np.minimum(np.abs(scaled), ZERO) + 0.5)
    return np.asarray(np.where(finite, ZERO + np.sign(scaled) * steps, NOT_FINITE), np.uint8)


def rgb_levels(values: NDArray[Any], limits: NDArray[Any] | float) -> NDArray[np.uint8]:
    """Returns three-channel numbers as the colours that they are: 0 is mid grey.

    Args:
        values: `[..., 3]`, red, green, blue.
        limits: As for `indices`.

    Returns:
        uint8 of the shape of `values`; the mark of `table` where one of the three is not finite.
    """
    places = indices(values, limits)
    levels: NDArray[np.uint8] = places + np.uint8(1)
    levels[(places == NOT_FINITE).any(axis=-1)] = _NOT_FINITE_COLOUR
    return levels


def _colour_at(name: str, t: float) -> tuple[int, int, int]:
    """Returns the colour of `t` in -1..1."""
    if name == "grey":
        level = math.floor(127.5 + 127.5 * t + 0.5)
        return level, level, level
    centre, end, chroma, below, above = _DIVERGING[name]
    size = abs(t)
    # Chroma rises fast from zero, so that small weights already show their sign, and falls a little at the far end.
    wanted = chroma * math.sin(math.pi * 0.72 * size**0.8)
    return _to_srgb(centre + (end - centre) * size, wanted, below if t < 0 else above)


def _to_srgb(lightness: float, chroma: float, hue: float) -> tuple[int, int, int]:
    """Returns 8-bit sRGB; chroma gives way where a screen cannot show it, lightness never does."""
    linear = _linear_rgb(lightness, chroma, hue)
    while chroma > 0 and any(value < -1e-4 or value > 1.0001 for value in linear):
        chroma = max(0.0, chroma - 0.004)
        linear = _linear_rgb(lightness, chroma, hue)
    red, green, blue = (_encode(min(1.0, max(0.0, value))) for value in linear)
    return red, green, blue


def _linear_rgb(lightness: float, chroma: float, hue: float) -> tuple[float, float, float]:
    a, b = chroma * math.cos(math.radians(hue)), chroma * math.sin(math.radians(hue))
    long = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3
    medium = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3
    short = (lightness - 0.0894841775 * a - 1.291485548 * b) ** 3
    return (
        4.0767416621 * long - 3.3077115913 * medium + 0.2309699292 * short,
        -1.2684380046 * long + 2.6097574011 * medium - 0.3413193965 * short,
        -0.0041960863 * long - 0.7034186147 * medium + 1.707614701 * short,
    )


def _encode(value: float) -> int:
    """The transfer function of sRGB (IEC 61966-2-1), to 8 bits."""
    encoded = 12.92 * value if value <= 0.0031308 else 1.055 * value ** (1 / 2.4) - 0.055
    return math.floor(255 * encoded + 0.5)
