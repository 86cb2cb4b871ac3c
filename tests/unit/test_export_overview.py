"""Overviews: a strip and the numbers of every layer, against plain computations; what is broken costs no other."""

import csv
import dataclasses
import io
import json

import google_crc32c
import numpy as np
import pytest

import tb_filterviz as filterviz
from tb_filterviz import records, wire
from tb_filterviz.export import sheet
from tb_filterviz.export.options import SERVER, Budget, OptionError, Options
from tb_filterviz.export.overview import Overview
from tb_filterviz.export.place import Place
from tests.support import logs, pictures

BUDGET = Budget(pixels=1 << 24, total=1 << 24, frames=9, values=1 << 24, filters=1 << 16)


def planted(step=9):
    """Filter 3 is like 0, 4 the negative of 1, and 2 is dead."""
    rng = np.random.default_rng(7)
    values = rng.normal(size=(3, 3, 3, 6)) + step * rng.normal(size=(3, 3, 3, 6)) / 20
    values[..., 3], values[..., 4], values[..., 2] = 2 * values[..., 0], -values[..., 1], 1e-4
    return values.astype(np.float32)


def redundant():
    """Every slice is a multiple of one."""
    rng = np.random.default_rng(8)
    return (rng.normal(size=(3, 3, 1, 1)) * rng.normal(size=(1, 1, 16, 8))).astype(np.float32)


def untrained():
    return np.random.default_rng(9).normal(size=(3, 3, 32, 40)).astype(np.float32)


def event(path, position, step, values):
    layer = records.Layer(path, "Conv2D", position)
    elements = wire.encode_kernel(records.Kernel(layer, values), "cnn", "float32")
    return logs.event(wire.tag("cnn", path, wire.KERNEL), step, logs.blob_tensor(elements), wire.metadata(wire.KERNEL))


@pytest.fixture(scope="module")
def log(tmp_path_factory):
    directory = tmp_path_factory.mktemp("logs")
    damaged = event("d/kernel", 3, 5, untrained())
    elements = damaged.summary.value[0].tensor.string_val
    elements[-1] = elements[-1][:-1] + bytes([elements[-1][-1] ^ 1])
    events = [
        *(event("a/kernel", 0, step, planted(step)) for step in (0, 9)),
        *[event("b/kernel", 1, 9, redundant()), event("c/kernel", 2, 9, untrained()), damaged],
        *[event("e/kernel", 4, 9, np.ones((1, 4097), np.float32)), event("f/kernel", 5, 20, planted())],
    ]
    logs.write_file(directory / "train" / "events.out.tfevents.1", events)
    return filterviz.read(directory)


def rows_of(figure):
    return {row["layer"]: row for row in csv.DictReader(io.StringIO(figure.encode("csv").decode(), newline=""))}


def norms(values):
    return np.linalg.norm(values.reshape(-1, values.shape[-1]).astype(float), axis=0)


def test_the_table_has_a_row_for_each_layer_at_its_newest_step_up_to_the_one_asked_for(log):
    rows = rows_of(log.overview("train", 10))
    assert {layer: row["step"] for layer, row in rows.items()} == {
        **{"a/kernel": "9", "b/kernel": "9", "c/kernel": "9", "d/kernel": "5", "e/kernel": "9"}
    }
    assert rows_of(log.overview("train"))["f/kernel"]["step"] == "20"
    assert list(rows_of(log.overview("train", 0))) == ["a/kernel"]
    a = rows["a/kernel"]
    assert (a["class"], a["shape"], a["axes"], a["filters"]) == ("Conv2D", "3x3x3x6", "HWIO", "6")
    assert (a["dead"], a["duplicates"], a["opposites"], a["nonfinite"]) == ("1", "2", "2", "0")
    for name, share in ("min", 0), ("median", 0.5), ("max", 1):
        assert float(a[f"norm_{name}"]) == pytest.approx(np.quantile(norms(planted()), share), rel=1e-6)
    moved = norms(planted() - planted(0)) / norms(planted(0))
    assert float(a["change_median"]) == pytest.approx(np.median(moved), rel=1e-5)
    assert a["problem"] == ""


def test_the_quality_of_a_layer(log):
    rows = rows_of(log.overview("train"))
    for layer, values in ("b/kernel", redundant()), ("c/kernel", untrained()):
        slices = np.moveaxis(values, (0, 1), (-2, -1)).reshape(-1, 9).astype(float)
        variances = np.linalg.svd(slices - slices.mean(axis=0), compute_uv=False) ** 2
        shares = variances / variances.sum()
        assert float(rows[layer]["explained"]) == pytest.approx(shares[0], rel=1e-4)
        entropy = -(shares[shares > 1e-9] * np.log10(shares[shares > 1e-9])).sum()
        assert float(rows[layer]["entropy"]) == pytest.approx(entropy, abs=1e-4)
        pairs = cosines(values)[~np.eye(values.shape[-1], dtype=bool)]
        assert float(rows[layer]["orthogonality"]) == pytest.approx(1 - pairs.mean(), abs=1e-5)
    assert (rows["b/kernel"]["near_random"], rows["c/kernel"]["near_random"]) == ("0", "1")
    assert rows["a/kernel"]["near_random"] == "nan", "too few slices to judge"


