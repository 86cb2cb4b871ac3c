import dataclasses
import json
import struct
import urllib.parse

import google_crc32c
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from tb_filterviz import analysis, records, wire

HUGE = 1 << 40
LAYER = records.Layer("block/conv1/kernel", "Conv2D", 3, 2)
KERNEL = records.Kernel(LAYER, np.random.default_rng(0).normal(size=(3, 3, 8, 20)).astype(np.float32))


def patterns(channels=3):
    images = np.random.default_rng(1).integers(0, 256, (3, 6, 5, channels)).astype(np.uint8)
    numbers = np.array([[0.5, 2.5], [np.nan, np.inf], [1, 1]], np.float32)
    failed = np.array([False, True, True])
    made = (images, *numbers.T, failed, (-1.0, 1.0), "classic", 80)
    return records.Patterns(LAYER, np.array([0, 4, 9]), *made, objective="distinct")


def decode(elements):
    header = wire.parse_header(elements[0])
    chunks = wire.chunk_elements(header, 0, len(header.filters))
    filters = np.concatenate([wire.decode_chunk(header, wire.check_element(header, i, elements[i])) for i in chunks])
    return header, np.moveaxis(filters, 0, -1)


def test_a_kernel_read_by_hand():
    """Follows the description of the format, with nothing of the package."""
    elements = wire.encode_kernel(KERNEL, "cnn")
    text, checksum = elements[0].split(b"\n")
    header = json.loads(text)
    assert int(checksum, 16) == google_crc32c.value(text)
    assert header["bytes"] == [len(element) for element in elements[1:]]
    assert header["crc32c"] == [google_crc32c.value(element) for element in elements[1:]]
    assert [header[key] for key in ("v", "kind", "name", "axes", "dtype", "encoding")] == [
        *(1, "kernel", "cnn", "HWIO", "float32", "float16")
    ]
    assert [header[key] for key in ("path", "layer_class", "position", "groups", "shape")] == [
        *("block/conv1/kernel", "Conv2D", 3, 2, [3, 3, 8, 20])
    ]
    halves = struct.unpack(f"<{9 * 8 * 20}e", b"".join(elements[2:]))
    expected = KERNEL.values.astype(np.float16)
    at = 0
    for o in range(20):
        for y in range(3):
            for x in range(3):
                for i in range(8):
                    assert halves[at] == expected[y, x, i, o]
                    at += 1
    norms = struct.unpack(f"<{20 * len(header['numbers'])}f", elements[1])[:: len(header["numbers"])]
    np.testing.assert_allclose(norms, np.linalg.norm(KERNEL.values.reshape(-1, 20), axis=0), rtol=1e-6)


@pytest.mark.parametrize("precision", wire.PRECISIONS)
@pytest.mark.parametrize("shape", [(3, 3, 512, 512), (5, 4, 7), (2, 3, 3, 2, 6), (30, 10), (1, 1, 1, 1)])
def test_a_kernel_comes_back_as_near_as_its_encoding_says(shape, precision):
    values = np.random.default_rng(2).normal(size=shape).astype(np.float32)
    header, decoded = decode(wire.encode_kernel(records.Kernel(LAYER, values), "cnn", precision))
    assert (header.encoding, header.shape, header.layer, header.name) == (precision, shape, LAYER, "cnn")
    if precision == "int8":  # half a code of the largest weight in the slice
        slice_max = np.abs(values).reshape(-1, *shape[-2:]).max(axis=0)
        assert (np.abs(decoded - values) <= slice_max / 127 * 0.5001).all()
    else:
        np.testing.assert_array_equal(decoded, values.astype(precision))


def test_large_kernels_come_in_chunks_of_whole_filters():
    elements = wire.encode_kernel(records.Kernel(LAYER, np.zeros((3, 3, 512, 512), np.float32)), "cnn")
    header = wire.parse_header(elements[0])
    assert len(elements) > 3
    assert all(len(element) % (9 * 512 * 2) == 0 for element in elements[2:])
    assert all(len(element) <= 1 << 19 for element in elements[2:])
    assert list(wire.chunk_elements(header, 0, 1)) == [2]
    assert list(wire.chunk_elements(header, header.chunk - 1, header.chunk + 1)) == [2, 3]


@pytest.mark.parametrize(
    ("value", "precision", "encoding"),
    [
        (1.0, "float16", "float16"),
        (65504.0, "float16", "float16"),
        (65520.0, "float16", "float32"),
        (1e-5, "float16", "float32"),
        (0.0, "float16", "float16"),
        (1e39, "float16", "float64"),
        (1e39, "int8", "float64"),
        (1.0, "int8", "int8"),
        (np.nan, "int8", "float16"),
        (1e-37, "int8", "float32"),
        (np.inf, "float16", "float16"),
        (np.nan, "float32", "float32"),
    ],
)
def test_precision_grows_where_it_cannot_hold_the_values(value, precision, encoding):
    values = np.full((1, 1, 2, 3), value)
    header, decoded = decode(wire.encode_kernel(records.Kernel(LAYER, values), "cnn", precision))
    assert header.encoding == encoding
    np.testing.assert_allclose(decoded, values, rtol=1e-3)


