"""Comparisons: two kernels on one scale, each filter beside its partner, with the numbers of how far it went."""

import csv
import dataclasses
import io
import re

import numpy as np
import pytest

import tb_filterviz as filterviz
from tb_filterviz import insight, records, wire
from tb_filterviz.export.comparison import Comparison
from tb_filterviz.export.options import SERVER, OptionError, Options
from tests.support import logs, pictures

LAYER = "conv/kernel"
BARE = {"caption": False, "labels": False, "bar": False, "colormap": "grey", "columns": 6}
ORDER = [3, 0, 5, 1, 2, 4]


def first(shape=(3, 3, 4, 6)):
    return np.random.default_rng(1).normal(size=shape).astype(np.float32)


def second():
    """Each filter of `first` at another place, a little changed."""
    return (first() + np.random.default_rng(2).normal(size=first().shape) / 10).astype(np.float32)[..., ORDER]


KERNELS = {
    "run1": {0: first(), 1: second()},
    "run2": {0: -2 * first()},
    "narrow": {0: first()[..., :4]},
    "small": {0: first((1, 1, 4, 6))},
    "wide": {0: first((1, 1, 4, 4097))},
}


@pytest.fixture(scope="module")
def log(tmp_path_factory):
    directory = tmp_path_factory.mktemp("logs")
    for run, steps in KERNELS.items():
        events = []
        for step, values in steps.items():
            elements = wire.encode_kernel(records.Kernel(records.Layer(LAYER, "Conv2D"), values), "cnn", "float32")
            tensor = logs.blob_tensor(elements)
            events.append(logs.event(wire.tag("cnn", LAYER, wire.KERNEL), step, tensor, wire.metadata(wire.KERNEL)))
        logs.write_file(directory / run / "events.out.tfevents.1", events)
    return filterviz.read(directory)


def three(a, b, channel):
    return np.stack([a[:, :, channel], b[:, :, channel], b[:, :, channel] - a[:, :, channel]])


def check_tiles(page, wanted, limits, missing=()):
    """Compares tiles of one pixel a weight: A, B and B - A, a column of background between them."""
    assert page.shape[:2] == (3, 6 * 11 + 5)
    for o in range(6):
        tile = page[:, o * 12 :][:, :11]
        assert (tile[:, 3] == 255).all()
        assert (tile[:, 7] == 255).all()
        for side, row, column in np.ndindex(3, 3, 3):
            expected = pictures.grey(float(wanted[side, row, column, o]), float(limits[o]))
            if side and o in missing:
                expected = (255, 255, 255)
            assert tile[row, side * 4 + column].tolist() == list(expected), (o, side, row, column)


@pytest.mark.parametrize("limit", ["layer", "filter", 2.5])
def test_each_weight_of_both_and_of_the_difference_has_its_colour(log, limit):
    page = log.compare("run1", LAYER, 0, step_b=1, inputs=2, scale=1, limit=limit, **BARE).pixels
    wanted = three(first(), second(), 2)
    each = np.abs(wanted).max((0, 1, 2))
    limits = {"layer": [each.max()] * 6, "filter": each}.get(limit, [2.5] * 6)
    check_tiles(page, wanted, limits)


def test_partners_are_beside_each_other(log):
    options = {"step_b": 1, "inputs": 1, "match": "likeness"}
    partners = np.argsort(ORDER)
    page = log.compare("run1", LAYER, 0, scale=1, **options, **BARE).pixels
    wanted = three(first(), second()[..., partners], 1)
    check_tiles(page, wanted, [np.abs(wanted).max()] * 6)
    texts = pictures.svg_texts(log.compare("run1", LAYER, 0, **options).encode("svg"))
    labels = [(x, y, text) for x, y, text in texts if re.fullmatch(r"\d \| \d|\d", text)]
    assert [text for _, _, text in labels if text != "0"] == [
        str(o) if o == partners[o] else f"{o} | {partners[o]}" for o in range(6)
    ]
    changes = np.linalg.norm(wanted_of(second()[..., partners]) - wanted_of(first()), axis=0)
    changes /= np.linalg.norm(wanted_of(first()), axis=0)
    below = {(x, text) for x, _, text in texts}
    for (x, y, _), change in zip(labels[:6], changes, strict=True):
        assert (x, f"{change:.3g}") in below, "below its tile"
        assert min(lower for left, lower, text in texts if (left, text) == (x, f"{change:.3g}")) > y


def wanted_of(values):
    return values.reshape(-1, values.shape[-1]).astype(float)


def test_the_strongest_slice_is_that_of_the_first(log):
    page = log.compare("run1", LAYER, 0, step_b=1, scale=1, inputs="strongest", **BARE).pixels
    strongest = np.square(first()).sum((0, 1)).argmax(axis=0)
    a, b = (values[:, :, strongest, np.arange(6)] for values in (first(), second()))
    wanted = np.stack([a, b, b - a])
    check_tiles(page, wanted, [np.abs(wanted).max()] * 6)


def rows_of(figure):
    return list(csv.DictReader(io.StringIO(figure.encode("csv").decode(), newline="")))


