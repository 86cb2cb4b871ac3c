"""The backend: requests to the store, and its records to responses. `http_api.md` is the contract."""

from __future__ import annotations

import functools
import hashlib
import importlib.resources
import io
import json
import math
import secrets
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np
from tensorboard import errors, plugin_util
from tensorboard.backend import http_util
from tensorboard.plugins import base_plugin
from tensorboard.util import tb_logging
from werkzeug import wrappers

from tb_filterviz import loader, slices, wire
from tb_filterviz.query import Query, bad
from tb_filterviz.store import (
    ByteCache,
    Datum,
    DatumGoneError,
    EventFileSource,
    Follower,
    LogdirIndex,
    Memo,
    ProviderSource,
    Source,
    SourceUnavailableError,
    Store,
)

_CACHE_SECONDS = 365 * 24 * 3600
_DEFAULT_CACHE_MB = 256
_MEMO_BYTES = 4 << 20
_DEFAULT_INTERVAL = 5.0
_PATIENCE = 0.3  # seconds that a listing waits for what was written just now
_MAX_VALUES = 1 << 24
_MAX_FILTERS = 10**9
_BINARY = "application/octet-stream"

logger = tb_logging.get_logger()

_Handler = Callable[["FiltersPlugin", wrappers.Request], wrappers.Response]


