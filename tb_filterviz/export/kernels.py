"""Figures of kernels: slices of filters as tiles."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tb_filterviz import colormap, mosaic, wire
from tb_filterviz.export.content import Bar, Content, number, product
from tb_filterviz.export.options import LIMITS, Options

_NAMES = {
    "bluered": ("blue", "white", "red"),
    "blueorange": ("blue", "white", "orange"),
    "night": ("blue", "black", "orange"),
    "grey": ("black", "grey", "white"),
}


@dataclasses.dataclass(frozen=True)
class Shown:
    """What is shown of a layer's kernels, at one step or over several.

    Attributes:
        filters: Indices of the filters.
        inputs: Which of their slices: see `Options.inputs`.
        limit: What the last colours stand for: one magnitude, or one of each filter.
        limited: How it was chosen: see `Options.limit`.
        odd: How many weights of all that is shown are not finite.
    """

    filters: Sequence[int]
    inputs: str | int
    limit: NDArray[np.float32]
    limited: str | float
    odd: int


def shown(
    filters: Sequence[int],
    inputs: str | int,
    options: Options,
    limits: NDArray[np.float32] | None,
    pictures: Sequence[NDArray[Any]],
) -> Shown:
    """Returns what is shown.

    Args:
        filters: Indices of the filters.
        inputs: Which of their slices.
        options: What its scale is to be.
        limits: `[filters of the layer]`, the largest magnitude of each; None where the limit is a number.
        pictures: All that will be drawn.
    """
    limit: NDArray[np.float32] = np.asarray(0 if options.limit in LIMITS else options.limit, np.float32)
    if limits is not None:
        limit = np.asarray(limits.max(initial=0)) if options.limit == "layer" else limits[list(filters)]
    odd = sum(one.size - int(np.count_nonzero(np.isfinite(one))) for one in pictures)
    return Shown(filters, inputs, limit, options.limit, odd)


def one_step(shown: Shown, pictures: NDArray[Any], options: Options, heading: str, lines: Sequence[str]) -> Content:
    """Shows filters side by side; all slices of one filter as tiles; or those of many as a table.

    Args:
        shown: What `pictures` are.
        pictures: `[filters][inputs][*spatial]`, as from `slices.select`.
        options: How the figure looks.
        heading: Name of the layer.
        lines: What else is to be known.
    """
    count, inputs, *_ = pictures.shape
    rgb = shown.inputs == "rgb"
    apart = pictures if rgb else pictures.reshape(count * inputs, 1, *pictures.shape[2:])
    limits = shown.limit if rgb else np.repeat(np.broadcast_to(shown.limit, (count,)), inputs)
    tiles = mosaic.kernel_tiles(apart, limits, options.map, rgb)
    filters = [str(index) for index in shown.filters]
    of_inputs = [str(index) for index in range(inputs)]
    common: dict[str, Any] = {
        "heading": heading,
        "notes": [_colours(shown, options), *_marks(shown)],
        "bar": _bar(shown, options),
    }
    if rgb or inputs == 1:
        counted = list(shown.filters) == list(range(shown.filters[0], shown.filters[0] + count))
        what = _named(shown.inputs, f"{count} filters" if count > 1 else f"Filter {filters[0]}")
        return Content(tiles, filters, lines=[*lines, what], counted=counted, **common)
    if count == 1:
        what = f"Filter {filters[0]}: its slices of all inputs"
        return Content(tiles, of_inputs, lines=[*lines, what], counted=True, **common)
    what = f"{count} filters (rows), their slices of all inputs (columns)"
    return Content(tiles, (), lines=[*lines, what], rows=filters, columns=of_inputs, **common)


def over_steps(
    shown: Shown, pictures: NDArray[Any], steps: Sequence[int], options: Options, heading: str, lines: Sequence[str]
) -> Content:
    """Shows steps below one another, filters or inputs side by side; or one slice's steps in reading order.

    Args:
        shown: What `pictures` are; of one filter, if of all inputs.
        pictures: `[steps][filters][inputs][*spatial]`.
        steps: The steps.
        options: How the figure looks.
        heading: Name of the layer.
        lines: What else is to be known.
    """
    count, filters, inputs, *spatial = pictures.shape
    rgb = shown.inputs == "rgb"
    across = filters if rgb or filters > 1 else inputs
    apart = pictures.reshape(count * across, -1, *spatial)
    limits = np.broadcast_to(shown.limit, (filters,)) if filters > 1 else np.broadcast_to(shown.limit.max(), (across,))
    tiles = mosaic.kernel_tiles(apart, np.tile(limits, count), options.map, rgb)
    what = _named(shown.inputs, f"Filter {shown.filters[0]}" if filters == 1 else f"{filters} filters (columns)")
    if filters == 1 and across > 1:
        what = f"Filter {shown.filters[0]}: its slices of all inputs (columns)"
    names = [str(step) for step in steps]
    common: dict[str, Any] = {
        "heading": heading,
        "lines": [*lines, f"{what}, at {count} steps" + (" (rows)" if across > 1 else "")],
        "notes": [_colours(shown, options), *_marks(shown)],
        "bar": _bar(shown, options),
    }
    if across == 1:
        return Content(tiles, names, **common)
    columns = [str(index) for index in (shown.filters if filters > 1 else range(inputs))]
    return Content(tiles, (), rows=names, columns=columns, **common)


def facts(header: wire.Header) -> str:
    """Returns a layer's class and shape in words."""
    return f"{header.layer.layer_class}, {product(header.shape)} ({header.axes})"


def _named(inputs: str | int, filters: str) -> str:
    words = {"mean": ", mean over inputs", "strongest": ", strongest slice", "rgb": ", inputs as colours", "all": ""}
    return filters + words.get(str(inputs), f", slice of input {inputs}")


def _bar(shown: Shown, options: Options) -> Bar:
    colours = colormap.table("grey" if shown.inputs == "rgb" else options.map)[: colormap.NOT_FINITE]
    end = number(float(shown.limit.max())) if shown.limit.size == 1 else "largest of each filter"
    return Bar(colours, f"\N{MINUS SIGN}{end}", "0", f"+{end}")


def _colours(shown: Shown, options: Options) -> str:
    low, middle, high = ("black", "mid grey", "white") if shown.inputs == "rgb" else _NAMES[options.map]
    what = "Means of weights" if shown.inputs == "mean" else "Weights"
    if shown.limited in LIMITS:
        of = "the layer" if shown.limited == "layer" else "each filter"
        scale = f"{low} and {high} are the largest magnitude in {of}"
    else:
        scale = f"{low} and {high} stand for \N{PLUS-MINUS SIGN}{shown.limited:.6g} and beyond"
    return f"{what}{' as red, green and blue' if shown.inputs == 'rgb' else ''}: {middle} is 0, {scale}"


def _marks(shown: Shown) -> list[str]:
    return [f"{shown.odd} not finite, drawn in magenta"] if shown.odd else []
