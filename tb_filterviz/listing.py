"""The answer of `index`: put together anew only of what has changed since it was asked for last."""

from __future__ import annotations

import dataclasses
import gzip
import json
import threading

from tb_filterviz import analysis, colormap, wire
from tb_filterviz.store import Series, Source, Store

_MOST_MS = 1 << 53  # the last number up to which JavaScript counts
_TOGETHER = 1.0  # seconds: layers of one step are logged one after the other
_LEVEL = 1  # of compression: the answer may be megabytes, and fast beats small


@dataclasses.dataclass(frozen=True, eq=False)
class _Timeline:
    """Steps, when each was logged, and both as JSON."""

    steps: tuple[int, ...]
    wall_times: tuple[float, ...]
    text: str


@dataclasses.dataclass(frozen=True, eq=False)
class _Entry:
    """A series as JSON, but for its closing brace, and what that was written from."""

    series: Series
    header: wire.Header
    text: str
    timeline: _Timeline


class Listing:
    """Writes what there is as JSON. One listing serves all requests of a process."""

    def __init__(self, store: Store) -> None:
        """Takes the store that reads headers."""
        self._store = store
        self._lock = threading.Lock()
        self._entries: dict[tuple[str, str], _Entry] = {}
        self._latest = ("", b"")

    def answer(self, source: Source, revision: str) -> bytes:
        """Returns the JSON of `http_api.md`, compressed by gzip.

        Args:
            source: What the request may see.
            revision: Names what the source and the store hold now; empty where that is not known.

        Raises:
            SourceUnavailableError: If the source does not answer.
        """
        with self._lock:
            if not revision or self._latest[0] != revision:
                self._latest = revision, gzip.compress(self._text(source, revision).encode("ascii"), _LEVEL)
            return self._latest[1]

    def _text(self, source: Source, revision: str) -> str:
        listed, problems = self._store.index(source)
        old, self._entries = self._entries, {}
        timelines: dict[tuple[str, tuple[int, ...]], _Timeline] = {}
        runs: dict[str, tuple[dict[_Timeline, int], list[str]]] = {}
        for series, header in listed:
            entry = old.get((series.run, series.tag))
            if entry is None or entry.series is not series or entry.header is not header:
                entry = _Entry(series, header, _entry(series, header), _timeline(series, timelines))
            self._entries[series.run, series.tag] = entry
            timelines[series.run, entry.timeline.steps] = entry.timeline
            known, entries = runs.setdefault(series.run, ({}, []))
            entries.append(f'{entry.text},"timeline":{known.setdefault(entry.timeline, len(known))}}}')
        texts = []
        for run, (known, entries) in runs.items():
            lists = f'"timelines":[{",".join(one.text for one in known)}],"series":[{",".join(entries)}]'
            texts.append(f'{{"run":{json.dumps(run)},{lists}}}')
        return (
            f'{{"version":{wire.VERSION},"revision":{json.dumps(revision)},"runs":[{",".join(texts)}],'
            f'"problems":{json.dumps([vars(problem) for problem in problems])},'
            f'"meanings":{json.dumps(analysis.MEANINGS)},"colormaps":{json.dumps(_colormaps())}}}'
        )


def _colormaps() -> dict[str, str]:
    """Returns the colours of each map, from its lower end to its upper one."""
    return {name: colormap.table(name)[: colormap.NOT_FINITE].tobytes().hex() for name in colormap.MAPS}


def _timeline(series: Series, known: dict[tuple[str, tuple[int, ...]], _Timeline]) -> _Timeline:
    """Returns the timeline of a series: that of another of its run that was logged at the same steps, together with it.

    A hundred steps of two hundred layers would be most of the answer, and most of a browser's time with it.
    """
    steps = tuple(datum.step for datum in series.data)
    wall_times = tuple(datum.wall_time for datum in series.data)
    other = known.get((series.run, steps))
    if other and all(abs(one - its) <= _TOGETHER for one, its in zip(wall_times, other.wall_times, strict=True)):
        return other
    # Small integers take a third of the bytes.
    since = [max(-_MOST_MS, min(_MOST_MS, 1000 * (one - wall_times[0]))) for one in wall_times]
    content = {"steps": steps, "wall_time": wall_times[0], "elapsed_ms": [round(one) for one in since]}
    return _Timeline(steps, wall_times, json.dumps(content, allow_nan=False, separators=(",", ":")))


def _entry(series: Series, header: wire.Header) -> str:
    text = json.dumps(
        {
            "tag": series.tag,
            "kind": series.kind,
            "name": header.name,
            "path": header.layer.path,
            "layer_class": header.layer.layer_class,
            "position": header.layer.position,
            "filters": len(header.filters),
            "shape": header.shape,
            "axes": header.axes,
            "groups": header.layer.groups,
            "description": series.description,
            "superseded": series.superseded,
            "version": series.version,
        },
        allow_nan=False,
        separators=(",", ":"),
    )
    return text[:-1]
