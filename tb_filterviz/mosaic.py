"""Many small pictures as one: where each tile lies, and the pixels."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tb_filterviz import colormap

_WHITE = (255, 255, 255)
_BLOCK = 1 << 18  # weights coloured at a time, as that takes many times their memory


def kernel_tiles(
    pictures: NDArray[Any], limits: NDArray[Any] | float, name: str = "bluered", rgb: bool = False
) -> NDArray[np.uint8]:
    """Colours pictures of weights, one pixel a weight.

    Args:
        pictures: Real `[n, inputs, *spatial]` of no, one, two or three spatial axes, any range, NaN and infinities
            allowed. The inputs of a picture stand side by side, so do the planes of a third spatial axis.
        limits: The magnitude that the last colours stand for, of all or `[n]` of each picture.
        name: One of `colormap.MAPS`.
        rgb: Draw three inputs as red, green and blue, 0 as mid grey, in place of the map.

    Returns:
        uint8 `[n, height, width, 3]`.

    Raises:
        ValueError: If the map is unknown, or `rgb` is asked for other than three inputs.
    """
    count, inputs, *spatial = pictures.shape
    height, width = ([1, 1, *spatial])[-2:]
    depth = math.prod(spatial[:-2])
    planes = pictures.reshape(count, inputs, depth, height, width)
    scales = np.broadcast_to(np.asarray(limits, np.float64), (count,)).reshape(count, 1, 1, 1, 1)
    if rgb and inputs != 3:
        raise ValueError(f"`rgb` needs pictures of three inputs. Received: {inputs} inputs")
    tiles = np.empty((count, height, 1 if rgb else inputs, depth, width, 3), np.uint8)
    table = colormap.table(name)
    block = max(1, _BLOCK // max(1, math.prod(planes.shape[1:])))
    for start in range(0, count, block):
        part, limit = planes[start : start + block], scales[start : start + block]
        if rgb:
            colours = colormap.rgb_levels(np.moveaxis(part, 1, -1), limit)[:, np.newaxis]
        else:
            colours = table[colormap.indices(part, limit)]
        tiles[start : start + block] = colours.transpose(0, 3, 1, 2, 4, 5)
    return tiles.reshape(count, height, -1, 3)


def tile_size(spatial: Sequence[int]) -> tuple[int, int]:
    """Returns the height and the width of the tile that `kernel_tiles` makes of one slice, or with `rgb` of three."""
    *planes, height, width = [1, 1, *spatial]
    return height, width * math.prod(planes)


def default_columns(count: int, pitch_y: int, pitch_x: int) -> int:
    """Returns how many tiles make a row of a picture that is about square; the pitches are pixels from tile to tile."""
    return max(1, min(count, round(math.sqrt(count * pitch_y / pitch_x))))


def grid(
    tiles: NDArray[np.uint8],
    columns: int | None = None,
    scale: int = 1,
    gap: int | tuple[int, int] = 1,
    background: tuple[int, int, int] = _WHITE,
) -> NDArray[np.uint8]:
    """Lays tiles out in reading order, with a background between them.

    Args:
        tiles: uint8 `[n, height, width, 3]`.
        columns: Tiles in a row; the default makes the whole about square.
        scale: Pixels along each side of a number, from 1.
        gap: Pixels between tiles, or those between rows and those between columns.
        background: sRGB, 0 to 255.

    Returns:
        uint8 `[rows, columns, 3]` of pixels.

    Raises:
        ValueError: If `columns` or `scale` is below 1, or `gap` below 0.

    Example:
        >>> grid(np.zeros((5, 3, 3, 3), np.uint8), columns=3, scale=2).shape
        (13, 20, 3)
    """
    gap_y, gap_x = gap if isinstance(gap, tuple) else (gap, gap)
    if scale < 1 or min(gap_y, gap_x) < 0 or (columns is not None and columns < 1):
        raise ValueError(
            f"`columns` and `scale` must be from 1, `gap` from 0. Received: columns={columns}, scale={scale}, gap={gap}"
        )
    count, height, width = (length * factor for length, factor in zip(tiles.shape[:3], (1, scale, scale), strict=True))
    pitch_y, pitch_x = height + gap_y, width + gap_x
    across = columns or default_columns(count, pitch_y, pitch_x)
    rows = -(-count // across)
    cells = np.empty((rows * across, pitch_y, pitch_x, 3), np.uint8)
    cells[:] = background
    for y, x in np.ndindex(scale, scale):
        cells[:count, y:height:scale, x:width:scale] = tiles
    canvas: NDArray[np.uint8] = (
        cells.reshape(rows, across, pitch_y, pitch_x, 3).swapaxes(1, 2).reshape(rows * pitch_y, across * pitch_x, 3)
    )
    return canvas[: max(0, rows * pitch_y - gap_y), : max(0, across * pitch_x - gap_x)]
