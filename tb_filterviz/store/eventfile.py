"""What one event file holds of ours: found by hopping over its records, and followed while it grows."""

from __future__ import annotations

import dataclasses
import itertools
import math
import time
from typing import NamedTuple

from tensorboard.compat.proto import summary_pb2

from tb_filterviz import wire
from tb_filterviz.store import framing
from tb_filterviz.store.files import EventFile
from tb_filterviz.store.walk import Span, Value, Walk

_SUFFIXES = tuple(f"{wire.PLUGIN_NAME}.{kind}".encode() for kind in (wire.KERNEL, wire.PATTERNS))
_NEEDLE = wire.PLUGIN_NAME.encode()  # in the metadata and in the tag of every record of ours
_FIRST_READ = 1 << 10
_LARGEST_READ = 1 << 20
_LARGEST_WHOLE = 1 << 14  # longer records are hopped over, shorter ones read along with their neighbours
_COMPARED = 64
_MOST_SETTLED = 1 << 14
_MOST_PROBLEMS = 20
_ABANDONED_SECONDS = 60.0

_epochs = itertools.count()


@dataclasses.dataclass(frozen=True, slots=True)
class FileId:
    """A file as it was when it was indexed; what is read later must be of the same.

    Attributes:
        path: Its path.
        inode: Its identity.
        epoch: Differs each time that a file is read anew from its start, whatever it is called.
    """

    path: str
    inode: int
    epoch: int


class Place(NamedTuple):
    """Where a datum lies: the place of its record, and that of its tensor in the file."""

    file: FileId
    record: int
    tensor: int


class Entry(NamedTuple):
    """One datum of one tag, in the order of the file."""

    step: int
    wall_time: float
    place: Place


class Stat(NamedTuple):
    """What tells whether a file has changed."""

    inode: int
    size: int
    modified: int


class Metadata(NamedTuple):
    """What the first event of a tag says of it."""

    data_class: int
    content: bytes
    description: str

    def kind(self) -> str:
        """Returns the kind of the series, or raises `wire.FormatError` if it is none of ours."""
        if self.data_class != summary_pb2.DATA_CLASS_BLOB_SEQUENCE:
            raise wire.FormatError(f"its metadata name the data class {self.data_class}, not a blob sequence")
        return wire.parse_metadata(self.content)


