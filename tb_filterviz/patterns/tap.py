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
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import keras
import tensorflow as tf

from tb_filterviz.patterns.signature import Arguments
from tb_filterviz.sources.keras import layer_tree

_LOCK = threading.RLock()
"""Is held while a model's layers are changed to be heard: by one thread at a time."""


@dataclasses.dataclass(frozen=True)
class Heard:
    """What one layer took and computed.

    Attributes:
        features: Tensor `[batch, ...]` that the layer was called on, in its own layout.
        response: Tensor `[batch, *positions, filters]`, what it computed before its activation, in its compute dtype;
            filters last also for `channels_first`.
        normalization: The `BatchNormalization` that takes the response next, None where there is none.
        frames: How many samples after one another belong to one sample of the model's: the time steps of a
            `TimeDistributed` around the layer.
    """

    features: Any
    response: Any
    normalization: Any
    frames: int = 1


class _Answer(BaseException):
    """Carries the target's response out of the model, so that nothing behind the target is traced.

    Not an `Exception`, since Keras rewrites those on their way, and models may catch them.
    """

    def __init__(self, heard: Heard) -> None:
        super().__init__()
        self.heard = heard


class SizeError(ValueError):
    """The model cannot run on pictures of this size.

    Args:
        what: What happened.
        advice: What to do about it.
        received: With what it happened.
    """

    def __init__(self, what: str, advice: str, received: str) -> None:
        super().__init__(f"{what}; {advice}. {received}")
        self.what, self.received = what, received


def listen(model: Any, layer: Any, inputs: Any, *, finite: bool = False) -> Heard:
    """Runs a model up to one layer, in inference mode, and returns what that layer takes and computes.

    The activation that is left out is the callable in the layer's attribute `activation`; a layer without one gives
    its output. Where it is the identity, the model runs on until a layer takes that very tensor, to see whether it is
    a `BatchNormalization`. Of a layer that returns a structure the first tensor is heard. A layer that the model calls
    several times is heard at its first call; one within a `TimeDistributed` at all time steps, as more samples. The
    model, its weights and its state are as before afterwards, also after an error.

    Args:
        model: Built Keras model, or layer.
        layer: The target: the model itself or any layer within. Or a function of the inputs that computes a response
            `[batch, *positions, filters]`, which is then called in place of the model.
        inputs: What the model takes: a structure of tensors, or `signature.Arguments`. Call this inside a
            `tf.function` to compile what it computes.
        finite: Whether to compute with 0 in place of the target's weights that are not finite.

    Returns:
        What was heard.

    Raises:
        SizeError: If the model cannot run on these inputs.
        ValueError: If it does not call the layer, calls it in a graph of its own (a loop, a condition or a function),
            or keeps states between batches, which then have one size, on the way to it.

    Example:
        >>> conv = keras.layers.Conv2D(4, 3, activation="relu")
        >>> model = keras.Sequential([keras.Input((8, 8, 3)), conv])
        >>> listen(model, conv, tf.zeros((1, 8, 8, 3))).response.shape
        TensorShape([1, 6, 6, 4])
    """
    if not isinstance(layer, keras.layers.Layer):
        return _called(layer, inputs)
    weights = [(weight, _finite(weight)) for weight in layer.weights] if finite else []
    given = dict(inputs) if isinstance(inputs, Arguments) else inputs
    shapes = keras.tree.map_structure(lambda tensor: tuple(tensor.shape), given)
    received = f"Received: model={model.name!r}, layer={layer.name!r}, inputs of shape {shapes}"
    ear = _Ear(model, layer)
    try:
        with hooked(model, ear.wrap):
            run(model, inputs, weights)
    except _Answer as answer:
        heard = answer.heard
    except (ValueError, tf.errors.OpError) as error:
        if ear.heard is None and ear.stateful:
            raise ValueError(
                f"The model keeps states between batches, in {ear.stateful!r}, so that all batches must have the size "
                "for which it is built, and patterns climb in batches of any size. Build the model with "
                f"`stateful=False` and an open batch axis, and give it these weights. {received}. "
                f"The model said: {_gist(error)}"
            ) from error
        if ear.heard is None:
            raise SizeError(
                "The model cannot run on pictures of this `size`",
                "choose another one",
                f"{received}. The model said: {_gist(error)}",
            ) from error
        heard = ear.heard  # what cannot run follows the layer, and no normalisation came before it
    else:
        if ear.heard is None:
            raise ValueError(
                "The model does not call this layer in inference mode, or only within a `tf.function` that is traced, "
                f"so its filters have no patterns. Choose a layer that takes part. {received}"
            )
        heard = ear.heard
    if _graph(heard.response) not in (None, _graph(keras.tree.flatten(given)[0])):
        raise ValueError(
            "The model calls this layer in a graph of its own (a loop, a condition or a function), where it cannot be "
            f"heard. Choose another layer. {received}"
        )
    if 0 in heard.response.shape[1:]:
        raise SizeError(
            "Pictures of this `size` are too small, nothing is left of them at this layer",
            "choose a larger one",
            f"{received}, its output {tuple(heard.response.shape)}",
        )
    if getattr(layer, "data_format", None) == "channels_first":
        rank = heard.response.shape.rank
        heard = dataclasses.replace(heard, response=tf.transpose(heard.response, [0, *range(2, rank), 1]))
    return heard


