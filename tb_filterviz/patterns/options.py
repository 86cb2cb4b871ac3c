"""The options of pattern generation, checked when they are made."""

from __future__ import annotations

import dataclasses
import math
import numbers
from collections.abc import Sequence
from typing import Any

RECIPES = ("classic",)
"""The names that `PatternOptions.recipe` may have."""

MAX_SIZE = 4096
"""The largest height and width of a picture, in pixels."""


@dataclasses.dataclass(frozen=True)
class PatternOptions:
    """How to make patterns, and of which filters.

    Attributes:
        filters: Which filters of a layer: `None` for all, an int for the first so many (all, if the layer has fewer),
            or a sequence of indices from 0.
        size: Height and width of the pictures in pixels, 1 to 4096: an int, or a pair `(height, width)`. `"auto"`
            takes the model's own input size where it is fixed, and 150 where it is not.
        steps: Number of gradient steps, from 1.
        recipe: `"classic"`: gradient ascent on pixels with a normalised gradient, from grey with a little noise. See
            F. Chollet, "How convolutional neural networks see the world", The Keras Blog, 2016.
        seed: Seed of the noise, from 0. A filter's noise depends on the seed, the filter's index and the size only.
        input_range: The model inputs that pixels 0 and 255 stand for, `low < high`. `"auto"` is `(0, 255)` for a model
            with a `Rescaling` or `Normalization` layer before its first kernel, else `(0, 1)`.
        batch_size: The most filters that climb together, from 1. More is faster, up to a point, and takes more memory.
        progress: Whether to show a progress bar on the standard error stream.

    Raises:
        ValueError: If an option is out of its range or of the wrong type.

    Example:
        >>> PatternOptions(filters=[3, 7], size=96).filters
        (3, 7)
    """

    filters: int | Sequence[int] | None = None
    size: str | int | tuple[int, int] = "auto"
    steps: int = 80
    recipe: str = "classic"
    seed: int = 0
    input_range: str | tuple[float, float] = "auto"
    batch_size: int = 16
    progress: bool = True

    def __post_init__(self) -> None:
        """Checks every option and brings it into its plain form."""
        _set(self, "filters", _filters(self.filters))
        _set(self, "size", _size(self.size))
        _set(self, "steps", _integer("steps", self.steps, least=1))
        if self.recipe not in RECIPES:
            known = " or ".join(repr(name) for name in RECIPES)
            raise ValueError(f"`recipe` must be {known}. Received: recipe={self.recipe!r}")
        _set(self, "seed", _integer("seed", self.seed, least=0))
        _set(self, "input_range", _input_range(self.input_range))
        _set(self, "batch_size", _integer("batch_size", self.batch_size, least=1))
        if not isinstance(self.progress, bool):
            raise ValueError(f"`progress` must be True or False. Received: progress={self.progress!r}")


def select_filters(filters: int | Sequence[int] | None, count: int) -> list[int]:
    """Names the filters of one layer that `PatternOptions.filters` asks for.

    Args:
        filters: As in `PatternOptions`.
        count: Number of filters of the layer.

    Returns:
        Their indices, ascending, each once.

    Raises:
        ValueError: If an index is not one of the layer's.

    Example:
        >>> select_filters(2, 64), select_filters([7, 3, 7], 64)
        ([0, 1], [3, 7])
    """
    if filters is None:
        return list(range(count))
    if isinstance(filters, int):
        return list(range(min(filters, count)))
    wrong = [index for index in filters if index >= count]
    if wrong:
        raise ValueError(
            f"`filters` must be indices from 0 to {count - 1}: the layer has {count} filters. Received: {wrong[0]}"
        )
    return sorted(set(filters))


def _set(options: PatternOptions, name: str, value: Any) -> None:
    object.__setattr__(options, name, value)  # the dataclass is frozen


def _integer(name: str, value: Any, least: int) -> int:
    if isinstance(value, bool) or not isinstance(value, numbers.Integral) or value < least:
        raise ValueError(f"`{name}` must be an integer from {least}. Received: {name}={value!r}")
    return int(value)


def _filters(value: Any) -> int | tuple[int, ...] | None:
    if value is None:
        return None
    error = ValueError(
        "`filters` must be None for all filters, an int for the first so many, or a non-empty sequence of indices "
        f"from 0. Received: filters={value!r}"
    )
    try:
        if isinstance(value, numbers.Integral):
            return _integer("filters", value, least=1)
        indices = tuple(_integer("filters", index, least=0) for index in value)
    except (TypeError, ValueError):
        raise error from None
    if not indices:
        raise error
    return indices


def _size(value: Any) -> str | tuple[int, int]:
    if isinstance(value, str) and value == "auto":
        return value
    try:
        height, width = (value, value) if isinstance(value, numbers.Integral) else value
        size = (_integer("size", height, least=1), _integer("size", width, least=1))
    except (TypeError, ValueError):
        size = (0, 0)
    if not all(1 <= side <= MAX_SIZE for side in size):
        raise ValueError(
            f'`size` must be "auto", an int or a pair (height, width), each from 1 to {MAX_SIZE} pixels. '
            f"Received: size={value!r}"
        )
    return size


def _input_range(value: Any) -> str | tuple[float, float]:
    if isinstance(value, str) and value == "auto":
        return value
    try:
        low, high = (float(bound) for bound in value)
    except (TypeError, ValueError):
        low, high = math.nan, math.nan
    if not (math.isfinite(low) and math.isfinite(high) and low < high):
        raise ValueError(
            '`input_range` must be "auto" or a pair (low, high) of finite numbers with low < high, the model inputs '
            f"that pixels 0 and 255 stand for. Received: input_range={value!r}"
        )
    return low, high
