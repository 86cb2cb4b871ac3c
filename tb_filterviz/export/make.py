"""The figure that was asked for."""

from __future__ import annotations

import contextlib

from tb_filterviz import insight, wire
from tb_filterviz.export.figure import NUMBERS, Figure
from tb_filterviz.export.history import KernelHistory, PatternHistory
from tb_filterviz.export.options import Options
from tb_filterviz.export.place import Chosen, Place
from tb_filterviz.export.still import Kernels, Numbers, Patterns
from tb_filterviz.store import Datum

WHAT = ("kernels", "patterns", "numbers", "history")
"""What may be exported. Numbers and histories are of kernels or of patterns, as the series is."""


_ANALYSED = {"numbers": NUMBERS, "kernels": ("csv", "npz")}  # which formats of what hold computed numbers


def think(what: str, form: str, place: Place, datum: Datum | None, filters: Chosen, options: Options) -> None:
    """Analyses beforehand what a figure needs, as that may wait for other analyses.

    What `make` returns finds it in `Place.thoughts`.

    Args:
        what: As for `make`.
        form: What the figure will be saved as.
        place: As for `make`.
        datum: As for `make`.
        filters: As for `make`.
        options: As for `make`.

    Raises:
        OptionError: If `filters` or `inputs` cannot be.
        tb_filterviz.export.place.NoFilterError: If there is no such filter.
        tb_filterviz.wire.FormatError: If the datum is damaged.
        tb_filterviz.store.DatumGoneError: If it, or a step that it is compared with, is not there any more.
    """
    kernel = datum if place.series.kind == wire.KERNEL else None
    if kernel and options.depth == "full" and form in _ANALYSED.get(what, ()):
        header = place.header(kernel)
        place.chosen(header, filters)
        if what == "kernels":
            options.inputs_of(header.shape[-2])
        with contextlib.suppress(insight.TooLargeError):  # then the figure does without
            insight.analysed(place.thoughts, place.store, place.source, place.series, kernel, header)


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
