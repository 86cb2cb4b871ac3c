"""The nouns: kernels and patterns, as plain NumPy records.

Every framework stores the weights of a convolution in its own order of axes. Inside this package there is one,
`(*spatial, in, out)`, named after its axes: `IO` (no spatial axis: a dense matrix), `WIO`, `HWIO`, `DHWIO`.
`canonical` brings a stored array into it. A *filter* is one output channel, `values[..., o]`; a *slice* is one
spatial picture of it, `values[..., i, o]`.
"""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
from numpy.typing import NDArray

CANONICAL_AXES = {2: "IO", 3: "WIO", 4: "HWIO", 5: "DHWIO"}
"""The canonical axes of a kernel, by its number of axes."""

LAYOUTS = (
    *("IO", "WIO", "HWIO", "DHWIO"),  # Keras and TensorFlow convolutions, dense layers
    *("WOI", "HWOI", "DHWOI"),  # their transposed convolutions
    *("WIM", "HWIM"),  # their depthwise convolutions; M is the depth multiplier
    *("OI", "OIW", "OIHW", "OIDHW"),  # PyTorch, ONNX
)
"""The layouts that `canonical` understands: D, H, W spatial, I inputs, O outputs, M outputs of each input."""


@dataclasses.dataclass(frozen=True)
class Layer:
    """What does not change about a layer's kernel while it trains.

    Attributes:
        path: Identity of the weight in its model, such as `"encoder/conv1/kernel"`. Names of layers repeat in nested
            models, paths do not. Empty for a bare array.
        layer_class: Class of the layer that owns the kernel, such as `"Conv2D"`; for a bare weight its own class.
        position: Rank of this kernel among the kernels of its model, from 0.
        groups: Number of groups of inputs. Filter `o` reads group `o * groups // out`.
    """

    path: str = ""
    layer_class: str = "array"
    position: int = 0
    groups: int = 1


@dataclasses.dataclass(frozen=True)
class Kernel:
    """One layer's weights at one moment.

    Attributes:
        layer: Whose weights they are.
        values: Floating-point array `(*spatial, in, out)`, any range; NaN and infinities are allowed.
    """

    layer: Layer
    values: NDArray[Any]

    @property
    def axes(self) -> str:
        """The names of the axes of `values`, such as `"HWIO"`."""
        return CANONICAL_AXES[self.values.ndim]


@dataclasses.dataclass(frozen=True)
class Patterns:
    """Pictures that maximise filters of one layer.

    Attributes:
        layer: The layer whose filters they maximise.
        filters: int64 `[n]`, ascending indices of the filters, or of the directions that were asked for.
        images: uint8 `[n, height, width, channels]`, 1 (grey) or 3 (RGB) channels. Not stretched: a flat picture
            shows that nothing was found. Curves, volumes, pictures of other numbers of channels and several facets are
            laid out on a sheet, see `patterns.sheet.lay_out`.
        start: float32 `[n]`, response of the filter to the noise it began with, before the layer's activation
            function: on average over positions, where what is below 0 counts a tenth, see `patterns.objectives.mean`;
            or as `spots` and the `objective` say.
        reached: float32 `[n]`, the same for the very picture in `images`.
        failed: bool `[n]`, whether the filter did not pass what noise reaches (nor natural inputs, where there were
            any; nor other filters, where it was to be ahead of them), or met numbers that are not finite.
        input_range: The model inputs that 0 and 255 of `images` stand for.
        recipe: Name of the recipe that made them.
        steps: Number of gradient steps of the first try.
        noise: float32 `[n]`, the most (of patterns of the least response: the least) that the filter answers to
            some pictures of noise such as climbs begin with; None where it was not measured, as are the next three.
        natural: float32 `[n]`, the most that it answers to a cut of the natural inputs; not-a-number without such.
        percentile: float32 `[n]`, the share of those cuts that it answers less than its pattern, 0 to 100.
        curve: float32 `[n, points]`, the response before each step, as the climb saw it: of the picture as it was
            moved, in the precision of the climb; last, `reached`; then not-a-number.
        spots: bool `[n]`, whether all these responses are those at spots of a grid and not on average; None where that
            is not known, as in older logs.
        objective: Name of the objective in `PatternOptions`: what the responses are; empty where it is not known.
    """

    layer: Layer
    filters: NDArray[np.int64]
    images: NDArray[np.uint8]
    start: NDArray[np.float32]
    reached: NDArray[np.float32]
    failed: NDArray[np.bool_]
    input_range: tuple[float, float]
    recipe: str
    steps: int
    noise: NDArray[np.float32] | None = None
    natural: NDArray[np.float32] | None = None
    percentile: NDArray[np.float32] | None = None
    curve: NDArray[np.float32] | None = None
    spots: NDArray[np.bool_] | None = None
    objective: str = ""

    def __len__(self) -> int:
        """Returns the number of patterns."""
        return len(self.filters)


def canonical(values: NDArray[Any], layout: str) -> NDArray[Any]:
    """Brings a stored kernel into the canonical axes `(*spatial, in, out)`.

    Args:
        values: Array whose axes are those of `layout`, any dtype.
        layout: One of `LAYOUTS`.

    Returns:
        A view where possible, axes `(*spatial, in, out)`. A depthwise kernel `(*spatial, in, multiplier)` becomes
        `(*spatial, 1, in * multiplier)`, a grouped convolution with as many groups as inputs.

    Raises:
        ValueError: If the layout is unknown or does not fit the number of axes.

    Example:
        >>> canonical(np.zeros((64, 3, 7, 5)), "OIHW").shape
        (7, 5, 3, 64)
    """
    if layout not in LAYOUTS:
        raise ValueError(f"`layout` must be one of {', '.join(LAYOUTS)}. Received: layout={layout!r}")
    if values.ndim != len(layout):
        raise ValueError(
            f"`layout` names {len(layout)} axes, but the kernel has {values.ndim}. Choose a layout with one letter "
            f"per axis. Received: layout={layout!r}, shape={values.shape}"
        )
    if layout.endswith("M"):
        *spatial, inputs, multiplier = values.shape
        return values.reshape((*spatial, 1, inputs * multiplier))
    spatial_axes = [axis for axis, letter in enumerate(layout) if letter in "DHW"]
    return np.transpose(values, (*spatial_axes, layout.index("I"), layout.index("O")))
