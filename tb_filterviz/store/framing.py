"""The frames of records in an event file, and their checksums.

A record is its length (unsigned 64-bit little-endian), the masked CRC-32C of these 8 bytes, the data, and the masked
CRC-32C of the data: the TFRecord format ("TFRecord and tf.train.Example", section "TFRecords format details",
tensorflow.org). CRC-32C itself comes from google-crc32c.
"""

from __future__ import annotations

import functools
import struct
from collections.abc import Iterable

import google_crc32c

HEAD = 12
"""Bytes before the data of a record."""
TAIL = 4
"""Bytes after them."""
LONGEST = 1 << 31
"""No event is longer: protocol buffers end at 2 GiB."""

_HEAD = struct.Struct("<QI")
_ZEROS = bytes(1 << 16)


class DamagedError(ValueError):
    """A record's frame cannot be what was written."""


def mask(checksum: int) -> int:
    """Returns a CRC-32C as records store it: rotated and shifted, so that data may hold checksums themselves."""
    return ((checksum >> 15 | checksum << 17) + 0xA282EAD8) & 0xFFFFFFFF


@functools.lru_cache(1 << 14)  # most records of a log have one of a few lengths
def check_head(head: bytes) -> int:
    """Returns the length of the data of a record, from the 12 bytes before them.

    Raises:
        DamagedError: If the checksum of the length does not match, or no record can be that long.
    """
    length, checksum = _HEAD.unpack(head)
    if checksum != mask(google_crc32c.value(head[:8])):
        raise DamagedError("the checksum of a record's length does not match")
    if length >= LONGEST:
        raise DamagedError(f"a record claims {length} bytes")
    return int(length)


def joined_checksum(parts: Iterable[bytes | tuple[int, int]]) -> int:
    """Returns the CRC-32C of parts one after another, where of some only checksum and length are known.

    Args:
        parts: Bytes, or pairs of a part's CRC-32C and its length in bytes.

    Returns:
        What `google_crc32c.value` returns for all the bytes. A CRC register is linear in its start: going over a part
        of `n` bytes from the start `c` differs from doing so from 0 as it does for `n` zero bytes.

    Example:
        >>> joined_checksum([b"1234", (google_crc32c.value(b"56789"), 5)]) == google_crc32c.value(b"123456789")
        True
    """
    checksum = 0
    for part in parts:
        if isinstance(part, bytes):
            checksum = google_crc32c.extend(checksum, part)
        else:
            known, length = part
            checksum = known ^ _over_zeros(checksum, length) ^ _over_zeros_from_0(length)
    return checksum


def _over_zeros(checksum: int, length: int) -> int:
    while length > 0:
        checksum = google_crc32c.extend(checksum, _ZEROS[: min(length, len(_ZEROS))])
        length -= len(_ZEROS)
    return checksum


@functools.lru_cache(1024)
def _over_zeros_from_0(length: int) -> int:
    return _over_zeros(0, length)
