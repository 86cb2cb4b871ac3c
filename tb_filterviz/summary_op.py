"""The summary op."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import tensorflow as tf
from numpy.typing import NDArray

from tb_filterviz import records, sources, wire, writers
from tb_filterviz.patterns import prepare, target
from tb_filterviz.patterns.generate import until_interrupt
from tb_filterviz.patterns.options import PatternOptions


def summary(
    name: str,
    data: Any,
    step: Any = None,
    *,
    layers: str | Sequence[str] | None = None,
    patterns: int | PatternOptions | None = None,
    layout: str | None = None,
    precision: str = "float16",
    description: str | None = None,
) -> Any:
    """Logs convolution kernels, and on request the patterns that excite their filters, for the Filters tab.

    Like every `tf.summary` op it writes to the default writer, honours `record_if`, `set_step` and name scopes, and
    works inside a `tf.function` (but not one with `jit_compile=True`) and under a `tf.distribute` strategy. Steps may
    come in any order; where the tab reads TensorBoard's loader and not the event files, an earlier hides later ones.

    Args:
        name: What to call it; the tab groups layers by it.
        data: What to log: a Keras model or layer, a `tf.Module`, a variable, tensor or array, a dict of names to such,
            or `Patterns` that were made before. Every convolution of a model is found, in model order.
        step: Integer step; the default is that of `tf.summary.experimental.set_step`.
        layers: Which layers of a model: names, paths, or regular expressions that match one of these as a whole. The
            default is every convolution; dense layers are logged when they are named.
        patterns: Also make and log pictures that maximise filters of each selected layer: an int for the first so many
            filters, or `PatternOptions`. This takes seconds to minutes; not inside a `tf.function`. Ctrl-C writes those
            that are done, and goes through. A layer has one set of patterns, which is logged with its last kernel,
            whichever is selected. A layer that can have none, such as one that the model calls in training only, is
            left out with a warning; if `layers` names it, or no layer has any, its error is raised when those of the
            others are written.
        layout: Axes of an array or variable, one of `records.LAYOUTS`, such as `"OIHW"` for one of PyTorch. The default
            is that of a Keras convolution: `"WIO"`, `"HWIO"` or `"DHWIO"`.
        precision: `"float16"` keeps 11 significant bits and half the bytes of `"float32"`; `"int8"`, with a scale for
            each slice, a quarter. Where it cannot hold the values, a larger one is used.
        description: Plain text that the tab shows.

    Returns:
        A boolean tensor, true if it was written: there was a default writer, and it was recording.

    Raises:
        ValueError: If there is no step, the data hold no kernel, an argument is not as described, or a layer that is
            named cannot have patterns.

    Example:
        ```python
        with tf.summary.create_file_writer("logs").as_default():
            filterviz.summary("cnn", model, step=0)
            filterviz.summary("cnn", model, step=0, layers=["conv.*"], patterns=16)
            filterviz.summary("mine", np.zeros((3, 3, 8, 16)), step=0)
        ```
    """
    if precision not in wire.PRECISIONS:
        known = ", ".join(repr(one) for one in wire.PRECISIONS)
        raise ValueError(f"`precision` must be one of {known}. Received: precision={precision!r}")
    if not isinstance(name, str):
        raise ValueError(f"`name` must be a string. Received: name={name!r}")
    with tf.summary.experimental.summary_scope(name, "filters", [step]) as (scoped, _):
        if isinstance(data, records.Patterns):
            return writers.write([_patterns_entry(scoped, data, description)], step)
        weights = sources.find_weights(data, layers, layout)
        options = None if patterns is None else _pattern_options(patterns, data, weights)
        targets = [] if options is None else pattern_targets(data, weights, options)
        written = writers.write([_kernel_entry(scoped, one, precision, description) for one in weights], step)
        if options is not None and written:
            with tf.summary.record_if(True):  # decided above
                problems = _write_patterns(scoped, data, targets, options, description, step)
            if problems and (layers is not None or len(problems) == len(targets)):
                raise next(iter(problems.values()))
            if problems:
                reasons = " ".join(f"{path!r}: {error}" for path, error in problems.items())
                warnings.warn(f"Left out, because they cannot have patterns: {reasons}", stacklevel=2)
        return written


def pattern_targets(model: Any, weights: Sequence[sources.Weight], options: PatternOptions) -> list[target.Target]:
    """Finds the layers of which patterns are to be made, and checks what is known of them before any work.

    Args:
        model: Keras model.
        weights: The selected weights.
        options: How the patterns are to be made.

    Returns:
        The layers that the weights belong to, once each.

    Raises:
        ValueError: If a layer does not have the filters, or the model the inputs, that are asked for.
    """
    found = [target.find(model, layer) for layer in {id(one.source): one.source for one in weights}.values()]
    for one in found:
        prepare.check_filters(one, options, one.record.path)
    prepare.check_inputs(model, options)
    return found


def _kernel_entry(name: str, weight: sources.Weight, precision: str, description: str | None) -> writers.Entry:
    def encode(values: NDArray[Any]) -> list[bytes]:
        return wire.encode_kernel(weight.to_kernel(values), name, precision, writers.filter_major)

    tag = wire.tag(name, weight.layer.path, wire.KERNEL)
    return writers.Entry(tag, wire.metadata(wire.KERNEL, description), weight.read, encode)


def _patterns_entry(name: str, patterns: records.Patterns, description: str | None) -> writers.Entry:
    def encode(_: NDArray[Any]) -> list[bytes]:
        return wire.encode_patterns(patterns, name)

    tag = wire.tag(name, patterns.layer.path, wire.PATTERNS)
    return writers.Entry(tag, wire.metadata(wire.PATTERNS, description), lambda: patterns.filters, encode)


def _pattern_options(patterns: int | PatternOptions, data: Any, weights: Sequence[sources.Weight]) -> PatternOptions:
    if not hasattr(data, "layers") or not all(weight.source for weight in weights):
        raise ValueError(
            "`patterns` need a Keras model, which can be run on pictures. Leave them out, or pass the model as `data`. "
            f"Received: data of type {type(data).__name__}, patterns={patterns!r}"
        )
    if not tf.executing_eagerly():
        raise ValueError("`patterns` cannot be made inside a tf.function. Call filterviz.summary outside of it.")
    if isinstance(patterns, PatternOptions):
        return patterns
    if isinstance(patterns, bool) or not isinstance(patterns, int) or patterns < 1:
        raise ValueError(
            f"`patterns` must be None, a number of filters from 1, or PatternOptions. Received: patterns={patterns!r}"
        )
    return PatternOptions(filters=patterns)


def _write_patterns(
    name: str,
    model: Any,
    targets: Sequence[target.Target],
    options: PatternOptions,
    description: str | None,
    step: Any,
) -> dict[str, ValueError]:
    """Makes and writes the patterns layer by layer; an interrupt goes through when what is done is written.

    Returns:
        Why layers cannot have patterns, by path.
    """
    problems = {}
    for found in targets:
        try:
            made, interrupt = until_interrupt(model, found.layer, options=options)
        except ValueError as error:
            problems[found.path] = error
            continue
        writers.write([_patterns_entry(name, made, description)], step)
        if interrupt is not None:
            raise interrupt
    return problems
