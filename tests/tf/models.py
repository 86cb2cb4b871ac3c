"""Every kind of thing that has kernels, each with an independent computation of its output from its kernels.

`CASES` is one table for all tests that say "the kernel is right": they differ only in where they take the kernels
from. Sizes differ from axis to axis, so that a wrong order of axes cannot pass.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from scipy import signal

from tb_filterviz import sources
from tests.tf import reference

L = keras.layers


@dataclasses.dataclass(frozen=True)
class Case:
    """One kind.

    Attributes:
        name: Its name.
        build: Returns what is logged; it is also called for the output, unless `call` is given.
        input_shape: Of one batch.
        reference: `(kernels, biases, x) -> output`, from canonical kernels in model order.
        call: `(data, x) -> output`.
        layers: The option of that name.
        layout: The option of that name.
        groups: What the kernels' records must say.
        tolerance: Largest difference to the output, relative to its largest magnitude.
    """

    name: str
    build: Callable[[], Any]
    input_shape: tuple[int, ...]
    reference: Callable[..., Any]
    call: Callable[[Any, Any], Any] = lambda data, x: data(x)
    layers: Any = None
    layout: str | None = None
    groups: tuple[int, ...] = (1,)
    tolerance: float = 1e-5


def find_kernels(case: Case, data: Any) -> list[np.ndarray]:
    """Returns the canonical kernels as the sources find them."""
    found = sources.find_weights(data, case.layers, case.layout)
    return [weight.to_kernel(np.asarray(weight.read())).values for weight in found]


def check(
    case: Case, kernels_of: Callable[[Case, Any], Sequence[np.ndarray]] = find_kernels, tolerance: float = 0.0
) -> None:
    """Asserts that convolutions with the kernels that `kernels_of(case, data)` returns give the output of `data`."""
    data = case.build()
    x = np.random.default_rng(7).standard_normal(case.input_shape).astype(np.float32)
    expected = np.asarray(case.call(data, x)).astype(np.float64)
    biases = [np.asarray(weight).astype(np.float64) for weight in biases_of(data)]
    actual = case.reference([kernel.astype(np.float64) for kernel in kernels_of(case, data)], biases, x)
    assert actual.shape == expected.shape
    bound = max(tolerance, case.tolerance) * np.abs(expected).max()
    np.testing.assert_allclose(actual, expected, rtol=0, atol=bound)


def biases_of(data: Any) -> list[Any]:
    return [weight for weight in getattr(data, "weights", []) if weight.name == "bias"]


def randomize(layer: Any) -> Any:
    """Gives every weight of a built layer random values, biases too."""
    rng = np.random.default_rng(3)
    for weight in layer.weights:
        if weight.dtype != "uint32":  # states of random generators
            weight.assign(rng.standard_normal(weight.shape) * 0.5)
    return layer


def _layer(make: Callable[[], Any], shape: tuple[int, ...]) -> Callable[[], Any]:
    def build() -> Any:
        layer = make()
        layer.build((None, *shape[1:]))
        return randomize(layer)

    return build


def _compiled(layer: Any, x: Any) -> Any:
    """Calls a `channels_first` layer: TensorFlow's own kernels for the CPU cannot, XLA's can.

    But TensorFlow 2.21 then adds the bias along the last axis if that has as many entries as there are channels.
    """
    return tf.function(layer, jit_compile=True)(x)


def _one(function: Callable[..., Any], **options: Any) -> Callable[..., Any]:
    """Returns the reference of a single layer with or without a bias."""
    return lambda kernels, biases, x: function(x, kernels[0], **options) + (biases[0] if biases else 0)


def _separable(kernels: Any, biases: Any, x: Any) -> Any:
    depthwise, pointwise = kernels
    return reference.convolve(reference.convolve(x, depthwise, groups=x.shape[-1]), pointwise) + biases[0]


def _channels_first(function: Callable[..., Any]) -> Callable[..., Any]:
    """Returns the reference for `x (batch, channels, *spatial)`."""
    return lambda kernels, biases, x: np.moveaxis(function(kernels, biases, np.moveaxis(x, 1, -1)), -1, 1)


def _each_time(kernels: Any, biases: Any, x: Any) -> Any:
    return np.stack([reference.convolve(x[:, t], kernels[0]) + biases[0] for t in range(x.shape[1])], axis=1)


def _bidirectional(kernels: Any, biases: Any, x: Any) -> Any:
    forward = reference.conv_lstm(x, *kernels[:2], biases[0])
    backward = reference.conv_lstm(x[:, ::-1], *kernels[2:], biases[1])
    return np.concatenate([forward, backward], axis=-1)


class Derived(L.Conv2D):
    """A user's class whose effective kernel is not the stored one."""

    @property
    def kernel(self) -> Any:
        stored = super().kernel
        return stored - keras.ops.mean(stored, axis=(0, 1, 2), keepdims=True)


