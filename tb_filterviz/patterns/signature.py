"""The inputs of a model, and which one is climbed."""

from __future__ import annotations

import dataclasses
import functools
import inspect
import operator
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import keras
import tensorflow as tf

from tb_filterviz.sources.keras import layer_tree


class Arguments(dict[str, Any]):
    """Inputs of a model that it takes as named arguments of its `call`."""


@dataclasses.dataclass(frozen=True)
class Input:
    """One input of a model.

    Attributes:
        name: What the model calls it.
        shape: With the batch axis; None for a side that is open.
        dtype: What the model casts it to.
        channels_first: Whether the channels stand before the spatial axes.
        known: A shape, without the batch axis, that the model was built on; where a side is open, None.
    """

    name: str
    shape: tuple[int | None, ...]
    dtype: str
    known: tuple[int | None, ...]
    channels_first: bool = False

    def picture(self, shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """Brings a shape without the batch axis into `(*spatial, channels)`."""
        return (*shape[1:], shape[0]) if self.channels_first else shape

    @property
    def problem(self) -> str:
        """Why it cannot be climbed; empty if it can."""
        if not keras.backend.is_float_dtype(self.dtype):
            return (
                "integers, as an Embedding takes them, have no gradient (if they are pixels, build the model on a "
                "keras.Input of floating-point numbers)"
            )
        if len(self.shape) not in (3, 4, 5) or not self.picture(self.shape[1:])[-1]:
            return "it has no one to three spatial axes before a known number of channels"
        return ""

    def __str__(self) -> str:
        """Returns it as it is named in messages."""
        return f"{self.name!r} {self.shape}, {self.dtype}"


@dataclasses.dataclass(frozen=True)
class Signature:
    """All inputs of a model.

    Attributes:
        inputs: Each, in the model's own order.
        pack: Makes what the model is called on of one tensor for each.
    """

    inputs: tuple[Input, ...]
    pack: Callable[[list[Any]], Any]


def of(model: Any, size: str | int | Sequence[int] = "auto", channels: int | None = None) -> Signature:
    """Finds the inputs of a built Keras model or layer, or takes them as given of a module that does not know them.

    Args:
        model: A `tf.Module`; or functional, sequential or subclassed. A subclassed one remembers on what shapes it was
            built, where only the number of axes and of channels are taken to matter.
        size: Has as many sizes as a module's input has spatial axes; two, if it is one for all.
        channels: Of a module's input; None: 3.

    Returns:
        Its inputs: named as its `keras.Input`s, as the keys of a dict, or as the arguments of its `call`.

    Raises:
        ValueError: If it does not remember its inputs.
    """
    if not isinstance(model, keras.layers.Layer):
        open_sides = (None,) * (2 if isinstance(size, (str, int)) else len(size))
        shape = (*open_sides, channels or 3)
        return Signature((Input("inputs", (None, *shape), "float32", shape),), lambda tensors: tensors[0])
    if channels is not None:
        raise ValueError(
            "`channels` is for a tf.Module, which does not know what it takes; a Keras model does. Leave it out. "
            f"Received: model={model.name!r}, channels={channels}"
        )
    symbolic = getattr(model, "inputs", None)
    if isinstance(symbolic, list) and all(isinstance(tensor, keras.KerasTensor) for tensor in symbolic):
        first = _channels_first(model)
        found = tuple(
            Input(one.name, tuple(one.shape), keras.backend.standardize_dtype(one.dtype), tuple(one.shape[1:]), first)
            for one in symbolic
        )
        if isinstance(model, keras.Sequential):
            return Signature(found, operator.itemgetter(0))
        return Signature(found, functools.partial(keras.tree.pack_sequence_as, model.input))
    config = model.get_build_config() or {}
    shapes = config.get("shapes_dict", {"input_shape": config.get("input_shape")})
    pack: Callable[[list[Any]], Any] = operator.itemgetter(0)
    named = {name.removesuffix("_shape"): shape for name, shape in shapes.items()}
    arguments = inspect.signature(model.call).parameters.values()
    needed = [one.name for one in arguments if one.default is one.empty and one.kind is one.POSITIONAL_OR_KEYWORD]
    needed = [name for name in needed if name != "training"]  # that is no input, and always given
    if len(needed) > max(1, len(named)):
        raise ValueError(
            "Keras remembers the shape of the first argument of this model's `call` only. Define "
            f"`build(self, {', '.join(f'{name}_shape' for name in needed)})`, or wrap the model: "
            "`keras.Model(inputs, model(*inputs))` with a `keras.Input` for each. "
            f"Received: model={model.name!r} with call({', '.join(needed)})"
        )
    if len(named) > 1:
        pack = functools.partial(_mapped, Arguments, list(named))
    else:
        inside = next(iter(named.values()))
        if isinstance(inside, Mapping):
            named, pack = dict(inside), functools.partial(_mapped, dict, list(inside))
        elif isinstance(inside, Sequence) and inside and not _is_shape(inside):
            named, pack = {f"input_{i}": shape for i, shape in enumerate(inside)}, list
    if not named or not all(_is_shape(shape) for shape in named.values()):
        raise ValueError(
            "Patterns need a model whose inputs have known shapes. Call it once on a batch. "
            f"Received: model={model.name!r} with the input shapes {shapes}"
        )
    # Other sizes than that of the batch on which it was built may do as well.
    opened = {
        name: (*[None] * (len(shape) - 1), shape[-1]) if len(shape) > 2 else shape for name, shape in named.items()
    }
    return Signature(
        tuple(Input(name, tuple(shape), "float32", tuple(named[name][1:])) for name, shape in opened.items()), pack
    )


def _mapped(kind: type[dict[str, Any]], names: Sequence[str], tensors: Sequence[Any]) -> dict[str, Any]:
    return kind(zip(names, tensors, strict=True))


def choose(
    model: Any, inputs: Sequence[Input], wanted: int | str | None, seen: Callable[[list[int]], list[int]]
) -> int:
    """Chooses the input that is climbed.

    Args:
        model: Is named in messages.
        inputs: All of the model.
        wanted: The name or index of one; None: the only one that can be climbed, or the only such that the layer sees.
        seen: Says which of several the layer sees.

    Returns:
        Its index.

    Raises:
        ValueError: If there is no such input, it cannot be climbed, or there are several.
    """
    received = f"Received: model={model.name!r}, input={wanted!r}"
    every = "; ".join(f"{i}: {one}" for i, one in enumerate(inputs))
    if wanted is not None:
        index = position(inputs, wanted)
        if index is None:
            raise ValueError(f"`input` must be the name or the index of an input of the model: {every}. {received}")
        if inputs[index].problem:
            raise ValueError(f"This input cannot be climbed: {inputs[index].problem}. Its inputs: {every}. {received}")
        return index
    able = [index for index, one in enumerate(inputs) if not one.problem]
    if not able:
        raise ValueError(
            "Patterns need a model with an input of floating-point numbers (batch, *spatial, channels), with one to "
            f"three spatial axes. {received} with the inputs "
            + "; ".join(f"{i}: {one}: {one.problem}" for i, one in enumerate(inputs))
        )
    if len(able) > 1:
        able = seen(able) or able
    if len(able) > 1:
        raise ValueError(
            f"The model has several inputs that can be climbed: choose one with `input`. Its inputs: {every}. "
            f"{received}"
        )
    return able[0]


def unseen(inputs: Sequence[Input], climbed: int, seen: Callable[[list[int]], list[int]]) -> str:
    """Says that a layer does not see the input that is climbed, but others, where that is so; else nothing.

    Args:
        inputs: All of the model.
        climbed: The index of the one that is climbed.
        seen: Says which of several the layer sees, where it is heard.
    """
    able = [index for index, one in enumerate(inputs) if not one.problem]
    found = seen(able) if len(able) > 1 else []
    if not found or climbed in found:
        return ""
    return (
        f"The layer has no gradient to the input {inputs[climbed].name!r} at its first call, and only that one is "
        "heard; a layer that a Siamese network shares is called again for its other input. Choose an input that the "
        f"first call sees: {', '.join(repr(inputs[index].name) for index in found)}."
    )


def position(inputs: Sequence[Input], wanted: int | str) -> int | None:
    """Returns the index of the input of a name or index, None if there is none."""
    if isinstance(wanted, str):
        return next((index for index, one in enumerate(inputs) if one.name == wanted), None)
    return wanted if 0 <= wanted < len(inputs) else None


def _channels_first(model: Any) -> bool:
    """Whether the first layer that knows an order of axes has the channels first.

    Raises:
        ValueError: If it has, and there is nothing that could compute it.
    """
    for _, layer in layer_tree(model):
        if isinstance(layer, (keras.layers.Permute, keras.layers.Reshape, keras.layers.Lambda)):
            return False
        order = getattr(layer, "data_format", None)
        if order is not None:
            break
    else:
        return False
    flat = isinstance(layer, (keras.layers.Conv1D, keras.layers.Conv2D))
    if order == "channels_first" and flat and not tf.config.list_logical_devices("GPU"):
        raise ValueError(
            "TensorFlow convolves with the channels first on a GPU only, and there is none. Build the model with "
            f'data_format="channels_last". Received: model={model.name!r}, layer={layer.name!r}'
        )
    return bool(order == "channels_first")


def _is_shape(shape: Any) -> bool:
    return (
        isinstance(shape, (tuple, list))
        and len(shape) > 0
        and all(side is None or isinstance(side, int) for side in shape)
    )
