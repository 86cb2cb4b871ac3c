"""Pictures as pixels: where the climb starts, what the model gets, and what is kept."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

GREY = 127.5
"""The pixel value in the middle of 0..255."""

NOISE = 20.0
"""The width of the uniform noise around grey, in pixel values."""


def noise(seed: int, filters: Iterable[int], shape: tuple[int, int, int]) -> NDArray[np.uint8]:
    """Makes the pictures from which the filters climb: grey with a little uniform noise.

    Each filter has a generator of its own, so that neighbours, order and batch size cannot change its picture.

    Args:
        seed: Seed, from 0.
        filters: Indices of the filters.
        shape: Height, width and channels of a picture.

    Returns:
        uint8 `[filters, height, width, channels]`, 118 to 137.

    Example:
        >>> bool((noise(0, [3], (8, 8, 1)) == noise(0, [1, 3], (8, 8, 1))[1]).all())
        True
    """
    uniform = [np.random.default_rng((seed, index)).random(shape) for index in filters]
    return quantise(GREY + NOISE * (np.stack(uniform) - 0.5))


def quantise(pictures: NDArray[Any]) -> NDArray[np.uint8]:
    """Rounds pictures to what a file can hold.

    Args:
        pictures: Pixel values; what is outside 0..255 is clipped.

    Returns:
        The same, uint8. Never stretched: a flat picture stays flat.
    """
    images: NDArray[np.uint8] = np.clip(np.rint(pictures), 0, 255).astype(np.uint8)
    return images
