"""What a model takes: the shape of its pictures and the range of its numbers."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable
from typing import Any

import keras
import numpy as np

from tb_filterviz.sources.keras import layer_tree


def picture_shape(
    model: Any,
    shape: tuple[int | None, ...],
    size: str | int | tuple[int, ...],
    auto: Callable[[tuple[int | None, ...]], tuple[int, ...]],
) -> tuple[int, ...]:
    """Finds the shape of the pictures that a model takes.

    Args:
        model: Is named in messages.
        shape: `(*spatial, channels)` of the input that is climbed, None for a side that is open.
        size: Length of each side, or `"auto"`: see `PatternOptions`.
        auto: Chooses the sides where the input leaves some open, for pictures of `(*spatial, channels)`.

    Returns:
        `(*spatial, channels)`.

    Raises:
        ValueError: If there are more or fewer sizes than sides.
    """
    sides, channels = shape[:-1], int(shape[-1] or 0)
    if isinstance(size, str):
        fixed = tuple(side for side in sides if side)
        return (*(fixed if len(fixed) == len(sides) else auto(shape)), channels)
    sizes = (size,) * len(sides) if isinstance(size, int) else size
    if len(sizes) != len(sides):
        raise ValueError(
            f"`size` must be one number for all sides, or {len(sides)}: the model {model.name!r} takes inputs of shape "
            f"{shape}. Received: size={size!r}"
        )
    return (*sizes, channels)


@dataclasses.dataclass(frozen=True)
class Feed:
    """Makes what a model takes of pictures, 0..1, in the graph.

    Attributes:
        input_range: What 0 and 1 stand for.
        preprocess: What is done after that; None: nothing.
        around: Makes what the model is called on of the input that is climbed; None: that alone.
    """

    input_range: tuple[float, float]
    preprocess: Callable[[Any], Any] | None
    around: Callable[[Any], Any] | None = None

    def __call__(self, pictures: Any) -> Any:
        """Makes inputs of pictures, float32 `[batch, *spatial, channels]`."""
        low, high = self.input_range
        inputs = low + pictures * (high - low)
        inputs = inputs if self.preprocess is None else self.preprocess(inputs)
        return inputs if self.around is None else self.around(inputs)


_CAFFE = "vgg16 vgg19 resnet50 resnet101 resnet152"
_TF = "mobilenet mobilenetv2 inception_v3 inception_resnet_v2 xception nasnet resnet50v2 resnet101v2 resnet152v2"
_TORCH = "densenet121 densenet169 densenet201"
_PREPROCESS: dict[str, Callable[[Any], Any]] = {
    "caffe": keras.applications.vgg16.preprocess_input,
    "tf": keras.applications.mobilenet_v2.preprocess_input,
    "torch": keras.applications.densenet.preprocess_input,
}
_MODES = {name: mode for mode, names in (("caffe", _CAFFE), ("tf", _TF), ("torch", _TORCH)) for name in names.split()}


def detect_range(model: Any) -> tuple[float, float]:
    """Guesses the range of the numbers that a model takes.

    Args:
        model: Keras model.

    Returns:
        `(0, 255)` where a layer rescales or normalises before the first layer that has a kernel, since pictures are
        then fed as they are, unless its numbers say that they are of 0..1; and for networks of `keras.applications`
        (see `detect_preprocess`). Else `(0, 1)`.
    """
    scaling = _own_scaling(model)
    if scaling is not None:
        return (0.0, 1.0) if _centre(scaling) <= 1 else (0.0, 255.0)
    return (0.0, 255.0) if _application(model) else (0.0, 1.0)


def detect_preprocess(model: Any) -> Callable[[Any], Any] | None:
    """Finds what a network of `keras.applications` wants done to RGB pictures in 0..255.

    Args:
        model: Keras model. A network is known by its name, or by that of a model at the top level within, as of a
            base with a head of one's own.

    Returns:
        The function, or None: where the model is no such network, or scales its inputs itself.
    """
    mode = None if _own_scaling(model) is not None else _application(model)
    if mode is None:
        return None
    return _PREPROCESS[mode]


def _application(model: Any) -> str | None:
    inner = [layer for layer in getattr(model, "layers", []) if isinstance(layer, keras.Model)]
    for one in (model, *inner):
        if not isinstance(one, keras.Model):
            continue
        name = one.name.split("_1.")[0].split("_0.")[0]  # mobilenetv2_1.00_224
        if name in _MODES:
            return _MODES[name]
    return None


def _own_scaling(model: Any) -> Any:
    """Returns the layer that scales, or does anything of the user's own, before the first that has a kernel."""
    for _, layer in layer_tree(model) if isinstance(model, keras.layers.Layer) else ():
        if isinstance(layer, (keras.layers.Rescaling, keras.layers.Normalization, keras.layers.Lambda)):
            return layer
        if getattr(layer, "kernel", None) is not None or getattr(layer, "depthwise_kernel", None) is not None:
            break
    return None


def _centre(scaling: Any) -> float:
    """Returns the input that a layer takes for the middle, as far as it can be told, infinity where it cannot."""
    if isinstance(scaling, keras.layers.Rescaling):
        scale, offset = np.abs(scaling.scale).max(), np.max(-np.asarray(scaling.offset))
        if offset > 0:
            return float(offset / scale)
        return 0.5 if scale >= 20 else math.inf  # 255, from 0..1 to 0..255
    mean = getattr(scaling, "mean", None)
    return math.inf if mean is None else float(np.max(np.asarray(mean)))
