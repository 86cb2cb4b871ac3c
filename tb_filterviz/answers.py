"""Handlers as WSGI applications, and the forms of answers: JSON, frames, sentences for errors."""

from __future__ import annotations

import functools
import hashlib
import json
import math
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np
from tensorboard import errors
from tensorboard.backend import http_util
from werkzeug import wrappers

from tb_filterviz import wire
from tb_filterviz.store import DatumGoneError, SourceUnavailableError

_CACHE_SECONDS = 365 * 24 * 3600

_Handler = Callable[["Any", wrappers.Request], wrappers.Response]


def route(handler: _Handler) -> Callable[..., Iterable[bytes]]:
    """Makes a WSGI application of a handler: GET and HEAD only, and a sentence for each error."""

    @functools.wraps(handler)
    def application(self: Any, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        request = wrappers.Request(environ)
        try:
            if request.method not in ("GET", "HEAD"):
                response = error_answer(request, 405, f"{request.method} is not allowed", {"Allow": "GET, HEAD"})
            else:
                # Weights may be anything: what overflows is shown as infinite, and no line of TensorBoard's console.
                with np.errstate(over="ignore", invalid="ignore"):
                    response = handler(self, request)
        except errors.PublicError as error:
            response = error_answer(request, error.http_code, str(error))
        except wire.FormatError as error:
            response = error_answer(request, 422, f"This datum cannot be shown: {error}")
        except DatumGoneError:
            response = error_answer(
                request,
                404,
                "This step is not there any more: its run was deleted or written anew, or TensorBoard dropped it",
            )
        except SourceUnavailableError as error:
            response = error_answer(request, 503, f"{error}. Restart TensorBoard if this lasts")
        body: Iterable[bytes] = response(environ, start_response)
        return body

    return application


def respond(
    request: wrappers.Request,
    content: Any,
    content_type: str,
    headers: Mapping[str, str] | None = None,
    encoding: str | None = None,
    version: str | None = None,
) -> wrappers.Response:
    """Answers 200; kept for a year where the address carries a version, `v`.

    Args:
        request: The request.
        content: As for `http_util.Respond`.
        content_type: Its media type.
        headers: More headers.
        encoding: `"gzip"` for content that is compressed already; who does not accept that gets it decompressed.
        version: Of all data that the answer depends on, where these are more than the address names: then it is kept
            only if `v` is this, and else asked for again each time, and sent only if it differs (304). Empty for an
            answer that is never kept.
    """
    kept = "v" in request.args if version is None else bool(version) and request.args.getlist("v") == [version]
    expires = _CACHE_SECONDS if kept else 0
    pairs = list((headers or {}).items())
    response: wrappers.Response = http_util.Respond(
        request, content, content_type, expires=expires, content_encoding=encoding, headers=pairs
    )
    if version is not None and not kept:
        # Weak, as the same content may be sent compressed or not.
        response.set_etag(hashlib.blake2b(content, digest_size=16).hexdigest(), weak=True)
        response.make_conditional(request)
    return response


def error_answer(
    request: wrappers.Request, code: int, message: str, headers: Mapping[str, str] | None = None
) -> wrappers.Response:
    """Answers an error with one sentence."""
    pairs = list((headers or {}).items())
    response: wrappers.Response = http_util.Respond(request, message, "text/plain", code=code, headers=pairs)
    return response


def frame(facts: Mapping[str, Any], body: Iterable[Any]) -> bytes:
    """Puts a JSON description and the parts of a body into one answer; the body starts at a multiple of 8 bytes."""
    text = json.dumps(facts, allow_nan=False).encode("ascii")
    text += b" " * (-(4 + len(text)) % 8)
    return b"".join([len(text).to_bytes(4, "little"), text, *body])


def unframed(content: bytes) -> tuple[dict[str, Any], memoryview]:
    """Returns the description and the body of a `frame`."""
    start = 4 + int.from_bytes(content[:4], "little")
    facts: dict[str, Any] = json.loads(content[4:start])
    return facts, memoryview(content)[start:]


def finite_list(values: Any) -> list[float | None]:
    """Returns the numbers of an array for JSON: null where one is not finite."""
    return [finite(value) for value in values.tolist()]


def finite(value: float) -> float | None:
    """Returns a number as JSON has it: None for what is not finite."""
    return value if math.isfinite(value) else None