class Custom(L.Layer):
    """A user's convolution that is none of Keras' classes."""

    def build(self, shape: Any) -> None:
        self.w = self.add_weight(shape=(3, 2, shape[-1], 5), name="w", initializer="glorot_normal")

    def call(self, x: Any) -> Any:
        return keras.ops.conv(x, self.w)


class Block(tf.Module):
    """A convolution in plain TensorFlow."""

    def __init__(self, inputs: int, outputs: int, name: str | None = None) -> None:
        super().__init__(name)
        self.taps = tf.Variable(np.random.default_rng(outputs).standard_normal((3, 2, inputs, outputs)), name="taps")

    def __call__(self, x: Any) -> Any:
        return tf.nn.conv2d(tf.cast(x, tf.float64), self.taps, 1, "VALID")


class Chain(tf.Module):
    """Modules in a list, a Keras layer in a dict, and what is no kernel."""

    def __init__(self) -> None:
        super().__init__("chain")
        self.step = tf.Variable(0, name="step")
        self.zblocks = [Block(4, 3), Block(3, 5)]
        self.head = {"out": L.Conv2D(2, 2, use_bias=False, dtype="float64", name="out")}
        self.head["out"].build((None, None, None, 5))
        self.matrix = tf.Variable(tf.ones((2, 3)), name="matrix")

    def __call__(self, x: Any) -> Any:
        for block in self.zblocks:
            x = block(x)
        return self.head["out"](x)


def _chain(kernels: Any, biases: Any, x: Any) -> Any:
    for kernel in kernels:
        x = reference.convolve(x, kernel)
    return x


def _lora() -> Any:
    layer = L.Conv2D(5, (3, 2), name="c")
    layer.build((None, 8, 7, 4))
    layer.enable_lora(2)
    return randomize(layer)  # the second factor too, which starts as zeros


def _spectral() -> Any:
    layer = L.SpectralNormalization(L.Conv2D(5, (3, 2), name="c"))
    layer.build((None, 8, 7, 4))
    randomize(layer)
    layer(np.ones((1, 8, 7, 4), np.float32), training=True)  # replaces the kernel by the normalised one
    return layer


def _variable(shape: tuple[int, ...]) -> Callable[[], Any]:
    return lambda: tf.Variable(np.random.default_rng(1).standard_normal(shape).astype(np.float32), name="v")


def _keras_variable() -> Any:
    return _layer(lambda: L.Conv2D(5, (3, 2), use_bias=False), (2, 8, 7, 4))().kernel


def _torch_like(data: Any, x: Any) -> Any:
    """Convolves with an array `(out, in, height, width)`, axis by axis as PyTorch documents it."""
    pictures = [
        [sum(signal.correlate(image[..., i], taps[i], "valid") for i in range(4)) for taps in data] for image in x
    ]
    return np.moveaxis(np.array(pictures), 1, -1)


S1, S2, S3 = (2, 9, 4), (2, 8, 7, 4), (2, 6, 5, 4, 3)
C = reference.convolve
T = reference.transposed

