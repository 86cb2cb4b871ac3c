"""The answer of the route `export`."""

from __future__ import annotations

import threading
from collections.abc import Mapping

from tensorboard import errors

from tb_filterviz import found, wire
from tb_filterviz.export import texts
from tb_filterviz.export.comparison import Comparison, Side
from tb_filterviz.export.figure import CONTENT_TYPES, Figure
from tb_filterviz.export.make import make
from tb_filterviz.export.options import SERVER, OptionError, Options
from tb_filterviz.export.overview import Overview
from tb_filterviz.export.place import NoFilterError, Place, places
from tb_filterviz.query import Query, bad
from tb_filterviz.store import Source, Store

_PICTURES = {wire.KERNEL: "kernels", wire.PATTERNS: "patterns"}
_OF_EITHER = ("numbers", "history")
_WITH_NUMBERS = ("csv", "npz")  # some of which depend on other steps
_PARAMETERS = {"layer": "tag", "layer_b": "tag_b"}  # what is called otherwise than in Python
_one_at_a_time = threading.Lock()  # that memory is bounded, however many ask


def answer(query: Query, store: Store, source: Source) -> tuple[bytes, str, Mapping[str, str], str | None]:
    """Returns the content of a file, its media type, headers, and the version as for `answers.respond`.

    Raises:
        tensorboard.errors.PublicError: If a parameter cannot be, or there is nothing that it names.
        tb_filterviz.wire.FormatError: If a datum is damaged.
        tb_filterviz.store.DatumGoneError: If it is not there any more.
        tb_filterviz.store.SourceUnavailableError: If the source does not answer.
    """
    given = {name: query.text(name, "") for name in texts.NAMES}
    form = query.text("format", "csv" if query.text("what", "") == "numbers" else "png")
    try:
        with _one_at_a_time:
            options = texts.options({name: text for name, text in given.items() if text})
            figure, version = _figure(query, store, source, options, form)
            content = figure.encode(form)
    except OptionError as error:
        raise bad(_PARAMETERS.get(error.name, error.name), error.expected, error.received) from error
    except NoFilterError as error:
        raise bad("filters", "filters that there are", query.text("filters", "all")) from error
    name = f"{figure.stem}.{'png' if form == 'apng' else form}"
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Content-Security-Policy": "sandbox"}
    return content, CONTENT_TYPES[form], headers, version


def _figure(query: Query, store: Store, source: Source, options: Options, form: str) -> tuple[Figure, str | None]:
    """Returns the figure, and the version of what it depends on beside the data that the address names."""
    what = query.text("what", "kernels")
    if what == "overview":
        return _overview(query, store, source, options), ""
    filters = texts.filters(query.text("filters", "all"))
    if what == "compare":
        left, right = (_side(query, store, source, suffix) for suffix in ("", "_b"))
        return Comparison(left, right, filters, options), None
    series = found.series(query, source)
    pictures = _PICTURES[series.kind]
    what = query.text("what", pictures)
    if what not in (pictures, *_OF_EITHER):
        of_kernels = ("compare",) if series.kind == wire.KERNEL else ()
        known = ", ".join((pictures, *_OF_EITHER, *of_kernels))
        raise bad("what", f"{known} or overview, as the tag is of {series.kind}", what)
    datum = None if what == "history" else found.datum(query, series)
    header = store.header(source, datum, series.kind) if datum else store.newest(source, series)[1]
    figure = make(what, Place(store, source, series, _name(header), SERVER), datum, filters, options)
    return figure, series.version if what in _OF_EITHER or form in _WITH_NUMBERS else None


def _overview(query: Query, store: Store, source: Source, options: Options) -> Overview:
    run, step = query.text("run"), query.integer("step") if query.text("step", "") else None
    layers = places(store, source, run, step, SERVER)
    if not layers:
        raise errors.NotFoundError(f"run {run!r} has no kernel" + ("" if step is None else f" up to step {step}"))
    return Overview(run, layers, options, SERVER)


def _side(query: Query, store: Store, source: Source, suffix: str) -> Side:
    series = found.series(query, source, suffix)
    if series.kind != wire.KERNEL:
        raise bad(f"tag{suffix}", f"that of a series of {wire.KERNEL}", series.tag)
    datum = found.datum(query, series, suffix)
    return Place(store, source, series, _name(store.header(source, datum, series.kind)), SERVER), datum


def _name(header: wire.Header) -> str:
    return header.layer.path or header.name
