"""Finds the layer whose filters are asked for."""

from __future__ import annotations

import dataclasses
import difflib
from typing import Any

import keras
import tensorflow as tf

from tb_filterviz import records
from tb_filterviz.sources import selection
from tb_filterviz.sources.keras import contents, layer_tree


@dataclasses.dataclass(frozen=True)
class Target:
    """A layer that has filters.

    Attributes:
        path: Its path in the model.
        layer: The layer, or the function that stands for one.
        record: The identity of its kernel, of the last where it has two: the one that makes its outputs.
        filters: The number of filters of the layer; None where only running it tells: of a function, and of a custom
            layer, whose kernel has its axes in an order that is not known.
    """

    path: str
    layer: Any
    record: records.Layer
    filters: int | None


def find(model: Any, layer: Any) -> Target:
    """Finds a layer in a model and checks that it can have patterns.

    Args:
        model: Keras model.
        layer: A layer of the model, or its name or path; or a function of the model's inputs.

    Returns:
        The layer and what it is called.

    Raises:
        ValueError: If the model is not a built Keras model; or the layer is not one of its layers, shares its name with
            another, has no kernel of its own, or one that is not built or quantised.
    """
    a_model = isinstance(model, (keras.layers.Layer, tf.Module))
    if a_model and callable(layer) and not isinstance(layer, keras.layers.Layer):
        path = getattr(layer, "name", None) or getattr(layer, "__name__", type(layer).__name__)
        return Target(str(path), layer, records.Layer(str(path), type(layer).__name__), None)
    if not isinstance(model, keras.layers.Layer):
        raise ValueError(
            "`model` must be a Keras 3 model; or a tf.Module, with a function of its inputs as `layer`. "
            f"Received: model={model!r} of {type(model)}"
        )
    if not model.built:
        raise ValueError(
            "`model` must be built, so that it has weights: call it once on a batch, or start it with a `keras.Input`. "
            f"Received: model={model.name!r}"
        )
    tree = layer_tree(model)
    path, found = _by_name(model, tree, layer) if isinstance(layer, str) else _by_identity(model, tree, layer)
    kernels = [one for one in contents(model).candidates if one.weight.source is found]
    if not kernels:
        raise ValueError(
            "`layer` must have filters, that is a kernel of its own, as convolutions have. "
            f"Received: layer={path!r} of class {type(found).__name__}"
        )
    if problem := kernels[-1].problem:
        raise ValueError(f"`layer` cannot have patterns: {problem} Received: layer={path!r}")
    return Target(path, found, kernels[-1].weight.layer, _filters(found, kernels[-1]))


def _filters(layer: Any, kernel: selection.Candidate) -> int | None:
    if kernel.kind == selection.UNKNOWN:
        return None
    # The kernels of a ConvLSTM have those of its gates.
    return int(layer.filters) if hasattr(layer, "cell") else kernel.weight.filters


def _by_identity(model: Any, tree: list[tuple[str, Any]], layer: Any) -> tuple[str, Any]:
    for path, other in tree:
        if other is layer:
            return path, layer
    raise ValueError(
        f"`layer` must be a layer of the model {model.name!r}, or a name or path. Received: layer={layer!r}"
    )


def _by_name(model: Any, tree: list[tuple[str, Any]], name: str) -> tuple[str, Any]:
    by_path = [(path, layer) for path, layer in tree if path == name]
    found = by_path or [(path, layer) for path, layer in tree if layer.name == name]
    if len(found) == 1:
        return found[0]
    if found:
        paths = ", ".join(repr(path) for path, _ in found)
        raise ValueError(
            f"`layer` must be a path, since several layers have this name: {paths}. Received: layer={name!r}"
        )
    known = dict.fromkeys(text for path, layer in tree for text in (path, layer.name))
    nearest = ", ".join(repr(text) for text in difflib.get_close_matches(name, known, n=5, cutoff=0.0))
    raise ValueError(
        f"`layer` must be a layer of the model {model.name!r}, or its name or path; the nearest are {nearest}. "
        f"Received: layer={name!r}"
    )
