"""The wire format, version 1: records to bytes and back. No other module knows it.

One TensorBoard tag holds one series: all steps of one layer's kernel, or of its patterns. `SummaryMetadata` has
`data_class = DATA_CLASS_BLOB_SEQUENCE`, `plugin_name = "filterviz"` and, as `content`, the JSON
`{"v":1,"kind":"kernel"}` (or `"patterns"`). Each step's tensor is DT_STRING of rank 1:

- `[0]` the header: JSON, a line feed, and the CRC-32C of that JSON as eight hexadecimal digits.
- `[1]` numbers of each filter: little-endian float32 `[filters][columns]`; the header's `numbers` names the columns, 64
  at most.
- `[2..]` the payload. A kernel: chunks of `chunk` whole filters (the last may have fewer), each filter contiguous, in
  C order `[filter][*spatial][in]`, little-endian, as `encoding` says: `float16`, `float32`, `float64`; or `int8`, where
  each filter is `in` float32 scales followed by the int8 codes, a weight being its code times the scale of its input's
  slice. Patterns: one PNG a filter; then, where the header has `curve`, their curves: little-endian float32
  `[filters][curve]`.

Common keys of the header: `v`, `kind`, `name` (what the user called it), `path`, `layer_class`, `position`, `groups`
(see `records.Layer`), `numbers`, `bytes` and `crc32c` (length and CRC-32C of each element after the header). A
kernel's: `shape` and `axes` (canonical), `dtype` (in the model), `encoding`, `chunk`. Patterns': `filters`, `shape`
(height, width, channels), `recipe`, `steps`, `input_range`, `objective` if it is known, and `curve` (points of a curve)
if there are curves; their numbers are `start`, `reached` and `failed`, then those of `noise`, `natural`, `percentile`
and `spots` that are known. Readers ignore keys and elements that they do not know, and refuse a newer `v`. A log is
untrusted: `parse_header` checks every claim, and no length is believed before it was compared.
"""

from __future__ import annotations

import dataclasses
import io
import json
import math
import re
import urllib.parse
from collections.abc import Callable, Sequence
from typing import Any

import google_crc32c
import numpy as np
from numpy.typing import NDArray
from PIL import Image
from tensorboard.compat.proto import summary_pb2

from tb_filterviz import analysis, records

PLUGIN_NAME = "filterviz"
VERSION = 1
KERNEL = "kernel"
PATTERNS = "patterns"
PRECISIONS = ("float16", "float32", "int8")
"""How a kernel may be asked to be stored. `float64` is used only where float32 cannot hold the values."""

MAX_IMAGE_SIDE = 4096
_CHUNK_BYTES = 1 << 16  # what is read for one filter, as a checksum covers a chunk
_MAX_VALUES = 1 << 31
_MAX_NUMBERS = 64  # of each filter, as whoever reads them takes memory for each
_PATTERN_NUMBERS = ("start", "reached", "failed")
_MORE_PATTERN_NUMBERS = ("noise", "natural", "percentile", "spots")
_UNSAFE_IN_TAG = re.compile(r'[%"\\\x00-\x1f\x7f\ud800-\udfff]')


class FormatError(ValueError):
    """A datum that is damaged, hostile, or of a newer version."""


@dataclasses.dataclass(frozen=True)
class Header:
    """What element 0 says, checked.

    Attributes:
        kind: `KERNEL` or `PATTERNS`.
        name: What the user called it.
        layer: Whose kernel or patterns they are.
        shape: Of a kernel `(*spatial, in, out)`; of patterns that of one picture, `(height, width, channels)`.
        numbers: Names of the columns of element 1.
        lengths: Bytes of each element after the header.
        checksums: CRC-32C of each element after the header.
        filters: Indices of the filters: all of a kernel's, or those that have a pattern.
        dtype: Of a kernel in its model; empty for patterns.
        encoding: Of a kernel on the wire; empty for patterns.
        chunk: Filters in each payload element: 1 for patterns.
        recipe: Recipe of patterns; empty for a kernel.
        steps: Gradient steps of patterns; 0 for a kernel.
        input_range: Model inputs that 0 and 255 of patterns stand for; (0, 0) for a kernel.
        curve: Points of the curve of each pattern; 0 where there are no curves.
        objective: Objective of patterns; empty where it is not known, and for a kernel.
    """

    kind: str
    name: str
    layer: records.Layer
    shape: tuple[int, ...]
    numbers: tuple[str, ...]
    lengths: tuple[int, ...]
    checksums: tuple[int, ...]
    filters: Sequence[int]
    dtype: str = ""
    encoding: str = ""
    chunk: int = 1
    recipe: str = ""
    steps: int = 0
    input_range: tuple[float, float] = (0.0, 0.0)
    curve: int = 0
    objective: str = ""

    @property
    def axes(self) -> str:
        """Names of the axes of `shape`."""
        return records.CANONICAL_AXES[len(self.shape)] if self.kind == KERNEL else "HWC"


