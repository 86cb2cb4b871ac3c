"""Tables."""

from __future__ import annotations


def row(*cells: object) -> str:
    """Returns one row of a table."""
    return "| " + " | ".join(str(cell) for cell in cells) + " |"


def header(*cells: object) -> str:
    """Returns the first row and the line below it."""
    return row(*cells) + "\n" + "|---" * len(cells) + "|"
