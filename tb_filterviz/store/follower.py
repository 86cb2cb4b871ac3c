"""Keeps an index up to date in the background."""

from __future__ import annotations

import threading
import time

from tensorboard.util import tb_logging

from tb_filterviz.store.logdir import Contents, LogdirIndex

_REST = 4.0  # so many times as long as a pass took it rests: on a huge log directory, a fifth of one core at most

logger = tb_logging.get_logger()


class Follower:
    """Refreshes an index now and then, and whenever somebody asks.

    The thread is a daemon and takes no part in anything that waits for it: TensorBoard starts and ends without it.
    """

    def __init__(self, index: LogdirIndex, interval: float) -> None:
        """Takes the index, and the seconds between two passes; 0 or less makes a single pass."""
        self._index = index
        self._interval = interval
        self._changed = threading.Condition()
        self._asked = 0
        self._answered = -1
        self._rested = 0.0  # when the next pass may begin
        self._thread: threading.Thread | None = None

    @property
    def contents(self) -> Contents:
        """What was found so far."""
        return self._index.contents

    def start(self) -> None:
        """Starts the thread, unless it was started before."""
        with self._changed:
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="filterviz-index", daemon=True)
                self._thread.start()

    def fresh(self, seconds: float) -> Contents:
        """Returns what there is now, or after `seconds` what was found so far."""
        self.start()
        with self._changed:
            ticket = self._asked = self._asked + 1 if self._interval > 0 else 0
            self._changed.notify_all()
            if time.monotonic() + seconds > self._rested:  # else nothing can come in time
                self._changed.wait_for(lambda: self._answered >= ticket, seconds)
        return self.contents

    def _run(self) -> None:
        while True:
            begin, ticket = time.monotonic(), self._asked
            try:
                self._index.refresh()
            except Exception:
                logger.exception("Filters: the log directory could not be read; it is tried again")
            with self._changed:
                self._answered = ticket
                self._changed.notify_all()
            if self._interval <= 0:
                return
            rest = min(self._interval, _REST * (time.monotonic() - begin))
            self._rested = time.monotonic() + rest
            time.sleep(rest)
            with self._changed:
                self._changed.wait_for(lambda: self._asked > self._answered, self._interval)
