"""Patterns of a layer's filters, from the model to the record."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

from tb_filterviz import records
from tb_filterviz.patterns.options import PatternOptions, select_filters
from tb_filterviz.patterns.recipes import RECIPES


def generate_patterns(
    model: Any,
    layer: Any,
    filters: int | Sequence[int] | None = None,
    *,
    options: PatternOptions | None = None,
    record: records.Layer | None = None,
    **changes: Any,
) -> records.Patterns:
    """Makes, for filters of a layer, the pictures that excite them most.

    Each picture starts from noise and climbs the gradient of its filter's response. The response is taken *before* the
    layer's activation function, since behind a ReLU many filters answer noise with 0 and have no gradient; and without
    the positions at the borders, which see zero padding. The model runs in inference mode and is left as it was, also
    after an interrupt: its weights and states, and each `tf.Variable` in an attribute of a layer, which loses what
    another thread assigns to it meanwhile. What a `tf.Module` alone, or a variable held elsewhere, is assigned stays.

    What was traced for a layer and a size is kept as long as the model, so that a second call begins at once. Ctrl-C
    ends the climb and returns the patterns that are done; where there are none yet, it goes through.

    Args:
        model: Built Keras 3 model (TensorFlow backend): functional, sequential, nested or subclassed, with any number
            of inputs and outputs. The input that is climbed is one of floating-point numbers `(batch, *spatial,
            channels)`, with one to three spatial axes and any number of channels. Or a `tf.Module`.
        layer: A layer of the model, at any depth, or its name or path. It needs a kernel of its own: a convolution of
            any kind, or a dense layer. Or a function of the inputs that computes, in TensorFlow, the response
            `[batch, *positions, filters]` that is to be climbed: that is the way for a `tf.Module`, of whose input then
            the `size` and the `channels` have to be given. A layer that the model calls several times is heard at its
            first call only.
        filters: Which filters: `None` for those of `options` (by default all), an int for the first so many, or a
            sequence of indices.
        options: What is not given by name. The default is `PatternOptions()`.
        record: The identity that the result shall have; the default is that of the layer's kernel (its last, where it
            has two).
        **changes: Any field of `PatternOptions`, such as `size`, `steps`, `recipe` and `seed`.

    Returns:
        One picture a filter, ascending by filter; what is not two-dimensional and grey or RGB is laid out on a sheet,
        see `sheet.lay_out`. With the response to its noise (`start`), to the very picture (`reached`), to the best of
        several pictures of noise (`noise`) and on the way (`curve`); and, where there is a `reference`, to the best of
        natural inputs (`natural`), and the `percentile` among these. A filter that did not pass what noise and natural
        inputs reach, or met numbers that are not finite, is marked in `failed` after so many tries, and does not
        disturb the others.

    Raises:
        ValueError: If an option or a filter is out of range, the layer is unknown or has no filters, the model is not
            built, takes no pictures, or cannot run on pictures of this size.
        TypeError: If an option is unknown.

    Example:
        >>> import keras
        >>> conv = keras.layers.Conv2D(4, 3, activation="relu")
        >>> model = keras.Sequential([keras.Input((8, 8, 3)), conv])
        >>> patterns = generate_patterns(model, conv, filters=[0, 3], steps=5, progress=False)
        >>> patterns.images.shape, patterns.failed.tolist()
        ((2, 8, 8, 3), [False, False])

        Of a module, by a function:

        >>> import tensorflow as tf
        >>> module = tf.Module()
        >>> module.kernel = tf.Variable(tf.random.normal((3, 3, 3, 4)))
        >>> def edges(inputs):
        ...     return tf.nn.conv2d(inputs, module.kernel, 1, "VALID")
        >>> patterns = generate_patterns(module, edges, size=8, steps=5, progress=False)
        >>> patterns.layer.path, patterns.images.shape
        ('edges', (4, 8, 8, 3))
    """
    made, interrupt = until_interrupt(model, layer, filters, options=options, record=record, **changes)
    if interrupt is not None:
        _warn(f"interrupted: the patterns of {len(made)} filters are done and returned, the others are left out")
    return made


def until_interrupt(
    model: Any,
    layer: Any,
    filters: int | Sequence[int] | None = None,
    *,
    options: PatternOptions | None = None,
    record: records.Layer | None = None,
    **changes: Any,
) -> tuple[records.Patterns, KeyboardInterrupt | None]:
    """Does what `generate_patterns` does, for a caller that passes an interrupt on.

    Args:
        model: See `generate_patterns`, as for all others.
        layer: The layer.
        filters: Which filters.
        options: What is not given by name.
        record: The identity that the result shall have.
        **changes: Any field of `PatternOptions`.

    Returns:
        The patterns that are done, and the interrupt that ended it, or None.

    Raises:
        ValueError: As `generate_patterns`.
        KeyboardInterrupt: If it came before any pattern was done.
    """
    if filters is not None:
        changes["filters"] = filters
    options = dataclasses.replace(options or PatternOptions(), **changes)
    recipe = RECIPES[options.recipe]

    # TensorFlow takes seconds to import: only here, when the options are known to be good.
    from tb_filterviz.patterns import climb, distinct, sheet, state
    from tb_filterviz.patterns.prepare import prepare

    patience = distinct.PATIENCE if options.objective == "distinct" else 1
    steps = options.steps or patience * recipe.steps

    with state.kept(model):
        ready = prepare(model, layer, options, recipe)
        path = ready.target.path
        indices = select_filters(options.filters, ready.engine.filters, f"the layer {path!r}")
        made, interrupt = climb.Climb(ready, recipe, steps, options).run(indices)
    if interrupt is not None and not made.filters.size:
        raise interrupt
    left_out = len(indices) - len(made.filters)
    if (left_out or made.hurried) and interrupt is None:
        _warn(
            f"`max_seconds`={options.max_seconds} are over: the patterns of {len(made.filters)} of {len(indices)} "
            f"filters of {path!r} are done"
            + (f", {made.hurried} of them with fewer steps or tries than asked for" if made.hurried else "")
            + (", the others are left out" if left_out else ""),
            callers=2,
        )
    result = records.Patterns(
        layer=record or ready.target.record,
        filters=made.filters,
        images=sheet.lay_out(made.images, options.facets),
        start=made.start,
        reached=made.reached,
        failed=made.failed,
        input_range=ready.input_range,
        recipe=options.recipe,
        steps=steps,
        noise=made.noise,
        natural=made.natural,
        percentile=made.percentile,
        curve=made.curve,
        spots=made.spots,
        objective=options.objective,
    )
    return result, interrupt


def _warn(message: str, callers: int = 1) -> None:
    """Warns whoever called so many callers above the one that warns."""
    import warnings

    warnings.warn(message, stacklevel=2 + callers)
