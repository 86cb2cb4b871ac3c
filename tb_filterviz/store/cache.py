"""A cache that is bounded by bytes."""

from __future__ import annotations

import collections
import sys
import threading
from collections.abc import Hashable

import numpy as np

ROOM = 256  # bytes that an item takes at least beside its value: its key, and where it lies


class ByteCache:
    """Keeps the bytes that were put last, up to a limit; safe for threads.

    They lie one after another in a single block of memory, and a new one takes the place of the oldest. As objects of
    their own they would be strewn over the heaps of all threads that serve requests, and the holes that they leave
    there are not given back: that took half as much again. The system provides the block page by page as it fills.
    """

    def __init__(self, limit: int) -> None:
        """Takes the limit in bytes; 0 keeps nothing.

        Raises:
            MemoryError: If the system cannot provide as much.
        """
        if limit > sys.maxsize:
            raise MemoryError(f"a cache of {limit} bytes")
        self._block = np.empty(limit, np.uint8)
        self._end = 0  # of what was put last
        self._places: collections.OrderedDict[Hashable, slice] = collections.OrderedDict()  # oldest first
        self._lock = threading.Lock()

    def get(self, key: Hashable) -> bytes | None:
        """Returns what is kept for `key`, or None."""
        with self._lock:
            place = self._places.get(key)
            return None if place is None else self._block[place].tobytes()

    def put(self, key: Hashable, value: bytes) -> None:
        """Keeps `value`, and drops the oldest where room is needed."""
        size = len(value) + ROOM
        if size > len(self._block):
            return
        with self._lock:
            self._places.pop(key, None)
            if self._end + size > len(self._block):
                self._drop_until(len(self._block))
                self._end = 0
            self._drop_until(self._end + size)
            place = slice(self._end, self._end + len(value))
            self._block[place] = np.frombuffer(value, np.uint8)
            self._places[key] = place
            self._end += size

    def _drop_until(self, end: int) -> None:
        """Drops what begins between what was put last and `end`: these are the oldest."""
        while self._places:
            oldest = next(iter(self._places))
            if not self._end <= self._places[oldest].start < end:
                break
            del self._places[oldest]
