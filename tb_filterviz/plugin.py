"""The backend: requests to the store, and its records to responses. `http_api.md` is the contract."""

from __future__ import annotations

import hashlib
import importlib.resources
import io
import json
import math
import secrets
from collections.abc import Hashable, Mapping
from typing import Any

import numpy as np
from tensorboard import errors, plugin_util
from tensorboard.plugins import base_plugin
from tensorboard.util import tb_logging
from werkzeug import wrappers

from tb_filterviz import course, found, insight, loader, slices, wire
from tb_filterviz.answers import finite_list, frame, respond, route
from tb_filterviz.export.http import Exports
from tb_filterviz.listing import Listing
from tb_filterviz.query import Query, bad
from tb_filterviz.store import (
    ByteCache,
    Datum,
    EventFileSource,
    Follower,
    LogdirIndex,
    Memo,
    ProviderSource,
    Series,
    Source,
    Store,
)
from tb_filterviz.thoughts import Thoughts

_DEFAULT_CACHE_MB = 256
_THOUGHT_BYTES = 1 << 26
_MEMO_BYTES = 4 << 20
_DEFAULT_INTERVAL = 5.0
_PATIENCE = 0.3  # seconds that a listing waits for what was written just now
_MAX_VALUES = 1 << 24
_MAX_FILTERS = 10**9
_BINARY = "application/octet-stream"
_PICTURES = ("strongest", "mean", "rgb")

logger = tb_logging.get_logger()


