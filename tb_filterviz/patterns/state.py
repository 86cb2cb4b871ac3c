"""Variables that a model assigns when it is called, and that Keras does not know."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from typing import Any

import keras
import tensorflow as tf

from tb_filterviz.sources.keras import layer_tree


@contextlib.contextmanager
def kept(model: Any) -> Iterator[None]:
    """Lets every `tf.Variable` in the attributes of a Keras model's layers have the value afterwards that it has now.

    Keras' own variables need no such care, since `tap.listen` keeps their updates away from the model. A `tf.Module`
    that is no part of a Keras model is left alone: its weights are such variables, and may be trained meanwhile.

    Args:
        model: Keras model or layer, or a `tf.Module`.

    Example:
        >>> layer = keras.layers.Layer()
        >>> layer.calls = tf.Variable(1.0)
        >>> with kept(layer):
        ...     layer.calls.assign(2.0).numpy().item()
        2.0
        >>> layer.calls.numpy().item()
        1.0
    """
    layers = [layer for _, layer in layer_tree(model)] if isinstance(model, keras.layers.Layer) else []
    variables = {id(one): one for layer in layers for one in _variables(dict(vars(layer)))}
    values = [(variable, variable.read_value()) for variable in variables.values()]
    try:
        yield
    finally:
        for variable, value in values:
            variable.assign(value)


def _variables(held: Any) -> Iterator[Any]:
    """Yields the variables in an attribute: itself, or those of a module or in lists, tuples and dicts."""
    if isinstance(held, tf.Variable):
        yield held
    elif isinstance(held, tf.Module):
        yield from held.variables
    elif isinstance(held, (list, tuple, Mapping)):
        for one in held.values() if isinstance(held, Mapping) else held:
            yield from _variables(one)
