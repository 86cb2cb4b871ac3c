"""Series straight from event files: every step that was logged, and reads of just the bytes that are asked for.

The checksum of a record covers all of it, and a filter is a small part. So it is checked without reading the rest: the
header, which has a checksum of its own, tells the CRC-32C of every element, and the checksum of the whole follows from
these and from the few bytes between the elements (`framing.joined_checksum`). That is done when a datum is read first;
the bytes of an element are compared with the header's checksum whenever they are read.
"""

from __future__ import annotations

import array
from collections.abc import Iterator, Sequence

import google_crc32c

from tb_filterviz import wire
from tb_filterviz.store import framing
from tb_filterviz.store.cache import ByteCache
from tb_filterviz.store.eventfile import Place
from tb_filterviz.store.files import EventFile
from tb_filterviz.store.logdir import Contents
from tb_filterviz.store.series import Datum, DatumGoneError, Problem, Series, run_order
from tb_filterviz.store.walk import Span, Walk

_FIRST_READ = 512  # of a record: its head and the event up to the first element, unless names are long
_LARGEST_HEADER = 1 << 24
_LARGEST_GAP = 1 << 16
_NEIGHBOURS = 64  # bytes between elements that are read along with them


class EventFileSource:
    """The series of a log directory, as one request may see them."""

    def __init__(self, contents: Contents, memo: ByteCache) -> None:
        """Takes what the index has found, and a memo for all requests: where the elements of a datum lie."""
        self._contents = contents
        self._memo = memo

    @property
    def revision(self) -> int:
        """Differs whenever the answer of `series` does."""
        return self._contents.revision + 1

    def series(self, run: str | None = None, tag: str | None = None) -> tuple[list[Series], list[Problem]]:
        """Lists all series, or those of one run and tag, and what cannot be listed."""
        runs = self._contents.runs
        names = sorted(runs, key=run_order) if run is None else [run] * (run in runs)
        found = [one for name in names for one in runs[name].values() if tag in (None, one.tag)]
        problems = [
            problem
            for problem in self._contents.problems
            if run in (None, problem.run) and (tag is None or tag == problem.tag)
        ]
        return found, problems

    def read(self, datum: Datum, elements: Sequence[int]) -> list[bytes]:
        """Reads elements of a datum."""
        place = datum.place
        assert isinstance(place, Place)
        try:
            with EventFile(place.file.path) as file:
                if file.inode != place.file.inode:
                    raise DatumGoneError("another file has taken the place of the one that held it")
                spans = self._spans(file, datum, place)
                for element in elements:
                    if element >= len(spans):
                        raise wire.FormatError(f"the datum has {len(spans)} elements, and element {element} is missing")
                return _read_spans(file, [spans[element] for element in elements])
        except FileNotFoundError as error:
            raise DatumGoneError(str(error)) from error
        except OSError as error:
            raise wire.FormatError(f"its file cannot be read: {error.strerror or error}") from error

    def _spans(self, file: EventFile, datum: Datum, place: Place) -> list[Span]:
        """Returns where the elements lie, of a record that was checked."""
        known = self._memo.get(place)
        if known is None:
            spans = _locate(file, datum, place)
            known = array.array("Q", [end for span in spans for end in span]).tobytes()
            self._memo.put(place, known)
        ends = array.array("Q", known)
        return [Span(start, stop) for start, stop in zip(ends[::2], ends[1::2], strict=True)]


def _locate(file: EventFile, datum: Datum, place: Place) -> list[Span]:
    first = file.read(place.record, _FIRST_READ)
    if len(first) < framing.HEAD:
        raise DatumGoneError("the file was cut off before it")
    try:
        length = framing.check_head(first[: framing.HEAD])
    except framing.DamagedError as error:
        raise wire.FormatError(str(error)) from error
    record = Span(place.record + framing.HEAD, place.record + framing.HEAD + length)
    walk = Walk(file, record, place.record, first)
    event = walk.event()
    for value in event.values:
        if value.tensor and value.tensor.start == place.tensor:
            found = (value.tag.decode(errors="replace"), event.step, event.wall_time)
            if found != (datum.tag, datum.step, datum.wall_time):
                break
            spans = walk.elements(value.tensor)
            _check_record(walk, record, spans)
            return spans
    raise DatumGoneError("the file was written anew")


def _check_record(walk: Walk, record: Span, spans: list[Span]) -> None:
    """Compares the checksum of a record, reading as little of it as can be."""
    if not spans:
        return
    if spans[0].stop - spans[0].start > _LARGEST_HEADER:
        raise wire.FormatError(f"the header has {spans[0].stop - spans[0].start} bytes")
    stored = walk.stored_checksum()
    between = (record.stop - record.start) - sum(stop - start for start, stop in spans)
    if between > _LARGEST_GAP:
        return  # an event with other data beside this: the elements have checksums of their own
    header_bytes = walk.take(spans[0])
    header = wire.parse_header(header_bytes)
    claimed = [(google_crc32c.value(header_bytes), len(header_bytes))]
    claimed += zip(header.checksums, header.lengths, strict=False)
    as_claimed = [length for _, length in claimed] == [stop - start for start, stop in spans]
    if as_claimed and stored == framing.mask(framing.joined_checksum(_parts(walk, record, spans, claimed))):
        return
    # Either the record is damaged, or it was written with elements that are not what its header says of them: that
    # is found, and named, when they are read.
    walk.check()


def _parts(
    walk: Walk, record: Span, spans: list[Span], claimed: list[tuple[int, int]]
) -> Iterator[bytes | tuple[int, int]]:
    at = record.start
    for span, claim in zip(spans, claimed, strict=True):
        yield walk.take(Span(at, span.start))
        yield claim
        at = span.stop
    yield walk.take(Span(at, record.stop))


def _read_spans(file: EventFile, spans: list[Span]) -> list[bytes]:
    """Reads spans, neighbours at once."""
    found: list[bytes] = []
    begin = 0
    while begin < len(spans):
        end = begin + 1
        while end < len(spans) and 0 <= spans[end].start - spans[end - 1].stop <= _NEIGHBOURS:
            end += 1
        start, stop = spans[begin].start, spans[end - 1].stop
        block = file.read(start, stop - start)
        if len(block) < stop - start:
            raise DatumGoneError("the file was cut off within it")
        found += (
            [block] if end - begin == 1 else [block[one.start - start : one.stop - start] for one in spans[begin:end]]
        )
        begin = end
    return found
