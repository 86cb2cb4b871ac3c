"""What a model takes: the shape of its pictures and the range of its numbers."""

from __future__ import annotations

from typing import Any

import keras

from tb_filterviz.sources.keras import layer_tree

DEFAULT_SIZE = 150
"""Height and width in pixels where the model leaves them open, as in the classic recipe."""


def picture_shape(model: Any, size: str | int | tuple[int, int]) -> tuple[int, int, int]:
    """Finds the shape of the pictures that a model takes.

    Args:
        model: Built Keras model with one input.
        size: Height and width in pixels, or `"auto"`: see `PatternOptions`.

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
        return shape[1] or DEFAULT_SIZE, shape[2] or DEFAULT_SIZE, shape[3]
    height, width = (size, size) if isinstance(size, int) else size
    return height, width, shape[3]


def detect_range(model: Any) -> tuple[float, float]:
    """Guesses the range of the numbers that a model takes.

    Args:
        model: Keras model.

    Returns:
        `(0, 255)` where a layer rescales or normalises before the first layer that has a kernel, since pictures are
        then fed as they are; else `(0, 1)`.
    """
    for _, layer in layer_tree(model):
        if isinstance(layer, (keras.layers.Rescaling, keras.layers.Normalization)):
            return 0.0, 255.0
        if getattr(layer, "kernel", None) is not None or getattr(layer, "depthwise_kernel", None) is not None:
            break
    return 0.0, 1.0


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
