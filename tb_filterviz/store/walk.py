"""A walk over the fields of an event, hopping over what is not asked for.

Events of kernels are megabytes, and what an index needs of them - step, tag, where the tensor lies - is a hundred
bytes: so the protocol buffer is not parsed as a whole but walked ("Encoding", protobuf.dev), reading only the keys and
lengths of fields. The bytes are untrusted: each length is compared with what encloses it, nothing is recursive, and
how many fields a record may have is limited.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import NamedTuple

from tensorboard.compat.proto import summary_pb2, tensor_shape_pb2, types_pb2

from tb_filterviz import wire
from tb_filterviz.store import framing
from tb_filterviz.store.files import EventFile

MAX_ELEMENTS = 1 << 17
_MAX_FIELDS = 1 << 18
_MAX_TAG = 1 << 16
_MAX_METADATA = 1 << 21
_MAX_SHAPE = 1 << 10
_AHEAD = 32  # bytes read at a place that was hopped to: keys and lengths take a few

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_WALL_TIME, _STEP, _SUMMARY = 1, 2, 5  # of Event
_VALUE = 1  # of Summary
_TAG, _TENSOR, _METADATA = 1, 8, 9  # of Summary.Value
_DTYPE, _SHAPE, _STRING = 1, 2, 8  # of TensorProto


class Span(NamedTuple):
    """Where bytes lie in a file: from `start` up to, not including, `stop`."""

    start: int
    stop: int


class Value(NamedTuple):
    """One value of a summary; what it does not have is None."""

    tag: bytes
    tensor: Span | None
    metadata: Span | None


class Event(NamedTuple):
    """What is wanted of an event."""

    wall_time: float
    step: int
    values: list[Value]


class Walk:
    """The data of one record of an open file."""

    def __init__(self, file: EventFile, record: Span, start: int = 0, known: bytes = b"") -> None:
        """Takes the place of the record's data, and bytes of the file from `start` on that were read already."""
        self._file = file
        self._record = record
        self._start, self._known = start, known
        self._fields_left = _MAX_FIELDS

    def take(self, span: Span) -> bytes:
        """Returns bytes of the record."""
        return self._peek(span.start, span.stop - span.start)[: span.stop - span.start]

    def check(self) -> None:
        """Reads the whole record; raises `wire.FormatError` if its checksum does not match."""
        checksum = self._file.checksum(self._record.start, self._record.stop - self._record.start)
        if self.stored_checksum() != framing.mask(checksum):
            raise wire.FormatError("the record's checksum does not match: its step, its name or its data are damaged")

    def stored_checksum(self) -> int:
        """Returns the masked checksum that stands behind the record."""
        return int.from_bytes(self._file.read(self._record.stop, framing.TAIL), "little")

    def event(self, settled: frozenset[bytes] | set[bytes] = frozenset()) -> Event:
        """Walks an event.

        Args:
            settled: Tags of which the metadata is not wanted any more.

        Raises:
            wire.FormatError: If it is not an event.
        """
        wall_time, step = 0.0, 0
        values: list[Value] = []
        for number, kind, span, varint in self._fields(self._record):
            if number == _WALL_TIME and kind == _FIXED64:
                (wall_time,) = struct.unpack("<d", self.take(span))
            elif number == _STEP and kind == _VARINT:
                step = varint - (varint >> 63 << 64)
            elif number == _SUMMARY and kind == _BYTES:
                values += [
                    self._value(value, settled)
                    for number, kind, value, _ in self._fields(span)
                    if number == _VALUE and kind == _BYTES
                ]
        return Event(wall_time, step, values)

    def _value(self, span: Span, settled: frozenset[bytes] | set[bytes]) -> Value:
        tag, tensor, metadata = b"", None, None
        for number, kind, field, _ in self._fields(span):
            if kind != _BYTES:
                continue
            if number == _TAG:
                if field.stop - field.start > _MAX_TAG:
                    raise wire.FormatError(f"a tag has {field.stop - field.start} bytes")
                tag = self.take(field)
            elif number == _TENSOR:
                tensor = field
            elif number == _METADATA:
                metadata = field
            if tensor and tag in settled:  # spares the read behind a long tensor
                break
        return Value(tag, tensor, metadata)

    def metadata(self, span: Span) -> summary_pb2.SummaryMetadata:
        """Parses a value's metadata; raises `wire.FormatError` where that fails."""
        if span.stop - span.start > _MAX_METADATA:
            raise wire.FormatError(f"the metadata has {span.stop - span.start} bytes")
        try:
            return summary_pb2.SummaryMetadata.FromString(self.take(span))
        except Exception as error:  # the class of a decode error differs between versions of protobuf
            raise wire.FormatError(f"the metadata cannot be parsed: {error}") from error

    def elements(self, tensor: Span) -> list[Span]:
        """Returns where the strings of a tensor lie; raises `wire.FormatError` if it is no list of strings."""
        found: list[Span] = []
        dtype, sizes = 0, [-1, -1]
        for number, kind, span, varint in self._fields(tensor):
            if number == _STRING and kind == _BYTES:
                found.append(span)
                if len(found) > MAX_ELEMENTS:
                    raise wire.FormatError(f"the datum has more than {MAX_ELEMENTS} elements")
            elif number == _DTYPE and kind == _VARINT:
                dtype = varint
            elif number == _SHAPE and kind == _BYTES and span.stop - span.start <= _MAX_SHAPE:
                sizes = self._sizes(span)
        if dtype != types_pb2.DT_STRING or sizes != [len(found)]:
            raise wire.FormatError(
                f"it is not a blob sequence: a tensor of type {dtype} and shape {sizes} with {len(found)} strings"
            )
        return found

    def _sizes(self, span: Span) -> list[int]:
        try:
            return [dim.size for dim in tensor_shape_pb2.TensorShapeProto.FromString(self.take(span)).dim]
        except Exception as error:
            raise wire.FormatError(f"the shape of the tensor cannot be parsed: {error}") from error

    def _fields(self, message: Span) -> Iterator[tuple[int, int, Span, int]]:
        """Yields number, wire type, place and, of a varint, value of each field of a message."""
        at = message.start
        while at < message.stop:
            self._fields_left -= 1
            if self._fields_left < 0:
                raise wire.FormatError(f"a record has more than {_MAX_FIELDS} fields")
            key, at = self._varint(at, message.stop)
            kind, varint = key & 7, 0
            if kind == _VARINT:
                varint, stop = self._varint(at, message.stop)
            elif kind == _BYTES:
                size, at = self._varint(at, message.stop)
                stop = at + size
            elif kind in (_FIXED32, _FIXED64):
                stop = at + (8 if kind == _FIXED64 else 4)
            else:
                raise wire.FormatError(f"a field has the wire type {kind}")
            if stop > message.stop:
                raise wire.FormatError("a field is longer than what it is in")
            yield key >> 3, kind, Span(at, stop), varint
            at = stop

    def _varint(self, at: int, stop: int) -> tuple[int, int]:
        """Returns the varint at `at`, as an unsigned 64-bit number, and where it ends."""
        window = self._peek(at, min(10, stop - at))
        value = 0
        for place, byte in enumerate(window[:10]):
            value |= (byte & 0x7F) << 7 * place
            if byte < 0x80:
                if at + place >= stop:
                    break
                return value & 0xFFFFFFFFFFFFFFFF, at + place + 1
        raise wire.FormatError("a number in a record does not end")

    def _peek(self, at: int, size: int) -> bytes:
        """Returns at least `size` bytes from `at` on; where they were not read yet, reads some more than that."""
        begin = at - self._start
        if begin < 0 or begin + size > len(self._known):
            self._known = self._file.read(at, min(max(size, _AHEAD), self._record.stop - at))
            self._start, begin = at, 0
            if len(self._known) < size:
                raise wire.FormatError("the file ends within a record")
        return self._known[begin : begin + max(size, 16)]