@given(
    hnp.arrays(
        st.sampled_from([np.float16, np.float32, np.float64]),
        hnp.array_shapes(min_dims=2, max_dims=5, max_side=4),
        elements=st.floats(width=16),
    )
)
def test_any_half_precision_kernel_comes_back_exactly(values):
    _, decoded = decode(wire.encode_kernel(records.Kernel(LAYER, values), "cnn", "float32"))
    np.testing.assert_array_equal(decoded, values)


@pytest.mark.parametrize("channels", [1, 3])
def test_patterns_come_back_exactly(channels):
    import io

    from PIL import Image

    given_patterns = patterns(channels)
    elements = wire.encode_patterns(given_patterns, "cnn")
    header = wire.parse_header(elements[0])
    assert (header.kind, header.filters, header.shape) == ("patterns", (0, 4, 9), (6, 5, channels))
    assert (header.recipe, header.steps, header.input_range) == ("classic", 80, (-1.0, 1.0))
    assert header.objective == "distinct"
    numbers = wire.decode_numbers(header, wire.check_element(header, 1, elements[1]))
    np.testing.assert_array_equal(numbers, [[0.5, 2.5, 0], [np.nan, np.inf, 1], [1, 1, 1]])
    for image, element in zip(given_patterns.images, elements[2:], strict=True):
        png = Image.open(io.BytesIO(wire.check_png(header, element)))
        np.testing.assert_array_equal(np.asarray(png).reshape(image.shape), image)


def full_patterns():
    """Patterns with references and curves."""
    more = [np.array([0.1, np.nan, 3], np.float32), np.array([2, 5, -np.inf], np.float32), None]
    curve = np.random.default_rng(2).normal(size=(3, 7)).astype(np.float32)
    curve[1, 3:] = np.nan
    names = ("noise", "natural", "percentile")
    return dataclasses.replace(patterns(), **dict(zip(names, more, strict=True)), curve=curve)


def test_references_and_curves_come_back_exactly():
    given_patterns = full_patterns()
    elements = wire.encode_patterns(given_patterns, "cnn")
    header = wire.parse_header(elements[0])
    assert (header.numbers, header.curve) == (("start", "reached", "failed", "noise", "natural"), 7)
    assert len(elements) == 2 + 3 + 1
    numbers = wire.decode_numbers(header, wire.check_element(header, 1, elements[1]))
    for name in ("start", "noise", "natural"):
        np.testing.assert_array_equal(wire.number(header, numbers, name), getattr(given_patterns, name))
    assert wire.number(header, numbers, "percentile") is None
    place = wire.curve_element(header)
    floats = struct.unpack("<21f", elements[place])  # by hand: one after another, filter by filter
    np.testing.assert_array_equal(np.reshape(floats, (3, 7)).astype(np.float32), given_patterns.curve)
    curve = wire.decode_curve(header, wire.check_element(header, place, elements[place]))
    np.testing.assert_array_equal(curve, given_patterns.curve)


def test_patterns_of_an_older_version_are_read():
    """A datum as it was written before there were references and curves, sealed by hand."""
    facts = json.loads(wire.encode_patterns(patterns(), "cnn")[0].split(b"\n")[0])
    assert facts["numbers"] == ["start", "reached", "failed"]
    assert facts.pop("curve", None) is None
    png = wire.encode_patterns(patterns(), "cnn")[2]
    elements = [struct.pack("<3f", 0.5, 2.5, 0), png]
    facts = {**facts, "filters": [4], "bytes": [12, len(png)], "crc32c": [*map(google_crc32c.value, elements)]}
    header = wire.parse_header(resealed(facts))
    numbers = wire.decode_numbers(header, wire.check_element(header, 1, elements[0]))
    assert (wire.number(header, numbers, "reached"), wire.number(header, numbers, "noise")) == ([2.5], None)
    assert header.curve == 0
    assert wire.check_png(header, wire.check_element(header, 2, png)) == png


def test_a_damaged_curve_is_named():
    elements = wire.encode_patterns(full_patterns(), "cnn")
    header, place = wire.parse_header(elements[0]), len(elements) - 1
    with pytest.raises(wire.FormatError, match=r"^the curve has 83 bytes, but the header says 84$"):
        wire.check_element(header, place, elements[-1][:-1])
    with pytest.raises(wire.FormatError, match=r"^the checksum of the curve does not match: its bytes are damaged$"):
        wire.check_element(header, place, bytes(84))


