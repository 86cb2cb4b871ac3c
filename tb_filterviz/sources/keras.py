"""Weights of Keras models and layers.

How each kind of layer stores its kernel follows from the `build` method of its class in Keras 3; `channels_first`
layers store theirs the same way.

| layer                     | weights                                     | stored axes                          |
|---------------------------|---------------------------------------------|--------------------------------------|
| `Conv{1,2,3}D`            | `kernel` (with LoRA: the merged one)        | `(*spatial, in / groups, out)`       |
| `Conv{1,2,3}DTranspose`   | `kernel`                                    | `(*spatial, out, in)`                |
| `DepthwiseConv{1,2}D`     | `kernel`                                    | `(*spatial, in, multiplier)`         |
| `SeparableConv{1,2}D`     | `depthwise_kernel`, then `pointwise_kernel` | as above; `(1.., in*multiplier, out)`|
| `ConvLSTM{1,2,3}D`        | its cell's `kernel`, `recurrent_kernel`     | `(*spatial, in, 4 * filters)`: the   |
|                           |                                             | input, forget, cell and output gate  |
| `Dense`, if asked for     | `kernel`                                    | `(in, out)`                          |

Layers derived from these are read like them. How any other custom layer stores its weights is not guessed: those of
rank 3 to 5 are read as `(*spatial, in, out)` if they are asked for, and warned about otherwise.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Iterator
from typing import Any

import keras

from tb_filterviz import records
from tb_filterviz.sources import arrays, selection
from tb_filterviz.sources.weight import Weight

_SPATIAL = {1: "W", 2: "HW", 3: "DHW"}
_CONVOLUTIONS = {
    "Conv{}D": (("kernel", "IO"),),
    "Conv{}DTranspose": (("kernel", "OI"),),
    "DepthwiseConv{}D": (("kernel", "IM"),),
    "SeparableConv{}D": (("depthwise_kernel", "IM"), ("pointwise_kernel", "IO")),
    "ConvLSTM{}D": (("kernel", "IO"), ("recurrent_kernel", "IO")),
}


def _layouts() -> Iterator[tuple[type, tuple[tuple[str, str], ...]]]:
    """Yields each class of layer with its weights: `(attribute, layout)`."""
    for name, weights in _CONVOLUTIONS.items():
        for rank, spatial in _SPATIAL.items():
            layer_class = getattr(keras.layers, name.format(rank), None)
            if layer_class is not None:  # there is no DepthwiseConv3D
                yield layer_class, tuple((attribute, spatial + axes) for attribute, axes in weights)
    yield keras.layers.Dense, (("kernel", "IO"),)


_LAYOUTS = dict(_layouts())

# In early versions of Keras 3 `keras.Variable` is a class that is derived from the one that layers use.
_VARIABLES = tuple(base for base in keras.Variable.__mro__ if base.__module__.startswith("keras."))


@dataclasses.dataclass(frozen=True)
class _Node:
    path: str
    layer: Any
    containers: tuple[str, ...]


@dataclasses.dataclass(frozen=True)
class _Found:
    """A weight before it has its identity: `given` is Keras' path of it, `derived` its path in the tree."""

    node: _Node
    kind: str
    layout: str
    given: str
    derived: str
    read: Callable[[], Any]
    groups: int = 1
    problem: str = ""


def layer_tree(model: Any) -> list[tuple[str, Any]]:
    """Lists a layer and every layer inside: in nested models, wrappers, attributes, lists and dicts.

    Args:
        model: Keras model or layer.

    Returns:
        `(path, layer)` of each layer once, the layer itself first, in model order: that of `model.layers`, each layer
        followed by the layers inside it. A path joins the names of the layers around it, without that of `model`, by
        `/`. Where two layers would have one path, the second one's ends in `#2`.

    Example:
        >>> inner = keras.Sequential([keras.layers.Conv2D(4, 3, name="conv")], name="inner")
        >>> [path for path, _ in layer_tree(keras.Sequential([inner], name="outer"))]
        ['outer', 'inner', 'inner/conv']
    """
    return [(node.path, node.layer) for node in _nodes(model)]


def _nodes(model: Any) -> list[_Node]:
    nodes: list[_Node] = []
    taken: set[str] = set()
    seen: set[int] = set()

    def visit(layer: Any, prefix: str, containers: tuple[str, ...]) -> None:
        if id(layer) in seen:
            return
        seen.add(id(layer))
        path, copies = prefix + layer.name, 1
        while path in taken:
            copies += 1
            path = f"{prefix}{layer.name}#{copies}"
        taken.add(path)
        nodes.append(_Node(path, layer, containers))
        is_root = layer is model
        for child in _children(layer):
            visit(child, "" if is_root else f"{path}/", () if is_root else (*containers, layer.name, path))

    visit(model, "", ())
    return nodes


def _children(layer: Any) -> list[Any]:
    # `Model.layers` is the same list for models, but no public attribute lists the layers inside other layers.
    return list(layer._flatten_layers(include_self=False, recursive=False))


def is_layer(data: object) -> bool:
    """Returns whether `data` is a Keras layer or model."""
    return isinstance(data, keras.layers.Layer)


def is_variable(data: object) -> bool:
    """Returns whether `data` is a Keras variable."""
    return isinstance(data, _VARIABLES)


