"""The walk over an event says what the protocol buffer's own parser says, or that it is none."""

import contextlib
import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tensorboard.compat.proto import event_pb2, summary_pb2, tensor_pb2, types_pb2

from tb_filterviz import wire
from tb_filterviz.store.files import EventFile
from tb_filterviz.store.walk import Span, Walk
from tests.support import logs


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    return tmp_path_factory.mktemp("walk") / "file"


def walked(path, data):
    """Writes bytes in the middle of a file, and walks them."""
    path.write_bytes(b"\xff" * 20 + data + b"\xff" * 20)
    with EventFile(str(path)) as file:
        walk = Walk(file, Span(20, 20 + len(data)))
        event = walk.event()
        whole = path.read_bytes()
        found = []
        for value in event.values:
            elements = None
            if value.tensor:
                elements = [whole[span.start : span.stop] for span in walk.elements(value.tensor)]
            metadata = walk.metadata(value.metadata) if value.metadata else None
            found.append((value.tag.decode(), elements, metadata))
        return event.wall_time, event.step, found


def parsed(data):
    event = event_pb2.Event.FromString(data)
    values = [
        (
            value.tag,
            list(value.tensor.string_val) if value.HasField("tensor") else None,
            value.metadata if value.HasField("metadata") else None,
        )
        for value in event.summary.value
    ]
    return event.wall_time, event.step, values


VALUES = st.builds(
    lambda tag, elements, with_metadata: summary_pb2.Summary.Value(
        tag=tag,
        tensor=logs.blob_tensor(elements),
        metadata=wire.metadata(wire.KERNEL, "words") if with_metadata else None,
    ),
    st.text(st.characters(codec="utf-8"), max_size=300),
    st.lists(st.binary(max_size=300), max_size=5),
    st.booleans(),
)


@given(st.integers(-(1 << 63), (1 << 63) - 1), st.floats(allow_nan=False), st.lists(VALUES, max_size=4))
def test_agrees_with_the_parser(path, step, wall_time, values):
    event = event_pb2.Event(step=step, wall_time=wall_time, summary=summary_pb2.Summary(value=values))
    data = event.SerializeToString()
    assert walked(path, data) == parsed(data)


def field(number, payload):
    """A field of bytes, by hand."""
    encoded, length = bytearray([number << 3 | 2]), len(payload)
    while length > 127:
        encoded.append(length & 127 | 128)
        length >>= 7
    return bytes(encoded) + bytes([length]) + payload


@given(st.permutations(range(3)), st.permutations(range(3)))
def test_fields_may_stand_in_any_order(path, of_event, of_value):
    value = summary_pb2.Summary.Value(tag="t" * 200, tensor=logs.blob_tensor([b"a" * 500, b"b"]))
    fields = [
        field(1, value.tag.encode()),
        field(8, value.tensor.SerializeToString()),
        field(9, wire.metadata(wire.KERNEL).SerializeToString()),
    ]
    summary = field(1, b"".join(fields[i] for i in of_value))
    parts = [b"\x09" + struct.pack("<d", 5.5), b"\x10\x07", field(5, summary)]
    data = b"".join(parts[i] for i in of_event)
    assert walked(path, data) == parsed(data) == (5.5, 7, [("t" * 200, [b"a" * 500, b"b"], wire.metadata(wire.KERNEL))])


EXAMPLE = logs.event("a/filterviz.kernel", 3, logs.blob_tensor([b"x" * 50, b"y"]), wire.metadata("kernel"))


@settings(max_examples=500)
@given(st.data())
def test_damage_is_an_event_or_a_sentence(path, data):
    damaged = bytearray(EXAMPLE.SerializeToString())
    for _ in range(data.draw(st.integers(1, 4))):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    del damaged[data.draw(st.integers(0, len(damaged))) :]
    with contextlib.suppress(wire.FormatError, UnicodeDecodeError):
        walked(path, bytes(damaged))


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"\x2a\xff\xff\xff\xff\x0f", "a field is longer than what it is in"),
        (b"\x2b", "a field has the wire type 3"),
        (b"\x10" + b"\xff" * 11, "a number in a record does not end"),
        (b"\x10\xff", "a number in a record does not end"),
        (b"\x20\x00" * 300_000, "more than 262144 fields"),
        (field(5, field(1, field(1, b"t" * 70_000))), "a tag has 70000 bytes"),
        (field(5, field(1, field(9, b"m" * (3 << 20)))), "the metadata has 3145728 bytes"),
        (field(5, field(1, field(9, b"\xff" * 9))), "the metadata cannot be parsed"),
        (field(5, field(1, field(8, b"\x08\x07" + b"\x42\x00" * 140_000))), "more than 131072 elements"),
    ],
)
def test_what_is_hostile_is_named(path, data, words):
    with pytest.raises(wire.FormatError, match=words):
        walked(path, data)


def test_a_tensor_that_is_no_blob_sequence_is_refused(path):
    scalar = tensor_pb2.TensorProto(dtype=types_pb2.DT_STRING, string_val=[b"x"])
    floats = tensor_pb2.TensorProto(dtype=types_pb2.DT_FLOAT, float_val=[1.0])
    floats.tensor_shape.dim.add(size=1)
    many = logs.blob_tensor([b"x"])
    many.tensor_shape.dim[0].size = 1 << 40
    for tensor in (scalar, floats, many):
        data = logs.event("t", 0, tensor, None).SerializeToString()
        with pytest.raises(wire.FormatError, match="it is not a blob sequence: a tensor of type"):
            walked(path, data)
