"""A cache that is bounded by bytes."""

from __future__ import annotations

import collections
import threading
from collections.abc import Hashable


class ByteCache:
    """Keeps the bytes that were used last, up to a limit; safe for threads."""

    def __init__(self, limit: int) -> None:
        """Takes the limit in bytes; 0 keeps nothing."""
        self._limit = limit
        self._size = 0
        self._items: collections.OrderedDict[Hashable, bytes] = collections.OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: Hashable) -> bytes | None:
        """Returns what is kept for `key`, or None."""
        with self._lock:
            if key not in self._items:
                return None
            self._items.move_to_end(key)
            return self._items[key]

    def put(self, key: Hashable, value: bytes) -> None:
        """Keeps `value`, and drops what was not used for longest where that is needed."""
        if len(value) > self._limit:
            return
        with self._lock:
            self._size += len(value) - len(self._items.pop(key, b""))
            self._items[key] = value
            while self._size > self._limit:
                self._size -= len(self._items.popitem(last=False)[1])
