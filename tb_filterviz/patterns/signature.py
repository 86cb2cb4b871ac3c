"""The inputs of a model: which one is climbed, and what the others hold meanwhile."""

from __future__ import annotations

import dataclasses
import functools
import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf


class Arguments(dict[str, Any]):
    """Inputs of a model that it takes as named arguments of its `call`."""


@dataclasses.dataclass(frozen=True)
class Input:
    """One input of a model.

    Attributes:
        name: What the model calls it.
        shape: With the batch axis; None for a side that is open.
        dtype: What the model casts it to.
        known: A shape, without the batch axis, that the model was built on; where a side is open, None.
    """

    name: str
    shape: tuple[int | None, ...]
    dtype: str
    known: tuple[int | None, ...]

    @property
    def problem(self) -> str:
        """Why it cannot be climbed; empty if it can."""
        if not keras.backend.is_float_dtype(self.dtype):
            return "integers have no gradient (pictures can be given as floating-point numbers to such a keras.Input)"
        if len(self.shape) not in (3, 4, 5) or not self.shape[-1]:
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
        found = tuple(
            Input(one.name, tuple(one.shape), keras.backend.standardize_dtype(one.dtype), tuple(one.shape[1:]))
            for one in symbolic
        )
        if isinstance(model, keras.Sequential):
            return Signature(found, lambda tensors: tensors[0])
        return Signature(found, functools.partial(keras.tree.pack_sequence_as, model.input))
    config = model.get_build_config() or {}
    shapes = config.get("shapes_dict", {"input_shape": config.get("input_shape")})
    pack: Callable[[list[Any]], Any] = lambda tensors: tensors[0]  # noqa: E731
    named = {name.removesuffix("_shape"): shape for name, shape in shapes.items()}
    arguments = inspect.signature(model.call).parameters.values()
    needed = [one.name for one in arguments if one.default is one.empty and one.kind is one.POSITIONAL_OR_KEYWORD]
    if len(needed) > max(1, len(named)):
        raise ValueError(
            "Keras remembers the shape of the first argument of this model's `call` only. Define "
            f"`build(self, {', '.join(f'{name}_shape' for name in needed)})`, or wrap the model: "
            "`keras.Model(inputs, model(*inputs))` with a `keras.Input` for each. "
            f"Received: model={model.name!r} with call({', '.join(needed)})"
        )
    if len(named) > 1:
        names = list(named)
        pack = lambda tensors: Arguments(zip(names, tensors, strict=True))  # noqa: E731
    else:
        inside = next(iter(named.values()))
        if isinstance(inside, Mapping):
            keys = list(inside)
            named, pack = dict(inside), lambda tensors: dict(zip(keys, tensors, strict=True))
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
            "three spatial axes; behind an Embedding, or another layer that takes integers, there is nothing to climb. "
            f"{received} with the inputs {every}"
        )
    if len(able) > 1:
        able = seen(able) or able
    if len(able) > 1:
        raise ValueError(
            f"The model has several inputs that can be climbed: choose one with `input`. Its inputs: {every}. "
            f"{received}"
        )
    return able[0]


def position(inputs: Sequence[Input], wanted: int | str) -> int | None:
    """Returns the index of the input of a name or index, None if there is none."""
    if isinstance(wanted, str):
        return next((index for index, one in enumerate(inputs) if one.name == wanted), None)
    return wanted if 0 <= wanted < len(inputs) else None


@dataclasses.dataclass(frozen=True)
class Others:
    """What all inputs hold while one is climbed: of the others each sample holds the same.

    Attributes:
        signature: All inputs.
        index: The one that is climbed.
        values: By index, what another holds, without the batch axis; 0 where nothing is given. Of sides that are open
            there are then as many as the climbed one has, if it has as many axes, else 1.
    """

    signature: Signature
    index: int
    values: Mapping[int, Any]

    @classmethod
    def given(cls, signature: Signature, index: int, values: Mapping[int | str, Any] | None) -> Others:
        """Checks what the user gave for other inputs.

        Raises:
            ValueError: If there is no such other input, or it does not fit its shape.
        """
        kept: dict[int, Any] = {}
        for key, value in (values or {}).items():
            at = position(signature.inputs, key)
            if at is None or at == index:
                names = ", ".join(repr(one.name) for i, one in enumerate(signature.inputs) if i != index)
                raise ValueError(
                    "`other_inputs` must be of inputs other than the one that is climbed, by name or index: "
                    f"{names or 'there are none'}. Received: {key!r}"
                )
            array, shape = np.asarray(value), signature.inputs[at].shape[1:]
            fits = len(array.shape) == len(shape) and all(
                side in (None, given) for side, given in zip(shape, array.shape, strict=True)
            )
            if not fits:
                raise ValueError(
                    "`other_inputs` must hold one sample of each, without the batch axis: "
                    f"{signature.inputs[at].name!r} of shape {shape}. Received: shape {array.shape}"
                )
            kept[at] = array
        return cls(signature, index, kept)

    @property
    def key(self) -> tuple[Any, ...]:
        """What tells these from others."""
        return (self.index, *((i, v.dtype.str, v.shape, v.tobytes()) for i, v in sorted(self.values.items())))

    def around(self, climbed: Any) -> Any:
        """Makes what the model is called on, of a batch of the climbed input."""
        tensors = []
        for index, one in enumerate(self.signature.inputs):
            if index == self.index:
                tensors.append(climbed)
                continue
            like = climbed.shape if len(climbed.shape) == len(one.shape) else [1] * len(one.shape)
            shape = [side or other or 1 for side, other in zip(one.shape, like, strict=True)][1:]
            value = tf.cast(tf.constant(self.values.get(index, np.zeros(shape))), one.dtype)
            tensors.append(tf.broadcast_to(value, [tf.shape(climbed)[0], *value.shape]))
        return self.signature.pack(tensors)


def _is_shape(shape: Any) -> bool:
    return (
        isinstance(shape, (tuple, list))
        and len(shape) > 0
        and all(side is None or isinstance(side, int) for side in shape)
    )