def cosines(values):
    flat = values.reshape(-1, values.shape[-1]).astype(float)
    return np.abs(flat.T @ flat) / np.outer(norms(values), norms(values))


def test_what_is_damaged_or_too_large_says_so_and_costs_no_other(log):
    rows = rows_of(log.overview("train"))
    assert (
        rows["d/kernel"]["problem"]
        == "It cannot be read: the checksum of element 2 does not match: its bytes are damaged"
    )
    assert (rows["d/kernel"]["norm_median"], rows["d/kernel"]["duplicates"]) != ("nan", "0")
    assert float(rows["d/kernel"]["norm_median"]) == pytest.approx(np.median(norms(untrained())), rel=1e-6)
    assert rows["e/kernel"]["problem"].startswith("To be analysed, it must be a kernel of at most")
    assert (rows["e/kernel"]["dead"], rows["e/kernel"]["duplicates"]) == ("0", "nan")
    texts = [text for _, _, text in pictures.svg_texts(log.overview("train", width=1600).encode("svg"))]
    assert "It cannot be read: the checksum of element 2 does not match: its bytes are damaged" in texts


def test_the_figure_has_a_strip_below_the_name_of_each_layer(log):
    svg = log.overview("train", 10, colormap="grey", scale=4, columns=5, inputs="mean", bar=False).encode("svg")
    texts, strips = pictures.svg_texts(svg), pictures.svg_pictures(svg)
    names = [(y, text) for _, y, text in texts if text.endswith("/kernel")]
    assert [text for _, text in names] == [f"{one}/kernel" for one in "abcde"]
    drawn = [one for one in names if one[1] != "d/kernel"]
    for (y, name), (_, top, strip), following in zip(drawn, strips, [*names[1:3], names[4], (10**9, "")], strict=True):
        assert y < top < top + strip.shape[0] < following[0], name
        if name == "e/kernel":
            continue
        values = {"a/kernel": planted(), "b/kernel": redundant(), "c/kernel": untrained()}[name].mean(axis=2)
        for o, row, column in np.ndindex(5, 3, 3):
            pixel = strip[row * 4, o * 13 + column * 4]
            expected = pictures.grey(float(values[row, column, o]), float(np.abs(values).max()))
            np.testing.assert_allclose(pixel.astype(int), expected, atol=2)
    said = [text for _, _, text in texts]
    assert said[:2] == [
        "Overview of run train",
        "5 layers: 1 dead, 2 duplicate, 2 flipped filters, 1 layers near random",
    ]
    lowest, middle, highest = np.quantile(norms(planted()), (0, 0.5, 1))
    change = np.median(norms(planted() - planted(0)) / norms(planted(0)))
    dot = " \N{MIDDLE DOT} "
    norm = f"L2 norm {middle:.3g} ({lowest:.3g} to {highest:.3g})"
    assert f"{norm.replace('-', chr(0x2212))}{dot}change since the step before {change:.3g}" in said
    assert any(text.startswith(f"1 dead{dot}2 duplicate{dot}2 flipped{dot}orthogonal") for text in said)


def test_as_many_filters_as_fit_are_in_a_strip(log):
    svg = log.overview("train", width=400, bar=False).encode("svg")
    widths = [strip.shape[1] for _, _, strip in pictures.svg_pictures(svg)]
    assert widths[2] == 14 * 26 - 2, "14 tiles of 24 pixels with gaps of 2: 15 would pass the margins"
    wide = log.overview("train", scale=4, bar=False).encode("svg")
    assert [strip.shape[1] for _, _, strip in pictures.svg_pictures(wide)][:3] == [6 * 13 - 1, 8 * 13 - 1, 32 * 13 - 1]
    with pytest.raises(
        OptionError, match=r"`scale` must be at most 309, so that a filter fits 928 pixels. Received: scale=400"
    ):
        log.overview("train", scale=400).encode("png")
    with pytest.raises(OptionError, match=r"`width` must be at least 100. Received: width=50"):
        log.overview("train", width=50).encode("png")


@pytest.mark.parametrize("form", ["png", "svg", "webp", "csv", "npz"])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_two_exports_are_the_same_bytes(log, form, theme):
    one, other = (log.overview("train", theme=theme).encode(form) for _ in range(2))
    assert one == other


def placed(log, *names, of="train"):
    every = [log._series(of, name, "kernel") for name in names]
    return [
        (Place(log._store, log._thoughts, log._source(), series, name, BUDGET), series.data[-1])
        for name, series in zip(names, every, strict=True)
    ]