@pytest.mark.parametrize("change", [{"curve": 8}, {"curve": -1}, {"curve": "7"}, {"curve": HUGE}, {"curve": 1 << 32}])
def test_a_curve_that_claims_nonsense_is_refused(change):
    facts = json.loads(wire.encode_patterns(full_patterns(), "cnn")[0].split(b"\n")[0])
    wire.parse_header(resealed(facts))
    for lie in (change, {"bytes": facts["bytes"][:-1]}, {"crc32c": facts["crc32c"][:-1]}):
        with pytest.raises(wire.FormatError, match="the header is not valid"):
            wire.parse_header(resealed({**facts, **lie}))


@given(st.text(), st.text())
def test_a_tag_can_be_undone_and_is_safe(name, path):
    tag = wire.tag(name, path, wire.KERNEL)
    assert not set(tag) & {'"', "\\", *map(chr, range(32))}
    tag.encode()
    decoded = urllib.parse.unquote(tag, errors="surrogatepass")
    assert decoded == "/".join(filter(None, [name, path, "filterviz.kernel"]))


def test_metadata_is_short_and_names_the_kind():
    metadata = wire.metadata(wire.PATTERNS, "a <b>description</b>")
    assert len(metadata.plugin_data.content) < 200
    assert wire.parse_metadata(metadata.plugin_data.content) == wire.PATTERNS
    assert metadata.data_class == 3  # DATA_CLASS_BLOB_SEQUENCE


@pytest.mark.parametrize("content", [b"", b"\xff", b"[1]", b"{}", b'{"v":1,"kind":"x"}', b"[" * 100_000])
def test_foreign_metadata_are_refused(content):
    with pytest.raises(wire.FormatError):
        wire.parse_metadata(content)


def test_a_newer_version_asks_for_an_upgrade():
    with pytest.raises(wire.FormatError, match="upgrade tb-filterviz"):
        wire.parse_metadata(b'{"v":2,"kind":"kernel"}')


def resealed(facts):
    """A header whose checksum is right, whatever it claims."""
    text = json.dumps(facts).encode()
    return text + b"\n%08x" % google_crc32c.value(text)


@pytest.mark.parametrize(
    "change",
    [
        {"shape": [3, 3, 8, HUGE]},
        {"shape": [3, 3, 8, 21]},
        {"shape": [3, 3, -8, 20]},
        {"shape": [8]},
        {"shape": "3388"},
        {"shape": [65536, 65536, 65536, 20]},
        {"chunk": 0},
        {"chunk": 7},
        {"chunk": HUGE},
        {"encoding": "float128"},
        {"encoding": ["float16"]},
        {"bytes": []},
        {"bytes": [560, HUGE]},
        {"shape": [1, 1, 1, 1 << 31]},
        {"shape": [1, 1 << 31], "numbers": [], "chunk": 1 << 31},
        {"crc32c": [1]},
        {"numbers": ["norm"]},
        {"numbers": None},
        {"numbers": ["l1", "mean", "std"]},
        {"groups": 0},
        {"position": -1},
        {"position": True},
        {"path": 7},
        {"kind": "patterns"},
        {"kind": "examples"},
        {"v": 2},
        {"v": None},
    ],
)
def test_a_header_that_claims_nonsense_is_refused(change):
    facts = json.loads(wire.encode_kernel(KERNEL, "cnn")[0].split(b"\n")[0])
    wire.parse_header(resealed({**facts, "a key from the future": [1]}))
    with pytest.raises(wire.FormatError):
        wire.parse_header(resealed({**facts, **change}))


def test_a_kernel_claims_no_more_filters_than_it_has_numbers_of():
    """Else a few bytes would make whoever reads them allocate what they like."""
    facts = json.loads(wire.encode_kernel(KERNEL, "cnn")[0].split(b"\n")[0])
    claim = {"shape": [1, 1 << 24], "numbers": [], "chunk": 1 << 24, "encoding": "float16", "bytes": [0, 1 << 25]}
    with pytest.raises(wire.FormatError, match="the numbers must begin with norm, min, max"):
        wire.parse_header(resealed({**facts, **claim, "crc32c": [0, 0]}))


@pytest.mark.parametrize("one", [KERNEL, patterns()])
def test_a_filter_has_a_few_numbers_at_most(one):
    """Else a table of all layers would make columns of whatever a log likes to name."""
    encode = wire.encode_kernel if one is KERNEL else wire.encode_patterns
    facts = json.loads(encode(one, "cnn")[0].split(b"\n")[0])
    count = facts["bytes"][0] // len(facts["numbers"])

    def claimed(columns):
        names = [*facts["numbers"], *map(str, range(columns - len(facts["numbers"])))]
        return resealed({**facts, "numbers": names, "bytes": [columns * count, *facts["bytes"][1:]]})

    assert len(wire.parse_header(claimed(64)).numbers) == 64
    with pytest.raises(wire.FormatError, match="a filter can have at most 64 numbers, not 65"):
        wire.parse_header(claimed(65))


