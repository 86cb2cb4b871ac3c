"""Weights of TensorFlow modules, variables and tensors."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Iterable, Iterator, Mapping
from types import ModuleType
from typing import Any

import tensorflow as tf

from tb_filterviz import records
from tb_filterviz.sources import arrays, selection
from tb_filterviz.sources.weight import Weight

_BOOKS = ("_self_", "_name_scope")
"""Beginnings of the names of attributes in which TensorFlow keeps its books about a module."""


def is_module(data: object) -> bool:
    """Returns whether `data` is a `tf.Module`."""
    return isinstance(data, tf.Module)


def is_value(data: object) -> bool:
    """Returns whether `data` is a variable or a dense tensor."""
    return isinstance(data, (tf.Variable, tf.Tensor))


def from_value(data: Any, layout: str | None, argument: str = "data", path: str = "", position: int = 0) -> Weight:
    """Makes the weight of a variable or tensor.

    Args:
        data: `tf.Variable` or `tf.Tensor`, eager or symbolic, of known rank.
        layout: One of `records.LAYOUTS`; by default `(*spatial, in, out)`, as `tf.nn.convolution` takes it.
        argument: How to call it in messages.
        path: Its identity.
        position: Its rank among its siblings.

    Returns:
        The weight.

    Raises:
        ValueError: If the rank is unknown, or `arrays.bare_weight` refuses it.
    """
    if data.shape.rank is None:
        raise ValueError(f"`{argument}` must have a known number of axes. Received: {data!r}")
    layer_class = "Variable" if isinstance(data, tf.Variable) else "Tensor"
    shape = tuple(data.shape.as_list())
    return arrays.bare_weight(lambda: data, data.dtype.name, shape, layer_class, layout, argument, path, position)


def contents(module: tf.Module) -> selection.Contents:
    """Lists what a module holds.

    Args:
        module: Module; variables and modules may stand in attributes, lists, tuples and dicts. Keras layers among
            them are read as Keras layers.

    Returns:
        Its floating-point variables of 2 to 5 axes, read as `(*spatial, in, out)`, and its Keras layers' weights, in
        the order in which they were set. Those of 2 axes are no convolutions.

    Raises:
        ValueError: If there is a layer of Keras 2 among them.
    """
    candidates: list[selection.Candidate] = []
    others: list[tuple[str, str, str]] = []
    derived: list[str] = []
    for path, owner, leaf in _leaves(module, "", module, set()):
        is_variable = isinstance(leaf, tf.Variable)
        inside = _variable_contents(path, owner, leaf) if is_variable else _keras().contents(leaf)
        candidates += inside.candidates
        others += inside.others
        derived += [path if is_variable else f"{path}/{found.weight.layer.path}" for found in inside.candidates]
    given = [candidate.weight.layer.path for candidate in candidates]
    paths = selection.unique_paths(given, derived)
    for position, (candidate, path) in enumerate(zip(candidates, paths, strict=True)):
        layer = dataclasses.replace(candidate.weight.layer, path=path, position=position)
        weight = dataclasses.replace(candidate.weight, layer=layer)
        candidates[position] = dataclasses.replace(candidate, weight=weight)
    return selection.Contents(candidates, others)


def _variable_contents(path: str, owner: tf.Module, variable: tf.Variable) -> selection.Contents:
    name = variable.name.partition(":")[0]
    if not variable.dtype.is_floating or variable.shape.rank not in records.CANONICAL_AXES or 0 in variable.shape:
        return selection.Contents([], [(name, path, f"{variable.dtype.name} variable of shape {variable.shape}")])
    found = from_value(variable, None)
    weight = dataclasses.replace(found, layer=records.Layer(name, type(owner).__name__))
    kind = selection.MATRIX if variable.shape.rank == 2 else selection.CONVOLUTION
    return selection.Contents([selection.Candidate(weight, kind, (name, path))])


def _leaves(value: Any, path: str, owner: tf.Module, seen: set[int]) -> Iterator[tuple[str, tf.Module, Any]]:
    """Yields the variables and Keras layers below a value, once each: `(attribute path, owning module, leaf)`."""
    is_layer = "keras" in sys.modules and _keras().is_layer(value)
    if "keras" in sys.modules and _keras().is_variable(value):
        value = value.value
    if is_layer or isinstance(value, (tf.Variable, tf.Module, Mapping, list, tuple)):
        if id(value) in seen:
            return
        seen.add(id(value))
    children: Iterable[tuple[Any, Any]] = ()
    if is_layer or isinstance(value, tf.Variable):
        yield path, owner, value
    elif isinstance(value, tf.Module):
        _refuse_keras_2(value)
        # `tf.Module.variables` sorts by name; the order in which they were set is that of the model.
        owner = value
        children = [(name, child) for name, child in vars(value).items() if not name.startswith(_BOOKS)]
    elif isinstance(value, Mapping):
        children = value.items()
    elif isinstance(value, (list, tuple)):
        children = enumerate(value)
    for name, child in children:
        yield from _leaves(child, f"{path}/{name}" if path else str(name), owner, seen)


def _refuse_keras_2(module: tf.Module) -> None:
    # Its layers are modules, but their variables alone do not tell a transposed or depthwise convolution.
    if any(base.__module__.partition(".")[0] == "tf_keras" for base in type(module).__mro__):
        raise ValueError(
            "`data` holds a layer of Keras 2 (tf_keras), which is not supported. Use Keras 3, or log "
            f"{{name: variable}} with its `layout`. Received: {type(module).__module__}.{type(module).__qualname__}"
        )


def _keras() -> ModuleType:
    from tb_filterviz.sources import keras

    return keras
