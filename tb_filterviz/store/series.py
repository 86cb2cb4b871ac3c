"""What a source of logged data offers: series of data, and their bytes."""

from __future__ import annotations

import array
import bisect
import dataclasses
import functools
import hashlib
import re
from collections.abc import Hashable, Sequence
from typing import Protocol, TypeVar

T = TypeVar("T")


@dataclasses.dataclass(frozen=True, slots=True)
class Datum:
    """One step of one series, not yet read.

    Attributes:
        run: Name of the run.
        tag: Tag of the series.
        step: Its step.
        wall_time: When it was logged, in seconds since 1970.
        place: The source's own handle; together with `wall_time` it identifies the bytes.
    """

    run: str
    tag: str
    step: int
    wall_time: float
    place: Hashable


@dataclasses.dataclass(frozen=True)
class Series:
    """All steps of one tag of one run.

    Attributes:
        run: Name of the run.
        tag: The tag.
        kind: `wire.KERNEL` or `wire.PATTERNS`.
        description: Plain text from the user; may be empty.
        data: The data in ascending order of their steps, which are distinct; at least one.
        superseded: How many data were logged, and are not among these, as newer ones took their place.
    """

    run: str
    tag: str
    kind: str
    description: str
    data: tuple[Datum, ...]
    superseded: int = 0

    @functools.cached_property
    def version(self) -> str:
        """Names which data these are, by their steps and when they were logged: eight hexadecimal digits.

        It differs whenever one was added, taken away or written anew, and is the same in every process.
        """
        numbers = [number for datum in self.data for number in (float(datum.step), datum.wall_time)]
        return hashlib.blake2b(array.array("d", numbers).tobytes(), digest_size=4).hexdigest()

    def before(self, step: int) -> int:
        """Returns how many data are before a step: the place of that step's own in `data`, if there is one."""
        return bisect.bisect_left(self.data, step, key=lambda datum: datum.step)


@dataclasses.dataclass(frozen=True)
class Problem:
    """Something that was logged and cannot be shown.

    `step` is None where the whole series is concerned, and `tag` is empty where the whole run is.
    """

    run: str
    tag: str
    step: int | None
    message: str


class DatumGoneError(LookupError):
    """The datum was there when it was listed, and is not any more."""


class SourceUnavailableError(RuntimeError):
    """What the source reads from does not answer just now."""


class Source(Protocol):
    """Where series come from."""

    @property
    def revision(self) -> int:
        """Differs, from 1 on, whenever the answer of `series` does; 0 where that is not known."""

    def series(self, run: str | None = None, tag: str | None = None) -> tuple[list[Series], list[Problem]]:
        """Lists all series, or those of one run and tag, and what cannot be listed.

        Raises:
            SourceUnavailableError: If the source does not answer.
        """

    def read(self, datum: Datum, elements: Sequence[int]) -> list[bytes]:
        """Reads elements of a datum.

        Raises:
            DatumGoneError: If it is not there any more.
            wire.FormatError: If it cannot be read.
            SourceUnavailableError: If the source does not answer.
        """


def up_to(series: Series, step: int | None) -> Datum | None:
    """Returns the newest datum up to a step, or of all; None where there is none."""
    count = len(series.data) if step is None else series.before(step + 1)
    return series.data[count - 1] if count else None


def run_order(run: str) -> list[tuple[int, str]]:
    """Returns a key that sorts runs as TensorBoard's run selector does: digits by value."""
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in re.split(r"([0-9]+)", run)]


def spread(data: Sequence[T], most: int) -> list[T]:
    """Returns at most so many of the data, evenly spread, with the last, and the first if two are allowed."""
    if len(data) <= most:
        return list(data)
    return [data[round(at * (len(data) - 1) / (most - 1))] for at in range(most)] if most > 1 else [data[-1]]
