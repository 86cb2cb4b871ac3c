"""Frequencies, orientation and colour of filters."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tb_filterviz.analysis.rows import rows

MOST_TAPS = 256
"""Larger slices than these are no convolution's: what grows with their square is not computed."""

_PADDED = 16
_BLOCK = 64
_HIGH = 0.25  # cycles a pixel: half of what a pixel grid can hold


@dataclasses.dataclass(frozen=True)
class Spectrum:
    """What the Fourier spectrum of filters says, NaN where there is nothing to say.

    Attributes:
        high: float64 `[out]`, share (0 to 1) of the power at spatial frequencies above 0.25 cycles a pixel. The share
            of low frequencies is the rest.
        angle: float64 `[out]`, degrees, 0 <= angle < 180: the direction, from the axis of columns towards that of
            rows, in which the filter changes fastest. A vertical edge has 0, a horizontal one 90.
        strength: float64 `[out]`, 0 (no direction) to 1 (one direction alone).
    """

    high: NDArray[np.float64]
    angle: NDArray[np.float64]
    strength: NDArray[np.float64]


def spectrum(values: NDArray[Any]) -> Spectrum:
    """Computes the power spectrum of each filter, summed over its input slices.

    Each slice is padded with zeros to 16 x 16 (or its own size, if larger) and transformed. Power is quadratic in the
    weights, so that one small matrix of products a filter (`spatial x spatial`, summed over inputs) stands for all of
    its slices: no slice is transformed alone. Direction is that of the second moments of the power, as of a structure
    tensor (Bigün and Granlund, ICCV 1987).

    Args:
        values: Kernel `(*spatial, in, out)` of two spatial axes and at most `MOST_TAPS` weights a slice, any real
            dtype. Others have no spectrum here: all NaN.

    Example:
        >>> edge = np.array([[-1.0, 0.0, 1.0]] * 3)[:, :, np.newaxis, np.newaxis]
        >>> float(spectrum(edge).angle[0])
        0.0
    """
    count = values.shape[-1]
    if values.ndim != 4 or not 1 < values.shape[0] * values.shape[1] <= MOST_TAPS:
        nothing = np.full(count, np.nan)
        return Spectrum(nothing, nothing, nothing)
    height, width, inputs = values.shape[:3]
    slices = rows(values).reshape(count, height * width, inputs)

    sizes = max(_PADDED, height), max(_PADDED, width)
    v, u = (axis.ravel() for axis in np.meshgrid(*(np.fft.fftfreq(size) for size in sizes), indexing="ij"))
    y, x = (axis.ravel() for axis in np.indices((height, width)))
    waves = np.exp(-2j * np.pi * (np.outer(v, y) + np.outer(u, x)))
    # The frequency of half a cycle a pixel has no sign: it has no direction either.
    inner = (np.abs(u) < 0.5) & (np.abs(v) < 0.5)
    weights = [np.ones_like(u), np.hypot(u, v) > _HIGH, inner * (u**2 - v**2), inner * 2 * u * v, inner * (u**2 + v**2)]
    forms = np.stack([np.real(waves.conj().T @ (weight[:, np.newaxis] * waves)).ravel() for weight in weights])
    # The power, summed over all frequencies with these weights.
    sums = np.empty((5, count))
    for start in range(0, count, _BLOCK):
        block = slices[start : start + _BLOCK]
        products = np.matmul(block, block.transpose(0, 2, 1)).astype(np.float64)
        sums[:, start : start + _BLOCK] = forms @ products.reshape(len(block), -1).T
    total, above, across, along, moment = sums
    with np.errstate(invalid="ignore", divide="ignore"):
        high = np.clip(above / total, 0, 1)
        angle = np.degrees(np.arctan2(along, across)) / 2
        strength = np.clip(np.hypot(across, along) / moment, 0, 1)
    nothing = (total == 0) | (moment <= 1e-12 * total)
    angle[nothing], strength[nothing] = np.nan, np.nan
    return Spectrum(high, np.round(angle, 6) % 180, strength)  # rounded, so that no 0 appears as almost 180


def colour_share(values: NDArray[Any]) -> NDArray[np.float64]:
    """Computes how much of a filter of three inputs is colour, and not brightness.

    The mean over the inputs, repeated for each, is the grey part: `1 - |grey|^2 / |filter|^2`.

    Args:
        values: Kernel `(*spatial, 3, out)`, any real dtype. With other inputs than three: all NaN.

    Returns:
        float64 `[out]`, 0 (grey) to 1 (opponent colours that cancel out); NaN for a filter of zeros.

    Example:
        >>> colour_share(np.array([[1.0, 1.0], [1.0, -1.0], [1.0, 0.0]])).tolist()  # axes (in, out)
        [0.0, 1.0]
    """
    if values.ndim < 2 or values.shape[-2] != 3:
        return np.full(values.shape[-1], np.nan)
    slices = rows(values).reshape(values.shape[-1], -1, 3).astype(np.float64)
    grey = 3 * np.square(slices.mean(axis=2)).sum(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(np.clip(1 - grey / np.square(slices).sum(axis=(1, 2)), 0, 1))
