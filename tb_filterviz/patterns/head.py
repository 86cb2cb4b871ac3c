"""The response of one filter a sample, without computing those of all others."""

from __future__ import annotations

import math
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

    Of a plain convolution only that filter is evaluated, where that is less work than to evaluate all of them: the
    rest of `heard.response` is left out of the graph. What is less follows from the shapes alone. That filter takes
    `features * inputs * taps` multiplications, and then `positions * taps * taps` to sum the products of its taps; all
    filters take `positions * taps * inputs * filters`. So it is evaluated alone but where the filters are few, or their
    taps or strides many, for the number of channels and filters: with 3 x 3 taps and no strides from a dozen filters
    on, of however few channels.

    Args:
        layer: The layer that was heard.
        heard: What was heard at it.
        targets: int32 tensor `[batch / heard.frames]`, the filter of each sample of the model.

    Returns:
        float32 tensor `[batch, *positions]`.
    """
    scale, shift = _affine(heard)
    targets = tf.repeat(targets, heard.frames)
    if _is_plain(layer) and _spares(layer, heard):
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


def _spares(layer: Any, heard: tap.Heard) -> bool:
    """Whether `_convolve` takes fewer multiplications than all filters do; see `own`. Both are divided by `taps`."""
    *taps, inputs, filters = layer.kernel.shape
    features, positions = heard.features.shape[1:-1], heard.response.shape[1:-1]
    if None in (*features, *positions):  # then as many of both as strides say
        features, positions = layer.strides, [1]
    alone = math.prod(features) * inputs + math.prod(positions) * math.prod(taps)
    return bool(alone < math.prod(positions) * inputs * filters)


def _affine(heard: tap.Heard) -> tuple[Any, Any]:
    """Returns what the normalisation multiplies by and adds, `[filters]`: 1 and 0 where there is none."""
    filters = heard.response.shape[-1]
    if heard.normalization is None:
        return tf.ones(filters), tf.zeros(filters)
    if type(heard.normalization) is keras.layers.BatchNormalization:
        scale, shift = _affine_of(heard.normalization)
        if scale.shape == (filters,):
            return scale, shift
    axis = heard.normalization.axis
    axis = (axis[0] if isinstance(axis, (list, tuple)) else axis) % heard.response.shape.rank
    shape = [1] * heard.response.shape.rank
    shape[axis] = filters
    zero = tf.cast(heard.normalization(tf.zeros(shape), training=False), tf.float32)
    one = tf.cast(heard.normalization(tf.ones(shape), training=False), tf.float32)
    return tf.reshape(one - zero, [filters]), tf.reshape(zero, [filters])


def _affine_of(normalization: Any) -> tuple[Any, Any]:
    """Returns what a `BatchNormalization` multiplies by and adds in inference, float32 `[channels]`.

    It is computed from the weights: in half precision the layer rounds what it gives.
    """
    mean, variance = tf.cast(normalization.moving_mean, tf.float32), tf.cast(normalization.moving_variance, tf.float32)
    scale = tf.math.rsqrt(variance + normalization.epsilon)
    if normalization.scale:
        scale *= tf.cast(normalization.gamma, tf.float32)
    shift = -mean * scale
    if normalization.center:
        shift += tf.cast(normalization.beta, tf.float32)
    return scale, shift


def _convolve(layer: Any, features: Any, kernels: Any) -> Any:
    """Convolves each sample with a kernel of its own: one product for all taps, then a sum of the shifted products.

    The sum is a convolution too, whose kernel has a single 1 at each tap: that for the product of this tap.

    Args:
        layer: Gives strides, dilation and padding.
        features: `[batch, *spatial, in]`.
        kernels: `[batch, *taps, in]`.

    Returns:
        `[batch, *positions]`.
    """
    taps = kernels.shape[1:-1].as_list()
    count = math.prod(taps)
    batch, sides, inputs = tf.shape(features)[0], tf.shape(features)[1:-1], kernels.shape[-1]
    flat = tf.reshape(features, [batch, -1, inputs])
    products = tf.matmul(flat, tf.reshape(kernels, [batch, count, inputs]), transpose_b=True)
    products = tf.reshape(products, tf.concat([[batch], sides, [count]], 0))
    if layer.padding == "causal":
        products = tf.pad(products, [[0, 0], [(taps[0] - 1) * layer.dilation_rate[0], 0], [0, 0]])
    places = tf.reshape(tf.eye(count, dtype=products.dtype), [*taps, count, 1])
    padding = "SAME" if layer.padding == "same" else "VALID"
    order = ("NWC", "NHWC", "NDHWC")[len(taps) - 1]  # eager gradients of three axes need it
    return tf.nn.convolution(products, places, layer.strides, padding, order, layer.dilation_rate)[..., 0]
