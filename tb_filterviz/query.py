"""Strict parsing of the parameters of a request."""

from __future__ import annotations

import re

from tensorboard import errors
from werkzeug import wrappers

_INTEGER = re.compile(r"-?[0-9]{1,19}", re.ASCII)
_RANGE = re.compile(r"([0-9]{1,9}):([0-9]{1,9})", re.ASCII)


class Query:
    """The parameters of one request. All methods raise `InvalidArgumentError`, which names the parameter."""

    def __init__(self, request: wrappers.Request) -> None:
        """Takes the request."""
        self._values = request.args

    def text(self, name: str, default: str | None = None) -> str:
        """Returns a parameter; without a default it must be there."""
        values = self._values.getlist(name)
        if len(values) > 1:
            raise bad(name, "given once", values)
        if values:
            return values[0]
        if default is None:
            raise errors.InvalidArgumentError(f"parameter '{name}' is missing")
        return default

    def choice(self, name: str, choices: tuple[str, ...]) -> str:
        """Returns one of `choices`, the first by default."""
        value = self.text(name, choices[0])
        if value not in choices:
            raise bad(name, " or ".join(choices), value)
        return value

    def integer(self, name: str) -> int:
        """Returns an integer of at most 19 digits."""
        value = self.text(name)
        if not _INTEGER.fullmatch(value):
            raise bad(name, "an integer", value)
        return int(value)

    def filters(self, name: str, count: int) -> range:
        """Returns a half-open, non-empty range of `count` filters: `all`, `7` or `0:64`."""
        value = self.text(name, "all")
        if value == "all":
            return range(count)
        found = _RANGE.fullmatch(value)
        if found:
            start, stop = int(found[1]), int(found[2])
        elif _INTEGER.fullmatch(value):
            start, stop = int(value), int(value) + 1
        else:
            start, stop = 0, 0
        if not 0 <= start < stop <= count:
            raise bad(name, f"all, an index or a range start:stop within 0:{count}", value)
        return range(start, stop)

    def inputs(self, name: str, words: tuple[str, ...]) -> str | int:
        """Returns one of `words`, the first by default, or the index of an input."""
        value = self.text(name, words[0])
        if value in words:
            return value
        if not _INTEGER.fullmatch(value):
            raise bad(name, f"{', '.join(words)} or the index of an input", value)
        return int(value)


def bad(name: str, expected: str, value: object) -> errors.InvalidArgumentError:
    """Returns the error for a parameter that is not as expected."""
    return errors.InvalidArgumentError(f"parameter '{name}' must be {expected}, but was {value!r}")
