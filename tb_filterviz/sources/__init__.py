"""From what a user has - a model, a layer, a variable, an array - to its kernels.

No framework is imported here unless its caller has done so: what is not loaded cannot have made the data.
"""

from __future__ import annotations

import os
import reprlib
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from tb_filterviz.sources import arrays, selection
from tb_filterviz.sources.weight import Weight

__all__ = ["Weight", "find_weights"]

_ACCEPTED = (
    "a Keras model or layer, a tf.Module, a variable or tensor, an array (NumPy or anything with `__array__`), or a "
    "dict {name: variable or array}"
)


def find_weights(data: Any, layers: str | Sequence[str] | None = None, layout: str | None = None) -> list[Weight]:
    """Finds the weights to show.

    Args:
        data: A Keras model or layer; a `tf.Module`; a variable, tensor or array of numbers with 2 to 5 axes; or a
            dict of those by name. Arrays keep their dtype; NaN and infinities are allowed.
        layers: Which weights of a model, module or dict: None for every convolution, or names, paths or regular
            expressions as in `selection.select`. Dense layers have to be named.
        layout: The axes of a variable, tensor, array or dict of them, one of `records.LAYOUTS`. By default
            `(*spatial, in, out)`: IO, WIO, HWIO or DHWIO. Models know their own.

    Returns:
        The weights in model order, at least one, with different paths. The path of a model's weight is its framework's
        own (`variable.path`) where only one is called so, else it is made of the names of the layers around it; that
        of a weight in a dict is its name, that of a bare one is empty.

    Raises:
        ValueError: If `data` cannot be shown, has no convolutions or is not built yet, or `layers` or `layout` do not
            fit it. The message says what was expected and how to mend it.

    Example:
        >>> import numpy as np
        >>> weights = find_weights({"conv1": np.zeros((64, 3, 7, 5), np.float32)}, layout="OIHW")
        >>> [(weight.layer.path, weight.layout) for weight in weights]
        [('conv1', 'OIHW')]
    """
    contents = _model_contents(data)
    if contents is not None:
        if layout is not None:
            raise ValueError(
                "`layout` goes with variables and arrays; models know how their kernels are stored. Leave it out, or "
                f"log {{name: variable}}. Received: layout={layout!r} with data of type {type(data).__name__}"
            )
        return selection.select(contents, layers)
    if isinstance(data, Mapping):
        weights = arrays.from_mapping(data, layout, _bare)
        if layers is None:
            return weights
        candidates = [selection.Candidate(weight, selection.CONVOLUTION, (weight.layer.path,)) for weight in weights]
        return selection.select(selection.Contents(candidates), layers)
    if layers is not None:
        raise ValueError(
            "`layers` chooses from a model or a dict. Leave it out for a single weight. "
            f"Received: layers={layers!r} with data of type {type(data).__name__}"
        )
    return [_bare(data, layout, "data", "", 0)]


def _model_contents(data: Any) -> selection.Contents | None:
    if "keras" in sys.modules:
        from tb_filterviz.sources import keras

        if keras.is_layer(data):
            return keras.contents(data)
    if "tensorflow" in sys.modules:
        from tb_filterviz.sources import tensorflow

        if tensorflow.is_module(data):
            return tensorflow.contents(data)
    return None


def _bare(data: Any, layout: str | None, argument: str, path: str, position: int) -> Weight:
    if "keras" in sys.modules:
        from tb_filterviz.sources import keras

        if keras.is_variable(data):
            return keras.from_variable(data, layout, argument, path, position)
    if "tensorflow" in sys.modules:
        from tb_filterviz.sources import tensorflow

        if tensorflow.is_value(data):
            return tensorflow.from_value(data, layout, argument, path, position)
    if hasattr(data, "__array__") and not isinstance(data, type):
        return arrays.from_array(data, layout, argument, path, position)
    if argument != "data":
        raise ValueError(
            f"`{argument}` must be a variable, tensor or array; log each model under a name of its own. "
            f"Received: {reprlib.repr(data)}, {_kind(data)}"
        )
    raise ValueError(f"`data` may be {_ACCEPTED}. {_hint(data)}Received: {reprlib.repr(data)}, {_kind(data)}")


def _kind(data: Any) -> str:
    return f"of type {type(data).__module__}.{type(data).__qualname__}".replace("builtins.", "")


def _hint(data: Any) -> str:
    """Returns advice for what people pass by mistake."""
    if isinstance(data, (str, bytes, os.PathLike)):
        return "Load the file first, for example with keras.models.load_model(path). "
    if isinstance(data, (list, tuple, set)):
        return "Make it a dict to name each array, or one array with np.asarray. "
    if isinstance(data, type):
        return "Pass an instance, not the class. "
    return ""
