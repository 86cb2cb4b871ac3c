"""Weights that stand alone: arrays, variables and dicts of them."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from tb_filterviz import records
from tb_filterviz.sources.weight import Weight

_NUMERIC = re.compile(r"b?float\d+.*|u?int(8|16|32|64)")
"""Names of the dtypes that a weight may have, extension types such as bfloat16 and float8_e4m3fn included."""


def bare_weight(
    read: Callable[[], Any],
    dtype: str,
    shape: tuple[int | None, ...],
    layer_class: str,
    layout: str | None,
    argument: str = "data",
    path: str = "",
    position: int = 0,
) -> Weight:
    """Makes the weight of something that knows its dtype and shape, but no layout.

    Args:
        read: Returns its values, axes as in `layout`.
        dtype: Name of its dtype, such as `"bfloat16"`.
        shape: Its shape; None for a size that is not known yet.
        layer_class: What to call its class.
        layout: One of `records.LAYOUTS`; by default `(*spatial, in, out)`.
        argument: How to call it in messages.
        path: Its identity.
        position: Its rank among its siblings.

    Returns:
        The weight.

    Raises:
        ValueError: If the dtype is not numeric, the shape has not 2 to 5 axes or is empty, or the layout does not fit.
    """
    received = f"Received: {argument} of dtype={dtype}, shape={shape}"
    if not _NUMERIC.fullmatch(dtype):
        raise ValueError(f"`{argument}` must hold floating-point numbers or integers. {received}")
    if len(shape) not in records.CANONICAL_AXES:
        raise ValueError(
            f"`{argument}` must have 2 to 5 axes: (in, out), (width, in, out), (height, width, in, out) or "
            f"(depth, height, width, in, out), or other axes that `layout` names. {received}"
        )
    if 0 in shape:
        raise ValueError(f"`{argument}` must not be empty: each axis needs at least one entry. {received}")
    if layout is None:
        layout = records.CANONICAL_AXES[len(shape)]
    elif layout not in records.LAYOUTS:
        raise ValueError(f"`layout` must be one of {', '.join(records.LAYOUTS)}. Received: layout={layout!r}")
    elif len(layout) != len(shape):
        raise ValueError(
            f"`layout` must name the {len(shape)} axes of `{argument}`, one letter each. "
            f"Received: layout={layout!r}, {argument} of shape={shape}"
        )
    groups = shape[-2] if layout.endswith("M") else 1
    if groups is None:
        raise ValueError(f"`{argument}` must have a known number of inputs for layout={layout!r}. {received}")
    return Weight(records.Layer(path, layer_class, position, groups), layout, read)


def from_array(data: object, layout: str | None, argument: str = "data", path: str = "", position: int = 0) -> Weight:
    """Makes the weight of an array.

    Args:
        data: NumPy array, or anything that `numpy.asarray` reads by its `__array__` method.
        layout: One of `records.LAYOUTS`; by default `(*spatial, in, out)`.
        argument: How to call it in messages.
        path: Its identity.
        position: Its rank among its siblings.

    Returns:
        The weight. It refers to the array and copies nothing.

    Raises:
        ValueError: If NumPy cannot read it, or `bare_weight` refuses it.
    """
    try:
        values = np.asarray(data)
    except Exception as error:
        raise ValueError(f"`{argument}` cannot be read by NumPy: {error} Received: {type(data).__name__}") from error
    return bare_weight(lambda: values, values.dtype.name, values.shape, "array", layout, argument, path, position)


def from_mapping(
    data: Mapping[Any, Any], layout: str | None, to_weight: Callable[[Any, str | None, str, str, int], Weight]
) -> list[Weight]:
    """Makes the weights of a dict of arrays and variables.

    Args:
        data: `{name: array or variable}`.
        layout: One of `records.LAYOUTS` for all of them; by default `(*spatial, in, out)`.
        to_weight: Makes the weight of one value: `(value, layout, argument, path, position)`.

    Returns:
        The weights in the order of the dict, each with its name as path.

    Raises:
        ValueError: If it is empty, a name is not a str or is empty, or a value is refused.
    """
    if not data:
        raise ValueError("`data` is an empty dict. Give it at least one entry {name: array}. Received: data={}")
    weights = []
    for position, (name, value) in enumerate(data.items()):
        if not isinstance(name, str) or not name:
            raise ValueError(f"`data` must have names as keys, each a str that is not empty. Received: key {name!r}")
        weights.append(to_weight(value, layout, f"data[{name!r}]", name, position))
    return weights
