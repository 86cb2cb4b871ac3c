import io

import google_crc32c
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tensorboard.summary.writer import record_writer

from tb_filterviz.store import framing


def written(data):
    """A record as TensorBoard's own writer writes it."""
    stream = io.BytesIO()
    record_writer.RecordWriter(stream).write(data)
    return stream.getvalue()


@given(st.binary(max_size=300))
def test_frames_are_those_of_tensorboards_writer(data):
    record = written(data)
    assert framing.check_head(record[: framing.HEAD]) == len(data)
    assert record[framing.HEAD : -framing.TAIL] == data
    assert int.from_bytes(record[-framing.TAIL :], "little") == framing.mask(google_crc32c.value(data))


@pytest.mark.parametrize("bit", range(8 * framing.HEAD))
def test_any_flipped_bit_in_a_head_is_found(bit):
    head = bytearray(written(b"x" * 1000)[: framing.HEAD])
    head[bit // 8] ^= 1 << bit % 8
    with pytest.raises(framing.DamagedError, match="the checksum of a record's length does not match"):
        framing.check_head(bytes(head))


def test_an_impossible_length_is_refused_though_its_checksum_is_right():
    length = (1 << 60).to_bytes(8, "little")
    head = length + framing.mask(google_crc32c.value(length)).to_bytes(4, "little")
    with pytest.raises(framing.DamagedError, match="a record claims 1152921504606846976 bytes"):
        framing.check_head(head)


@given(st.lists(st.tuples(st.binary(max_size=200_000), st.booleans()), max_size=6))
def test_a_checksum_of_parts_is_that_of_the_whole(parts):
    whole = b"".join(part for part, _ in parts)
    some_known = [(google_crc32c.value(part), len(part)) if known else part for part, known in parts]
    assert framing.joined_checksum(some_known) == google_crc32c.value(whole)
