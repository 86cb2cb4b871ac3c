"""What may be asked of an export: the same names in Python, on the shell and in a URL."""

from __future__ import annotations

import dataclasses
import numbers

from tb_filterviz import colormap, slices

THEMES = ("light", "dark")
LIMITS = ("layer", "filter")
"""What the colours reach to, beside a number: the largest magnitude in the layer, or in each filter."""
MATCHES = ("index", "likeness")
DEPTHS = ("full", "stored")
"""Of numbers: all of them, or only those that were stored when a kernel was logged."""

_MAX_SCALE = 1 << 10
_MAX_WIDTH = 1 << 16
_MAX_COLUMNS = 1 << 20
_MAX_CAPTION = 2000
_MAX_FRAMES = 1 << 20
_LEAST_LIMIT, _MOST_LIMIT = 1e-45, 3.4e38  # what a float32 can hold
_SLOWEST, _FASTEST = 0.1, 50.0  # frames in a second; GIF players show no more than 50


class OptionError(ValueError):
    """An option that cannot be.

    Attributes:
        name: The option.
        expected: What it may be.
        received: What it was.
    """

    def __init__(self, name: str, expected: str, received: object) -> None:
        self.name, self.expected, self.received = name, expected, received
        super().__init__(f"`{name}` must be {expected}. Received: {name}={received!r}")


@dataclasses.dataclass(frozen=True)
class Budget:
    """The most that one export may take.

    Attributes:
        pixels: In one picture.
        total: In all frames of an animation.
        frames: Of an animation, and steps of arrays and tables.
        values: Weights that are read at once.
        filters: Filters at once: each has a row, and a label.
        layers: Of an overview.
        work: Of the analyses of all layers, as `insight.work` counts it.
        text: Bytes of a table, or of the names beside arrays.
    """

    pixels: int
    total: int
    frames: int
    values: int
    filters: int
    layers: int = 1 << 10
    work: int = 1 << 29
    text: int = 1 << 26


LOCAL = Budget(
    pixels=1 << 28,
    total=1 << 30,
    frames=_MAX_FRAMES,
    values=1 << 32,
    filters=1 << 20,
    layers=1 << 16,
    work=1 << 40,
    text=1 << 34,
)
"""For whoever runs the program: what a typing error asks for is refused, and little else."""

SERVER = Budget(pixels=1 << 24, total=1 << 25, frames=100, values=1 << 24, filters=1 << 16)
"""For a URL: at most about 200 MB at a time, and a minute or two."""


@dataclasses.dataclass(frozen=True)
class Options:
    """How a figure looks. What is not given follows from what is shown.

    Attributes:
        inputs: Which slices of kernels: the index of an input, `"mean"`, `"strongest"`, `"all"` or `"rgb"`; the default
            is `"rgb"` for a layer of three inputs, else `"strongest"`.
        limit: What the last colours stand for: the largest magnitude in the whole `"layer"`, in each `"filter"`, or a
            number, over all steps that are shown.
        colormap: One of `tb_filterviz.colormap.MAPS`; the default is `"bluered"`, and `"night"` on dark.
        theme: `"light"` or `"dark"`.
        scale: Pixels along each side of a weight, or of a pattern's pixel. The default makes tiles of weights from 32
            to 160 pixels wide, larger where they are few, and shows patterns as they are.
        width: Pixels of the whole figure's width, in place of `scale`.
        columns: Tiles in a row; the default makes the whole about square.
        caption: Whether to write what is shown, or a text to write in place of that.
        labels: Whether to write the indices of filters, inputs or steps.
        bar: Whether to draw the scale of colours.
        frames: The most steps of a history; they are chosen evenly, with the first and the last.
        fps: Frames a second of an animation, 0.1 to 50.
        match: Of a comparison: whether filters pair by `"index"`, or by `"likeness"` as `analysis.match` does.
        depth: Of a kernel's numbers at one step: `"full"`, also those that are computed from its weights (dead,
            duplicates, change, ...: `insight.full_numbers`); `"stored"`, only those of when it was logged.

    Raises:
        OptionError: If one of these cannot be.

    Example:
        >>> Options(theme="dark", width=1200).map
        'night'
    """

    inputs: str | int | None = None
    limit: str | float = "layer"
    colormap: str | None = None
    theme: str = "light"
    scale: int | None = None
    width: int | None = None
    columns: int | None = None
    caption: bool | str = True
    labels: bool = True
    bar: bool = True
    frames: int | None = None
    fps: float = 4.0
    match: str = "index"
    depth: str = "full"

    def __post_init__(self) -> None:
        """Checks each."""
        known = isinstance(self.inputs, str) and self.inputs in slices.SELECTIONS
        if self.inputs is not None and not known and not _is_integer(self.inputs):
            raise OptionError("inputs", f"an index or one of {slices.SELECTIONS}", self.inputs)
        if self.limit not in LIMITS and not _is_number(self.limit, _LEAST_LIMIT, _MOST_LIMIT):
            expected = f"layer, filter or a number from {_LEAST_LIMIT:g} to {_MOST_LIMIT:g}"
            raise OptionError("limit", expected, self.limit)
        if self.colormap is not None and self.colormap not in colormap.MAPS:
            raise OptionError("colormap", f"one of {', '.join(colormap.MAPS)}", self.colormap)
        if self.theme not in THEMES:
            raise OptionError("theme", " or ".join(THEMES), self.theme)
        for name, choices in (("match", MATCHES), ("depth", DEPTHS)):
            if getattr(self, name) not in choices:
                raise OptionError(name, " or ".join(choices), getattr(self, name))
        for name in ("labels", "bar"):
            if not isinstance(getattr(self, name), bool):
                raise OptionError(name, "true or false", getattr(self, name))
        for name, most in (
            ("scale", _MAX_SCALE),
            ("width", _MAX_WIDTH),
            ("columns", _MAX_COLUMNS),
            ("frames", _MAX_FRAMES),
        ):
            value = getattr(self, name)
            if value is not None and not (_is_integer(value) and 1 <= value <= most):
                raise OptionError(name, f"an integer from 1 to {most}", value)
        if self.scale is not None and self.width is not None:
            raise OptionError("width", "left out where `scale` is given", self.width)
        if not isinstance(self.caption, bool | str) or (
            isinstance(self.caption, str) and len(self.caption) > _MAX_CAPTION
        ):
            raise OptionError("caption", f"true, false or a text of at most {_MAX_CAPTION} characters", self.caption)
        if not _is_number(self.fps, _SLOWEST, _FASTEST):
            raise OptionError("fps", f"a number from {_SLOWEST} to {_FASTEST:g}", self.fps)

    @property
    def map(self) -> str:
        """The name of the map of colours."""
        return self.colormap or ("night" if self.theme == "dark" else "bluered")

    def inputs_of(self, count: int) -> str | int:
        """Returns which slices of a kernel of so many inputs are shown.

        Raises:
            OptionError: If it has none of these.
        """
        if self.inputs is None:
            return "rgb" if count == 3 else "strongest"
        inputs = self.inputs if isinstance(self.inputs, str) else int(self.inputs)
        try:
            slices.check(inputs, count)
        except ValueError as error:
            raise OptionError("inputs", str(error), inputs) from error
        return inputs


def _is_integer(value: object) -> bool:
    return isinstance(value, numbers.Integral) and not isinstance(value, bool)


def _is_number(value: object, low: float, high: float) -> bool:
    return isinstance(value, numbers.Real) and not isinstance(value, bool) and low <= float(value) <= high
