"""Convolutions as the definition has them, from canonical kernels `(*spatial, in, out)`: NumPy and SciPy only."""

from __future__ import annotations

import itertools

import numpy as np
from scipy import signal, special


def convolve(x, kernel, *, stride=1, dilation=1, padding="valid", groups=1):
    """Cross-correlates `x (batch, *spatial, in * groups)`; filter `o` reads group `o * groups // out`."""
    x, kernel = np.asarray(x, np.float64), np.asarray(kernel, np.float64)
    *sizes, inputs, outputs = kernel.shape
    rank = len(sizes)
    spread = np.zeros([(size - 1) * dilation + 1 for size in sizes] + [inputs, outputs])
    spread[(slice(None, None, dilation),) * rank] = kernel
    pads = [_padding(size, taps, stride, padding) for size, taps in zip(x.shape[1:-1], spread.shape[:-2], strict=True)]
    x = np.pad(x, [(0, 0), *pads, (0, 0)])
    pictures = []
    for image, o in itertools.product(x, range(outputs)):
        first = (o * groups // outputs) * inputs
        full = sum(
            signal.correlate(image[..., first + i], spread[..., i, o], mode="valid", method="direct")
            for i in range(inputs)
        )
        pictures.append(full[(slice(None, None, stride),) * rank])
    y = np.stack(pictures).reshape(len(x), outputs, *pictures[0].shape)
    return np.moveaxis(y, 1, -1)


def _padding(size, taps, stride, padding):
    if padding == "valid":
        return 0, 0
    if padding == "causal":
        return taps - 1, 0
    total = max((-(-size // stride) - 1) * stride + taps - size, 0)
    return total // 2, total - total // 2


def transposed(x, kernel, *, stride=1, padding="valid"):
    """Scatters each entry of `x (batch, *spatial, in)`, times the taps as they are, `stride` apart."""
    x, kernel = np.asarray(x, np.float64), np.asarray(kernel, np.float64)
    *taps, inputs, outputs = kernel.shape
    sizes = x.shape[1:-1]
    y = np.zeros((len(x), *((size - 1) * stride + tap for size, tap in zip(sizes, taps, strict=True)), outputs))
    for b, i, o in itertools.product(range(len(x)), range(inputs), range(outputs)):
        for place in itertools.product(*map(range, sizes)):
            window = tuple(slice(at * stride, at * stride + tap) for at, tap in zip(place, taps, strict=True))
            y[(b, *window, o)] += x[(b, *place, i)] * kernel[..., i, o]
    if padding == "same":
        for axis, (size, tap) in enumerate(zip(sizes, taps, strict=True), start=1):
            first = max(tap - stride, 0) // 2
            y = np.take(y, range(first, first + size * stride), axis=axis)
    return y


def conv_lstm(x, kernel, recurrent_kernel, bias):
    """Returns the last hidden state for `x (batch, time, *spatial, in)`: Shi et al., 2015, without peepholes.

    See https://arxiv.org/abs/1506.04214; the filters are those of the input, forget, cell and output gate, in turn.
    """
    state = memory = None
    for t in range(x.shape[1]):
        z = convolve(x[:, t], kernel) + np.asarray(bias, np.float64)
        if state is None:
            state = memory = np.zeros((*z.shape[:-1], z.shape[-1] // 4))
        z = z + convolve(state, recurrent_kernel, padding="same")
        i, f, c, o = np.split(z, 4, axis=-1)
        memory = special.expit(f) * memory + special.expit(i) * np.tanh(c)
        state = special.expit(o) * np.tanh(memory)
    return state