def test_what_would_take_too_much_is_refused(log):
    layers = placed(log, "c/kernel")
    with pytest.raises(OptionError, match=r"`run` must be one of at most 1 layers. Received: run='2 layers'"):
        Overview("train", layers * 2, Options(), Budget(1, 1, 1, 1 << 24, 1, layers=1))
    with pytest.raises(OptionError, match=r"`run` must be one of at most 8000 weights; .* run='11520 weights'"):
        Overview("train", layers, Options(), Budget(1, 1, 1, 1000, 1))
    with pytest.raises(OptionError, match=r"`run` must be .* 9999 weights and pairs of filters; .* run='13120 weights"):
        Overview("train", layers, Options(), Budget(1, 1, 1, 1 << 24, 1, work=9999))


HOLDS = "a picture may have {} pixels, and this has more; or take a table (csv)"


@pytest.mark.parametrize(
    ("given", "pixels", "words", "followed"),
    [
        ({}, 90_000, "`width` must be given, such as 240: {}. Received: width=None", {"width": 240}),
        ({"width": 700}, 90_000, "`width` must be less, such as 240: {}. Received: width=700", {"width": 240}),
        ({"scale": 60}, 160_000, "`scale` must be less, such as 30: {}. Received: scale=60", {"scale": 30}),
        ({"width": 100}, 20_000, "`run` must be one of fewer or smaller layers: {}. Received: run='1 layers'", None),
        ({"scale": 1}, 20_000, "`run` must be one of fewer or smaller layers: {}. Received: run='1 layers'", None),
        ({}, 1000, "`run` must be one of fewer or smaller layers: {}. Received: run='1 layers'", None),
    ],
)
def test_what_a_page_with_too_many_pixels_is_advised_can_be_followed(log, given, pixels, words, followed):
    layers, budget = placed(log, "c/kernel"), Budget(pixels, 1 << 24, 1, 1 << 24, 1 << 16)
    with pytest.raises(OptionError) as raised:
        Overview("train", layers, Options(**given), budget).encode("png")
    assert str(raised.value) == words.format(HOLDS.format(pixels))
    assert Overview("train", layers, Options(**followed or given), budget).encode("png" if followed else "csv")


TOO_WIDE = "Its filters are too wide to be drawn"


@pytest.fixture(scope="module")
def long(tmp_path_factory):
    """A filter of one layer is a thousand weights wide."""
    directory = tmp_path_factory.mktemp("long")
    events = [event("narrow/kernel", 0, 0, planted()), event("wide/kernel", 1, 0, np.ones((1, 1000, 1, 2), np.float32))]
    logs.write_file(directory / "events.out.tfevents.1", events)
    return filterviz.read(directory)


@pytest.mark.parametrize(
    ("options", "strips"),
    [
        ({}, 1),
        ({"scale": 1}, 1),
        ({"scale": 20}, 1),
        ({"width": 100}, 1),
        ({"width": 1033}, 1),
        ({"width": 1034}, 2),
    ],
)
def test_filters_wider_than_the_page_say_so_and_cost_no_other(long, options, strips):
    svg = long.overview(".", bar=False, **options).encode("svg")
    texts = " ".join(text for _, _, text in pictures.svg_texts(svg))
    assert len(pictures.svg_pictures(svg)) == strips
    assert texts.count(TOO_WIDE) == 2 - strips
    assert (TOO_WIDE in texts.partition("wide/kernel")[2]) == (strips < 2)


def test_any_scale_will_do_where_no_filter_can_be_drawn(long):
    svg = Overview(".", placed(long, "wide/kernel", of="."), Options(scale=1000, bar=False), BUDGET).encode("svg")
    assert not pictures.svg_pictures(svg)


def test_a_narrower_page_is_advised_only_if_what_was_drawn_fits_it(long):
    layers = placed(long, "wide/kernel", of=".")
    with pytest.raises(OptionError, match="`run` must be one of fewer or smaller layers: a picture may have 100000"):
        Overview(".", layers, Options(width=1034), dataclasses.replace(BUDGET, pixels=100_000)).encode("png")