def _graph(tensor: Any) -> Any:
    """Returns the graph of a tensor, None for one that is computed at once."""
    return tensor.graph if tf.is_symbolic_tensor(tensor) else None


def run(model: Any, inputs: Any, weights: Sequence[tuple[Any, Any]] = ()) -> None:
    """Calls a Keras model in inference mode; updates and losses of this call are kept away from it.

    Args:
        model: Built Keras model, or layer.
        inputs: As for `listen`.
        weights: Weights with the values that they shall have meanwhile.
    """
    with keras.StatelessScope(list(weights)):
        if isinstance(inputs, Arguments):
            model(**inputs, training=False)
        else:
            model(inputs, training=False)


@contextlib.contextmanager
def hooked(model: Any, wrap: Callable[[Any, Callable[..., Any]], Callable[..., Any]]) -> Iterator[None]:
    """Lets the layers of a model do something else when they are called, in this thread; one thread at a time does so.

    Args:
        model: Keras model, or layer.
        wrap: Returns, for a layer and its `call`, what is done in its place. A `call` that is a `tf.function` is given
            as plain Python, so that a layer inside one can be heard.
    """
    thread = threading.get_ident()

    def hook(layer: Any) -> Callable[..., Any]:
        call = layer.call
        if isinstance(call, tf.types.experimental.PolymorphicFunction):
            call = call.python_function
        heard = wrap(layer, call)
        return lambda *args, **kwargs: (heard if threading.get_ident() == thread else call)(*args, **kwargs)

    with _LOCK, contextlib.ExitStack() as stack:
        for _, layer in layer_tree(model):
            stack.enter_context(_attributes(layer, {"call": hook(layer)}))
        yield


def at_once(layer: Any, inputs: Any, training: Any = None, mask: Any = None) -> Any:
    """Does what `TimeDistributed.call` does, without its loop: all time steps as one batch, which is the same.

    Args:
        layer: The `TimeDistributed`.
        inputs: Tensor `[batch, steps, ...]` with a known number of steps.
        training: As layers take it.
        mask: Is not looked at, as inputs that are climbed have none.

    Returns:
        Tensor `[batch, steps, ...]`, what the layer within makes of each step.
    """
    shape, steps = tf.shape(inputs), inputs.shape[1]
    outputs = layer.layer(tf.reshape(inputs, [-1, *inputs.shape[2:]]), training=training)
    return tf.reshape(outputs, [shape[0], steps, *outputs.shape[1:]])


