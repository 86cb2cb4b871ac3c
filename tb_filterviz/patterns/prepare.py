"""Everything that is found out before the first step: the layer, the input, the range, the size; and the engine."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from tb_filterviz.patterns import (
    cache,
    engine,
    entrance,
    inputs,
    others,
    plausible,
    precision,
    receptive,
    reference,
    sheet,
    signature,
    sizes,
    tap,
    target,
)
from tb_filterviz.patterns.options import PatternOptions, select_filters
from tb_filterviz.patterns.recipes import Recipe


@dataclasses.dataclass(frozen=True)
class Prepared:
    """What a climb needs.

    Attributes:
        target: Whose filters are climbed.
        engine: Measures and climbs them.
        input_range: What 0 and 255 of a picture stand for.
        natural: Returns, for what `Engine.measure` calls `apart`, what that measures of natural inputs, float32 `[2,
            cuts, filters]`; None where there are none.
        apart: Returns how many pixels spots are apart.
    """

    target: target.Target
    engine: engine.Engine
    input_range: tuple[float, float]
    natural: Callable[[int], NDArray[np.float32]] | None
    apart: Callable[[], int]


def prepare(model: Any, layer: Any, options: PatternOptions, recipe: Recipe) -> Prepared:
    """Finds out what `generate_patterns` is asked for, and whether it can be done.

    Args:
        model: See `generate_patterns`.
        layer: See `generate_patterns`.
        options: How the patterns are to be made.
        recipe: The recipe of that name.

    Returns:
        What a climb needs, made anew or kept from before.

    Raises:
        ValueError: As `generate_patterns`.
    """
    found = target.find(model, layer)
    check_filters(found, options, found.path)
    is_layer = isinstance(found.layer, keras.layers.Layer)
    keep = cache.get if is_layer else _make  # nobody knows on what a function depends
    takes = signature.of(model, options.size, options.channels)
    sees = functools.partial(receptive.seen_inputs, model, found.layer, takes)
    climbed = signature.choose(model, takes.inputs, options.input, sees)
    chosen = takes.inputs[climbed]
    own, known = chosen.picture(chosen.shape[1:]), chosen.picture(chosen.known)
    around = others.Others.given(takes, climbed, options.other_inputs)
    span, preprocess = options.input_range, options.preprocess
    if isinstance(span, str):  # who gives the range of the model's inputs has prepared them
        # Once: else a normalisation that learns meanwhile would change the range in the middle of a series.
        span, needed = keep(
            model,
            ("range", around.key, known),
            lambda: inputs.detect_range(model, entrance.find(model, around.around, known), known[-1] or 0),
        )
        preprocess = needed if preprocess is None else preprocess
    feed = inputs.Feed(span, preprocess, around.around)
    fed = (found.path, span, around.key)
    shape = inputs.picture_shape(
        model,
        own,
        options.size,
        lambda sides: keep(
            model, ("sides", fed, sides), lambda: receptive.sides(model, found.layer, feed, sides), preprocess
        ),
    )
    sheet.check(shape, options.facets)
    cuts = None if options.reference is None else reference.cut(options.reference, shape)
    weights = found.layer.get_weights() if is_layer else []
    finite = all(np.isfinite(weight).all() for weight in weights)
    aim = (
        "channel" if options.objective == "spots" else options.objective,
        options.normalized,
        finite,
        options.negative,
        options.direction,
        options.facets,
        precision.is_reduced(options.compute_dtype, recipe),
    )
    try:
        climber = keep(
            model,
            ("engine", fed, shape, recipe, aim),
            lambda: engine.Engine(model, found.layer, feed, shape, recipe, *aim),
            preprocess,
            loop=True,
        )
    except tap.SizeError as error:
        advice = sizes.advice(
            lambda sides: tap.runs(model, found.layer, feed, (*sides, shape[-1])), shape[:-1], own[:-1], known[:-1]
        )
        raise (error if advice is None else tap.SizeError(error.what, advice, error.received)) from error.__cause__
    except ValueError as error:
        said = signature.unseen(takes.inputs, climbed, sees) if is_layer else ""
        if not said:
            raise
        raise ValueError(
            f"{said} Received: model={model.name!r}, layer={found.path!r}, input={options.input!r}"
        ) from error
    unsound = climber.unsound(found.layer)
    if unsound:
        raise ValueError(
            "There is NaN or infinity in weights that the layer's responses depend on. "
            f"Received: {', '.join(map(repr, unsound[:3]))}, layer={found.path!r}"
        )
    if options.objective == "spots" and not climber.finds_spots:
        raise ValueError(
            "`objective` cannot be 'spots' for a layer whose positions are not along the axes of the pictures, such as "
            f"a dense layer behind a `Flatten`. Choose 'channel'. Received: objective='spots', layer={found.path!r}"
        )
    if len(takes.inputs) == 1 and isinstance(model, keras.layers.Layer):
        plausible.warn_if_wrong(model, shape, span, lambda other: dataclasses.replace(feed, input_range=other))
    natural = None
    if cuts is not None:
        plausible.warn_if_other(cuts, span)
        natural = functools.cache(functools.partial(reference.respond, climber, cuts, span))

    def apart() -> int:
        side: int = keep(
            model, ("apart", fed, shape), lambda: receptive.apart(model, found.layer, feed, shape), preprocess
        )
        return side

    return Prepared(found, climber, span, natural, apart)


def check_filters(found: target.Target, options: PatternOptions, path: str) -> None:
    """Checks, before any work, what is asked of a layer's filters, as far as it is known how many it has.

    Args:
        found: The layer.
        options: How the patterns are to be made.
        path: What an error shall call the layer.

    Raises:
        ValueError: If it does not have the filters, or `direction` is of more or fewer.
    """
    count = found.filters
    if options.direction is not None:
        weights = len(options.direction[0])
        if count not in (None, weights):
            raise ValueError(
                f"`direction` must hold {count} numbers, one for each channel of the layer. "
                f"Received: {weights}, layer={path!r}"
            )
        count = len(options.direction)
    if count is not None:
        select_filters(options.filters, count, f"the layer {path!r}")


def check_inputs(model: Any, options: PatternOptions) -> None:
    """Checks, before any work, the input that is to be climbed, and what the others hold.

    Where it depends on the layer which input is climbed, nothing can be told yet.

    Args:
        model: Built Keras model.
        options: How the patterns are to be made.

    Raises:
        ValueError: If there is no such input, or no such other ones.
    """
    if options.input is None and not options.other_inputs:
        return
    takes = signature.of(model, options.size, options.channels)
    able = [index for index, one in enumerate(takes.inputs) if not one.problem]
    if options.input is not None or len(able) == 1:
        climbed = signature.choose(model, takes.inputs, options.input, lambda able: able)
        others.Others.given(takes, climbed, options.other_inputs)


def _make(model: Any, key: Any, make: Callable[[], Any], *more: Any, loop: bool = False) -> Any:
    return make()
