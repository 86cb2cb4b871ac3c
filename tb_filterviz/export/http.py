"""The answer of the route `export`."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping

from tensorboard import errors

from tb_filterviz import found, wire
from tb_filterviz.export import texts
from tb_filterviz.export.comparison import Comparison, Side
from tb_filterviz.export.figure import CONTENT_TYPES, Figure
from tb_filterviz.export.layers import AllNumbers
from tb_filterviz.export.make import make, think
from tb_filterviz.export.options import SERVER, OptionError, Options
from tb_filterviz.export.overview import Overview
from tb_filterviz.export.place import NoFilterError, NoKernelError, Place, places
from tb_filterviz.query import Query, bad
from tb_filterviz.store import Series, Source, Store
from tb_filterviz.thoughts import Thoughts

_PICTURES = {wire.KERNEL: "kernels", wire.PATTERNS: "patterns"}
_OF_EITHER = ("numbers", "history")
_WITH_NUMBERS = ("csv", "npz")  # some of which depend on other steps
_PARAMETERS = {"layer": "tag", "layer_b": "tag_b"}  # what is called otherwise than in Python


class Exports:
    """Answers the route `export`. One serves all requests of a process."""

    def __init__(self, store: Store, thoughts: Thoughts) -> None:
        """Takes the store that reads, and what works analyses out and keeps them."""
        self._store, self._thoughts = store, thoughts
        # That memory is bounded, however many ask.
        self._one_at_a_time, self._one_run_at_a_time = threading.Lock(), threading.Lock()

    def answer(self, query: Query, source: Source) -> tuple[bytes, str, Mapping[str, str], str | None]:
        """Returns the content of a file, its media type, headers, and the version as for `answers.respond`.

        Args:
            query: The request's parameters.
            source: What it may see.

        Raises:
            tensorboard.errors.PublicError: If a parameter cannot be, or there is nothing that it names.
            tb_filterviz.wire.FormatError: If a datum is damaged.
            tb_filterviz.store.DatumGoneError: If it is not there any more.
            tb_filterviz.store.SourceUnavailableError: If the source does not answer.
        """
        given = {name: query.text(name, "") for name in texts.NAMES}
        form = query.text("format", "csv" if query.text("what", "") == "numbers" else "png")
        try:
            options = texts.options({name: text for name, text in given.items() if text})
            figure, content, version = self._made(query, source, form, options)
        except OptionError as error:
            raise bad(_PARAMETERS.get(error.name, error.name), error.expected, error.received) from error
        except NoFilterError as error:
            raise bad("filters", "filters that there are", query.text("filters", "all")) from error
        name = f"{figure.stem}.{'png' if form == 'apng' else form}"
        headers = {"Content-Disposition": f'attachment; filename="{name}"', "Content-Security-Policy": "sandbox"}
        return content, CONTENT_TYPES[form], headers, version

    def _made(self, query: Query, source: Source, form: str, options: Options) -> tuple[Figure, bytes, str | None]:
        """Returns the figure, its file, and the version of what it depends on beside the data that the address names.

        To look at all layers may take a minute. Only others of that kind wait for it: analyses have turns of their own,
        and are made before an export waits for its turn, that no other waits for them.
        """
        what = query.text("what", "")
        if what == "overview" or (what == "numbers" and not query.text("tag", "")):
            with self._one_run_at_a_time:
                figure = self._of_all_layers(
                    query, source, Overview if what == "overview" else AllNumbers, form, options
                )
                with self._one_at_a_time:
                    return figure, figure.encode(form), ""
        read, version = self._thought(query, source, form, options)
        with self._one_at_a_time:
            figure = read()
            return figure, figure.encode(form), version

    def _thought(
        self, query: Query, source: Source, form: str, options: Options
    ) -> tuple[Callable[[], Figure], str | None]:
        """Analyses what a figure of one or two series needs; returns what reads it, and its version as `_made` does."""
        filters = texts.filters(query.text("filters", "all"))
        if query.text("what", "") == "compare":
            Comparison.check_format(form)
            left, right = (self._side(query, source, suffix) for suffix in ("", "_b"))
            figure = Comparison(left, right, filters, options)
            return lambda: figure, None
        series = found.series(query, source)
        pictures = _PICTURES[series.kind]
        what = query.text("what", pictures)
        if what not in (pictures, *_OF_EITHER):
            of_kernels = ("compare",) if series.kind == wire.KERNEL else ()
            known = ", ".join((pictures, *_OF_EITHER, *of_kernels))
            raise bad("what", f"{known} or overview, as the tag is of {series.kind}", what)
        datum = None if what == "history" else found.datum(query, series)
        header = self._store.header(source, datum, series.kind) if datum else self._store.newest(source, series)[1]
        place = self._place(source, series, header)
        think(what, form, place, datum, filters, options)
        version = series.version if what in _OF_EITHER or form in _WITH_NUMBERS else None
        return lambda: make(what, place, datum, filters, options), version

    def _of_all_layers(
        self, query: Query, source: Source, kind: type[AllNumbers | Overview], form: str, options: Options
    ) -> Figure:
        """Returns an overview, or the numbers of all layers."""
        kind.check_format(form)
        run, step = query.text("run"), query.integer("step") if query.text("step", "") else None
        if kind is AllNumbers and query.text("filters", "all") != "all":
            raise bad("filters", "all where no `tag` is given", query.text("filters"))
        try:
            layers = places(self._store, self._thoughts, source, run, step, SERVER)
        except NoKernelError as error:
            raise errors.NotFoundError(str(error.args[0])) from error
        return kind(run, layers, options, SERVER)

    def _side(self, query: Query, source: Source, suffix: str) -> Side:
        series = found.series(query, source, suffix)
        if series.kind != wire.KERNEL:
            raise bad(f"tag{suffix}", f"that of a series of {wire.KERNEL}", series.tag)
        datum = found.datum(query, series, suffix)
        return self._place(source, series, self._store.header(source, datum, series.kind)), datum

    def _place(self, source: Source, series: Series, header: wire.Header) -> Place:
        return Place(self._store, self._thoughts, source, series, header.layer.path or header.name, SERVER)
