"""How good pictures of filters are: dependency-free measures, each of a batch of pictures."""

from __future__ import annotations

import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image

FINE = 0.25
"""Waves shorter than 1 / FINE pixels are texture that nobody can read, in cycles a pixel."""

_SHIFT, _ANGLE, _QUALITY = 4, 5.0, 75


def fine_energy(images: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Returns the share of the power of brightness in waves above `FINE`, in a Hann window.

    Args:
        images: uint8 `[n, side, side, 3]`.

    Returns:
        float64 `[n]`, 0..1; about .09 for natural pictures; NaN for a flat one.
    """
    brightness = images.mean(-1) - images.mean((1, 2, 3), keepdims=True)[..., 0]
    height, width = brightness.shape[1:]
    power = np.abs(np.fft.fft2(brightness * np.hanning(height)[:, None] * np.hanning(width))) ** 2
    frequency = np.hypot(np.fft.fftfreq(height)[:, None], np.fft.fftfreq(width))
    with np.errstate(invalid="ignore"):
        return power[:, frequency > FINE].sum(1) / power.sum((1, 2))


def total_variation(images: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Returns the mean difference of neighbouring pixels, of pictures 0..1, `[n]`."""
    values = images / 255.0
    return (np.abs(np.diff(values, axis=1)).mean((1, 2, 3)) + np.abs(np.diff(values, axis=2)).mean((1, 2, 3))) / 2


def border_ratio(images: NDArray[np.uint8], width: int = 8) -> NDArray[np.float64]:
    """Returns the variance around the picture's mean in a frame of `width` pixels over that within it, `[n]`."""
    square = (images - images.mean((1, 2, 3), keepdims=True)) ** 2
    frame = np.ones(images.shape[1:3], bool)
    frame[width:-width, width:-width] = False
    with np.errstate(divide="ignore", invalid="ignore"):
        return square[:, frame].mean((1, 2)) / square[:, ~frame].mean((1, 2))


def shaken(images: NDArray[np.uint8]) -> dict[str, NDArray[np.uint8]]:
    """Disturbs pictures in ways that leave what they show.

    Returns:
        The pictures 4 pixels off, turned by 5 degrees either way, and after JPEG at quality 75; what comes in from
        outside is mirrored (shift) or grey (turn).
    """
    pads = [(0, 0), (_SHIFT, 0), (_SHIFT, 0), (0, 0)]
    shifted = np.pad(images, pads, mode="symmetric")[:, : images.shape[1], : images.shape[2]]
    return {"shift": shifted, "left": _turned(images, _ANGLE), "right": _turned(images, -_ANGLE), "jpeg": _jpeg(images)}


def z_scores(responses: NDArray[np.float32], natural: NDArray[np.float32]) -> NDArray[np.float64]:
    """Returns responses in standard deviations from the mean over natural pictures, both `[n, filters]`."""
    deviation = natural.std(0, dtype=np.float64)
    return (responses - natural.mean(0, dtype=np.float64)) / np.where(deviation > 0, deviation, np.inf)


def is_first(z: NDArray[np.float64], filters: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Whether the filter of each picture is the one that answers it most, `[n]`.

    Args:
        z: float64 `[n, filters of the layer]`.
        filters: The filter of each picture.
    """
    return z.argmax(1) == filters


def agreement(one: NDArray[np.float64], other: NDArray[np.float64]) -> tuple[float, float]:
    """Compares what pictures of the same filters from two seeds make the layer answer.

    Args:
        one: float64 `[n, filters of the layer]`, z-scores of the pictures of one seed.
        other: Those of the other seed, in the same order.

    Returns:
        The mean cosine of the two answers; and how often the nearest picture of the other seed is of the same filter.
    """
    one, other = (z / np.linalg.norm(z, axis=1, keepdims=True) for z in (one, other))
    cosines = one @ other.T
    return float(np.diag(cosines).mean()), float((cosines.argmax(1) == np.arange(len(one))).mean())


def same_contrast(images: NDArray[np.uint8], deviation: float) -> NDArray[np.uint8]:
    """Returns pictures around their mean with another standard deviation, in pixel values, where clipping lets it."""
    mean = images.mean((1, 2, 3), keepdims=True)
    scale = deviation / np.maximum(images.std((1, 2, 3), keepdims=True), 1e-6)
    return np.clip(np.rint(mean + (images - mean) * scale), 0, 255).astype(np.uint8)


def _turned(images: NDArray[np.uint8], angle: float) -> NDArray[np.uint8]:
    turn = {"resample": Image.Resampling.BILINEAR, "fillcolor": (128, 128, 128)}
    return np.stack([np.asarray(Image.fromarray(image).rotate(angle, **turn)) for image in images])


def _jpeg(images: NDArray[np.uint8]) -> NDArray[np.uint8]:
    read = []
    for image in images:
        file = io.BytesIO()
        Image.fromarray(image).save(file, "JPEG", quality=_QUALITY)
        read.append(np.asarray(Image.open(file)))
    return np.stack(read)
