"""Engines of models that are still there, so that a second call need not trace."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Hashable
from typing import Any

from tb_filterviz.sources.keras import layer_tree

_LIMIT = 16
_engines: weakref.WeakKeyDictionary[Any, dict[Hashable, Any]] = weakref.WeakKeyDictionary()


def engine(model: Any, key: Hashable, make: Callable[[], Any]) -> Any:
    """Returns what `make` made for a model and a key, made anew where the structure of the model has changed.

    Args:
        model: Keras model; it is not kept alive.
        key: What else the result depends on.
        make: Makes it.

    Returns:
        What was made, now or before; the last 16 of each model are kept.
    """
    layers = [layer for _, layer in layer_tree(model)]
    structure = tuple((id(layer), id(getattr(layer, "activation", None)), layer.compute_dtype) for layer in layers)
    weights = tuple((id(weight), tuple(weight.shape)) for weight in model.weights)
    known = _engines.setdefault(model, {})
    whole = (key, structure, weights)
    if whole not in known:
        while len(known) >= _LIMIT:
            del known[next(iter(known))]
        known[whole] = make()
    return known[whole]
