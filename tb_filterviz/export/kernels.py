"""Figures of kernels: slices of filters as tiles."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tb_filterviz import colormap, mosaic, wire
from tb_filterviz.export.content import BACKGROUNDS, Bar, Content, number, product
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
        layer: What the limit `"layer"` looks at, in words.
    """

    filters: Sequence[int]
    inputs: str | int
    limit: NDArray[np.float32]
    limited: str | float
    odd: int
    layer: str = "the layer"


def shown(
    filters: Sequence[int],
    inputs: str | int,
    options: Options,
    limits: NDArray[np.float32] | None,
    odd: int,
) -> Shown:
    """Returns what is shown.

    Args:
        filters: Indices of the filters.
        inputs: Which of their slices.
        options: What its scale is to be.
        limits: `[filters of the layer]`, the largest magnitude of each; None where the limit is a number.
        odd: See `Shown.odd`; `not_finite` counts them.
    """
    limit: NDArray[np.float32] = np.asarray(0 if options.limit in LIMITS else options.limit, np.float32)
    if limits is not None:
        limit = np.asarray(limits.max(initial=0)) if options.limit == "layer" else limits[list(filters)]
    return Shown(filters, inputs, limit, options.limit, odd)


def not_finite(pictures: NDArray[Any]) -> int:
    """Counts what is not finite of all that will be drawn."""
    return pictures.size - int(np.count_nonzero(np.isfinite(pictures)))


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


def side_by_side(
    shown: Shown,
    three: NDArray[Any],
    missing: NDArray[np.bool_],
    labels: Sequence[str],
    below: Sequence[str],
    options: Options,
    heading: str,
    lines: Sequence[str],
) -> Content:
    """Shows two kernels: a tile holds a filter of the first, its partner, and their difference.

    Args:
        shown: What is shown of the first.
        three: `[3][filters][inputs][*spatial]`: the first, the second, and the second less the first.
        missing: bool `[filters]`, which filters have no partner.
        labels: One text a filter.
        below: Texts for below the tiles.
        options: How the figure looks.
        heading: Name of the layer.
        lines: What else is to be known.
    """
    rgb = shown.inputs == "rgb"
    drawn = [mosaic.kernel_tiles(one, shown.limit, options.map, rgb) for one in three]
    count, high, wide, _ = drawn[0].shape
    tiles = np.empty((count, high, 3 * wide + 2, 3), np.uint8)
    tiles[:] = BACKGROUNDS[options.theme]
    for at, one in enumerate(drawn):
        tiles[:, :, at * (wide + 1) :][:, :, :wide] = one
    tiles[missing, :, wide:] = BACKGROUNDS[options.theme]
    what = _named(shown.inputs, f"{count} filters" if count > 1 else f"Filter {shown.filters[0]}")
    if shown.inputs == "strongest":
        what += " of A"
    explained = ["Below them the change, |B \N{MINUS SIGN} A| / |A|"] if options.labels else []
    scales = ("the pictures of all filters", "the pictures of each filter")
    return Content(
        tiles,
        labels,
        heading=heading,
        lines=[*lines, f"{what}: A, B and B \N{MINUS SIGN} A", *explained],
        notes=[_colours(shown, options, *scales), *_marks(shown)],
        bar=_bar(shown, options),
        below=below,
        parts=3,
    )


def notes_of_layers(options: Options, inputs: str | int, rgb: bool) -> list[str]:
    """Returns what the colours of several layers mean; `rgb` says that some are drawn as red, green and blue."""
    kinds = [inputs, "rgb"] if rgb else [inputs]
    return [_colours(_of_layers(options, one), options, "each layer") for one in kinds]


def bar_of_layers(options: Options) -> Bar:
    """Returns the scale of colours of several layers."""
    return _bar(_of_layers(options, "strongest"), options, f"largest of each {options.limit}")


def _of_layers(options: Options, inputs: str | int) -> Shown:
    limit = np.zeros(2) if options.limit in LIMITS else np.asarray(options.limit)
    return Shown((), inputs, limit.astype(np.float32), options.limit, 0)


def facts(header: wire.Header) -> str:
    """Returns a layer's class and shape in words."""
    return f"{header.layer.layer_class}, {product(header.shape)} ({header.axes})"


def _named(inputs: str | int, filters: str) -> str:
    words = {"mean": ", mean over inputs", "strongest": ", strongest slice", "rgb": ", inputs as colours", "all": ""}
    return filters + words.get(str(inputs), f", slice of input {inputs}")


def _bar(shown: Shown, options: Options, ends: str = "largest of each filter") -> Bar:
    colours = colormap.table("grey" if shown.inputs == "rgb" else options.map)[: colormap.NOT_FINITE]
    end = number(float(shown.limit.max())) if shown.limit.size == 1 else ends
    return Bar(colours, f"\N{MINUS SIGN}{end}", "0", f"+{end}")


def _colours(shown: Shown, options: Options, layer: str = "", each: str = "each filter") -> str:
    low, middle, high = ("black", "mid grey", "white") if shown.inputs == "rgb" else _NAMES[options.map]
    what = "Means of weights" if shown.inputs == "mean" else "Weights"
    if shown.limited in LIMITS:
        of = (layer or shown.layer) if shown.limited == "layer" else each
        scale = f"{low} and {high} are the largest magnitude in {of}"
    else:
        scale = f"{low} and {high} stand for \N{PLUS-MINUS SIGN}{shown.limited:.6g} and beyond"
    return f"{what}{' as red, green and blue' if shown.inputs == 'rgb' else ''}: {middle} is 0, {scale}"


def _marks(shown: Shown) -> list[str]:
    return [f"{shown.odd} not finite, drawn in magenta"] if shown.odd else []