@pytest.mark.parametrize(
    "change",
    [
        {"shape": [6, 5000, 3]},
        {"filters": [0, 9, 4]},
        {"filters": [0, 4, 4]},
        {"filters": [0, 4, 9, 11]},
        {"numbers": ["a", "b", "c"]},
        {"input_range": [0]},
        {"input_range": ["0", None]},
        {"input_range": [10**400, 1]},
        {"input_range": [float("nan"), 1]},
        {"input_range": [0, float("inf")]},
        {"filters": []},
    ],
)
def test_patterns_that_claim_nonsense_are_refused(change):
    facts = json.loads(wire.encode_patterns(patterns(), "cnn")[0].split(b"\n")[0])
    with pytest.raises(wire.FormatError):
        wire.parse_header(resealed({**facts, **change}))


def check_all(elements):
    header = wire.parse_header(elements[0])
    for number in range(1, len(elements)):
        wire.check_element(header, number, elements[number])


ENCODED = wire.encode_kernel(KERNEL, "cnn")


@settings(max_examples=300)
@given(st.integers(0, len(ENCODED) - 1), st.data())
def test_damage_is_always_noticed(index, data):
    damaged = list(ENCODED)
    element = bytearray(damaged[index])
    at = data.draw(st.integers(0, len(element) - 1))
    kind = data.draw(st.sampled_from(["flip", "cut", "insert"]))
    if kind == "flip":
        element[at] ^= 1 << data.draw(st.integers(0, 7))
    elif kind == "cut":
        del element[at:]
    else:
        element.insert(at, data.draw(st.integers(0, 255)))
    damaged[index] = bytes(element)
    with pytest.raises(wire.FormatError):
        check_all(damaged)


def test_a_claim_of_many_filters_allocates_nothing():
    import tracemalloc

    facts = json.loads(wire.encode_kernel(KERNEL, "cnn")[0].split(b"\n")[0])
    count = 1 << 27
    lies = {"shape": [1, count], "axes": "IO", "chunk": count, "crc32c": [0, 0]}
    lies["bytes"] = [4 * len(analysis.NUMBERS) * count, 2 * count]
    lying = resealed({**facts, **lies})
    tracemalloc.start()
    header = wire.parse_header(lying)
    assert tracemalloc.get_traced_memory()[1] < 1 << 20
    tracemalloc.stop()
    with pytest.raises(wire.FormatError, match="has 4 bytes, but the header says"):
        wire.check_element(header, 1, b"1234")


@pytest.mark.parametrize("png", [b"", b"\x89PNG\r\n\x1a\n", b"GIF89a" + b"\0" * 40])
def test_only_a_png_of_the_claimed_size_is_served(png):
    header = wire.parse_header(wire.encode_patterns(patterns(), "cnn")[0])
    with pytest.raises(wire.FormatError, match="not a PNG of 5 x 6 pixels"):
        wire.check_png(header, png)


def test_numbers_are_of_the_exact_weights():
    values = np.full((1, 1, 1, 1), 0.1, np.float64)
    elements = wire.encode_kernel(records.Kernel(LAYER, values), "cnn")
    header = wire.parse_header(elements[0])
    assert header.numbers == analysis.NUMBERS
    assert wire.decode_numbers(header, elements[1])[0, 2] == np.float32(0.1) != np.float32(np.float16(0.1))


def test_a_log_without_the_newest_column_is_read():
    """Logs of the first release have no `l1`."""
    elements = wire.encode_kernel(KERNEL, "cnn")
    facts = json.loads(elements[0].split(b"\n")[0])
    numbers = wire.decode_numbers(wire.parse_header(elements[0]), elements[1])[:, :7].astype("<f4").tobytes()
    old = {**facts, "numbers": facts["numbers"][:7], "bytes": [len(numbers), *facts["bytes"][1:]]}
    old["crc32c"] = [google_crc32c.value(numbers), *facts["crc32c"][1:]]
    header = wire.parse_header(resealed(old))
    assert header.numbers == analysis.NUMBERS[:7]
    assert wire.decode_numbers(header, wire.check_element(header, 1, numbers)).shape[1] == 7


def test_what_was_maximised_is_said_in_words_unless_it_is_the_response_or_unknown():
    from tb_filterviz.export.still import pattern_facts

    for objective, end in (("distinct", "recipe classic, objective distinct"), ("channel", "classic"), ("", "classic")):
        elements = wire.encode_patterns(dataclasses.replace(patterns(), objective=objective), "cnn")
        assert pattern_facts(wire.parse_header(elements[0]), [0]).endswith(end)
