"""Answers that take some thought: each is worked out once, however many ask, and none waits for all others."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable, Hashable

from tb_filterviz.store import ByteCache

LARGE = 1 << 23
"""The work, in weights and pairs of filters, from which on a thought is large: about a second."""

_SMALL_AT_ONCE = 4  # each takes up to 100 MB


class Thoughts:
    """Keeps answers, and works out what is not kept; safe for threads.

    An answer that is being worked out is waited for by whoever wants the same. Large ones take turns, since each takes
    hundreds of megabytes and all cores; small ones never wait for these.
    """

    def __init__(self, cache_bytes: int) -> None:
        """Takes the limit of all answers that are kept, in bytes."""
        self._kept = ByteCache(cache_bytes)
        self._guard = threading.Lock()
        # A lock lasts as long as somebody holds or waits for it.
        self._locks: weakref.WeakValueDictionary[Hashable, threading.Lock] = weakref.WeakValueDictionary()
        self._large = threading.BoundedSemaphore(1)
        self._small = threading.BoundedSemaphore(_SMALL_AT_ONCE)

    def answer(self, key: Hashable, work: int, think: Callable[[], bytes]) -> bytes:
        """Returns an answer.

        Args:
            key: Names it.
            work: How much it takes, in weights and pairs of filters.
            think: Works it out; what it raises is raised, and nothing kept.
        """
        kept = self._kept.get(key)
        if kept is not None:
            return kept
        with self._guard:
            lock = self._locks.setdefault(key, threading.Lock())
        with lock:
            kept = self._kept.get(key)
            if kept is None:
                with self._large if work >= LARGE else self._small:
                    kept = think()
                self._kept.put(key, kept)
        return kept