class EventFileIndex:
    """The data of one event file.

    Attributes:
        entries: Data by tag, in the order in which they were written.
        metadata: The first metadata of each tag of ours, where there are any.
        changed: Tags with data that the caller has not seen yet; the caller clears it.
    """

    def __init__(self, path: str) -> None:
        """Takes the file's path; reads nothing yet."""
        self._path = path
        self._forget(0)

    def _forget(self, inode: int) -> None:
        self.changed: set[str] = set(getattr(self, "entries", ()))
        self.entries: dict[str, list[Entry]] = {}
        self.metadata: dict[str, Metadata] = {}
        self._problems: list[str] = []
        self._stopped = ""
        self._id = FileId(self._path, inode, next(_epochs))
        self._stat: Stat | None = None
        self._offset = 0
        self._before = b""  # the bytes before the offset; the checksum of the last record is among them
        self._window = _FIRST_READ
        self._ours: dict[bytes, str] = {}
        self._settled: set[bytes] = set()  # tags of which no more metadata are wanted

    @property
    def problems(self) -> list[str]:
        """What cannot be read."""
        return self._problems + [self._stopped] * bool(self._stopped)

    def refresh(self, stat: Stat, deadline: float = math.inf) -> bool:
        """Reads what is new.

        Args:
            stat: What the directory says of the file now.
            deadline: When to stop, as `time.monotonic` counts.

        Returns:
            Whether all of it was read.
        """
        if stat == self._stat and (self._stopped or self._offset >= stat.size):
            return True
        try:
            with EventFile(self._path) as file:
                if file.inode != self._id.inode or not self._is_continued(file):
                    self._forget(file.inode)
                self._stat, self._stopped = stat, ""
                done = self._scan(file, deadline)
                self._before = file.read(max(0, self._offset - _COMPARED), min(_COMPARED, self._offset))
                return done
        except FileNotFoundError:
            return True
        except OSError as error:
            self._forget(0)
            self._stat, self._stopped = stat, f"it cannot be read: {error.strerror or error}"
            return True

    def _is_continued(self, file: EventFile) -> bool:
        """Returns whether what was read last is still there: a file that was written anew is another one."""
        return file.read(self._offset - len(self._before), len(self._before)) == self._before

    def _scan(self, file: EventFile, deadline: float) -> bool:
        while time.monotonic() < deadline:
            begin = self._offset
            block = file.read(begin, self._window)
            try:
                self._hop_within(file, begin, block)
                rest = block[self._offset - begin :]
                if len(rest) < framing.HEAD:
                    if len(block) < self._window:
                        self._note_end(file, len(rest))
                        return True
                    self._window = min(2 * self._window, _LARGEST_READ)
                    continue
                length = framing.check_head(rest[: framing.HEAD])
            except framing.DamagedError as error:
                rest_of_it = "what follows is not shown" if self._offset else "it is not an event file, or damaged"
                self._stopped = f"{error}, at byte {self._offset}: {rest_of_it}"
                return True
            size = framing.HEAD + length + framing.TAIL
            if self._offset + size > file.size:
                self._note_end(file, file.size - self._offset)
                return True
            if length <= _LARGEST_WHOLE:
                self._window = min(max(2 * self._window, size), _LARGEST_READ)
                continue
            self._take(file, self._offset, length, begin, block)
            self._offset += size
            self._window = _FIRST_READ
        return False

    def _hop_within(self, file: EventFile, begin: int, block: bytes) -> None:
        """Moves the offset over the records that are whole in a block; this loop decides how long small ones take."""
        check_head, head, frame = framing.check_head, framing.HEAD, framing.HEAD + framing.TAIL
        at, end = 0, len(block)
        needle = block.find(_NEEDLE)
        try:
            while at + head <= end:
                length = check_head(block[at : at + head])
                after = at + frame + length
                if after > end:
                    break
                if -1 < needle < after:
                    self._take(file, begin + at, length, begin, block)
                    needle = block.find(_NEEDLE, after)
                at = after
        finally:
            self._offset = begin + at

    def _take(self, file: EventFile, record: int, length: int, begin: int, block: bytes) -> None:
        """Notes what is ours in a record."""
        data = Span(record + framing.HEAD, record + framing.HEAD + length)
        walk = Walk(file, data, begin, block)
        foreign: set[bytes] = set()
        try:
            event = walk.event(self._settled)
            ours = [value for value in event.values if self._is_ours(walk, value, foreign)]
            if not ours and _NEEDLE in block[record - begin : data.stop - begin]:
                walk.check()  # what names us and is not ours may have been ours before it was damaged
            for value in ours:
                if value.tensor is None:
                    raise wire.FormatError("it has no tensor")
                if not math.isfinite(event.wall_time):
                    raise wire.FormatError(f"its wall time is {event.wall_time}")
                tag = self._ours[value.tag]
                place = Place(self._id, record, value.tensor.start)
                self.entries.setdefault(tag, []).append(Entry(event.step, event.wall_time, place))
                self.changed.add(tag)
        except wire.FormatError as error:
            if len(self._problems) < _MOST_PROBLEMS:
                self._problems.append(f"the record at byte {record} is left out: {error}")
            elif len(self._problems) == _MOST_PROBLEMS:
                self._problems.append("more records are left out")
        else:
            if len(self._settled) < _MOST_SETTLED:
                self._settled |= foreign

    def _is_ours(self, walk: Walk, value: Value, foreign: set[bytes]) -> bool:
        """A tag is ours if its first metadata name our plugin, or if it has none and our suffix.

        Writers of TensorFlow 1 put metadata into the first event of a tag only, which another file may hold. Tags that
        are not ours are added to `foreign`.
        """
        if value.tag in self._settled:
            return value.tag in self._ours
        metadata = walk.metadata(value.metadata) if value.metadata else None
        ours = metadata.plugin_data.plugin_name == wire.PLUGIN_NAME if metadata else value.tag.endswith(_SUFFIXES)
        if not ours:
            if metadata:
                foreign.add(value.tag)
            return False
        try:
            tag = self._ours.setdefault(value.tag, value.tag.decode())
        except UnicodeDecodeError as error:
            raise wire.FormatError(f"its tag is not text: {error}") from error
        if metadata:
            first = Metadata(metadata.data_class, metadata.plugin_data.content, metadata.summary_description)
            try:
                first.kind()
            except wire.FormatError:
                walk.check()  # if the record is damaged, the next one of the tag tells
            self._settled.add(value.tag)
            self.metadata[tag] = first
        return True

    def _note_end(self, file: EventFile, rest: int) -> None:
        """Says that the last record is not whole, unless it may just be being written."""
        if rest and self._stat and time.time() - self._stat.modified / 1e9 > _ABANDONED_SECONDS:
            self._stopped = f"it ends {rest} bytes into a record, at byte {self._offset}"