@pytest.mark.parametrize("match", ["index", "likeness"])
def test_the_table(log, match):
    rows = rows_of(log.compare("run1", LAYER, 0, step_b=1, match=match, filters=[4, 1]))
    partners = [int(np.argsort(ORDER)[o]) if match == "likeness" else o for o in (4, 1)]
    assert [(row["filter"], row["partner"]) for row in rows] == [("4", str(partners[0])), ("1", str(partners[1]))]
    assert {(row["run"], row["layer"], row["step"]) for row in rows} == {("run1", LAYER, "0")}
    assert {(row["run_b"], row["layer_b"], row["step_b"]) for row in rows} == {("run1", LAYER, "1")}
    a, b = wanted_of(first())[:, [4, 1]], wanted_of(second())[:, partners]
    change = np.linalg.norm(b - a, axis=0) / np.linalg.norm(a, axis=0)
    cosine = (a * b).sum(0) / np.linalg.norm(a, axis=0) / np.linalg.norm(b, axis=0)
    np.testing.assert_allclose([float(row["change"]) for row in rows], change, rtol=1e-5)
    np.testing.assert_allclose([float(row["cosine"]) for row in rows], cosine, rtol=1e-5)


def test_two_runs(log):
    figure = log.compare("run1", LAYER, 0, run_b="run2")
    assert {round(float(row["change"]), 5) for row in rows_of(figure)} == {3}
    assert {round(float(row["cosine"]), 5) for row in rows_of(figure)} == {-1}
    texts = [text for _, _, text in pictures.svg_texts(figure.encode("svg"))]
    assert texts[:3] == [LAYER, "A: run run1, step 0", "B: run run2, step 0"]
    assert "Paired by index; all pairs together: change 3, cosine \N{MINUS SIGN}1" in texts
    assert figure.stem == "conv_kernel_run1_0_against_run_run2_0"


def test_a_filter_without_a_partner_has_nothing_beside_it(log):
    figure = log.compare("run1", LAYER, 0, run_b="narrow", scale=1, inputs=0, **BARE)
    other = np.concatenate([first()[..., :4], np.zeros((3, 3, 4, 2))], axis=-1)
    wanted = three(first(), other, 0)
    check_tiles(figure.pixels, wanted, [np.abs(first()[:, :, 0]).max()] * 6, missing=(4, 5))
    rows = rows_of(figure)
    assert [row["partner"] for row in rows] == ["0", "1", "2", "3", "nan", "nan"]
    assert [row["change"] for row in rows] == ["0.0"] * 4 + ["nan"] * 2
    texts = [text for _, _, text in pictures.svg_texts(log.compare("run1", LAYER, 0, run_b="narrow").encode("svg"))]
    assert {"4 | none", "5 | none", "n/a"} <= {*texts}
    assert not any("not finite" in text for text in texts)
    back = log.compare("narrow", LAYER, run_b="run1", step_b=0).encode("svg").decode()
    assert "Filters of B without a partner, not shown: 2" in back


def test_arrays_are_the_pictures_and_numbers(log):
    with np.load(io.BytesIO(log.compare("run1", LAYER, 0, step_b=1, inputs=3, filters=[5, 0]).encode("npz"))) as found:
        np.testing.assert_array_equal(found["pictures"][0, :, 0], np.moveaxis(first()[:, :, 3, [5, 0]], -1, 0))
        np.testing.assert_array_equal(found["pictures"][1, :, 0], np.moveaxis(second()[:, :, 3, [5, 0]], -1, 0))
        assert found["partners"].tolist() == found["filters"].tolist() == [5, 0]


@pytest.mark.parametrize("form", ["png", "svg", "webp", "csv", "npz"])
def test_two_exports_are_the_same_bytes(log, form):
    one, other = (log.compare("run1", LAYER, 0, match="likeness", theme="dark").encode(form) for _ in range(2))
    assert one == other


def test_pictures_of_more_values_than_the_budget_allows_are_refused_before_any_work(log, monkeypatch):
    monkeypatch.delattr(insight, "compare")
    sides = [log._place("run1", LAYER, step, wire.KERNEL) for step in (0, 1)]
    budget = dataclasses.replace(SERVER, values=3 * 6 * 9 - 1)
    left, right = ((dataclasses.replace(place, budget=budget), datum) for place, datum in sides)
    with pytest.raises(
        OptionError, match="`layer` must be one whose pictures, and those of B and B - A, have at most 161"
    ):
        Comparison(left, right, None, Options())


def test_filters_that_are_not_there_are_named_before_any_work(log, monkeypatch):
    monkeypatch.delattr(insight, "compare")
    with pytest.raises(IndexError, match=r"`filters` must be indices of the 6 filters. Received: filters=\[6\]"):
        log.compare("run2", LAYER, run_b="run1", step_b=1, filters=[6])


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"run_b": "small"}, r"`layer_b` must be one whose filters have the shape \(3, 3, 4\), not \(1, 1, 4\)"),
        ({"run_b": "wide"}, "`layer_b` must be that of a kernel of at most 16777216 weights and 4096 filters"),
        ({"inputs": "all"}, "`inputs` must be strongest, mean, rgb or the index of an input"),
        ({"inputs": 4}, "`inputs` must be an input from 0 to 3"),
        ({"match": "best"}, "`match` must be index or likeness. Received: match='best'"),
        ({"width": 20}, "`width` must be at least"),
    ],
)
def test_what_cannot_be_compared_is_named(log, options, words):
    with pytest.raises(OptionError, match=words):
        log.compare("run1", LAYER, 0, **options).encode("png")