CASES = [
    Case("conv1d", _layer(lambda: L.Conv1D(6, 3), S1), S1, _one(C)),
    Case("conv1d_causal", _layer(lambda: L.Conv1D(6, 3, padding="causal"), S1), S1, _one(C, padding="causal")),
    Case("conv2d", _layer(lambda: L.Conv2D(6, (3, 2)), S2), S2, _one(C)),
    Case("conv2d_same", _layer(lambda: L.Conv2D(6, (3, 2), padding="same"), S2), S2, _one(C, padding="same")),
    Case(
        "conv2d_strided",
        _layer(lambda: L.Conv2D(6, (3, 2), strides=2, padding="same"), S2),
        S2,
        _one(C, stride=2, padding="same"),
    ),
    Case("conv2d_dilated", _layer(lambda: L.Conv2D(6, (3, 2), dilation_rate=2), S2), S2, _one(C, dilation=2)),
    Case("conv2d_no_bias", _layer(lambda: L.Conv2D(6, (3, 2), use_bias=False), S2), S2, _one(C)),
    Case("conv2d_grouped", _layer(lambda: L.Conv2D(6, (3, 2), groups=2), S2), S2, _one(C, groups=2), groups=(2,)),
    Case("conv3d", _layer(lambda: L.Conv3D(5, (3, 2, 1)), S3), S3, _one(C)),
    Case(
        "conv1d_channels_first",
        _layer(lambda: L.Conv1D(6, 3, data_format="channels_first"), (2, 4, 9)),
        (2, 4, 9),
        _channels_first(_one(C)),
        call=_compiled,
    ),
    Case(
        "conv2d_channels_first",
        _layer(lambda: L.Conv2D(6, (3, 2), data_format="channels_first", use_bias=False), (2, 4, 8, 7)),
        (2, 4, 8, 7),
        _channels_first(_one(C)),
        call=_compiled,
    ),
    Case(
        "conv3d_channels_first",
        _layer(lambda: L.Conv3D(5, (3, 2, 1), data_format="channels_first"), (2, 3, 6, 5, 4)),
        (2, 3, 6, 5, 4),
        _channels_first(_one(C)),
        call=_compiled,
    ),
    Case("conv1d_transpose", _layer(lambda: L.Conv1DTranspose(6, 3, strides=2), S1), S1, _one(T, stride=2)),
    Case("conv2d_transpose", _layer(lambda: L.Conv2DTranspose(6, (3, 2)), S2), S2, _one(T)),
    Case(
        "conv2d_transpose_same",
        _layer(lambda: L.Conv2DTranspose(6, (3, 4), strides=2, padding="same"), S2),
        S2,
        _one(T, stride=2, padding="same"),
    ),
    Case("conv3d_transpose", _layer(lambda: L.Conv3DTranspose(5, (3, 2, 1)), S3), S3, _one(T)),
    Case(
        "conv2d_transpose_channels_first",
        _layer(lambda: L.Conv2DTranspose(6, (3, 2), data_format="channels_first"), (2, 4, 8, 7)),
        (2, 4, 8, 7),
        _channels_first(_one(T)),
        call=_compiled,
    ),
    Case(
        "depthwise_conv2d_channels_first",
        _layer(lambda: L.DepthwiseConv2D((3, 2), depth_multiplier=3, data_format="channels_first"), (2, 4, 8, 7)),
        (2, 4, 8, 7),
        _channels_first(_one(C, groups=4)),
        call=_compiled,
        groups=(4,),
    ),
    Case(
        "depthwise_conv1d",
        _layer(lambda: L.DepthwiseConv1D(3, depth_multiplier=3), S1),
        S1,
        _one(C, groups=4),
        groups=(4,),
    ),
    Case(
        "depthwise_conv2d",
        _layer(lambda: L.DepthwiseConv2D((3, 2), depth_multiplier=3), S2),
        S2,
        _one(C, groups=4),
        groups=(4,),
    ),
    Case(
        "separable_conv1d",
        _layer(lambda: L.SeparableConv1D(5, 3, depth_multiplier=2), S1),
        S1,
        _separable,
        groups=(4, 1),
    ),
    Case(
        "separable_conv2d",
        _layer(lambda: L.SeparableConv2D(5, (3, 2), depth_multiplier=2), S2),
        S2,
        _separable,
        groups=(4, 1),
    ),
    Case("lora", _lora, S2, _one(C)),
    Case("spectral_normalization", _spectral, S2, _one(C)),
    Case("time_distributed", _layer(lambda: L.TimeDistributed(L.Conv1D(6, 3)), (2, 3, 9, 4)), (2, 3, 9, 4), _each_time),
    Case(
        "conv_lstm1d",
        _layer(lambda: L.ConvLSTM1D(3, 2), (2, 3, 6, 4)),
        (2, 3, 6, 4),
        lambda kernels, biases, x: reference.conv_lstm(x, *kernels, *biases),
        groups=(1, 1),
    ),
    Case(
        "conv_lstm2d",
        _layer(lambda: L.ConvLSTM2D(3, (3, 2)), (2, 3, 6, 5, 4)),
        (2, 3, 6, 5, 4),
        lambda kernels, biases, x: reference.conv_lstm(x, *kernels, *biases),
        groups=(1, 1),
    ),
    Case(
        "conv_lstm3d",
        _layer(lambda: L.ConvLSTM3D(2, (3, 2, 1)), (1, 2, 4, 4, 3, 3)),
        (1, 2, 4, 4, 3, 3),
        lambda kernels, biases, x: reference.conv_lstm(x, *kernels, *biases),
        groups=(1, 1),
    ),
    Case(
        "bidirectional_conv_lstm",
        _layer(lambda: L.Bidirectional(L.ConvLSTM1D(3, 2)), (2, 3, 6, 4)),
        (2, 3, 6, 4),
        _bidirectional,
        groups=(1, 1, 1, 1),
    ),
    Case("derived_class", _layer(lambda: Derived(6, (3, 2)), S2), S2, _one(C)),
    Case("custom_class", _layer(lambda: Custom(name="mine"), S2), S2, _one(C), layers="mine"),
    Case(
        "dense",
        _layer(lambda: L.Dense(3, name="d"), (2, 4)),
        (2, 4),
        lambda kernels, biases, x: x @ kernels[0] + biases[0],
        layers="d",
    ),
    *(
        Case(
            f"conv2d_{dtype}",
            _layer(lambda dtype=dtype: L.Conv2D(6, (3, 2), dtype=dtype), S2),
            S2,
            _one(C),
            tolerance=bound,
        )
        for dtype, bound in [("float16", 5e-3), ("bfloat16", 4e-2), ("float64", 1e-12), ("mixed_bfloat16", 4e-2)]
    ),
    Case("tf_module", Chain, S2, _chain, groups=(1, 1, 1)),
    Case("keras_variable", _keras_variable, S2, _one(C), call=lambda data, x: keras.ops.conv(x, data)),
    Case("tf_variable", _variable((3, 2, 4, 5)), S2, _one(C), call=lambda data, x: tf.nn.conv2d(x, data, 1, "VALID")),
    Case("tf_variable_1d", _variable((3, 4, 5)), S1, _one(C), call=lambda data, x: tf.nn.conv1d(x, data, 1, "VALID")),
    Case(
        "tf_variable_3d",
        _variable((3, 2, 1, 3, 5)),
        S3,
        _one(C),
        call=lambda data, x: tf.nn.conv3d(x, data, [1] * 5, "VALID"),
    ),
    Case(
        "tf_tensor_depthwise",
        lambda: tf.convert_to_tensor(_variable((3, 2, 4, 5))()),
        S2,
        _one(C, groups=4),
        call=lambda data, x: tf.nn.depthwise_conv2d(x, data, [1] * 4, "VALID"),
        layout="HWIM",
        groups=(4,),
    ),
    Case(
        "tf_variable_transposed",
        _variable((3, 2, 5, 4)),
        S2,
        _one(T),
        call=lambda data, x: tf.nn.conv2d_transpose(x, data, (2, 10, 8, 5), 1, "VALID"),
        layout="HWOI",
    ),
    Case(
        "array_of_torch",
        lambda: np.random.default_rng(1).standard_normal((5, 4, 3, 2)),
        S2,
        _one(C),
        call=_torch_like,
        layout="OIHW",
    ),
]
"""One case a kind."""