def tag(name: str, path: str, kind: str) -> str:
    """Returns the tag of a series.

    The tag has a suffix of its own, since a tag belongs to the first plugin that wrote it. Quotes, backslashes, control
    characters, lone surrogates and `%` are percent-encoded: TensorBoard's data server cannot address blobs whose tag
    holds them. The border between name and path does not show in it: a name that ends as another's paths begin can make
    two series share a tag.

    Example:
        >>> tag('my "net"', "conv1/kernel", KERNEL)
        'my %22net%22/conv1/kernel/filterviz.kernel'
    """
    text = "/".join(part for part in (name, path, f"{PLUGIN_NAME}.{kind}") if part)
    return _UNSAFE_IN_TAG.sub(lambda match: urllib.parse.quote(match[0], safe="", errors="surrogatepass"), text)


def metadata(kind: str, description: str | None = None) -> summary_pb2.SummaryMetadata:
    """Returns the metadata of a series; `description` is shown as plain text."""
    result = summary_pb2.SummaryMetadata(
        summary_description=description or "", data_class=summary_pb2.DATA_CLASS_BLOB_SEQUENCE
    )
    result.plugin_data.plugin_name = PLUGIN_NAME
    result.plugin_data.content = _json({"v": VERSION, "kind": kind})
    return result


def parse_metadata(content: bytes) -> str:
    """Returns the kind of a series from its metadata's content.

    Raises:
        FormatError: If it is not ours or of a newer version.
    """
    kind = _parse_json(content, "metadata").get("kind")
    if kind not in (KERNEL, PATTERNS):
        raise FormatError(f"the metadata names the kind {kind!r}, not {KERNEL!r} or {PATTERNS!r}")
    return str(kind)


def filter_major(values: NDArray[Any], dtype: np.dtype[Any]) -> NDArray[Any]:
    """Returns a kernel `(*spatial, in, out)` as `[out][*spatial][in]` of another dtype."""
    return np.moveaxis(values.astype(dtype, copy=False), -1, 0)


