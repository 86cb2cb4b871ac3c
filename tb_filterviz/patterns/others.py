"""What the inputs of a model that are not climbed hold meanwhile."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

import numpy as np
import tensorflow as tf

from tb_filterviz.patterns.signature import Signature, position


@dataclasses.dataclass(frozen=True)
class Others:
    """What all inputs hold while one is climbed: of the others each sample holds the same.

    Attributes:
        signature: All inputs.
        index: The one that is climbed.
        values: By index, what another holds, without the batch axis; 0 where nothing is given. Of sides that are open
            there are then as many as the climbed one has, if it has as many axes, else 1.
    """

    signature: Signature
    index: int
    values: Mapping[int, Any]

    @classmethod
    def given(cls, signature: Signature, index: int, values: Mapping[int | str, Any] | None) -> Others:
        """Checks what the user gave for other inputs.

        Args:
            signature: All inputs of the model.
            index: The one that is climbed.
            values: By name or index, one sample of another, without the batch axis; None: nothing is given.

        Returns:
            What they hold.

        Raises:
            ValueError: If there is no such other input, or it does not fit its shape.
        """
        kept: dict[int, Any] = {}
        for key, value in (values or {}).items():
            at = position(signature.inputs, key)
            if at is None or at == index:
                names = ", ".join(repr(one.name) for i, one in enumerate(signature.inputs) if i != index)
                raise ValueError(
                    "`other_inputs` must be of inputs other than the one that is climbed, by name or index: "
                    f"{names or 'there are none'}. Received: {key!r}"
                )
            array, shape = np.asarray(value), signature.inputs[at].shape[1:]
            fits = len(array.shape) == len(shape) and all(
                side in (None, given) for side, given in zip(shape, array.shape, strict=True)
            )
            if not fits:
                raise ValueError(
                    "`other_inputs` must hold one sample of each, without the batch axis: "
                    f"{signature.inputs[at].name!r} of shape {shape}. Received: shape {array.shape}"
                )
            kept[at] = array
        return cls(signature, index, kept)

    @property
    def key(self) -> tuple[Any, ...]:
        """What tells these from others."""
        return (self.index, *((i, v.dtype.str, v.shape, v.tobytes()) for i, v in sorted(self.values.items())))

    def around(self, climbed: Any) -> Any:
        """Makes what the model is called on.

        Args:
            climbed: Tensor `[batch, *spatial, channels]`, the input that is climbed, channels last.

        Returns:
            All inputs, packed as the model takes them; each other one holds the same in all samples of the batch.
        """
        tensors = []
        for index, one in enumerate(self.signature.inputs):
            if index == self.index:
                last = len(one.shape) - 1
                swap = one.channels_first
                tensors.append(tf.transpose(climbed, [0, last, *range(1, last)]) if swap else climbed)
                continue
            like = climbed.shape if len(climbed.shape) == len(one.shape) else [1] * len(one.shape)
            shape = [side or other or 1 for side, other in zip(one.shape, like, strict=True)][1:]
            value = tf.cast(tf.constant(self.values.get(index, np.zeros(shape))), one.dtype)
            tensors.append(tf.broadcast_to(value, [tf.shape(climbed)[0], *value.shape]))
        return self.signature.pack(tensors)
