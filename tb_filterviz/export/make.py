"""The figure that was asked for."""

from __future__ import annotations

from tb_filterviz import wire
from tb_filterviz.export.figure import Figure
from tb_filterviz.export.history import KernelHistory, PatternHistory
from tb_filterviz.export.options import Options
from tb_filterviz.export.place import Chosen, Place
from tb_filterviz.export.still import Kernels, Numbers, Patterns
from tb_filterviz.store import Datum

WHAT = ("kernels", "patterns", "numbers", "history")
"""What may be exported. Numbers and histories are of kernels or of patterns, as the series is."""


def make(what: str, place: Place, datum: Datum | None, filters: Chosen, options: Options) -> Figure:
    """Returns a figure.

    Args:
        what: One of `WHAT`; `"kernels"` of a series of kernels, `"patterns"` of one of patterns.
        place: The series.
        datum: Its step; None for a history.
        filters: Which filters.
        options: How it looks.

    Raises:
        OptionError: If an option does not fit the layer, or the figure the budget.
        tb_filterviz.export.place.NoFilterError: If there is no such filter.
        tb_filterviz.wire.FormatError: If the datum is damaged.
        tb_filterviz.store.DatumGoneError: If it is not there any more.
    """
    if datum is None:
        return (KernelHistory if place.series.kind == wire.KERNEL else PatternHistory)(place, filters, options)
    return {"kernels": Kernels, "patterns": Patterns}.get(what, Numbers)(place, datum, filters, options)
