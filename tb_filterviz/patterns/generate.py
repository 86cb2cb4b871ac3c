"""Patterns of a layer's filters, from the model to the record."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import tqdm

from tb_filterviz import records
from tb_filterviz.patterns import parameterization
from tb_filterviz.patterns.options import PatternOptions, select_filters


def generate_patterns(
    model: Any,
    layer: Any,
    filters: int | Sequence[int] | None = None,
    *,
    size: str | int | tuple[int, int] | None = None,
    steps: int | None = None,
    recipe: str | None = None,
    seed: int | None = None,
    input_range: str | tuple[float, float] | None = None,
    batch_size: int | None = None,
    progress: bool | None = None,
    options: PatternOptions | None = None,
    record: records.Layer | None = None,
) -> records.Patterns:
    """Makes, for filters of a layer, the pictures that excite them most.

    Each picture starts from grey with a little noise and climbs the gradient of its filter's mean response. The
    response is taken *before* the layer's activation function, since behind a ReLU many filters answer noise with 0
    and have no gradient; and without the positions at the borders, which see zero padding. The model runs in
    inference mode and is left as it was, also after an interrupt.

    Args:
        model: Built Keras 3 model (TensorFlow backend) with one input `(batch, height, width, 1 or 3)`: functional,
            sequential, nested or subclassed.
        layer: A layer of the model, at any depth, or its name or path. It needs a kernel of its own: a convolution of
            any kind, or a dense layer.
        filters: Which filters: `None` for those of `options` (by default all), an int for the first so many, or a
            sequence of indices.
        size: See `PatternOptions`; like the next six, the default is that of `options`.
        steps: See `PatternOptions`.
        recipe: See `PatternOptions`.
        seed: See `PatternOptions`.
        input_range: See `PatternOptions`.
        batch_size: See `PatternOptions`.
        progress: See `PatternOptions`.
        options: What is not given by name. The default is `PatternOptions()`.
        record: The identity that the result shall have; the default is that of the layer's kernel (its last, where it
            has two).

    Returns:
        One picture a filter, ascending by filter, with the response to its noise (`start`) and to the very picture
        (`reached`). A filter that did not rise, or met numbers that are not finite, is marked in `failed` and does
        not disturb the others.

    Raises:
        ValueError: If an option or a filter is out of range, the layer is unknown or has no filters, the model is not
            built, takes no pictures, or cannot run on pictures of this size.

    Example:
        >>> import keras
        >>> conv = keras.layers.Conv2D(4, 3, activation="relu")
        >>> model = keras.Sequential([keras.Input((8, 8, 3)), conv])
        >>> patterns = generate_patterns(model, conv, filters=[0, 3], steps=5, progress=False)
        >>> patterns.images.shape, patterns.failed.tolist()
        ((2, 8, 8, 3), [False, False])
    """
    given: dict[str, Any] = {
        "filters": filters,
        "size": size,
        "steps": steps,
        "recipe": recipe,
        "seed": seed,
        "input_range": input_range,
        "batch_size": batch_size,
        "progress": progress,
    }
    changes = {name: value for name, value in given.items() if value is not None}
    options = dataclasses.replace(options or PatternOptions(), **changes)

    # TensorFlow takes seconds to import: only here, when the options are known to be good.
    from tb_filterviz.patterns import engine, inputs, target

    found = target.find(model, layer)
    shape = inputs.picture_shape(model, options.size)
    span = inputs.detect_range(model) if isinstance(options.input_range, str) else options.input_range
    climber = engine.Engine(model, found.layer, shape, span)
    indices = np.array(select_filters(options.filters, climber.filters))
    images, start, reached = _run(climber, indices, shape, options, found.path)
    return records.Patterns(
        layer=record or found.record,
        filters=indices,
        images=images,
        start=start,
        reached=reached,
        failed=~(np.isfinite(reached) & (reached > start)),
        input_range=span,
        recipe=options.recipe,
        steps=options.steps,
    )


def _run(climber: Any, filters: Any, shape: tuple[int, int, int], options: PatternOptions, name: str) -> list[Any]:
    """Returns the pictures of all filters, and the responses before and after, each in one array."""
    batches = np.array_split(filters, math.ceil(len(filters) / options.batch_size))
    done: list[tuple[Any, Any, Any]] = []
    with tqdm.tqdm(
        total=len(filters),
        desc=name,
        bar_format="{desc}: {percentage:3.0f}%|{bar}| {n:.1f}/{total} filters [{elapsed}<{remaining}]",
        disable=not options.progress,
    ) as bar:
        for batch in batches:
            noise = parameterization.noise(options.seed, batch, shape)
            climbed = noise.astype(np.float32)
            for _ in range(options.steps):  # in Python, so that an interrupt is heard between two steps
                climbed = climber.step(climbed, batch)
                bar.update(len(batch) / options.steps)
            images = parameterization.quantise(climbed)
            bar.update(sum(len(one) for one in batches[: len(done) + 1]) - bar.n)  # fractions do not add up exactly
            done.append((images, climber.measure(noise, batch), climber.measure(images, batch)))
    return [np.concatenate(parts) for parts in zip(*done, strict=True)]
