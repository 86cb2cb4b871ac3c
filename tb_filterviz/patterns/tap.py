"""Listens to one layer of any Keras model while the model runs.

Graph surgery (`keras.Model(model.input, layer.output)`) needs a functional model and a layer at its top level. Here
the model is simply called, with the target layer's `call` wrapped meanwhile: that also reaches layers of nested and
subclassed models, and needs nothing of the model but that it runs.
"""

from __future__ import annotations

import contextlib
import dataclasses
import re
import threading
from collections.abc import Callable, Iterator
from typing import Any

import keras
import tensorflow as tf

from tb_filterviz.sources.keras import layer_tree


@dataclasses.dataclass(frozen=True)
class Heard:
    """What one layer took and computed.

    Attributes:
        features: Tensor `[batch, ...]` that the layer was called on, in its own layout.
        response: Tensor `[batch, *positions, filters]`, what it computed before its activation, in its compute dtype;
            filters last also for `channels_first`.
        normalization: The `BatchNormalization` that takes the response next, None where there is none.
    """

    features: Any
    response: Any
    normalization: Any


class _Answer(BaseException):
    """Carries the target's response out of the model, so that nothing behind the target is traced.

    Not an `Exception`, since Keras rewrites those on their way, and models may catch them.
    """

    def __init__(self, heard: Heard) -> None:
        super().__init__()
        self.heard = heard


def listen(model: Any, layer: Any, inputs: Any, *, finite: bool = False) -> Heard:
    """Runs a model up to one layer, in inference mode, and returns what that layer takes and computes.

    The activation that is left out is the callable in the layer's attribute `activation`; a layer without one gives
    its output. Where it is the identity, the model runs on until a layer takes that very tensor, to see whether it is
    a `BatchNormalization`. A layer that the model calls several times is heard at its first call. The model, its
    weights and its state are as before afterwards, also after an error.

    Args:
        model: Built Keras model, or layer, with one input.
        layer: The target: the model itself or any layer within.
        inputs: What the model takes. Call this inside a `tf.function` to compile what it computes.
        finite: Whether to compute with 0 in place of the target's weights that are not finite.

    Returns:
        What was heard.

    Raises:
        ValueError: If the model does not call the layer, cannot run on these inputs, or calls the layer
            in a graph of its own (a loop, a condition or a function).

    Example:
        >>> conv = keras.layers.Conv2D(4, 3, activation="relu")
        >>> model = keras.Sequential([keras.Input((8, 8, 3)), conv])
        >>> listen(model, conv, tf.zeros((1, 8, 8, 3))).response.shape
        TensorShape([1, 6, 6, 4])
    """
    weights = [(weight, _finite(weight)) for weight in layer.weights] if finite else []
    shapes = keras.tree.map_structure(lambda tensor: tuple(tensor.shape), inputs)
    received = f"Received: model={model.name!r}, layer={layer.name!r}, inputs of shape {shapes}"
    ear = _Ear(layer)
    try:
        # The stateless scope keeps updates and losses of this call away from the model.
        with _prepared(model, ear), keras.StatelessScope(weights):
            model(inputs, training=False)
    except _Answer as answer:
        heard = answer.heard
    except (ValueError, tf.errors.OpError) as error:
        if ear.heard is None:
            raise ValueError(
                f"The model cannot run on pictures of this `size`; choose another one. {received}. "
                f"The model said: {_gist(error)}"
            ) from error
        heard = ear.heard  # what cannot run follows the layer, and no normalisation came before it
    else:
        if ear.heard is None:
            raise ValueError(
                "The model does not call this layer in inference mode, so its filters have no patterns. Choose a layer "
                f"that takes part. {received}"
            )
        heard = ear.heard
    first = keras.tree.flatten(inputs)[0]
    if tf.is_symbolic_tensor(heard.response) and heard.response.graph is not first.graph:
        raise ValueError(
            "The model calls this layer in a graph of its own (a loop, a condition or a function), where it cannot be "
            f"heard. Choose another layer. {received}"
        )
    if 0 in heard.response.shape[1:]:
        raise ValueError(
            "Pictures of this `size` are too small: nothing is left of them at this layer. Choose a larger one. "
            f"{received}, its output {tuple(heard.response.shape)}"
        )
    if getattr(layer, "data_format", None) == "channels_first":
        rank = heard.response.shape.rank
        heard = dataclasses.replace(heard, response=tf.transpose(heard.response, [0, *range(2, rank), 1]))
    return heard


class _Ear:
    """Listens to the calls of the layers of a model, in one thread."""

    def __init__(self, target: Any) -> None:
        self.heard: Heard | None = None
        self._target, self._thread = target, threading.get_ident()
        self._output: Any = None

    def wrap(self, layer: Any) -> Callable[..., Any]:
        """Returns what a layer shall do when it is called."""
        call = layer.call

        def listening(*args: Any, **kwargs: Any) -> Any:
            if threading.get_ident() == self._thread:
                if layer is self._target and self.heard is None:
                    return self._hear(call, args, kwargs)
                if self.heard is not None and not layer._layers and self._takes_output(args):
                    found = layer if isinstance(layer, keras.layers.BatchNormalization) else None
                    raise _Answer(dataclasses.replace(self.heard, normalization=found))
            return call(*args, **kwargs)

        return listening

    def _takes_output(self, args: Any) -> bool:
        return self._output is not None and any(one is self._output for one in keras.tree.flatten(args))

    def _hear(self, call: Callable[..., Any], args: Any, kwargs: Any) -> Any:
        activation = vars(self._target).get("activation")
        linear = {"activation": keras.activations.linear} if callable(activation) else {}
        with _attributes(self._target, linear):
            response = call(*args, **kwargs)
        self.heard = Heard(keras.tree.flatten((args, kwargs))[0], response, None)
        if linear and activation is not keras.activations.linear:
            raise _Answer(self.heard)
        self._output = response
        return response


@contextlib.contextmanager
def _attributes(layer: Any, values: dict[str, Any]) -> Iterator[None]:
    """Sets attributes of the instance for a while, past Keras' tracking of attributes."""
    attributes = vars(layer)
    before = {name: attributes[name] for name in values if name in attributes}
    attributes.update(values)
    try:
        yield
    finally:
        for name in values:
            del attributes[name]
        attributes.update(before)


@contextlib.contextmanager
def _prepared(model: Any, ear: _Ear) -> Iterator[None]:
    """Lets the ear hear the layers of a model.

    Layers whose `call` is a `tf.function` are called as plain Python, so that a layer inside one can be heard.
    """
    with contextlib.ExitStack() as stack:
        for _, layer in layer_tree(model):
            if isinstance(layer.call, tf.types.experimental.PolymorphicFunction):
                stack.enter_context(_attributes(layer, {"call": layer.call.python_function}))
            stack.enter_context(_attributes(layer, {"call": ear.wrap(layer)}))
        yield


def _finite(weight: Any) -> Any:
    value = tf.convert_to_tensor(weight.value)
    return tf.where(tf.math.is_finite(value), value, tf.zeros_like(value)) if value.dtype.is_floating else value


def _gist(error: Exception) -> str:
    """Returns the message of an error; Keras sets it in bold, between lines about where and with what."""
    bold = re.search("\x1b\\[1m(.*?)\x1b\\[0m", str(error), re.DOTALL)
    return bold.group(1) if bold else str(error)
