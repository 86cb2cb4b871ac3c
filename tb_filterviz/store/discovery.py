"""Finds the event files of each run, by TensorBoard's rules.

A run is a directory that holds event files, and its name is its path below the log directory, `.` for that itself. An
event file is a regular file with `tfevents` in its name; those of a run are read in the order of their names. Symbolic
links are followed, but not into a directory that they are in: that would never end.
"""

from __future__ import annotations

import os
from typing import NamedTuple

from tb_filterviz.store.eventfile import Stat

_INFIX = "tfevents"
_DEEPEST = 64


class Found(NamedTuple):
    """What is below a log directory.

    Attributes:
        runs: By the name of a run its event files, paths in the order of reading, with what tells a change.
        problems: What cannot be listed: the run it would be, and why.
    """

    runs: dict[str, dict[str, Stat]]
    problems: list[tuple[str, str]]


def discover(root: str) -> Found:
    """Walks a log directory; one that does not exist holds no runs (yet)."""
    found = Found({}, [])
    # An explicit stack: how deep directories are nested is up to the log.
    pending: list[tuple[str, tuple[str, ...], frozenset[tuple[int, int]]]] = [(root, (), frozenset())]
    while pending:
        path, names, above = pending.pop()
        run = os.sep.join(names) or "."
        try:
            here = _identity(path)
            if here in above:
                found.problems.append((run, "a symbolic link leads back to a directory that it is in"))
                continue
            if len(names) > _DEEPEST:
                found.problems.append((run, f"directories more than {_DEEPEST} deep are not read"))
                continue
            directories, files = _list(path)
        except FileNotFoundError:
            continue
        except OSError as error:
            found.problems.append((run, f"the directory cannot be read: {error.strerror or error}"))
            continue
        if files:
            found.runs.setdefault(run, {}).update(files)
        inside = above | {here}
        pending += [(entry.path, (*names, _text(entry.name)), inside) for entry in directories]
    return found


def _list(path: str) -> tuple[list[os.DirEntry[str]], dict[str, Stat]]:
    directories, files = [], {}
    with os.scandir(path) as entries:
        for entry in sorted(entries, key=lambda entry: os.fsencode(entry.name)):
            try:
                if _INFIX in entry.name and entry.is_file():
                    facts = entry.stat()
                    files[entry.path] = Stat(facts.st_ino, facts.st_size, facts.st_mtime_ns)
                elif entry.is_dir():
                    directories.append(entry)
            except OSError:  # a link that leads nowhere or round in circles, a file that went away
                continue
    return directories, files


def _identity(path: str) -> tuple[int, int]:
    facts = os.stat(path)
    return facts.st_dev, facts.st_ino


def _text(name: str) -> str:
    """Returns a file name as text that JSON and URLs can carry, as TensorBoard's data server does."""
    return os.fsencode(name).decode("utf-8", "replace")