def small_model(name: str, layer_name: str = "c", inputs: int = 3) -> Any:
    """Returns a functional model with one convolution `layer_name`."""
    x = keras.Input((8, 8, inputs))
    return keras.Model(x, L.Conv2D(3, 3, padding="same", name=layer_name)(x), name=name)


class Zoo(keras.Model):
    """Layers in attributes, a list, a dict, a tuple, a wrapper and a nested model, some of one name, one used twice."""

    def __init__(self, name: str = "zoo") -> None:
        super().__init__(name=name)
        self.stem = L.Conv2D(3, 3, padding="same", name="stem")
        self.stages = [L.Conv2D(3, 3, padding="same", name="c"), {"deep": [L.Conv2D(3, 3, padding="same", name="c")]}]
        self.pair = (L.DepthwiseConv2D(3, padding="same", name="depth"), L.MaxPooling2D(name="pool"))
        self.inner = small_model("inner")
        self.sn = L.SpectralNormalization(L.Conv2D(3, 3, padding="same", name="c"), name="sn")
        self.head = L.Dense(2, name="head")

    def call(self, x: Any) -> Any:
        x = self.stem(self.stem(x))  # shared
        x = self.stages[1]["deep"][0](self.stages[0](x))
        x = self.sn(self.inner(self.pair[0](x)))
        return self.head(keras.ops.mean(self.pair[1](x), axis=(1, 2)))