def runs(model: Any, layer: Any, feed: Callable[[Any], Any], shape: tuple[int, ...]) -> bool:
    """Finds out whether a model runs up to a layer on pictures of a shape; traces it, and computes nothing.

    Args:
        model: As for `listen`.
        layer: As for `listen`.
        feed: Makes what the model takes of pictures, float32 `[batch, *spatial, channels]`, 0..1, in the graph.
        shape: `(*spatial, channels)`.

    Returns:
        Whether it does.
    """
    traced = tf.function(lambda pictures: listen(model, layer, feed(pictures)).response, autograph=False)
    try:
        traced.get_concrete_function(tf.TensorSpec((None, *shape), tf.float32))
    except ValueError:
        return False
    return True


def _called(function: Any, inputs: Any) -> Heard:
    response = function(inputs)
    shape = getattr(response, "shape", None)
    if shape is None or len(shape) < 2 or not shape[-1] or not tf.as_dtype(response.dtype).is_floating:
        raise ValueError(
            "A function in place of a layer must return a tensor of floating-point numbers [batch, *positions, "
            f"filters], with a known number of filters. Received: {response!r}"
        )
    return Heard(inputs, response, None)


class _Ear:
    """Listens to the calls of the layers of a model.

    Attributes:
        heard: What was heard, None if nothing was.
        stateful: The name of a recurrent layer that was called and keeps its states between batches; empty if none was.
    """

    def __init__(self, model: Any, target: Any) -> None:
        self.heard: Any = None
        self.stateful = ""
        self._target = target
        self._output: Any = None
        self._frames = 1
        self._loops = {
            id(layer)
            for _, layer in layer_tree(model)
            if isinstance(layer, keras.layers.TimeDistributed)
            and any(inner is target for _, inner in layer_tree(layer.layer))
        }

    def wrap(self, layer: Any, call: Callable[..., Any]) -> Callable[..., Any]:
        """See `hooked`."""

        def listening(*args: Any, **kwargs: Any) -> Any:
            if getattr(layer, "stateful", False) is True:
                self.stateful = layer.name
            if layer is self._target and self.heard is None:
                return self._hear(call, args, kwargs)
            if id(layer) in self._loops and self.heard is None:
                return self._at_once(layer, *args, **kwargs)
            if self.heard is not None and not layer._layers and self._takes_output(args):
                found = layer if isinstance(layer, keras.layers.BatchNormalization) else None
                raise _Answer(dataclasses.replace(self.heard, normalization=found))
            return call(*args, **kwargs)

        return listening

    def _at_once(self, layer: Any, inputs: Any, *args: Any, **kwargs: Any) -> Any:
        self._frames *= inputs.shape[1]
        outputs = at_once(layer, inputs, *args, **kwargs)
        self._frames //= inputs.shape[1]
        return outputs

    def _takes_output(self, args: Any) -> bool:
        return self._output is not None and any(one is self._output for one in keras.tree.flatten(args))

    def _hear(self, call: Callable[..., Any], args: Any, kwargs: Any) -> Any:
        activation = vars(self._target).get("activation")
        linear = {"activation": keras.activations.linear} if callable(activation) else {}
        with _attributes(self._target, linear):
            response = call(*args, **kwargs)
        self._output = keras.tree.flatten(response)[0]
        self.heard = Heard(keras.tree.flatten((args, kwargs))[0], self._output, None, self._frames)
        if linear and activation is not keras.activations.linear:
            raise _Answer(self.heard)
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


def _finite(weight: Any) -> Any:
    value = tf.convert_to_tensor(weight.value)
    return tf.where(tf.math.is_finite(value), value, tf.zeros_like(value)) if value.dtype.is_floating else value


def _gist(error: Exception) -> str:
    """Returns the message of an error; Keras sets it in bold, between lines about where and with what."""
    bold = re.search("\x1b\\[1m(.*?)\x1b\\[0m", str(error), re.DOTALL)
    return bold.group(1) if bold else str(error)
