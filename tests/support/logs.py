"""Event files by hand, without TensorFlow and without the package's own readers."""

from __future__ import annotations

import pathlib
from collections.abc import Iterable, Sequence
from typing import Any

from tensorboard.backend.event_processing import event_file_loader
from tensorboard.compat.proto import event_pb2, summary_pb2, tensor_pb2, tensor_shape_pb2, types_pb2
from tensorboard.summary.writer import record_writer


def blob_tensor(elements: Sequence[bytes]) -> tensor_pb2.TensorProto:
    dim = tensor_shape_pb2.TensorShapeProto.Dim(size=len(elements))
    shape = tensor_shape_pb2.TensorShapeProto(dim=[dim])
    return tensor_pb2.TensorProto(dtype=types_pb2.DT_STRING, tensor_shape=shape, string_val=elements)


def event(
    tag: str, step: int, tensor: tensor_pb2.TensorProto, metadata: Any, wall_time: float = 0.0
) -> event_pb2.Event:
    value = summary_pb2.Summary.Value(tag=tag, tensor=tensor, metadata=metadata)
    return event_pb2.Event(wall_time=wall_time or 1.7e9 + step, step=step, summary=summary_pb2.Summary(value=[value]))


def append(file: pathlib.Path, events: Iterable[event_pb2.Event]) -> None:
    """Writes more events to a file of `write_file`."""
    with open(file, "ab") as stream:
        writer = record_writer.RecordWriter(stream)
        for one in events:
            writer.write(one.SerializeToString())


def write_file(file: pathlib.Path, events: Iterable[event_pb2.Event]) -> pathlib.Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    with open(file, "wb") as stream:
        writer = record_writer.RecordWriter(stream)
        writer.write(event_pb2.Event(wall_time=1.0, file_version="brain.Event:2").SerializeToString())
        for one in events:
            writer.write(one.SerializeToString())
    return file


def read_events(directory: pathlib.Path) -> list[tuple[str, int, summary_pb2.SummaryMetadata, list[bytes]]]:
    """Returns (tag, step, metadata, elements) of all summary values with string tensors below a directory."""
    found = []
    for file in sorted(directory.rglob("events.out.tfevents.*")):
        for raw in event_file_loader.RawEventFileLoader(str(file)).Load():
            one = event_pb2.Event.FromString(raw)
            for value in one.summary.value:
                if value.tensor.dtype == types_pb2.DT_STRING:
                    found.append((value.tag, one.step, value.metadata, list(value.tensor.string_val)))
    return found
