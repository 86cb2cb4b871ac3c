"""The options of pattern generation, checked when they are made."""

from __future__ import annotations

import dataclasses
import math
import numbers
import reprlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from tb_filterviz.patterns.recipes import RECIPES

OBJECTIVES = ("channel", "spots", "neuron", "distinct")
"""The names that `PatternOptions.objective` may have."""

COMPUTE_DTYPES = ("auto", "float32", "bfloat16")
"""The names that `PatternOptions.compute_dtype` may have."""

MAX_SIZE = 4096
"""The longest side of a picture."""


@dataclasses.dataclass(frozen=True)
class PatternOptions:
    """How to make patterns, and of which filters.

    Attributes:
        filters: Which filters of a layer: `None` for all, an int for the first so many (all, if the layer has fewer),
            or a sequence of indices from 0.
        size: Length of each side of the pictures, 1 to 4096: an int for all, or one for each spatial axis of the
            input: `(length,)`, `(height, width)` or `(depth, height, width)`. `"auto"` takes the model's own input size
            where it is fixed; where it is not, half as much again as one filter sees of the input, 48 to 224 of
            pictures with two axes: see `receptive.sides`.
        channels: Channels of the input of a `tf.Module`, from 1; None: 3. Keras models know their own.
        steps: Number of gradient steps, from 1; None for those of the recipe, for `"distinct"` three times as many.
        recipe: `"default"`: 22 steps in a decorrelated Fourier basis at a fixed contrast, fast and readable.
            `"robust"`: 64 such steps on pictures that are shifted, scaled and turned a little before each. Both after
            C. Olah, A. Mordvintsev, L. Schubert, "Feature Visualization", Distill 2017. `"maco"`: 128 steps on phases
            alone, T. Fel et al., NeurIPS 2023. `"classic"`: 80 steps on pixels along a normalised gradient, from grey
            with a little noise: F. Chollet, "How convolutional neural networks see the world", The Keras Blog, 2016.
            Curves and volumes, of inputs with one or three spatial axes, are not moved by any.
        objective: `"channel"`: the filter's response on average over all positions but those at the borders, where
            what is below 0 counts a tenth (of `negative` ones: above), since a ReLU passes none of it on; where the
            first try does not bring that above 0, the next ones are for `"spots"`: on average over positions of a
            grid, so far apart that none sees what another one sees. Patterns say of which it is in `spots`.
            `"neuron"`: at the position in the middle alone. `"distinct"`: what the filter alone looks for: by how many
            standard deviations, over the cuts of `reference`, its response on average is ahead of that of each other
            filter of the layer (or direction, where these are given), or of its own mean if that is higher. All numbers
            are such leads then, of the negative responses where these are sought; a filter that is not ahead has
            failed. Each step computes all filters of the layer. See `distinct`.
        negative: Whether to look for the least response in place of the largest: what the filter is against.
        direction: Weights of the layer's channels, `[filters]`, or several such, `[n, filters]`: each stands for a
            filter whose response is so much of each channel's, and in the result for the filter of its index.
        facets: Pictures of each filter, side by side on its sheet, that look unlike one another to the layer: see
            `objectives.sameness`. The numbers of a filter are those of the one that reaches the least.
        normalized: Whether the response is taken after a `BatchNormalization` that takes the layer's output, which is
            found while the model runs. Without one it is that before the layer's activation in either case.
        seed: Seed of the noise, from 0. A filter's noise depends on the seed, the filter's index and the size only. The
            same call makes the same picture, bit by bit. So does another batch, if all layers up to the target round
            the same in it: convolutions, poolings and ReLU do on x86, `Dense` and `sigmoid` do not, after which
            pictures differ a little, mostly by less than 1/255 on average. But by `"maco"`, whose long steps make much
            of the last digit, another may come out.
        tries: How often a filter climbs, from 1, before it is called failed: each time from another noise, and with
            twice as many steps as the time before; the first time at the spots of `objective`, with as many. What has
            not failed climbs once, or twice where it is shown at spots.
        input_range: The model inputs that pixels 0 and 255 stand for, `low < high`. `"auto"`: see
            `inputs.detect_range`.
        preprocess: What is done to pictures in the input range before they enter the model, for instance
            `keras.applications.vgg16.preprocess_input`: a function of a tensor `[batch, *spatial, channels]` through
            which gradients pass. None: nothing, but for networks of `keras.applications` that need it. Passed again,
            the same function is not traced again: Python values that it reads are those of the first call. A lambda or
            a method that is named anew is another one.
        input: Which input of a model with several is climbed: its name or index. None: the only one of floating-point
            numbers with one to three spatial axes, or the only one of these that the layer sees.
        other_inputs: What the other inputs hold meanwhile, by name or index: one sample of each, without the batch
            axis. Those that are not given hold 0.
        reference: Natural inputs `[n, *spatial, channels]`, values in `input_range`, at least as large as the
            pictures: what the filters answer to them is kept beside what they answer to their patterns. The objective
            `"distinct"` needs some dozens of them.
        compute_dtype: In what a climb computes the convolutions of a float32 model: `"float32"`; `"bfloat16"`, which
            stays float32 where TensorFlow has no kernels of oneDNN for it; or `"auto"`: bfloat16 on Linux where the
            processor has instructions for it (AMX, AVX512-BF16) and there is no GPU, except by `"maco"`; else float32.
            What a pattern reaches is measured in the model's own precision.
        batch_size: The most filters that climb together, from 1, on each device of a `tf.distribute` strategy that is
            active; None: 16 without and 32 with a GPU, or fewer if these took more than 1 GiB.
        max_seconds: After so many seconds the climb of a layer ends: filters under way keep the steps they had, but for
            those that climb again, now at spots, and have a picture; and those not yet begun are left out. A warning
            counts these, and those with fewer steps or tries than asked for. The first ones take a step in any case,
            and what has to be traced before is not counted. None: no limit.
        progress: Whether to show a progress bar on the standard error stream.

    Raises:
        ValueError: If an option is out of its range or of the wrong type.

    Example:
        >>> PatternOptions(filters=[3, 7], size=96).filters
        (3, 7)
    """

    filters: int | Sequence[int] | None = None
    size: str | int | tuple[int, ...] = "auto"
    channels: int | None = None
    steps: int | None = None
    recipe: str = "default"
    objective: str = "channel"
    negative: bool = False
    direction: Any = None
    facets: int = 1
    normalized: bool = True
    seed: int = 0
    tries: int = 3
    input_range: str | tuple[float, float] = "auto"
    preprocess: Callable[[Any], Any] | None = None
    input: int | str | None = None
    other_inputs: Mapping[int | str, Any] | None = dataclasses.field(default=None, compare=False, repr=False)
    reference: Any = dataclasses.field(default=None, compare=False, repr=False)
    compute_dtype: str = "auto"
    batch_size: int | None = None
    max_seconds: float | None = None
    progress: bool = True

    def __post_init__(self) -> None:
        """Checks every option and brings it into its plain form."""
        _set(self, "filters", _filters(self.filters))
        _set(self, "size", _size(self.size))
        if self.channels is not None:
            _set(self, "channels", _integer("channels", self.channels, least=1))
        if self.steps is not None:
            _set(self, "steps", _integer("steps", self.steps, least=1))
        _one_of("recipe", self.recipe, tuple(RECIPES))
        _one_of("objective", self.objective, OBJECTIVES)
        if self.objective == "distinct" and self.reference is None:
            raise ValueError(
                "`objective='distinct'` compares filters by what they answer to natural inputs: pass some dozens of "
                "them as `reference`. Received: reference=None"
            )
        _one_of("compute_dtype", self.compute_dtype, COMPUTE_DTYPES)
        if self.direction is not None:
            _set(self, "direction", _direction(self.direction))
        _set(self, "facets", _integer("facets", self.facets, least=1))
        _set(self, "seed", _integer("seed", self.seed, least=0))
        _set(self, "tries", _integer("tries", self.tries, least=1))
        _set(self, "input_range", _input_range(self.input_range))
        if self.preprocess is not None and not callable(self.preprocess):
            raise ValueError(f"`preprocess` must be None or a function. Received: preprocess={self.preprocess!r}")
        if self.batch_size is not None:
            _set(self, "batch_size", _integer("batch_size", self.batch_size, least=1))
        if self.max_seconds is not None and not (isinstance(self.max_seconds, numbers.Real) and self.max_seconds > 0):
            raise ValueError(
                f"`max_seconds` must be None or a number above 0. Received: max_seconds={self.max_seconds!r}"
            )
        if not isinstance(self.input, (str, type(None))):
            _set(self, "input", _integer("input", self.input, least=0))
        if not isinstance(self.other_inputs, (Mapping, type(None))):
            raise ValueError(
                "`other_inputs` must be None or a dict {name or index: array}. "
                f"Received: {type(self.other_inputs).__name__}"
            )
        for name in ("negative", "normalized", "progress"):
            if not isinstance(getattr(self, name), bool):
                raise ValueError(f"`{name}` must be True or False. Received: {name}={getattr(self, name)!r}")