def encode_kernel(
    kernel: records.Kernel,
    name: str,
    precision: str = "float16",
    reorder: Callable[[NDArray[Any], np.dtype[Any]], NDArray[Any]] = filter_major,
) -> list[bytes]:
    """Encodes one kernel at one step.

    Args:
        kernel: The weights. Its numbers are computed before anything is rounded.
        name: What the user calls the model or array.
        precision: One of `PRECISIONS`. Where it cannot hold the values - float16 ends at 65504 and loses digits below
            6e-5, int8 has no NaN - the next larger float is taken, and the header says which.
        reorder: Does what `filter_major` does, for a caller that has something faster than NumPy.

    Returns:
        The elements of the datum.

    Example:
        >>> kernel = records.Kernel(records.Layer(), np.zeros((3, 3, 8, 16), np.float32))
        >>> len(encode_kernel(kernel, "mine"))
        3
    """
    values = kernel.values
    numbers = analysis.filter_numbers(values)
    encoding = _choose_encoding(numbers, precision)
    chunk = max(1, _CHUNK_BYTES // _filter_dtype(encoding, values.shape).itemsize)
    filters = _encode_filters(values, encoding, reorder)
    payload = [filters[start : start + chunk].tobytes() for start in range(0, len(filters), chunk)]
    facts = {
        **_layer_facts(KERNEL, name, kernel.layer),
        "shape": values.shape,
        "axes": kernel.axes,
        "dtype": values.dtype.name,
        "encoding": encoding,
        "chunk": chunk,
        "numbers": analysis.NUMBERS,
    }
    return _seal(facts, [numbers.astype("<f4").tobytes(), *payload])


def encode_patterns(patterns: records.Patterns, name: str) -> list[bytes]:
    """Encodes a layer's patterns at one step; `name` is what the user calls the model."""
    names = [name for name in _MORE_PATTERN_NUMBERS if getattr(patterns, name) is not None]
    columns = [getattr(patterns, name) for name in (*_PATTERN_NUMBERS, *names)]
    numbers = np.stack(columns, axis=1).astype("<f4")
    facts = {
        **_layer_facts(PATTERNS, name, patterns.layer),
        "filters": patterns.filters.tolist(),
        "shape": patterns.images.shape[1:],
        "recipe": patterns.recipe,
        "steps": patterns.steps,
        "input_range": patterns.input_range,
        **({"objective": patterns.objective} if patterns.objective else {}),
        "numbers": [*_PATTERN_NUMBERS, *names],
    }
    elements = [numbers.tobytes(), *(_encode_png(image) for image in patterns.images)]
    if patterns.curve is not None and patterns.curve.size:
        facts["curve"] = patterns.curve.shape[1]
        elements.append(patterns.curve.astype("<f4").tobytes())
    return _seal(facts, elements)


def parse_header(element: bytes) -> Header:
    """Parses and checks element 0.

    Raises:
        FormatError: Says what is wrong with it.
    """
    text, _, checksum = element.rpartition(b"\n")
    if checksum != _checksum_line(text):
        raise FormatError("the header's checksum does not match: it is damaged or not a Filters datum")
    facts = _parse_json(text, "header")
    try:
        header = _parse_kernel(facts) if facts["kind"] == KERNEL else _parse_patterns(facts)
    except (ArithmeticError, LookupError, TypeError, ValueError) as error:
        raise FormatError(f"the header is not valid: {error!r}") from error
    return header


def check_element(header: Header, index: int, element: bytes) -> bytes:
    """Returns element `index` (1 and up) if it has the length and the checksum that the header claims.

    Raises:
        FormatError: If not.
    """
    length, checksum = header.lengths[index - 1], header.checksums[index - 1]
    what = "the curve" if header.curve and index == curve_element(header) else f"element {index}"
    if len(element) != length:
        raise FormatError(f"{what} has {len(element)} bytes, but the header says {length}")
    if google_crc32c.value(element) != checksum:
        raise FormatError(f"the checksum of {what} does not match: its bytes are damaged")
    return element


def decode_numbers(header: Header, element: bytes) -> NDArray[np.float32]:
    """Decodes a checked element 1 to float32 `[filters][columns]`."""
    return np.frombuffer(element, "<f4").reshape(len(header.filters), len(header.numbers))


def number(header: Header, numbers: NDArray[np.float32], name: str) -> NDArray[np.float32] | None:
    """Returns the column of that name of `decode_numbers`, float32 `[filters]`; None where it was not logged."""
    return numbers[:, header.numbers.index(name)] if name in header.numbers else None


def curve_element(header: Header) -> int:
    """Returns the index of the element that holds the curves of patterns, if there are any."""
    return 2 + len(header.filters)


def decode_curve(header: Header, element: bytes) -> NDArray[np.float32]:
    """Decodes the checked element of the curves to float32 `[filters][points]`."""
    return np.frombuffer(element, "<f4").reshape(len(header.filters), header.curve)


def chunk_elements(header: Header, start: int, stop: int) -> range:
    """Returns the indices of the elements that hold a kernel's filters `start` to `stop`."""
    return range(2 + start // header.chunk, 2 + -(-stop // header.chunk))


def decode_chunk(header: Header, element: bytes) -> NDArray[Any]:
    """Decodes a checked payload element of a kernel.

    Returns:
        `[filters][*spatial][in]` in float16, float32 or float64; a view of `element` where that is possible.
    """
    filters = np.frombuffer(element, _filter_dtype(header.encoding, header.shape))
    if header.encoding == "int8":
        scales = filters["scales"].reshape(len(filters), *[1] * (len(header.shape) - 2), -1)
        return np.asarray(filters["codes"] * scales)
    return np.asarray(filters["codes"])


def check_png(header: Header, element: bytes) -> bytes:
    """Returns a checked payload element of patterns if it is a PNG of the size that the header claims.

    Raises:
        FormatError: If not. A browser must not be handed a picture that unfolds to gigabytes.
    """
    height, width = int.from_bytes(element[20:24], "big"), int.from_bytes(element[16:20], "big")
    if element[:16] != b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" or (height, width) != header.shape[:2]:
        raise FormatError(f"a picture is not a PNG of {header.shape[1]} x {header.shape[0]} pixels")
    return element


def _choose_encoding(numbers: NDArray[np.float32], precision: str) -> str:
    """Returns the smallest encoding from `precision` up that can hold a kernel with these numbers."""
    extremes = numbers[:, 1:3]
    nonfinite = numbers[:, analysis.NUMBERS.index("nonfinite")]
    finite = np.isfinite(extremes)
    largest = float(np.abs(extremes, where=finite, out=np.zeros_like(extremes)).max(initial=0.0))
    if np.isinf(extremes).any():  # finite in float64 only
        return "float64"
    scale_is_exact = largest == 0 or largest / 127 >= float(np.finfo(np.float32).smallest_normal)
    if precision == "int8" and scale_is_exact and not nonfinite.any():
        return "int8"
    held = np.finfo(np.float16)
    if precision != "float32" and (largest == 0 or float(held.smallest_normal) <= largest <= float(held.max)):
        return "float16"
    return "float32"


def _filter_dtype(encoding: str, shape: tuple[int, ...]) -> np.dtype[Any]:
    """Returns the dtype of one filter of a kernel of `shape` on the wire."""
    *spatial, inputs, _ = shape
    codes = ("codes", np.dtype(encoding).newbyteorder("<"), (*spatial, inputs))
    return np.dtype([("scales", "<f4", (inputs,)), codes] if encoding == "int8" else [codes])


def _encode_filters(
    values: NDArray[Any], encoding: str, reorder: Callable[[NDArray[Any], np.dtype[Any]], NDArray[Any]]
) -> NDArray[Any]:
    """Returns one item a filter, of `_filter_dtype`."""
    dtype = _filter_dtype(encoding, values.shape)
    if encoding != "int8":
        # Each filter is one item of that dtype already; to copy it into one would take as long as to write it.
        return np.ascontiguousarray(reorder(values, dtype["codes"].base)).reshape(-1).view(dtype)
    filters = np.empty(values.shape[-1], dtype)
    scales = np.abs(values).reshape(-1, *values.shape[-2:]).max(axis=0, initial=0.0).astype(np.float32) / 127
    codes = np.clip(np.rint(values / np.where(scales == 0, 1, scales)), -127, 127)
    filters["scales"] = scales.T
    filters["codes"] = reorder(codes, np.dtype(np.int8))
    return filters


def _encode_png(image: NDArray[np.uint8]) -> bytes:
    file = io.BytesIO()
    Image.fromarray(image[..., 0] if image.shape[-1] == 1 else image).save(file, "PNG")
    return file.getvalue()


def _layer_facts(kind: str, name: str, layer: records.Layer) -> dict[str, Any]:
    return {"v": VERSION, "kind": kind, "name": name, **dataclasses.asdict(layer)}


def _seal(facts: dict[str, Any], elements: list[bytes]) -> list[bytes]:
    """Puts the header with the elements' lengths and checksums before them."""
    facts = {**facts, "bytes": [len(e) for e in elements], "crc32c": [google_crc32c.value(e) for e in elements]}
    header = _json(facts)
    return [header + b"\n" + _checksum_line(header), *elements]


def _checksum_line(header: bytes) -> bytes:
    return b"%08x" % google_crc32c.value(header)


def _json(value: dict[str, Any]) -> bytes:
    return json.dumps(value, separators=(",", ":"), allow_nan=False).encode("ascii")


def _parse_json(text: bytes, what: str) -> dict[str, Any]:
    """Parses a JSON object and refuses a version that is newer than this one."""
    try:
        value = json.loads(text, parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        raise FormatError(f"the {what} is not JSON") from error
    if not isinstance(value, dict) or not isinstance(value.get("v"), int):
        raise FormatError(f"the {what} has no version")
    if value["v"] > VERSION:
        raise FormatError(
            f"the {what} is of version {value['v']}, newer than {VERSION}: upgrade tb-filterviz to read this log"
        )
    return value


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is not JSON")


def _parse_kernel(facts: dict[str, Any]) -> Header:
    shape = _integers(facts["shape"], low=1)
    if len(shape) not in records.CANONICAL_AXES or math.prod(shape) > _MAX_VALUES:
        raise ValueError(f"a kernel cannot have the shape {shape}")
    if facts["encoding"] not in (*PRECISIONS, "float64"):
        raise ValueError(f"unknown encoding {facts['encoding']!r}")
    header = Header(
        **_parse_common(facts),
        shape=shape,
        filters=range(shape[-1]),
        dtype=_text(facts["dtype"]),
        encoding=facts["encoding"],
        chunk=_integers([facts["chunk"]], low=1)[0],
    )
    if header.numbers[:3] != analysis.NUMBERS[:3]:  # and so as many filters as there are numbers of
        raise ValueError("the numbers must begin with norm, min, max")
    _check_lengths(header)
    size = _filter_dtype(header.encoding, shape).itemsize
    full, rest = divmod(shape[-1], header.chunk)
    chunks = header.lengths[1 : 1 + full]
    if any(length != size * header.chunk for length in chunks) or (rest and header.lengths[1 + full] != size * rest):
        raise ValueError("the lengths of the chunks do not fit the shape")
    return header


def _parse_patterns(facts: dict[str, Any]) -> Header:
    shape = _integers(facts["shape"], low=1)
    low, high = (float(limit) for limit in facts["input_range"])
    if not math.isfinite(low) or not math.isfinite(high):
        raise ValueError("the range of the inputs is not finite")
    if facts["kind"] != PATTERNS or len(shape) != 3 or max(shape) > MAX_IMAGE_SIDE:
        raise ValueError(f"{facts['kind']!r} cannot have the shape {shape}")
    header = Header(
        **_parse_common(facts),
        shape=shape,
        filters=_integers(facts["filters"]),
        recipe=_text(facts["recipe"]),
        steps=_integers([facts["steps"]])[0],
        input_range=(low, high),
        curve=_integers([facts.get("curve", 0)])[0],
        objective=_text(facts.get("objective", "")),
    )
    if not header.filters or list(header.filters) != sorted(set(header.filters)):
        raise ValueError("there must be filters, in ascending order")
    if header.numbers[:3] != _PATTERN_NUMBERS:
        raise ValueError("the numbers must be start, reached, failed")
    _check_lengths(header)
    if header.curve:
        lengths, place = header.lengths, curve_element(header) - 1
        if len(header.checksums) <= place or lengths[place:][:1] != (4 * len(header.filters) * header.curve,):
            raise ValueError("the length of the curve does not fit the filters")
    return header


def _parse_common(facts: dict[str, Any]) -> dict[str, Any]:
    layer = records.Layer(
        path=_text(facts["path"]),
        layer_class=_text(facts["layer_class"]),
        position=_integers([facts["position"]])[0],
        groups=_integers([facts["groups"]], low=1)[0],
    )
    numbers = tuple(_text(name) for name in facts["numbers"])
    if len(numbers) > _MAX_NUMBERS:
        raise ValueError(f"a filter can have at most {_MAX_NUMBERS} numbers, not {len(numbers)}")
    return {
        "kind": facts["kind"],
        "name": _text(facts["name"]),
        "layer": layer,
        "numbers": numbers,
        "lengths": _integers(facts["bytes"]),
        "checksums": _integers(facts["crc32c"]),
    }


def _check_lengths(header: Header) -> None:
    """Checks that there are as many elements as filters need, and the numbers of each; more elements are ignored."""
    elements = 1 + -(-len(header.filters) // header.chunk)
    if len(header.lengths) < elements or len(header.checksums) < elements:
        raise ValueError("there are fewer elements than the filters need")
    if header.lengths[0] != 4 * len(header.filters) * len(header.numbers):
        raise ValueError("the length of the numbers does not fit the filters")


def _integers(values: Any, low: int = 0) -> tuple[int, ...]:
    if not all(type(value) is int and low <= value <= 1 << 32 for value in values):
        raise ValueError(f"expected integers from {low} up")
    return tuple(values)


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"expected text, not {type(value).__name__}")
    return value
