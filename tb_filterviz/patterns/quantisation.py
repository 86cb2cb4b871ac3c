"""What is left of pictures in a file, where a pixel is one of 256 values: what is shown is what is measured."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


def quantise(pictures: NDArray[Any]) -> NDArray[np.uint8]:
    """Rounds pictures to what a file can hold. Never stretched: a flat picture stays flat.

    Args:
        pictures: Array of floats, 0..1 (what is not is cut off), of any shape.

    Returns:
        uint8 of that shape, 0..255.
    """
    images: NDArray[np.uint8] = np.clip(np.rint(pictures * 255.0), 0, 255).astype(np.uint8)
    return images


def shown(images: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Returns what a file shows of pictures.

    Args:
        images: uint8, 0..255, of any shape: what `quantise` returned.

    Returns:
        float32 of that shape, 0..1.
    """
    pictures: NDArray[np.float32] = images.astype(np.float32) / np.float32(255.0)
    return pictures
