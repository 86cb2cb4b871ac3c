"""Writes encoded data through TensorFlow's default summary writer, eagerly and in graphs."""

from __future__ import annotations

import concurrent.futures
import dataclasses
import functools
import os
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray
from tensorboard.compat.proto import summary_pb2

from tb_filterviz import wire


@dataclasses.dataclass(frozen=True)
class Entry:
    """One datum to write.

    Attributes:
        tag: Its tag.
        metadata: Its metadata.
        read: Returns the weights, an array or a tensor (a symbolic one inside a `tf.function`).
        encode: Turns them, as an array, into the elements of the datum. May be called in another thread.
    """

    tag: str
    metadata: summary_pb2.SummaryMetadata
    read: Callable[[], Any]
    encode: Callable[[NDArray[Any]], list[bytes]]


def filter_major(values: NDArray[Any], dtype: np.dtype[Any]) -> NDArray[Any]:
    """Does what `wire.filter_major` does; TensorFlow has vector instructions for float16, and NumPy has none."""
    if values.dtype != np.float32 or dtype != np.float16:
        return wire.filter_major(values, dtype)
    with tf.device("CPU:0"), tf.init_scope():
        halves = tf.cast(values.reshape(-1, values.shape[-1]), tf.float16)
        by_filter = _array(tf.transpose(halves))
    return by_filter.reshape(values.shape[-1], *values.shape[:-1])


def _array(values: Any) -> NDArray[Any]:
    """Returns the array of a tensor, variable or array, without the copy that `numpy()` makes where that can be."""
    tensor = tf.convert_to_tensor(values) if isinstance(values, (tf.Tensor, tf.Variable)) else values
    if isinstance(tensor, tf.Tensor) and tensor.dtype in (tf.float16, tf.float32, tf.float64):
        return np.asarray(memoryview(tensor))
    return np.asarray(tensor)


def recording() -> bool:
    """Returns whether an eager write would be recorded now: there is a writer, and `record_if` lets it."""
    return bool(tf.summary.should_record_summaries())


def write(entries: Sequence[Entry], step: Any) -> Any:
    """Writes data at one step, as `tf.summary.write` does.

    Args:
        entries: The data, at least one.
        step: As for `tf.summary.write`.

    Returns:
        A boolean tensor: whether they were written.

    Raises:
        ValueError: If there is a writer and no step, or inside a function that XLA compiles.
    """
    written = _write_eagerly(entries, step) if tf.executing_eagerly() else _write_in_graph(entries, step)
    return tf.reduce_all(written)


def _write_eagerly(entries: Sequence[Entry], step: Any) -> list[Any]:
    # Asked once: what `record_if` was given may answer anew each time, and a summary is written whole or not at all.
    recorded = recording()
    with tf.summary.record_if(recorded):
        if not recorded:
            return [_write_one(entries[0], lambda: None, step)]
        # Encoding goes on in other threads while one is written: NumPy and TensorFlow release the lock.
        workers = max(1, (os.cpu_count() or 1) - 1)  # more would take turns with the thread that writes
        with concurrent.futures.ThreadPoolExecutor(workers, thread_name_prefix="filterviz") as pool:
            encoded = [pool.submit(lambda one: one.encode(_array(one.read())), entry) for entry in entries]
            return [
                _write_one(entry, functools.partial(_strings, future), step)
                for entry, future in zip(entries, encoded, strict=True)
            ]


def _strings(encoded: concurrent.futures.Future[list[bytes]]) -> Any:
    return tf.constant(encoded.result(), tf.string)


def _write_in_graph(entries: Sequence[Entry], step: Any) -> list[Any]:
    _check_not_xla()

    def tensor_of(entry: Entry) -> Callable[[], Any]:
        def tensor() -> Any:
            elements = tf.numpy_function(
                lambda values: np.array(entry.encode(values), object), [tf.convert_to_tensor(entry.read())], tf.string
            )
            return tf.ensure_shape(elements, [None])

        return tensor

    return [_write_one(entry, tensor_of(entry), step) for entry in entries]


def _write_one(entry: Entry, tensor: Callable[[], Any], step: Any) -> Any:
    return tf.summary.write(tag=entry.tag, tensor=tensor, step=step, metadata=entry.metadata)


def _check_not_xla() -> None:
    """Raises inside a function that XLA compiles: no summary op of TensorFlow has an XLA kernel."""
    graph = tf.compat.v1.get_default_graph()
    while graph is not None:
        context = graph._get_control_flow_context()  # the only word there is of jit_compile while a function is traced
        while context is not None:
            if context.IsXLAContext():
                raise ValueError(
                    "filterviz.summary cannot write inside a function that XLA compiles, nor can any other summary. "
                    "Call it outside that function, or trace it without jit_compile=True."
                )
            context = context.outer_context
        graph = getattr(graph, "outer_graph", None)
