"""What was made for models that are still there, so that a second call need not trace."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Hashable, Iterator
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from tb_filterviz.sources.keras import layer_tree

LOOPS = 64
"""How many compiled loops are kept of each model. One takes 15 MB in VGG16 and 20 to 100 MB in ResNet50: the deeper
its layer stands, the more operations it has. It holds no weights."""

LAYERS = 12_000
"""How many layers of a model all its loops may have together, so that fewer are kept of one of more than 187."""

NUMBERS = 1024
"""How many numbers, such as the sizes that were chosen, are kept of each model."""

_Parts = tuple[Any, ...]
_Known = dict[Hashable, tuple[_Parts, Any]]
_made: weakref.WeakKeyDictionary[Any, dict[bool, _Known]] = weakref.WeakKeyDictionary()


def get(model: Any, key: Hashable, make: Callable[[], Any], *more: Any, loop: bool = False) -> Any:
    """Returns what `make` made for a model and a key, made anew where the model consists of other objects than then.

    Args:
        model: Keras model; it is not kept alive.
        key: What else the result depends on, by value.
        make: Makes it. What it makes must not refer to the model.
        more: What else the result depends on, by identity; not kept alive either.
        loop: Whether it is a compiled loop, which takes memory, or a number or two.

    Returns:
        What was made, now or before. Of each model the newest `LOOPS` loops are kept, or as many as have `LAYERS`
        layers together, and apart from these the newest `NUMBERS` numbers.

    Example:
        >>> import keras
        >>> model = keras.Sequential([keras.Input((8, 8, 3)), keras.layers.Conv2D(4, 3)])
        >>> get(model, "key", list) is get(model, "key", list)
        True
    """
    layers = [layer for _, layer in layer_tree(model)]
    parts = (*layers, *(part for layer in layers for part in _held(layer)), *model.weights, *more)
    forms = tuple(layer.compute_dtype for layer in layers), tuple(tuple(one.shape) for one in model.weights)
    whole = (key, forms, tuple(id(one) for one in more))
    known = _made.setdefault(model, {}).setdefault(loop, {})
    seen, made = known.pop(whole, ((), None))
    if len(seen) != len(parts) or any(there() is not one for there, one in zip(seen, parts, strict=True)):
        for other in [other for other, (references, _) in list(known.items()) if _is_gone(references)]:
            known.pop(other, None)
        # Not by `id`, which a new object may have from one that is gone.
        seen, made = tuple(_reference(one) for one in parts), make()
    known[whole] = seen, made
    while len(known) > (max(1, min(LOOPS, LAYERS // len(layers))) if loop else NUMBERS):
        known.pop(next(iter(known)), None)  # another thread may have done so
    return made


def _held(layer: Any) -> Iterator[Any]:
    """Yields what a traced call of a layer holds as constants: not its weights, which are read each time."""
    yield getattr(layer, "activation", None)
    if isinstance(layer, keras.layers.Rescaling):
        yield layer.scale
        yield layer.offset
    for value in vars(layer).values():
        # `Normalization.adapt` puts others in their place. Symbolic ones are left behind by each trace.
        if isinstance(value, np.ndarray) or (isinstance(value, tf.Tensor) and hasattr(value, "numpy")):
            yield value


def _is_gone(references: _Parts) -> bool:
    """Whether any object that something was made for is no longer there."""
    return any(isinstance(there, weakref.ref) and there() is None for there in references)


def _reference(one: Any) -> Callable[[], Any]:
    """Returns what returns an object as long as it is there; of one that cannot be referred to weakly, always."""
    try:
        return weakref.ref(one)
    except TypeError:
        return lambda: one
