"""The response of one filter a sample, without computing those of all others."""

from __future__ import annotations

import itertools
from typing import Any

import keras
import tensorflow as tf

from tb_filterviz.patterns import tap

_PLAIN = (keras.layers.Conv1D, keras.layers.Conv2D, keras.layers.Conv3D)


def every(heard: tap.Heard) -> Any:
    """Returns the response of all filters, after the normalisation where one follows, float32.

    Args:
        heard: What was heard at the layer.

    Returns:
        Tensor `[batch, *positions, filters]`.
    """
    scale, shift = _affine(heard)
    return tf.cast(heard.response, tf.float32) * scale + shift


def own(layer: Any, heard: tap.Heard, targets: Any) -> Any:
    """Returns the response of each sample's own filter.

    Of a plain convolution only that filter is evaluated: the rest of `heard.response` is left out of the graph.

    Args:
        layer: The layer that was heard.
        heard: What was heard at it.
        targets: int32 tensor `[batch]`, the filter of each sample.

    Returns:
        float32 tensor `[batch, *positions]`.
    """
    scale, shift = _affine(heard)
    if _is_plain(layer):
        kernel = tf.cast(layer.kernel, heard.features.dtype)
        bias = layer.bias if layer.use_bias else tf.zeros(kernel.shape[-1])
        bias = tf.cast(bias, tf.float32) * scale + shift
        kernel = kernel * tf.cast(scale, kernel.dtype)
        kernels = tf.gather(tf.transpose(kernel, [kernel.shape.rank - 1, *range(kernel.shape.rank - 1)]), targets)
        biases = tf.gather(bias, targets)
        response = tf.cast(_convolve(layer, heard.features, kernels), tf.float32)
        return response + tf.reshape(biases, [-1, *[1] * (response.shape.rank - 1)])
    response = every(heard)
    return tf.gather(response, targets, axis=response.shape.rank - 1, batch_dims=1)


def _is_plain(layer: Any) -> bool:
    """Whether a layer is a convolution as `_convolve` computes it, and not a subclass that may compute another."""
    return (
        type(layer) in _PLAIN
        and layer.groups == 1
        and layer.data_format == "channels_last"
        and layer.padding in ("valid", "same", "causal")
    )


def _affine(heard: tap.Heard) -> tuple[Any, Any]:
    """Returns what the normalisation multiplies by and adds, `[filters]`: 1 and 0 where there is none."""
    filters = heard.response.shape[-1]
    if heard.normalization is None:
        return tf.ones(filters), tf.zeros(filters)
    axis = heard.normalization.axis
    axis = (axis[0] if isinstance(axis, (list, tuple)) else axis) % heard.response.shape.rank
    shape = [1] * heard.response.shape.rank
    shape[axis] = filters
    zero = tf.cast(heard.normalization(tf.zeros(shape), training=False), tf.float32)
    one = tf.cast(heard.normalization(tf.ones(shape), training=False), tf.float32)
    return tf.reshape(one - zero, [filters]), tf.reshape(zero, [filters])


def _convolve(layer: Any, features: Any, kernels: Any) -> Any:
    """Convolves each sample with a kernel of its own: one product for all taps, then shifted sums.

    Args:
        layer: Gives strides, dilation and padding.
        features: `[batch, *spatial, in]`.
        kernels: `[batch, *taps, in]`.

    Returns:
        `[batch, *positions]`.
    """
    taps = kernels.shape[1:-1].as_list()
    rank, inputs = len(taps), kernels.shape[-1]
    strides, dilations = layer.strides, layer.dilation_rate
    batch, sides = tf.shape(features)[0], tf.unstack(tf.shape(features)[1:-1])
    reach = [(tap_ - 1) * dilation for tap_, dilation in zip(taps, dilations, strict=True)]
    padding, positions = [[0, 0]], []
    for side, far, stride in zip(sides, reach, strides, strict=True):
        if layer.padding == "same":
            count = -(-side // stride)
            total = tf.maximum((count - 1) * stride + far + 1 - side, 0)
            padding.append([total // 2, total - total // 2])
        else:
            before = far if layer.padding == "causal" else 0
            count = (side + before - far - 1) // stride + 1
            padding.append([before, 0])
        positions.append(count)
    flat = tf.reshape(features, [batch, -1, inputs])
    products = tf.matmul(flat, tf.reshape(kernels, [batch, -1, inputs]), transpose_b=True)
    products = tf.pad(tf.reshape(products, [batch, *sides, -1]), [*padding, [0, 0]])
    total = 0.0
    for number, offset in enumerate(itertools.product(*(range(tap_) for tap_ in taps))):
        window = [slice(None)]
        for axis in range(rank):
            begin = offset[axis] * dilations[axis]
            window.append(slice(begin, begin + (positions[axis] - 1) * strides[axis] + 1, strides[axis]))
        total = total + products[tuple(window)][..., number]
    return total
