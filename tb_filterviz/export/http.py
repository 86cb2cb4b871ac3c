"""The answer of the route `export`."""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Mapping

from tb_filterviz import found, wire
from tb_filterviz.export import texts
from tb_filterviz.export.figure import CONTENT_TYPES
from tb_filterviz.export.make import make
from tb_filterviz.export.options import SERVER, OptionError
from tb_filterviz.export.place import Place
from tb_filterviz.query import Query, bad
from tb_filterviz.store import Source, Store

_PICTURES = {wire.KERNEL: "kernels", wire.PATTERNS: "patterns"}
_OF_EITHER = ("numbers", "history")
_one_at_a_time = threading.Lock()  # that memory is bounded, however many ask


def answer(query: Query, store: Store, source: Source) -> tuple[bytes, str, Mapping[str, str]]:
    """Returns the content of a file, its media type, and headers.

    Raises:
        tensorboard.errors.PublicError: If a parameter cannot be, or there is nothing that it names.
        tb_filterviz.wire.FormatError: If a datum is damaged.
        tb_filterviz.store.DatumGoneError: If it is not there any more.
        tb_filterviz.store.SourceUnavailableError: If the source does not answer.
    """
    series = found.series(query, source)
    pictures = _PICTURES[series.kind]
    what = query.text("what", pictures)
    if what not in (pictures, *_OF_EITHER):
        raise bad("what", f"{pictures}, {' or '.join(_OF_EITHER)}, as the tag is of {series.kind}", what)
    datum = None if what == "history" else found.datum(query, series)
    given = {name: query.text(name, "") for name in texts.NAMES}
    form = query.text("format", "csv" if what == "numbers" else "png")
    try:
        with _one_at_a_time:
            options = texts.options({name: text for name, text in given.items() if text})
            place = Place(store, source, series, "", SERVER)
            header = place.header(datum) if datum else place.newest()[1]
            place = dataclasses.replace(place, layer=header.layer.path or header.name)
            figure = make(what, place, datum, texts.filters(query.text("filters", "all")), options)
            content = figure.encode(form)
    except OptionError as error:
        raise bad(error.name, error.expected, error.received) from error
    except IndexError as error:
        raise bad("filters", "filters that there are", query.text("filters", "all")) from error
    name = f"{figure.stem}.{'png' if form == 'apng' else form}"
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Content-Security-Policy": "sandbox"}
    return content, CONTENT_TYPES[form], headers
