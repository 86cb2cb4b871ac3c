"""The series of a whole log directory, kept up to date."""

from __future__ import annotations

import dataclasses
import os
import threading
import time

from tb_filterviz import wire
from tb_filterviz.store.discovery import discover
from tb_filterviz.store.eventfile import EventFileIndex, Stat
from tb_filterviz.store.merge import merge
from tb_filterviz.store.series import Problem, Series

_SLICE_SECONDS = 0.25  # how long to read before what was found is shown


@dataclasses.dataclass(frozen=True)
class Contents:
    """What a log directory held at one moment; never changed, so that any thread may read it.

    Attributes:
        runs: Series by run and tag.
        problems: What cannot be listed.
        revision: Differs whenever the rest does.
    """

    runs: dict[str, dict[str, Series]] = dataclasses.field(default_factory=dict)
    problems: tuple[Problem, ...] = ()
    revision: int = 0


@dataclasses.dataclass
class _Run:
    files: dict[str, EventFileIndex] = dataclasses.field(default_factory=dict)
    series: dict[str, Series] = dataclasses.field(default_factory=dict)
    unlisted: dict[str, str] = dataclasses.field(default_factory=dict)


class LogdirIndex:
    """An index of the event files below a directory. `refresh` may be called by any thread; one at a time reads.

    Attributes:
        contents: What was found so far.
    """

    def __init__(self, logdir: str | os.PathLike[str]) -> None:
        """Takes the directory, which need not exist yet; reads nothing."""
        self._root = os.path.expanduser(os.fspath(logdir))
        self._runs: dict[str, _Run] = {}
        self._lock = threading.Lock()
        self._unlisted: list[tuple[str, str]] = []
        self.contents = Contents()

    def refresh(self) -> None:
        """Reads what has changed since it was called last."""
        with self._lock:
            found = discover(self._root)
            self._unlisted = found.problems
            for name in self._runs.keys() - found.runs.keys():
                del self._runs[name]
            published = time.monotonic()
            for name, files in found.runs.items():
                run = self._runs.setdefault(name, _Run())
                published = self._refresh_run(name, run, files, published)
            self._publish()

    def _refresh_run(self, name: str, run: _Run, files: dict[str, Stat], published: float) -> float:
        gone = [path for path in run.files if path not in files]
        stale = {tag for path in gone for tag in run.files.pop(path).entries}
        added = [path for path in files if path not in run.files]
        for path in added:
            run.files[path] = EventFileIndex(path)
        if added:
            run.files = {path: run.files[path] for path in sorted(run.files, key=os.fsencode)}
        for path, stat in files.items():
            while not run.files[path].refresh(stat, published + _SLICE_SECONDS):
                self._merge(name, run, stale)
                self._publish()
                published = time.monotonic()
        self._merge(name, run, stale)
        return published

    def _merge(self, name: str, run: _Run, stale: set[str]) -> None:
        for file in run.files.values():
            stale |= file.changed
            file.changed.clear()
        for tag in stale:
            run.series.pop(tag, None)
            run.unlisted.pop(tag, None)
            try:
                series = merge(name, tag, list(run.files.values()))
            except wire.FormatError as error:
                run.unlisted[tag] = str(error)
            else:
                if series:
                    run.series[tag] = series
        stale.clear()

    def _publish(self) -> None:
        runs = {name: dict(run.series) for name, run in self._runs.items() if run.series}
        problems = [Problem(run, "", None, message) for run, message in self._unlisted]
        for name, run in self._runs.items():
            problems += [Problem(name, tag, None, message) for tag, message in run.unlisted.items()]
            problems += [
                Problem(name, "", None, f"{os.path.basename(path)}: {message}")
                for path, file in run.files.items()
                for message in file.problems
            ]
        old = self.contents
        if runs != old.runs or tuple(problems) != old.problems:
            self.contents = Contents(runs, tuple(problems), old.revision + 1)