def select_filters(filters: int | Sequence[int] | None, count: int, layer: str = "the layer") -> list[int]:
    """Names the filters of one layer that `PatternOptions.filters` asks for.

    Args:
        filters: As in `PatternOptions`.
        count: Number of filters of the layer.
        layer: What an error shall call it.

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
            f"`filters` must be indices from 0 to {count - 1}: {layer} has {count} filters. Received: {wrong[0]}"
        )
    return sorted(set(filters))


def _set(options: PatternOptions, name: str, value: Any) -> None:
    object.__setattr__(options, name, value)  # the dataclass is frozen


def _one_of(name: str, value: Any, known: Iterable[str]) -> None:
    if value not in known:
        names = " or ".join(repr(one) for one in known)
        raise ValueError(f"`{name}` must be {names}. Received: {name}={value!r}")


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


def _direction(value: Any) -> tuple[tuple[float, ...], ...]:
    try:
        rows = [[float(weight) for weight in row] for row in (value if hasattr(value[0], "__len__") else [value])]
    except (TypeError, ValueError, IndexError, KeyError):
        rows = []
    good = all(row and len(row) == len(rows[0]) and any(row) and all(map(math.isfinite, row)) for row in rows)
    if not (rows and good):
        raise ValueError(
            "`direction` must be None, or finite numbers [filters] or [n, filters], not all 0. "
            f"Received: direction={reprlib.repr(value)}"
        )
    return tuple(tuple(row) for row in rows)


def _size(value: Any) -> str | int | tuple[int, ...]:
    if isinstance(value, str) and value == "auto":
        return value
    try:
        if isinstance(value, numbers.Integral):
            size: int | tuple[int, ...] = _integer("size", value, least=1)
        else:
            size = tuple(_integer("size", side, least=1) for side in value)
    except (TypeError, ValueError):
        size = ()
    sides = (size,) if isinstance(size, int) else size
    if not (1 <= len(sides) <= 3 and max(sides) <= MAX_SIZE):
        raise ValueError(
            '`size` must be "auto", an int for all sides, or one for each spatial axis, such as (height, width), each '
            f"from 1 to {MAX_SIZE}. Received: size={value!r}"
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