def from_variable(data: Any, layout: str | None, argument: str = "data", path: str = "", position: int = 0) -> Weight:
    """Makes the weight of a variable.

    Args:
        data: `keras.Variable`.
        layout: One of `records.LAYOUTS`; by default `(*spatial, in, out)`.
        argument: How to call it in messages.
        path: Its identity.
        position: Its rank among its siblings.

    Returns:
        The weight.

    Raises:
        ValueError: If `arrays.bare_weight` refuses it.
    """
    shape = tuple(int(size) for size in data.shape)
    read = functools.partial(to_native, data)
    return arrays.bare_weight(read, data.dtype, shape, "Variable", layout, argument, path, position)


def contents(model: Any) -> selection.Contents:
    """Lists what a Keras model or layer holds.

    Args:
        model: Keras model or layer.

    Returns:
        Its weights and its other layers, in model order.
    """
    nodes = _nodes(model)
    found = [weight for node in nodes for weight in _weights(node)]
    paths = selection.unique_paths([weight.given for weight in found], [weight.derived for weight in found])
    candidates = []
    for position, (weight, path) in enumerate(zip(found, paths, strict=True)):
        layer = weight.node.layer
        candidates.append(
            selection.Candidate(
                weight=Weight(
                    records.Layer(path, type(layer).__name__, position, weight.groups),
                    weight.layout,
                    weight.read,
                    layer,
                ),
                kind=weight.kind,
                names=(layer.name, weight.node.path),
                containers=weight.node.containers,
                problem=weight.problem,
            )
        )
    owners = {id(weight.node.layer) for weight in found}
    others = [
        (node.layer.name, node.path, type(node.layer).__name__)
        for node in nodes
        if id(node.layer) not in owners and node.layer is not model
    ]
    return selection.Contents(candidates, others)


def _weights(node: _Node) -> Iterator[_Found]:
    """Yields the weights of a layer itself, without those of the layers inside it."""
    layer = node.layer
    known = next((_LAYOUTS[base] for base in type(layer).__mro__ if base in _LAYOUTS), None)
    if known is None:
        yield from _custom_weights(node)
        return
    is_dense = isinstance(layer, keras.layers.Dense)
    owner = getattr(layer, "cell", layer)  # a ConvLSTM is a loop around the cell that has the weights
    for attribute, layout in known:
        value = getattr(owner, attribute, None)
        yield _Found(
            node=node,
            kind=selection.MATRIX if is_dense else selection.CONVOLUTION,
            layout=layout,
            given=_variable_path(owner, attribute) or f"{node.path}/{attribute}",
            derived=f"{node.path}/{attribute}",
            read=_reader(owner, attribute),
            groups=_groups(layer, value, attribute, layout),
            problem=_problem(value),
        )


def _variable_path(owner: Any, attribute: str) -> str | None:
    value = getattr(owner, attribute, None)
    if isinstance(value, _VARIABLES):
        return str(value.path)
    # With LoRA `layer.kernel` is a sum of variables; the one of that name is still among its weights.
    return next((variable.path for variable in owner.weights if variable.name == attribute), None)


def _groups(layer: Any, value: Any, attribute: str, layout: str) -> int:
    if layout.endswith("M"):
        return 1 if value is None else int(value.shape[-2])
    is_grouped = isinstance(layer, (keras.layers.Conv1D, keras.layers.Conv2D, keras.layers.Conv3D))
    return int(layer.groups) if is_grouped else 1


def _problem(value: Any) -> str:
    if value is None:
        return "its layer is not built. Build the model (`model.build(input_shape)`) or call it on a batch first."
    dtype = keras.backend.standardize_dtype(value.dtype)
    if not keras.backend.is_float_dtype(dtype):
        return f"its layer is quantised ({dtype}): what it stores are codes, not weights. Log it before `quantize`."
    return ""


def _custom_weights(node: _Node) -> Iterator[_Found]:
    layer = node.layer
    base = next(base for base in type(layer).__mro__ if base.__module__.partition(".")[0] == "keras")
    if base not in (keras.layers.Layer, keras.layers.Wrapper, keras.Model):
        return  # what Keras' other layers hold in so many axes, such as EinsumDense, is no convolution
    inside = {id(variable) for child in _children(layer) for variable in child.weights}
    own = [variable for variable in layer.weights if id(variable) not in inside]
    taken: dict[str, int] = {}
    for variable in own:
        if len(variable.shape) not in (3, 4, 5) or not keras.backend.is_float_dtype(variable.dtype):
            continue
        taken[variable.name] = copies = taken.get(variable.name, 0) + 1
        yield _Found(
            node=node,
            kind=selection.UNKNOWN,
            layout=records.CANONICAL_AXES[len(variable.shape)],
            given=variable.path,
            derived=f"{node.path}/{variable.name}" + (f"#{copies}" if copies > 1 else ""),
            read=functools.partial(to_native, variable),
        )


def _reader(owner: Any, attribute: str) -> Callable[[], Any]:
    return lambda: to_native(getattr(owner, attribute))


def to_native(value: Any) -> Any:
    """Returns what NumPy and, with the TensorFlow backend, TensorFlow can read.

    Args:
        value: Keras variable or tensor of the backend.

    Returns:
        `tf.Variable` or `tf.Tensor` with the TensorFlow backend, a NumPy array with the others.
    """
    if keras.backend.backend() == "tensorflow":
        return value.value if isinstance(value, _VARIABLES) else value
    return keras.ops.convert_to_numpy(value)