def test_a_log_may_say_anything_of_its_filters(tmp_path):
    """Its numbers, and a header that is no less than a hundred thousand letters wrong."""
    elements = wire.encode_kernel(records.Kernel(records.Layer("a/kernel"), untrained()), "cnn")
    facts = json.loads(elements[0].rpartition(b"\n")[0])
    events = []
    for name, number, lie in (
        ("numbers", np.nan, {}),
        ("large", 3e38, {}),
        ("header", 1, {"encoding": "x" * 100_000}),
    ):
        lies = np.full((40, 8), number, "<f4").tobytes()
        crc32c = [google_crc32c.value(lies), *facts["crc32c"][1:]]
        text = json.dumps({**facts, "path": name, "crc32c": crc32c, **lie}).encode()
        tampered = [text + b"\n%08x" % google_crc32c.value(text), lies, *elements[2:]]
        metadata = wire.metadata(wire.KERNEL)
        events.append(logs.event(wire.tag("cnn", name, wire.KERNEL), 1, logs.blob_tensor(tampered), metadata))
    good = event("header", 0, 0, untrained())
    logs.write_file(tmp_path / "events.out.tfevents.1", [good, *events])
    figure = filterviz.read(tmp_path).overview(".")
    rows = rows_of(figure)
    assert {rows["numbers"][name] for name in ("nonfinite", "norm_min", "norm_max")} == {"nan"}
    assert float(rows["large"]["nonfinite"]) == pytest.approx(40 * 3e38)
    assert rows["numbers"]["near_random"] == rows["large"]["near_random"] == "1"
    assert rows["header"]["problem"].startswith("It cannot be read: the header is not valid")
    assert max(len(text) for _, _, text in pictures.svg_texts(figure.encode("svg"))) < 200


def test_a_layer_too_large_to_be_drawn_costs_no_other(log):
    small = dataclasses.replace(BUDGET, values=3000)
    layers = [(dataclasses.replace(place, budget=small), datum) for place, datum in placed(log, "a/kernel", "c/kernel")]
    svg = Overview("train", layers, Options(), small).encode("svg")
    assert len(pictures.svg_pictures(svg)) == 2, "of a, and the scale of colours"
    assert "Its filters are too large to be drawn" in [text for _, _, text in pictures.svg_texts(svg)]


@pytest.mark.parametrize("labels", [True, False])
def test_filters_that_cannot_be_read_leave_no_room_unexplained(log, labels):
    svg = log.overview("train", labels=labels, bar=False).encode("svg")
    said = [y for _, y, text in pictures.svg_texts(svg) if text == "Cannot be read"]
    strips = [(top, top + strip.shape[0]) for _, top, strip in pictures.svg_pictures(svg)]
    assert len(said) == 1, "of d"
    assert strips[2][1] < said[0] < strips[3][0], "where its strip would be"


@pytest.fixture
def read(monkeypatch):
    """How many filters were read, each time."""
    counts, filters = [], Place.filters

    def counting(place, datum, header, wanted):
        counts.append(len(wanted))
        return filters(place, datum, header, wanted)

    monkeypatch.setattr(Place, "filters", counting)
    return counts


def test_no_more_filters_are_read_than_the_page_has_room_for(log, read):
    Overview("train", placed(log, "e/kernel"), Options(width=100, columns=4097), BUDGET).encode("png")
    assert read == [3], "each takes 26 of 78 pixels"
    read.clear()
    short = dataclasses.replace(BUDGET, pixels=960 * 300)
    with pytest.raises(OptionError, match="`run` must be one of fewer or smaller layers"):
        Overview("train", placed(log, "c/kernel") * 100, Options(), short).encode("png")
    assert read == []


@pytest.mark.parametrize("form", ["png", "svg", "webp"])
def test_filters_are_read_once_however_many_widths_are_too_large(log, read, form):
    layers = placed(log, "c/kernel") * 20
    narrow = dataclasses.replace(BUDGET, pixels=1_300_000)
    figure = Overview("train", layers, Options(), narrow)
    assert figure.encode(form)
    assert figure.pixels.shape[1] == sheet.WIDTHS[-1]
    assert len(read) == len(layers)


def test_a_page_of_many_layers_is_narrower_but_not_that_which_was_asked_for(log):
    """As many as 200 are a figure that the server draws."""
    many = placed(log, "a/kernel", "b/kernel") * 100
    assert Overview("train", many[:8], Options(), SERVER).pixels.shape[1] == 960
    assert Overview("train", many, Options(), SERVER).pixels.shape[1] in sheet.WIDTHS[1:]
    with pytest.raises(OptionError, match="`width` must be less, such as 800: a picture may have 16777216 pixels"):
        Overview("train", many, Options(width=960), SERVER).encode("png")


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda log: log.overview("nope"), KeyError, "there is no run 'nope'; there are 'train'"),
        (
            lambda log: log.overview("train", -5),
            KeyError,
            "run 'train' has no kernel up to step -5; the first is of step 0",
        ),
        (lambda log: log.overview("train", inputs="all"), OptionError, "`inputs` must be strongest or mean"),
        (lambda log: log.overview("train", inputs=3), OptionError, "`inputs` must be strongest or mean"),
        (lambda log: log.overview("train").encode("gif"), OptionError, "`format` must be one of png, svg, webp, csv"),
    ],
)
def test_what_cannot_be_is_named(log, call, error, words):
    with pytest.raises(error, match=words):
        call(log)
