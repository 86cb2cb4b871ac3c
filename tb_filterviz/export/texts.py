"""Options as texts, the same on the shell and in a URL."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from tb_filterviz.export.options import OptionError, Options
from tb_filterviz.export.place import Chosen

_INTEGER = re.compile(r"-?[0-9]{1,9}", re.ASCII)
_NUMBER = re.compile(r"[0-9]{1,20}(\.[0-9]{0,20})?(e[-+]?[0-9]{1,3})?", re.ASCII)
_FILTERS = re.compile(r"(?P<start>[0-9]{1,9}):(?P<stop>[0-9]{1,9})|[0-9]{1,9}(,[0-9]{1,9})*", re.ASCII)
_SWITCHES = {"true": True, "false": False}

NAMES = (
    "inputs",
    "limit",
    "colormap",
    "theme",
    "scale",
    "width",
    "columns",
    "caption",
    "labels",
    "bar",
    "frames",
    "fps",
    "match",
    "depth",
)
"""The options: the attributes of `Options`."""


def options(texts: Mapping[str, str]) -> Options:
    """Reads options; those that are missing take their defaults.

    Raises:
        OptionError: If one cannot be.

    Example:
        >>> options({"width": "1200", "limit": "0.5", "labels": "false"}).limit
        0.5
    """
    return Options(**{name: _READ.get(name, str)(texts[name]) for name in NAMES if name in texts})


def filters(text: str) -> Chosen:
    """Reads which filters: `all`, `7`, `0:64` (half-open) or `0,3,9`.

    Raises:
        OptionError: If it is none of these.
    """
    found = _FILTERS.fullmatch(text)
    if text == "all":
        return None
    if not found:
        raise OptionError("filters", "all, 7, 0:64 or 0,3,9", text)
    if found["start"]:
        return range(int(found["start"]), int(found["stop"]))
    return [int(part) for part in text.split(",")]


def _integer(text: str) -> int | str:
    """Returns an integer; else the text itself, which `Options` refuses, naming what the option may be."""
    return int(text) if _INTEGER.fullmatch(text) else text


def _number(text: str) -> float | str:
    return float(text) if _NUMBER.fullmatch(text) else text


def _switch(text: str) -> bool | str:
    return _SWITCHES.get(text, text)


_READ: dict[str, Callable[[str], Any]] = {
    "inputs": _integer,
    "limit": _number,
    "scale": _integer,
    "width": _integer,
    "columns": _integer,
    "caption": _switch,
    "labels": _switch,
    "bar": _switch,
    "frames": _integer,
    "fps": _number,
}
