"""Reads logged records from a source, checked and cached."""

from __future__ import annotations

import concurrent.futures
import functools
import threading
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tb_filterviz import wire
from tb_filterviz.store.cache import ByteCache
from tb_filterviz.store.series import Datum, DatumGoneError, Problem, Series, Source

_READERS = 8
_BATCH = 16  # elements read at once; those of a kernel have 64 KiB

_parse_header = functools.lru_cache(512)(wire.parse_header)


class Store:
    """Answers what was logged. One store serves all requests of a process, from whatever source each may see.

    Attributes:
        revision: Differs whenever a datum was found to be damaged.
    """

    def __init__(self, cache_bytes: int) -> None:
        """Takes the limit of the cache of elements that were read, in bytes; raises as `ByteCache` does."""
        self._cache = ByteCache(cache_bytes)
        self._problems: dict[Datum, str] = {}
        self._newest: dict[tuple[str, str], tuple[Series, wire.Header | None]] = {}
        self.revision = 0
        self._lock = threading.Lock()
        self._readers = concurrent.futures.ThreadPoolExecutor(_READERS, thread_name_prefix="filterviz")

    def index(self, source: Source, run: str | None = None) -> tuple[list[tuple[Series, wire.Header]], list[Problem]]:
        """Lists every readable series with the header of its newest readable step, in model order, and the problems.

        Both of one run only where `run` is given.
        """
        series, problems = source.series(run)
        known = self._newest
        headers = list(self._readers.map(lambda one: self._listed_header(source, one, known), series))
        if run is None:
            self._newest = {(one.run, one.tag): (one, header) for one, header in zip(series, headers, strict=True)}
        listed = [(one, header) for one, header in zip(series, headers, strict=True) if header]
        by_name = {(one.run, one.tag): one.data for one in series}
        with self._lock:
            self._problems = {
                datum: message
                for datum, message in self._problems.items()
                if datum in by_name.get((datum.run, datum.tag), ()) or run not in (None, datum.run)
            }
            problems += [
                Problem(d.run, d.tag, d.step, message) for d, message in self._problems.items() if run in (None, d.run)
            ]
        runs = {one.run: rank for rank, one in enumerate(series)}
        listed.sort(
            key=lambda item: (runs[item[0].run], item[1].name, item[1].layer.position, item[1].kind, item[0].tag)
        )
        return listed, problems

    def header(self, source: Source, datum: Datum, kind: str | None = None) -> wire.Header:
        """Reads the header of a datum.

        Args:
            source: What may be seen.
            datum: Which.
            kind: Of its series; None for any.

        Raises:
            wire.FormatError: If it is damaged, or of another kind.
            DatumGoneError: If the datum is not there any more.
        """
        value = self._cache.get((datum, 0))
        try:
            if value is None:
                (value,) = source.read(datum, [0])
                header = _parse_header(value)
                self._cache.put((datum, 0), value)
            else:
                header = _parse_header(value)
            if kind not in (None, header.kind):
                raise wire.FormatError(f"it holds {header.kind}, but its series {kind}")
            return header
        except wire.FormatError as error:
            raise self._remember(datum, error) from error

    def newest(self, source: Source, series: Series) -> tuple[Datum, wire.Header]:
        """Returns the newest datum whose header can be read, and that.

        Raises:
            wire.FormatError: If there is none.
        """
        for datum in reversed(series.data):
            try:
                return datum, self.header(source, datum, series.kind)
            except (wire.FormatError, DatumGoneError):
                continue
        raise wire.FormatError("none of its steps can be read")

    def numbers(self, source: Source, datum: Datum, header: wire.Header) -> NDArray[np.float32]:
        """Reads the numbers of all filters, float32 `[filters][columns]`; raises as `header` does."""
        return wire.decode_numbers(header, self._checked(source, datum, header, [1])[0])

    def filters(self, source: Source, datum: Datum, header: wire.Header, start: int, stop: int) -> NDArray[Any]:
        """Reads filters `start` to `stop` of a kernel, `[filters][*spatial][in]`; raises as `header` does."""
        return np.concatenate(list(self.chunks(source, datum, header, start, stop)))

    def chunks(
        self, source: Source, datum: Datum, header: wire.Header, start: int, stop: int
    ) -> Iterator[NDArray[Any]]:
        """Yields what `filters` reads in pieces, so that no large kernel need be in memory as a whole."""
        elements = wire.chunk_elements(header, start, stop)
        for begin in range(0, len(elements), _BATCH):
            batch = elements[begin : begin + _BATCH]
            for index, element in zip(batch, self._checked(source, datum, header, batch), strict=True):
                first = (index - 2) * header.chunk
                yield wire.decode_chunk(header, element)[max(0, start - first) : stop - first]

    def pictures(self, source: Source, datum: Datum, header: wire.Header, positions: Sequence[int]) -> list[bytes]:
        """Reads the PNGs of the patterns at `positions` of `header.filters`; raises as `header` does."""
        _, *pngs = self._checked(source, datum, header, [1, *(2 + position for position in positions)])
        try:
            return [wire.check_png(header, png) for png in pngs]
        except wire.FormatError as error:
            raise self._remember(datum, error) from error

    def curve(self, source: Source, datum: Datum, header: wire.Header) -> NDArray[np.float32] | None:
        """Reads the curves of patterns, float32 `[filters][points]`; None where there are none; raises as `header`."""
        if not header.curve:
            return None
        return wire.decode_curve(header, self._checked(source, datum, header, [wire.curve_element(header)])[0])

    def _listed_header(
        self, source: Source, series: Series, known: dict[tuple[str, str], tuple[Series, wire.Header | None]]
    ) -> wire.Header | None:
        """Returns the header of the newest readable step; it is not looked for again in a series that is the same."""
        old, header = known.get((series.run, series.tag), (None, None))
        if header and old is series:
            return header
        try:
            return self.newest(source, series)[1]
        except wire.FormatError:
            return None

    def _checked(self, source: Source, datum: Datum, header: wire.Header, elements: Sequence[int]) -> list[bytes]:
        """Reads elements through the cache, which only ever holds what was checked."""
        found = {element: self._cache.get((datum, element)) for element in elements}
        missing = [element for element, value in found.items() if value is None]
        if missing:
            try:
                for element, value in zip(missing, source.read(datum, missing), strict=True):
                    found[element] = wire.check_element(header, element, value)
                    self._cache.put((datum, element), value)
            except wire.FormatError as error:
                raise self._remember(datum, error) from error
        return [value for value in found.values() if value is not None]

    def _remember(self, datum: Datum, error: wire.FormatError) -> wire.FormatError:
        with self._lock:
            if self._problems.get(datum) != str(error):
                self._problems[datum] = str(error)
                self.revision += 1
        return error
