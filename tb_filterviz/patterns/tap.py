"""Listens to one layer of any Keras model while the model runs.

Graph surgery (`keras.Model(model.input, layer.output)`) needs a functional model and a layer at its top level. Here
the model is simply called, with the target layer's `call` wrapped meanwhile: that also reaches layers of nested and
subclassed models, and needs nothing of the model but that it runs.
"""

from __future__ import annotations

import contextlib
import re
import threading
from collections.abc import Iterator
from typing import Any

import keras
import tensorflow as tf

from tb_filterviz.sources.keras import layer_tree


class _Answer(BaseException):
    """Carries the target's response out of the model, so that nothing behind the target is traced.

    Not an `Exception`, since Keras rewrites those on their way, and models may catch them.
    """

    def __init__(self, response: Any) -> None:
        super().__init__()
        self.response = response


def response(model: Any, layer: Any, inputs: Any, *, finite: bool = False) -> Any:
    """Runs a model up to one layer, in inference mode, and returns what that layer computes before its activation.

    The activation is the callable in the layer's attribute `activation`; a layer without one gives its output. A layer
    that the model calls several times is heard at its first call. The model, its weights and its state are as before
    afterwards, also after an error.

    Args:
        model: Built Keras model, or layer, with one input.
        layer: The target: the model itself or any layer within.
        inputs: Tensor that the model takes. Call this inside a `tf.function` to compile what it computes.
        finite: Whether to compute with 0 in place of the target's weights that are not finite.

    Returns:
        Tensor `[batch, *positions, filters]` in the layer's compute dtype, filters last also for `channels_first`.

    Raises:
        ValueError: If the model does not call the layer, cannot run on these inputs, or calls the layer
            in a graph of its own (a loop, a condition or a function).

    Example:
        >>> conv = keras.layers.Conv2D(4, 3, activation="relu")
        >>> model = keras.Sequential([keras.Input((8, 8, 3)), conv])
        >>> response(model, conv, tf.zeros((1, 8, 8, 3))).shape
        TensorShape([1, 6, 6, 4])
    """
    weights = [(weight, _finite(weight)) for weight in layer.weights] if finite else []
    received = f"Received: model={model.name!r}, layer={layer.name!r}, inputs of shape {tuple(inputs.shape)}"
    try:
        # The stateless scope keeps updates and losses of this call away from the model.
        with _unwrapped(model), _tapped(layer), keras.StatelessScope(weights):
            model(inputs, training=False)
    except _Answer as answer:
        heard = answer.response
    except (ValueError, tf.errors.OpError) as error:
        raise ValueError(
            f"The model cannot run on pictures of this `size`; choose another one. {received}. "
            f"The model said: {_gist(error)}"
        ) from error
    else:
        raise ValueError(
            "The model does not call this layer in inference mode, so its filters have no patterns. Choose a layer "
            f"that takes part. {received}"
        )
    if tf.is_symbolic_tensor(heard) and heard.graph is not inputs.graph:
        raise ValueError(
            "The model calls this layer in a graph of its own (a loop, a condition or a function), where it cannot be "
            f"heard. Choose another layer. {received}"
        )
    if 0 in heard.shape[1:]:
        raise ValueError(
            "Pictures of this `size` are too small: nothing is left of them at this layer. Choose a larger one. "
            f"{received}, its output {tuple(heard.shape)}"
        )
    if getattr(layer, "data_format", None) == "channels_first":
        heard = tf.transpose(heard, [0, *range(2, heard.shape.rank), 1])
    return heard


@contextlib.contextmanager
def _tapped(layer: Any) -> Iterator[None]:
    """Makes the layer's next call in this thread end in an `_Answer`."""
    call, thread = layer.call, threading.get_ident()

    def answer(*args: Any, **kwargs: Any) -> Any:
        if threading.get_ident() != thread:
            return call(*args, **kwargs)
        linear = {"activation": keras.activations.linear} if callable(vars(layer).get("activation")) else {}
        with _attributes(layer, linear):
            raise _Answer(call(*args, **kwargs))

    with _attributes(layer, {"call": answer}):
        yield


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
def _unwrapped(model: Any) -> Iterator[None]:
    """Calls layers whose `call` is a `tf.function` as plain Python, so that a layer inside one can be heard."""
    with contextlib.ExitStack() as stack:
        for _, layer in layer_tree(model):
            if isinstance(layer.call, tf.types.experimental.PolymorphicFunction):
                stack.enter_context(_attributes(layer, {"call": layer.call.python_function}))
        yield


def _finite(weight: Any) -> Any:
    value = tf.convert_to_tensor(weight.value)
    return tf.where(tf.math.is_finite(value), value, tf.zeros_like(value)) if value.dtype.is_floating else value


def _gist(error: Exception) -> str:
    """Returns the message of an error; Keras sets it in bold, between lines about where and with what."""
    bold = re.search("\x1b\\[1m(.*?)\x1b\\[0m", str(error), re.DOTALL)
    return bold.group(1) if bold else str(error)
