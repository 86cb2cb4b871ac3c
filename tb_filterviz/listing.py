"""The answer of `index`: put together anew only of what has changed since it was asked for last."""

from __future__ import annotations

import gzip
import json
import threading
from collections.abc import Sequence
from typing import Any

from tb_filterviz import wire
from tb_filterviz.store import Series, Source, Store

_MOST_MS = 1 << 53  # the last number up to which JavaScript counts
_LEVEL = 1  # of compression: the answer may be megabytes, and fast beats small


class Listing:
    """Writes what there is as JSON. One listing serves all requests of a process."""

    def __init__(self, store: Store) -> None:
        """Takes the store that reads headers."""
        self._store = store
        self._lock = threading.Lock()
        self._entries: dict[tuple[str, str], tuple[Series, wire.Header, str]] = {}
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
        runs: dict[str, list[str]] = {}
        for series, header in listed:
            key = series.run, series.tag
            known = old.get(key)
            same = known is not None and known[0] is series and known[1] is header
            self._entries[key] = known if known and same else (series, header, _entry(series, header))
            runs.setdefault(series.run, []).append(self._entries[key][2])
        texts = (f'{{"run":{json.dumps(run)},"series":[{",".join(entries)}]}}' for run, entries in runs.items())
        return (
            f'{{"version":{wire.VERSION},"revision":{json.dumps(revision)},"runs":[{",".join(texts)}],'
            f'"problems":{json.dumps([vars(problem) for problem in problems])}}}'
        )


def _times(wall_times: Sequence[float]) -> dict[str, Any]:
    """Writes when data were logged: small integers take a third of the bytes, and half of a browser's time."""
    first = wall_times[0]
    since = [max(-_MOST_MS, min(_MOST_MS, 1000 * (one - first))) for one in wall_times]
    return {"wall_time": first, "elapsed_ms": [round(one) for one in since]}


def _entry(series: Series, header: wire.Header) -> str:
    return json.dumps(
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
            "steps": [datum.step for datum in series.data],
            **_times([datum.wall_time for datum in series.data]),
            "superseded": series.superseded,
            "version": series.version,
        },
        allow_nan=False,
        separators=(",", ":"),
    )
