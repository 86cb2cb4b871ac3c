"""Lays pictures that are not two-dimensional and grey or RGB out on a sheet that is."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

WIDEST = 1024
"""Samples in a row of a strip; what is longer is folded."""

LARGEST = 4096
"""The largest height and width of a sheet, in pixels: a log holds no larger pictures."""

GAP = 255


def lay_out(images: NDArray[np.uint8], facets: int = 1) -> NDArray[np.uint8]:
    """Lays each picture out on a sheet.

    What stands side by side is one white pixel apart. Nothing is scaled: a pixel of the sheet is a value of the
    picture.

    | picture                                | sheet                                                              |
    |----------------------------------------|--------------------------------------------------------------------|
    | `(height, width, 1 or 3)`              | itself                                                             |
    | `(length, channels)`                   | a strip: one row a channel, one column a sample; below one another |
    |                                        | where it is longer than 1024                                       |
    | `(depth, height, width, 1 or 3)`       | its slices in reading order, about square                          |
    | `(height, width, channels)`            | its channels in grey in reading order, about square                |
    | `(depth, height, width, channels)`     | a row of slices for each channel, in grey                          |

    Args:
        images: uint8 `[n * facets, *spatial, channels]`, one to three spatial axes.
        facets: So many pictures after one another stand side by side on one sheet.

    Returns:
        uint8 `[n, height, width, 1 or 3]`.

    Example:
        >>> lay_out(np.zeros((2, 9, 4, 5, 3), np.uint8)).shape  # nine slices, three by three
        (2, 14, 17, 3)
    """
    sheets = _one_each(images)
    if facets == 1:
        return sheets
    return _grid(sheets.reshape(-1, facets, *sheets.shape[1:]), facets)


def check(shape: tuple[int, ...], facets: int = 1) -> None:
    """Checks that a picture has a place on a sheet.

    Args:
        shape: `(*spatial, channels)`.
        facets: As for `lay_out`.

    Raises:
        ValueError: If its sheet is larger than 4096 pixels.
    """
    height, width = _size(shape)
    width = facets * (width + 1) - 1
    if max(height, width) > LARGEST:
        raise ValueError(
            f"Pictures of this `size` take a sheet of {height} x {width} pixels, of which a log holds {LARGEST} at "
            f"most in each direction. Choose a smaller one. Received: pictures of {shape}"
        )


def _one_each(images: NDArray[np.uint8]) -> NDArray[np.uint8]:
    count, *spatial, channels = images.shape
    if len(spatial) == 1:
        length = spatial[0]
        strips = np.moveaxis(images, -1, 1)[..., np.newaxis]
        if length <= WIDEST:
            return strips
        rows = -(-length // WIDEST)
        folded = np.full((count, channels, rows * WIDEST, 1), GAP, np.uint8)
        folded[:, :, :length] = strips
        return _grid(np.moveaxis(folded.reshape(count, channels, rows, WIDEST, 1), 2, 1), 1)
    if channels in (1, 3):
        return images if len(spatial) == 2 else _grid(images, _across(*images.shape[1:4]))
    grey = np.moveaxis(images, -1, 1)[..., np.newaxis]
    if len(spatial) == 2:
        return _grid(grey, _across(*grey.shape[1:4]))
    return _grid(grey.reshape(count, -1, *spatial[1:], 1), spatial[0])


def _size(shape: tuple[int, ...]) -> tuple[int, int]:
    """Returns height and width of the sheet of one picture."""
    *spatial, channels = shape
    if len(spatial) == 1:
        rows = -(-spatial[0] // WIDEST)
        return rows * (channels + 1) - 1, min(spatial[0], WIDEST)
    height, width = spatial[-2:]
    tiles = math.prod(spatial[:-2]) * (1 if channels in (1, 3) else channels)
    across = spatial[0] if len(spatial) == 3 and channels not in (1, 3) else _across(tiles, height, width)
    return -(-tiles // across) * (height + 1) - 1, across * (width + 1) - 1


def _across(tiles: int, height: int, width: int) -> int:
    """Returns how many tiles in a row make the whole about square."""
    return max(1, min(tiles, round(math.sqrt(tiles * (height + 1) / (width + 1)))))


def _grid(tiles: NDArray[np.uint8], across: int) -> NDArray[np.uint8]:
    """Lays tiles `[n, tiles, height, width, channels]` out in reading order, so many in a row."""
    count, number, height, width, channels = tiles.shape
    rows = -(-number // across)
    padded = np.full((count, rows * across, height + 1, width + 1, channels), GAP, np.uint8)
    padded[:, :number, :height, :width] = tiles
    table = padded.reshape(count, rows, across, height + 1, width + 1, channels)
    sheet = table.transpose(0, 1, 3, 2, 4, 5).reshape(count, rows * (height + 1), across * (width + 1), channels)
    return np.ascontiguousarray(sheet[:, :-1, :-1])
