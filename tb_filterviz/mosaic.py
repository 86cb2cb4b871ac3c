"""Many small pictures as one: where each tile lies, and the pixels."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tb_filterviz import colormap

_WHITE = 255


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
    if rgb:
        if inputs != 3:
            raise ValueError(f"`rgb` needs pictures of three inputs. Received: {inputs} inputs")
        colours = colormap.rgb_levels(np.moveaxis(planes, 1, -1), scales)[:, np.newaxis]
    else:
        colours = colormap.table(name)[colormap.indices(planes, scales)]
    return np.ascontiguousarray(colours.transpose(0, 3, 1, 2, 4, 5)).reshape(count, height, -1, 3)


def grid(tiles: NDArray[np.uint8], columns: int | None = None, scale: int = 1, gap: int = 1) -> NDArray[np.uint8]:
    """Lays tiles out in reading order, white between them.

    Args:
        tiles: uint8 `[n, height, width, 3]`.
        columns: Tiles in a row; the default makes the whole about square.
        scale: Pixels along each side of a number, from 1.
        gap: Pixels between tiles.

    Returns:
        uint8 `[rows, columns, 3]` of pixels.

    Raises:
        ValueError: If `columns` or `scale` is below 1, or `gap` below 0.

    Example:
        >>> grid(np.zeros((5, 3, 3, 3), np.uint8), columns=3, scale=2).shape
        (13, 20, 3)
    """
    if scale < 1 or gap < 0 or (columns is not None and columns < 1):
        raise ValueError(
            f"`columns` and `scale` must be from 1, `gap` from 0. Received: columns={columns}, scale={scale}, gap={gap}"
        )
    count, height, width = (length * factor for length, factor in zip(tiles.shape[:3], (1, scale, scale), strict=True))
    pitch_y, pitch_x = height + gap, width + gap
    across = columns or max(1, min(count, round(math.sqrt(count * pitch_y / pitch_x))))
    rows = -(-count // across)
    canvas = np.full((max(0, rows * pitch_y - gap), max(0, across * pitch_x - gap), 3), _WHITE, np.uint8)
    for index, tile in enumerate(tiles):
        top, left = index // across * pitch_y, index % across * pitch_x
        canvas[top : top + height, left : left + width] = tile.repeat(scale, axis=0).repeat(scale, axis=1)
    return canvas