class FiltersPlugin(base_plugin.TBPlugin):  # type: ignore[misc]  # tensorboard has no type information
    """Serves kernels and patterns to the Filters tab."""

    plugin_name = wire.PLUGIN_NAME

    def __init__(self, context: base_plugin.TBContext) -> None:
        """Takes TensorBoard's context; does no work yet."""
        megabytes = getattr(context.flags, "filterviz_cache_mb", _DEFAULT_CACHE_MB)
        self._provider = context.data_provider
        self._memo: Memo = {}
        self._store = _new_store(megabytes)
        self._listing = Listing(self._store)
        self._thoughts = Thoughts(_THOUGHT_BYTES)
        self._exports = Exports(self._store, self._thoughts)
        self._session = secrets.token_hex(4)
        self._places = ByteCache(_MEMO_BYTES)
        logdir = loader.local_logdir(context.flags)
        interval = getattr(context.flags, "reload_interval", _DEFAULT_INTERVAL)
        self._follower = Follower(LogdirIndex(logdir), interval) if logdir else None

    def get_plugin_apps(self) -> Mapping[str, Any]:
        """Returns the routes, and begins to look what there is."""
        if self._follower:
            self._follower.start()
        return {
            "/index": self._serve_index,
            "/kernels": self._serve_kernels,
            "/analysis": self._serve_analysis,
            "/history": self._serve_history,
            "/compare": self._serve_compare,
            "/patterns": self._serve_patterns,
            "/export": self._serve_export,
            "/static/index.js": self._serve_static,
        }

    def is_active(self) -> bool:
        """Returns whether there are data of this plugin that TensorBoard itself has not seen (yet)."""
        return self._follower is not None and bool(self._follower.fresh(_PATIENCE).runs)

    def frontend_metadata(self) -> base_plugin.FrontendMetadata:
        """Returns where the tab's module is; its address changes with its content, since browsers keep it."""
        version = hashlib.sha256(_bundle() or b"").hexdigest()[:12]
        return base_plugin.FrontendMetadata(es_module_path=f"/static/index.js?v={version}", tab_name="Filters")

    @route
    def _serve_index(self, request: wrappers.Request) -> wrappers.Response:
        source = self._source(request, _PATIENCE)
        if source.revision and Query(request).text("known", "") == self._revision(source):
            return wrappers.Response(status=204)
        # The revision is taken before, so that what changes meanwhile is asked for again.
        answer = self._listing.answer(source, self._revision(source))
        return respond(request, answer, "application/json", encoding="gzip")

    @route
    def _serve_kernels(self, request: wrappers.Request) -> wrappers.Response:
        query, source = Query(request), self._source(request)
        datum, header = self._datum(query, source, wire.KERNEL)
        count, channels = len(header.filters), header.shape[-2]
        wanted = query.filters("filters", count)
        inputs = query.inputs("inputs", slices.SELECTIONS)
        _check_inputs(query, inputs, channels)
        form = query.choice("format", ("frame", "npy"))
        pictures_each = channels if inputs in ("all", "rgb") else 1
        each = pictures_each * math.prod(header.shape[:-2])
        if len(wanted) * each > _MAX_VALUES:
            raise bad(
                "filters", f"fewer, so that the answer has at most {_MAX_VALUES} values", query.text("filters", "all")
            )
        # The scale of mean pictures is known only when the means of all filters are.
        read = range(count) if inputs == "mean" else wanted
        if len(read) * each > _MAX_VALUES:
            raise bad(
                "inputs", f"other than mean, as the means of all filters have more than {_MAX_VALUES} values", inputs
            )
        chunks = self._store.chunks(source, datum, header, read.start, read.stop)
        pictures, chosen = slices.select(chunks, inputs)
        if inputs == "mean":
            limits = slices.limits(pictures)
            pictures = pictures[wanted.start : wanted.stop]
        else:
            limits = slices.limits(self._store.numbers(source, datum, header)[:, 1:3])
        if pictures.dtype == np.float64:
            pictures = pictures.astype(np.float32)
        if form == "npy":
            file = io.BytesIO()
            np.save(file, pictures, allow_pickle=False)
            return respond(request, file.getvalue(), _BINARY)
        facts = {
            "shape": pictures.shape,
            "dtype": pictures.dtype.name,
            "filters": [wanted.start, wanted.stop],
            "inputs": inputs,
            "limits": limits[wanted.start : wanted.stop].tolist(),
            "limit": float(limits.max()),
            "nonfinite": int(pictures.size - np.count_nonzero(np.isfinite(pictures))),
        }
        if chosen is not None:
            facts["chosen"] = chosen
        little = np.ascontiguousarray(pictures, pictures.dtype.newbyteorder("<"))
        return respond(request, frame(facts, [little]), _BINARY)

    @route
    def _serve_analysis(self, request: wrappers.Request) -> wrappers.Response:
        query, source = Query(request), self._source(request)
        depth = query.choice("depth", ("stored", "full"))
        series, datum, header = self._found(query, source, wire.KERNEL)
        if depth == "full":
            try:
                answer = insight.analysed(self._thoughts, self._store, source, series, datum, header)
            except insight.TooLargeError as error:
                raise bad("depth", f"stored, or the series must have {error}", depth) from error
            return respond(request, answer, "application/json", version=series.version)
        numbers = self._store.numbers(source, datum, header)
        return respond(request, insight.stored_answer(header, numbers), "application/json")

    @route
    def _serve_history(self, request: wrappers.Request) -> wrappers.Response:
        query, source = Query(request), self._source(request)
        series, newest, header = self._found(query, source, wire.KERNEL, newest=True)
        index = query.text("filter", "all")
        if index == "all":
            # A key is kept as long as its answer: it has the steps that are read, not all there are.
            key: Hashable = ("history", newest, *course.layer_steps(series, header)[0])
            answer = self._thoughts.answer(
                key,
                course.work_of_layer(series, header),
                lambda: json.dumps(course.of_layer(self._store, source, series, header)).encode(),
            )
            return respond(request, answer, "application/json", version=series.version)
        wanted = query.filters("filter", header.shape[-1])
        inputs = query.inputs("inputs", _PICTURES)
        _check_inputs(query, inputs, header.shape[-2])
        if len(wanted) > 1:
            raise bad("filter", "all or one filter", index)
        key = ("history", wanted.start, inputs, newest, *course.filter_steps(series, header))

        def think() -> bytes:
            facts, pictures = course.of_filter(self._store, source, series, header, wanted.start, inputs)
            return frame(
                {**facts, "shape": pictures.shape, "dtype": "float32"}, [np.ascontiguousarray(pictures, "<f4")]
            )

        answer = self._thoughts.answer(key, course.work_of_filter(series, header), think)
        return respond(request, answer, _BINARY, version=series.version)

    @route
    def _serve_compare(self, request: wrappers.Request) -> wrappers.Response:
        query, source = Query(request), self._source(request)
        _, datum, header = self._found(query, source, wire.KERNEL)
        _, other, other_header = self._found(query, source, wire.KERNEL, suffix="_b")
        match = query.choice("match", ("index", "likeness"))
        inputs = query.inputs("inputs", _PICTURES)
        _check_inputs(query, inputs, header.shape[-2])
        for name, one in (("tag", header), ("tag_b", other_header)):
            try:
                insight.check_size(one)
            except insight.TooLargeError as error:
                raise bad(name, f"that of {error}", query.text(name)) from error

        sides = ((datum, header), (other, other_header))
        try:
            answer = insight.compared(self._thoughts, self._store, source, *sides, match == "likeness", inputs)
        except insight.UnlikeError as error:
            raise bad("tag_b", f"one of a kernel that can be compared: {error}", query.text("tag_b")) from error
        return respond(request, answer, _BINARY)

    @route
    def _serve_patterns(self, request: wrappers.Request) -> wrappers.Response:
        query, source = Query(request), self._source(request)
        datum, header = self._datum(query, source, wire.PATTERNS)
        form = query.choice("format", ("frame", "png"))
        with_curve = query.choice("curve", ("no", "yes")) == "yes"
        # How many filters the layer has is not known here, and most need not have a pattern.
        wanted = query.filters("filters", _MAX_FILTERS)
        positions = [position for position, index in enumerate(header.filters) if index in wanted]
        if form == "png" and len(wanted) > 1:
            raise bad("filters", "one filter for format=png", query.text("filters", "all"))
        if form == "png" and not positions:
            raise errors.NotFoundError(f"no pattern was logged of filter {wanted.start}")
        pngs = self._store.pictures(source, datum, header, positions)
        if form == "png":
            return respond(request, pngs[0], "image/png", {"Content-Security-Policy": "sandbox"})
        numbers = self._store.numbers(source, datum, header)[positions]
        columns = {
            name: [None] * len(positions) if column is None else finite_list(column)
            for name in ("start", "reached", "noise", "natural", "percentile", "spots")
            for column in [wire.number(header, numbers, name)]
        }
        facts = {
            "filters": [header.filters[position] for position in positions],
            "shape": header.shape,
            **columns,
            "failed": (numbers[:, header.numbers.index("failed")] != 0).tolist(),
            "recipe": header.recipe,
            "objective": header.objective,
            "steps": header.steps,
            "input_range": header.input_range,
            "lengths": [len(png) for png in pngs],
        }
        if with_curve:
            curve = self._store.curve(source, datum, header)
            rows = np.zeros((len(positions), 0)) if curve is None else curve[positions]
            facts["curve"] = [finite_list(row) for row in rows]
        return respond(request, frame(facts, pngs), _BINARY)

    @route
    def _serve_export(self, request: wrappers.Request) -> wrappers.Response:
        content, media, headers, version = self._exports.answer(Query(request), self._source(request))
        return respond(request, content, media, headers, version=version)

    @route
    def _serve_static(self, request: wrappers.Request) -> wrappers.Response:
        bundle = _bundle()
        if bundle is None:
            raise errors.NotFoundError("the tab's module was not built: install the package anew, with Node.js at hand")
        return respond(request, bundle, "application/javascript")

    def _source(self, request: wrappers.Request, patience: float = 0) -> Source:
        """Returns what a request may see: the event files are those of the experiment without an ID, the local one."""
        environ = request.environ
        experiment_id = plugin_util.experiment_id(environ)
        if self._follower and not experiment_id:
            return EventFileSource(self._follower.fresh(patience), self._places)
        return ProviderSource(self._provider, plugin_util.context(environ), experiment_id, self._memo)

    def _revision(self, source: Source) -> str:
        """Names what `index` says now; empty where that is not known without asking TensorBoard's loader."""
        return f"{self._session}.{source.revision}.{self._store.revision}" if source.revision else ""

    def _datum(self, query: Query, source: Source, kind: str) -> tuple[Datum, wire.Header]:
        """Finds the datum that `run`, `tag` and `step` name."""
        _, datum, header = self._found(query, source, kind)
        return datum, header

    def _found(
        self, query: Query, source: Source, kind: str, newest: bool = False, suffix: str = ""
    ) -> tuple[Series, Datum, wire.Header]:
        """Finds the series that `run` and `tag` name, and the datum at `step`, or the newest that can be read."""
        series = found.series(query, source, suffix)
        if series.kind != kind:
            raise bad(f"tag{suffix}", f"that of a series of {kind}", series.tag)
        if newest:
            return series, *self._store.newest(source, series)
        datum = found.datum(query, series, suffix)
        return series, datum, self._store.header(source, datum, kind)


def _check_inputs(query: Query, inputs: str | int, count: int) -> None:
    """Refuses slices that filters of so many inputs do not have."""
    try:
        slices.check(inputs, count)
    except ValueError as error:
        raise bad("inputs", str(error), query.text("inputs")) from error


def _new_store(megabytes: int) -> Store:
    """Returns a store with a cache of as many megabytes, or of the default where the system does not provide these."""
    try:
        return Store(max(0, megabytes) * 10**6)
    except MemoryError:
        logger.warning(
            "Filters: the cache has %d MB, since this machine cannot provide more memory than it has. "
            "Received: --filterviz_cache_mb=%d",
            _DEFAULT_CACHE_MB,
            megabytes,
        )
        return Store(_DEFAULT_CACHE_MB * 10**6)


def _bundle() -> bytes | None:
    """Returns the tab's module, or None where it was not built."""
    file = importlib.resources.files("tb_filterviz") / "static" / "index.js"
    return file.read_bytes() if file.is_file() else None
