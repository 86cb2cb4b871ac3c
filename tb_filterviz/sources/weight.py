"""One weight of a model: whose it is, how its axes are laid out, and how to read it."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tb_filterviz import records


@dataclasses.dataclass(frozen=True)
class Weight:
    """A weight that can be read again and again while its model trains.

    Attributes:
        layer: Whose weight it is.
        layout: Its axes as they are stored, one of `records.LAYOUTS`.
        read: Returns the weight as it is now, axes as in `layout`: what its framework holds (such as a `tf.Variable`
            or `tf.Tensor`, symbolic inside a `tf.function`) or a NumPy array. `numpy.asarray` takes it in eager mode.
        source: The Keras layer that convolves with it, or None.

    Example:
        >>> weight = Weight(records.Layer(), "OIHW", lambda: np.zeros((64, 3, 7, 5), np.float32))
        >>> weight.to_kernel(np.asarray(weight.read())).values.shape
        (7, 5, 3, 64)
        >>> weight.filters
        64
    """

    layer: records.Layer
    layout: str
    read: Callable[[], Any] = dataclasses.field(repr=False)
    source: object = None

    @property
    def filters(self) -> int:
        """The number of filters of the kernel; nothing is read for it but the shape."""
        return int(records.canonical(np.broadcast_to(0, tuple(self.read().shape)), self.layout).shape[-1])

    def to_kernel(self, values: NDArray[Any]) -> records.Kernel:
        """Makes the record of what was read.

        Args:
            values: Any numeric dtype, any range, axes as in `layout`.

        Returns:
            The kernel with axes `(*spatial, in, out)`. Floating-point values keep their dtype; integers become
            float32 where it holds them all exactly, else float64.

        Raises:
            ValueError: If `values` does not have the axes of `layout`.
        """
        if values.dtype.kind in "iu":
            values = values.astype(np.result_type(values.dtype, np.float32))
        return records.Kernel(self.layer, records.canonical(values, self.layout))
