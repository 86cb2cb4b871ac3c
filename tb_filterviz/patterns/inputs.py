"""What a model takes: the shape of its pictures and the range of its numbers."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import keras

from tb_filterviz.sources.keras import layer_tree


def picture_shape(model: Any, size: str | int | tuple[int, int], auto: Callable[[int], int]) -> tuple[int, int, int]:
    """Finds the shape of the pictures that a model takes.

    Args:
        model: Built Keras model with one input.
        size: Height and width in pixels, or `"auto"`: see `PatternOptions`.
        auto: Chooses height and width where the model leaves them open, for so many channels.

    Returns:
        Height, width and channels.

    Raises:
        ValueError: If the model does not take one batch of grey or RGB pictures with channels last.
    """
    shape = _input_shape(model)
    if len(shape) != 4 or shape[3] not in (1, 3):
        raise ValueError(
            "Patterns need a model of grey or RGB pictures, channels last: an input of shape (batch, height, width, "
            f"1 or 3). Received: model={model.name!r} with the input shape {shape}"
        )
    if isinstance(size, str):
        side = 0 if shape[1] and shape[2] else auto(shape[3])
        return shape[1] or side, shape[2] or side, shape[3]
    height, width = (size, size) if isinstance(size, int) else size
    return height, width, shape[3]


@dataclasses.dataclass(frozen=True)
class Feed:
    """Makes what a model takes of pictures, 0..1, in the graph.

    Attributes:
        input_range: What 0 and 1 stand for.
        preprocess: What is done after that; None: nothing.
    """

    input_range: tuple[float, float]
    preprocess: Callable[[Any], Any] | None

    def __call__(self, pictures: Any) -> Any:
        """Makes inputs, float32 `[batch, height, width, channels]`."""
        low, high = self.input_range
        inputs = low + pictures * (high - low)
        return inputs if self.preprocess is None else self.preprocess(inputs)


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
        then fed as they are, and for networks of `keras.applications` (see `detect_preprocess`); else `(0, 1)`.
    """
    if _own_scaling(model) or _application(model):
        return 0.0, 255.0
    return 0.0, 1.0


def detect_preprocess(model: Any) -> Callable[[Any], Any] | None:
    """Finds what a network of `keras.applications` wants done to RGB pictures in 0..255.

    Args:
        model: Keras model. A network is known by its name, or by that of a model at the top level within, as of a
            base with a head of one's own.

    Returns:
        The function, or None: where the model is no such network, or scales its inputs itself.
    """
    mode = None if _own_scaling(model) else _application(model)
    if mode is None:
        return None
    return _PREPROCESS[mode]


def _application(model: Any) -> str | None:
    inner = [layer for layer in getattr(model, "layers", []) if isinstance(layer, keras.Model)]
    for one in (model, *inner):
        name = one.name.split("_1.")[0].split("_0.")[0]  # mobilenetv2_1.00_224
        if name in _MODES and isinstance(one, keras.Model):
            return _MODES[name]
    return None


def _own_scaling(model: Any) -> bool:
    """Whether a layer scales, or does anything of the user's own, before the first that has a kernel."""
    for _, layer in layer_tree(model):
        if isinstance(layer, (keras.layers.Rescaling, keras.layers.Normalization, keras.layers.Lambda)):
            return True
        if getattr(layer, "kernel", None) is not None or getattr(layer, "depthwise_kernel", None) is not None:
            break
    return False


def _input_shape(model: Any) -> tuple[Any, ...]:
    """Returns the shape of the model's one input, None for a side that is open."""
    symbolic = getattr(model, "inputs", None)
    if isinstance(symbolic, list) and all(isinstance(tensor, keras.KerasTensor) for tensor in symbolic):
        shapes = [tensor.shape for tensor in symbolic]
    else:
        built = model.get_build_config() or {}
        shapes = list(built.get("shapes_dict", {"inputs": built.get("input_shape")}).values())
        # A subclassed model, or a layer, remembers on what it was built, but other sizes may do as well.
        shapes = [(*[None] * (len(one) - 1), one[-1]) if _is_shape(one) else one for one in shapes]
    if len(shapes) != 1 or not _is_shape(shapes[0]):
        raise ValueError(
            "Patterns need a model with one input of a known shape. If the model was never called, call it once on a "
            f"batch. Received: model={model.name!r} with the input shapes {shapes}"
        )
    return tuple(shapes[0])


def _is_shape(shape: Any) -> bool:
    return (
        isinstance(shape, (tuple, list))
        and len(shape) > 0
        and all(side is None or isinstance(side, int) for side in shape)
    )