def _route(handler: _Handler) -> Callable[..., Iterable[bytes]]:
    """Makes a WSGI application of a handler: GET and HEAD only, and a sentence for each error."""

    @functools.wraps(handler)
    def application(self: FiltersPlugin, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        request = wrappers.Request(environ)
        try:
            if request.method not in ("GET", "HEAD"):
                response = _error(request, 405, f"{request.method} is not allowed", {"Allow": "GET, HEAD"})
            else:
                response = handler(self, request)
        except errors.PublicError as error:
            response = _error(request, error.http_code, str(error))
        except wire.FormatError as error:
            response = _error(request, 422, f"This datum cannot be shown: {error}")
        except DatumGoneError:
            response = _error(
                request,
                404,
                "This step is not there any more: its run was deleted or written anew, or TensorBoard dropped it",
            )
        except SourceUnavailableError as error:
            response = _error(request, 503, f"{error}. Restart TensorBoard if this lasts")
        body: Iterable[bytes] = response(environ, start_response)
        return body

    return application


class FiltersPlugin(base_plugin.TBPlugin):  # type: ignore[misc]  # tensorboard has no type information
    """Serves kernels and patterns to the Filters tab."""

    plugin_name = wire.PLUGIN_NAME

    def __init__(self, context: base_plugin.TBContext) -> None:
        """Takes TensorBoard's context; does no work yet."""
        megabytes = getattr(context.flags, "filterviz_cache_mb", _DEFAULT_CACHE_MB)
        self._provider = context.data_provider
        self._memo: Memo = {}
        self._store = _new_store(megabytes)
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
            "/patterns": self._serve_patterns,
            "/static/index.js": self._serve_static,
        }

    def is_active(self) -> bool:
        """Returns whether there are data of this plugin that TensorBoard itself has not seen (yet)."""
        return self._follower is not None and bool(self._follower.fresh(_PATIENCE).runs)

    def frontend_metadata(self) -> base_plugin.FrontendMetadata:
        """Returns where the tab's module is; its address changes with its content, since browsers keep it."""
        version = hashlib.sha256(_bundle() or b"").hexdigest()[:12]
        return base_plugin.FrontendMetadata(es_module_path=f"/static/index.js?v={version}", tab_name="Filters")

    @_route
    def _serve_index(self, request: wrappers.Request) -> wrappers.Response:
        source = self._source(request, _PATIENCE)
        if source.revision and Query(request).text("known", "") == self._revision(source):
            return wrappers.Response(status=204)
        listed, problems = self._store.index(source)
        runs: dict[str, list[dict[str, Any]]] = {}
        for series, header in listed:
            runs.setdefault(series.run, []).append(
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
                    "wall_times": [datum.wall_time for datum in series.data],
                    "superseded": series.superseded,
                }
            )
        index = {
            "version": wire.VERSION,
            "revision": self._revision(source),
            "runs": [{"run": run, "series": series} for run, series in runs.items()],
            "problems": [vars(problem) for problem in problems],
        }
        return _respond(request, index, "application/json")

    @_route
    def _serve_kernels(self, request: wrappers.Request) -> wrappers.Response:
        query, source = Query(request), self._source(request)
        datum, header = self._datum(query, source, wire.KERNEL)
        count, channels = len(header.filters), header.shape[-2]
        wanted = query.filters("filters", count)
        inputs = query.inputs("inputs", slices.SELECTIONS)
        try:
            slices.check(inputs, channels)
        except ValueError as error:
            raise bad("inputs", str(error), query.text("inputs")) from error
        form = query.choice("format", ("frame", "npy"))
        pictures_each = channels if inputs in ("all", "rgb") else 1
        if len(wanted) * pictures_each * math.prod(header.shape[:-2]) > _MAX_VALUES:
            raise bad(
                "filters", f"fewer, so that the answer has at most {_MAX_VALUES} values", query.text("filters", "all")
            )
        # The scale of mean pictures is known only when the means of all filters are.
        read = range(count) if inputs == "mean" else wanted
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
            return _respond(request, file.getvalue(), _BINARY)
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
        return _respond(request, _frame(facts, [little]), _BINARY)

    @_route
    def _serve_analysis(self, request: wrappers.Request) -> wrappers.Response:
        query, source = Query(request), self._source(request)
        datum, header = self._datum(query, source, wire.KERNEL)
        numbers = self._store.numbers(source, datum, header)
        answer = {
            "filters": list(header.filters),
            "names": header.numbers,
            "values": [[_finite(value) for value in row] for row in numbers.tolist()],
            "dtype": header.dtype,
            "encoding": header.encoding,
        }
        return _respond(request, answer, "application/json")

    @_route
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
            return _respond(request, pngs[0], "image/png", {"Content-Security-Policy": "sandbox"})
        numbers = self._store.numbers(source, datum, header)[positions]
        columns = {
            name: _finite_list(wire.number(header, numbers, name), len(positions))
            for name in ("start", "reached", "noise", "natural", "percentile")
        }
        facts = {
            "filters": [header.filters[position] for position in positions],
            "shape": header.shape,
            **columns,
            "failed": (numbers[:, header.numbers.index("failed")] != 0).tolist(),
            "recipe": header.recipe,
            "steps": header.steps,
            "input_range": header.input_range,
            "lengths": [len(png) for png in pngs],
        }
        if with_curve:
            curve = self._store.curve(source, datum, header)
            rows = np.zeros((len(positions), 0)) if curve is None else curve[positions]
            facts["curve"] = [_finite_list(row, header.curve) for row in rows]
        return _respond(request, _frame(facts, pngs), _BINARY)

    @_route
    def _serve_static(self, request: wrappers.Request) -> wrappers.Response:
        bundle = _bundle()
        if bundle is None:
            raise errors.NotFoundError("the tab's module was not built: install the package anew, with Node.js at hand")
        return _respond(request, bundle, "application/javascript")

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
        run, tag, step = query.text("run"), query.text("tag"), query.integer("step")
        series, problems = source.series(run, tag)
        if not series:
            reason = f": {problems[0].message}" if problems else ""
            raise errors.NotFoundError(f"there is no series with run {run!r} and tag {tag!r}{reason}")
        if series[0].kind != kind:
            raise bad("tag", f"that of a series of {kind}", tag)
        for datum in series[0].data:
            if datum.step == step:
                header = self._store.header(source, datum)
                if header.kind != kind:
                    raise wire.FormatError(f"it holds {header.kind}, but its series {kind}")
                return datum, header
        known = [datum.step for datum in series[0].data]
        raise errors.NotFoundError(
            f"the series has no step {step}; it has {len(known)}, from {known[0]} to {known[-1]}"
        )


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


def _respond(
    request: wrappers.Request, content: Any, content_type: str, headers: Mapping[str, str] | None = None
) -> wrappers.Response:
    expires = _CACHE_SECONDS if "v" in request.args else 0
    pairs = list((headers or {}).items())
    response: wrappers.Response = http_util.Respond(request, content, content_type, expires=expires, headers=pairs)
    return response


def _error(
    request: wrappers.Request, code: int, message: str, headers: Mapping[str, str] | None = None
) -> wrappers.Response:
    pairs = list((headers or {}).items())
    response: wrappers.Response = http_util.Respond(request, message, "text/plain", code=code, headers=pairs)
    return response


def _frame(facts: Mapping[str, Any], body: Iterable[Any]) -> bytes:
    """Puts a JSON description and the parts of a body into one answer; the body starts at a multiple of 8 bytes."""
    text = json.dumps(facts, allow_nan=False).encode("ascii")
    text += b" " * (-(4 + len(text)) % 8)
    return b"".join([len(text).to_bytes(4, "little"), text, *body])


def _finite_list(values: Any, count: int) -> list[float | None]:
    """Returns so many numbers for JSON: null where one is not finite, or was not measured."""
    return [None] * count if values is None else [_finite(value) for value in values.tolist()]


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
