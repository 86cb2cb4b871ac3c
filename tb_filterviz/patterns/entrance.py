"""What a model does to its pictures before the first layer that has a kernel."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Callable, Iterator
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from tb_filterviz.patterns import tap
from tb_filterviz.patterns.receptive import BOUNDS
from tb_filterviz.sources.keras import contents, layer_tree

_SAME = 1e-5
"""A smaller difference, as a share of what differs, is none: numbers may round by their place in a batch."""


@dataclasses.dataclass(frozen=True)
class Entrance:
    """What the first layer that has a kernel, and takes something of the pictures, takes of them.

    Attributes:
        layer: That layer.
        black: How large is what it takes of pictures of zeros, where that depends on the pictures: the median of it.
        step: How far that is from what it takes of pictures of ones, likewise; 0 if even pictures are the same to it.
    """

    layer: Any
    black: float = 0.0
    step: float = 0.0

    @property
    def scales(self) -> bool:
        """Whether the model changes values on the way; other places, and zeros around, do not count."""
        return not (self.black < 0.01 and abs(self.step - 1) < 0.01)

    @property
    def takes_bytes(self) -> bool:
        """Whether the values are those of 0..255: pictures of 0..1 would all look the same to the layer.

        That is where a step of one is less than a 16th of what is there without it, or of 1, for which networks are
        made. For what scales 0..255, to whatever else, it is about a 100th; for what scales 0..1, about 1.
        """
        return 16 * self.step < max(1.0, self.black)


def find(model: Any, feed: Callable[[Any], Any], shape: tuple[int | None, ...]) -> Entrance | None:
    """Runs a model, in inference mode, until the first layer that has a kernel takes something of the pictures.

    Args:
        model: Built Keras model, or layer; it is left as it was. Of a `tf.Module` nothing is found.
        feed: Makes what the model takes of pictures.
        shape: `(*spatial, channels)` of pictures on which it runs, None for a side that is open.

    Returns:
        What was found; None where nothing was, for instance since that layer is called in a graph of its own.

    Example:
        >>> layers = [keras.layers.Rescaling(1 / 127.5, -1), keras.layers.Conv2D(4, 3)]
        >>> found = find(keras.Sequential([keras.Input((8, 8, 3)), *layers]), lambda pictures: pictures, (8, 8, 3))
        >>> found.black, round(found.step * 127.5), found.takes_bytes
        (1.0, 1, True)
    """
    if not isinstance(model, keras.layers.Layer):
        return None
    _, most = BOUNDS[len(shape) - 1]
    pictures = np.zeros((3, *(side or most for side in shape)), np.float32)
    pictures[1] = 1
    pictures[2] = np.random.default_rng(0).random(pictures.shape[1:], np.float32)  # if even pictures are all alike
    kernels = _with_kernels(model)

    def wrap(layer: Any, call: Callable[..., Any]) -> Callable[..., Any]:
        def listening(*args: Any, **kwargs: Any) -> Any:
            if id(layer) in kernels:
                taken = np.asarray(keras.tree.flatten((args, kwargs))[0]).astype(np.float32)
                if taken.ndim and len(taken) % 3 == 0 and _differ(taken.reshape(3, -1)):
                    raise _Answer(layer, taken.reshape(3, -1))
            if isinstance(layer, keras.layers.TimeDistributed):  # its loop is a graph, in which nothing can be read
                return tap.at_once(layer, *args, **kwargs)
            return call(*args, **kwargs)

        return listening

    try:
        with tap.hooked(model, wrap), _arrays_kept(model):
            tap.run(model, feed(tf.constant(pictures)))
    except _Answer as answer:
        return _compared(answer.layer, answer.values)
    except Exception:  # a climb can do without; what hinders it, too, is said there
        return None
    return None


def _compared(layer: Any, values: NDArray[np.float32]) -> Entrance | None:
    """Compares what a layer takes of black and of white pictures; not by averages, which one dead pixel may rule."""
    with np.errstate(all="ignore"):  # weights may hold anything
        black, step = np.abs(values[0]), np.abs(values[1] - values[0])
    known = np.isfinite(black) & np.isfinite(step)
    if not known.any():
        return None
    moved = known & (step > _SAME * np.maximum(1.0, black))
    return Entrance(layer, *(float(np.median(one[moved])) for one in (black, step))) if moved.any() else Entrance(layer)


class _Answer(BaseException):
    """Carries what a layer takes out of the model; not an `Exception`, which models and Keras catch."""

    def __init__(self, layer: Any, values: NDArray[np.float32]) -> None:
        super().__init__()
        self.layer, self.values = layer, values


def _with_kernels(model: Any) -> set[int]:
    """Returns the layers that have a kernel and none inside that has one, by `id`: a model may own a table itself."""
    owners = {id(one.weight.source) for one in contents(model).candidates}
    layers = [layer for _, layer in layer_tree(model)]
    own = {id(one) for one in layers if id(one) in owners or hasattr(getattr(one, "kernel", None), "shape")}
    around = {id(one) for one in layers if any(id(inner) in own for _, inner in layer_tree(one)[1:])}
    return own - around


def _differ(values: NDArray[np.float32]) -> bool:
    with np.errstate(all="ignore"):
        return bool((np.abs(values - values[:1]) > _SAME * np.maximum(1.0, np.abs(values))).any())


@contextlib.contextmanager
def _arrays_kept(model: Any) -> Iterator[None]:
    """Takes arrays that layers keep of their calls away again: a cache would take them for a change of the model."""
    before = [(vars(layer), dict(vars(layer))) for _, layer in layer_tree(model)]
    try:
        yield
    finally:
        for now, then in before:
            for name, value in list(now.items()):
                if isinstance(value, (tf.Tensor, np.ndarray)) and then.get(name) is not value:
                    del now[name]
                    now.update({name: then[name]} if name in then else {})
