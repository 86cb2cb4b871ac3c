"""What a source of logged data offers: series of data, and their bytes."""

from __future__ import annotations

import dataclasses
from typing import Protocol


@dataclasses.dataclass(frozen=True)
class Datum:
    """One step of one series, not yet read.

    Attributes:
        run: Name of the run.
        tag: Tag of the series.
        step: Its step.
        wall_time: When it was logged, in seconds since 1970.
        elements: The source's own handle of each element; together with `wall_time` it identifies the bytes.
    """

    run: str
    tag: str
    step: int
    wall_time: float
    elements: tuple[str, ...]


@dataclasses.dataclass(frozen=True)
class Series:
    """All steps of one tag of one run.

    Attributes:
        run: Name of the run.
        tag: The tag.
        kind: `wire.KERNEL` or `wire.PATTERNS`.
        description: Plain text from the user; may be empty.
        data: The data in ascending order of their steps, which are distinct; at least one.
    """

    run: str
    tag: str
    kind: str
    description: str
    data: tuple[Datum, ...]


@dataclasses.dataclass(frozen=True)
class Problem:
    """Something that was logged and cannot be shown; `step` is None where the whole series is concerned."""

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

    def series(self, run: str | None = None, tag: str | None = None) -> tuple[list[Series], list[Problem]]:
        """Lists all series, or those of one run and tag, and what cannot be listed.

        Raises:
            SourceUnavailableError: If the source does not answer.
        """

    def read(self, datum: Datum, element: int) -> bytes:
        """Reads one element of a datum.

        Raises:
            DatumGoneError: If it is not there any more.
            wire.FormatError: If it cannot be read.
            SourceUnavailableError: If the source does not answer.
        """
