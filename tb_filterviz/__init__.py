"""Filters for TensorBoard: see every filter of a convolutional network, live, in one line of code.

Importing the package imports neither TensorFlow nor Keras; what needs them does when it is used.
"""

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tb_filterviz.callback import FiltersCallback as FiltersCallback
    from tb_filterviz.patterns import PatternOptions as PatternOptions
    from tb_filterviz.patterns import generate_patterns as generate_patterns
    from tb_filterviz.reader import read as read
    from tb_filterviz.records import Patterns as Patterns
    from tb_filterviz.summary_op import summary as summary

__version__ = "0.1.0"

_MODULES = {
    "FiltersCallback": "tb_filterviz.callback",
    "PatternOptions": "tb_filterviz.patterns",
    "Patterns": "tb_filterviz.records",
    "generate_patterns": "tb_filterviz.patterns",
    "read": "tb_filterviz.reader",
    "summary": "tb_filterviz.summary_op",
}

__all__ = ["FiltersCallback", "PatternOptions", "Patterns", "generate_patterns", "read", "summary"]


def __getattr__(name: str) -> object:
    """Imports a public name when it is first used (PEP 562)."""
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value: object = getattr(importlib.import_module(_MODULES[name]), name)
    return value


def __dir__() -> list[str]:
    """Lists the lazy names too."""
    return sorted([*globals(), *__all__])
