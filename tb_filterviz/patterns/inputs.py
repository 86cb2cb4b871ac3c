"""What a model takes: the shape of its pictures and the range of its numbers."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import keras

from tb_filterviz.patterns import entrance
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
_TF = (
    "mobilenet mobilenetv2 inception_v3 inception_resnet_v2 xception NASNet nasnet_mobile nasnet_large "
    "resnet50v2 resnet101v2 resnet152v2"
)
_TORCH = "densenet121 densenet169 densenet201"
_PREPROCESS: dict[str, Callable[[Any], Any]] = {
    "caffe": keras.applications.vgg16.preprocess_input,
    "tf": keras.applications.mobilenet_v2.preprocess_input,
    "torch": keras.applications.densenet.preprocess_input,
}
_MODES = {name: mode for mode, names in (("caffe", _CAFFE), ("tf", _TF), ("torch", _TORCH)) for name in names.split()}


def detect_range(
    model: Any, found: entrance.Entrance | None, channels: int
) -> tuple[tuple[float, float], Callable[[Any], Any] | None]:
    """Guesses the range of the numbers that a model takes, and what is to be done to pictures before they enter it.

    Args:
        model: Keras model or layer, or module.
        found: Its entrance for the input that is climbed; None: it is not known.
        channels: Of that input.

    Returns:
        Where the model itself changes values before the first layer that has a kernel, by layers or by operations:
        `(0, 255)`, or `(0, 1)` if that layer would tell pictures of 0..1 apart (see `entrance.Entrance.takes_bytes`);
        and None. Where that is not known, any `Rescaling`, `Normalization` or `Lambda` before the first kernel counts
        as such a change of 0..255. Else for RGB pictures of a network of `keras.applications`, known by its name or by
        that of a model within around that layer, as of a base with a head of one's own: `(0, 255)`, and its function.
        Else `(0, 1)`, and None.
    """
    if found is not None and found.scales:
        return (0.0, 255.0) if found.takes_bytes else (0.0, 1.0), None
    if found is None and _has_scaling(model):
        return (0.0, 255.0), None
    mode = _application(model, found) if channels == 3 else None
    return ((0.0, 1.0), None) if mode is None else ((0.0, 255.0), _PREPROCESS[mode])


def _has_scaling(model: Any) -> bool:
    """Whether a layer that may scale stands before the first that has a kernel."""
    for _, layer in layer_tree(model) if isinstance(model, keras.layers.Layer) else ():
        if isinstance(layer, (keras.layers.Rescaling, keras.layers.Normalization, keras.layers.Lambda)):
            return True
        if hasattr(getattr(layer, "kernel", None), "shape"):
            break
    return False


def _application(model: Any, found: entrance.Entrance | None) -> str | None:
    """Returns how the network of `keras.applications` that pictures enter prepares them; None: they enter none."""
    for _, one in layer_tree(model) if isinstance(model, keras.Model) else ():
        name = one.name.split("_1.")[0].split("_0.")[0]  # mobilenetv2_1.00_224
        if not isinstance(one, keras.Model) or name not in _MODES:
            continue
        if found is None or any(layer is found.layer for _, layer in layer_tree(one)):
            return _MODES[name]
    return None
