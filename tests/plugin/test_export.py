"""The route `export`, on a real TensorBoard with each loader."""

import csv
import io

import numpy as np
import pytest
from PIL import Image

import tb_filterviz as filterviz
from tests.plugin.samples import SHAPES, STEPS, kernel_values, some_patterns, tag_of
from tests.support import pictures

PATTERNS_TAG = tag_of("conv1").replace("filterviz.kernel", "filterviz.patterns")
HOSTILE = list(SHAPES)[-1]


def export(board, name="conv2", step=5, **parameters):
    where = {"run": "run2", "tag": tag_of(name) if name else PATTERNS_TAG, "step": step}
    answer = board.get("export", **{key: value for key, value in {**where, **parameters}.items() if value is not None})
    assert answer.status == 200, answer.text
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Content-Security-Policy"] == "sandbox"
    return answer


@pytest.mark.parametrize("name", SHAPES)
def test_values(board, name):
    values = np.load(io.BytesIO(export(board, name, format="npy").body))
    np.testing.assert_array_equal(values, kernel_values(name, 5).astype(np.float16))


@pytest.mark.parametrize(
    ("parameters", "figure"),
    [
        ({}, lambda log: log.grid("run2", "net/conv2/kernel", 5)),
        (
            {"filters": "3", "inputs": "all", "theme": "dark", "width": 640, "caption": "my net", "labels": "false"},
            lambda log: log.grid(
                *("run2", "net/conv2/kernel", 5),
                **{"filters": 3, "inputs": "all", "theme": "dark", "width": 640, "caption": "my net", "labels": False},
            ),
        ),
        (
            {"what": "history", "step": None, "filters": "0:3", "inputs": 0, "limit": 1.5},
            lambda log: log.history("run2", "net/conv2/kernel", filters=range(3), inputs=0, limit=1.5),
        ),
        (
            {"name": "", "step": 10, "scale": 3},
            lambda log: log.grid("run2", "net/conv1/kernel", kind="patterns", scale=3),
        ),
    ],
)
@pytest.mark.parametrize("form", ["png", "svg", "npz", "csv"])
def test_files_are_those_of_the_reader(board, logdir, parameters, figure, form):
    assert export(board, format=form, **parameters).body == figure(filterviz.read(logdir)).encode(form)


B = {"run_b": "run10", "tag_b": tag_of("conv2"), "step_b": 10}


@pytest.mark.parametrize(
    ("parameters", "figure"),
    [
        ({"what": "overview", "tag": None}, lambda log: log.overview("run2", 5)),
        (
            {"what": "overview", "tag": None, "step": None, "theme": "dark"},
            lambda log: log.overview("run2", theme="dark"),
        ),
        ({"what": "numbers", "tag": None}, lambda log: log.numbers("run2", step=5)),
        (
            {"what": "compare", "filters": "0:3", "inputs": 4, **B},
            lambda log: log.compare(
                *("run2", "net/conv2/kernel", 5), run_b="run10", step_b=10, filters=range(3), inputs=4
            ),
        ),
        (
            {"what": "compare", "match": "likeness", "limit": "filter", **B, "run_b": "run2"},
            lambda log: log.compare("run2", "net/conv2/kernel", 5, step_b=10, match="likeness", limit="filter"),
        ),
    ],
)
@pytest.mark.parametrize("form", ["png", "svg", "csv"])
def test_overviews_and_comparisons_are_those_of_the_reader(board, logdir, parameters, figure, form):
    if parameters["what"] == "numbers":
        form = {"png": "npy", "svg": "npz"}.get(form, form)
    assert export(board, format=form, **parameters).body == figure(filterviz.read(logdir)).encode(form)


@pytest.mark.parametrize("form", ["gif", "apng", "webp"])
def test_animations(board, form):
    frames = pictures.frames(export(board, what="history", step=None, format=form).body)
    assert len(frames) == len(STEPS)


def test_each_weight_has_its_colour(board):
    bare = {"caption": "false", "labels": "false", "bar": "false", "scale": 1, "columns": 7}
    picture = pictures.pixels(export(board, inputs=4, colormap="grey", step=10, **bare).body)
    values = kernel_values("conv2", 10)
    for o, row, column in np.ndindex(7, 3, 3):
        expect = pictures.grey(float(np.float16(values[row, column, 4, o])), float(np.abs(values).max()))
        assert (picture[row, o * 4 + column] == expect).all()


def test_numbers(board):
    answer = export(board, what="numbers")
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    rows = list(csv.DictReader(io.StringIO(answer.text, newline="")))
    assert [int(row["filter"]) for row in rows] == list(range(7))
    assert {(row["run"], row["layer"], row["step"]) for row in rows} == {("run2", "net/conv2/kernel", "5")}


def test_a_long_list_of_filters(board):
    """As a sorted or searched layer is saved: in its order, as many as a request's line can name."""
    order = np.random.default_rng(0).permutation(np.tile(np.arange(512), 16)).tolist()
    rows = csv.DictReader(io.StringIO(export(board, "wide", what="numbers", filters=",".join(map(str, order))).text))
    assert [int(row["filter"]) for row in rows] == order


def test_patterns(board):
    images = np.load(io.BytesIO(export(board, "", 10, filters="1:4000", format="npy").body))
    np.testing.assert_array_equal(images, some_patterns().images[1:])


@pytest.mark.parametrize(
    ("form", "media", "suffix"),
    [
        ("png", "image/png", "png"),
        ("svg", "image/svg+xml", "svg"),
        ("apng", "image/apng", "png"),
        ("gif", "image/gif", "gif"),
        ("webp", "image/webp", "webp"),
        ("npz", "application/octet-stream", "npz"),
        ("csv", "text/csv", "csv"),
    ],
)
def test_files_have_safe_names(board, form, media, suffix):
    answer = export(board, HOSTILE, what="history", step=None, format=form)
    assert answer.headers.get_content_type() == media
    name = f"net_quo_te_script_alert_1_script_41_kernel_run2_history.{suffix}"
    assert answer.headers["Content-Disposition"] == f'attachment; filename="{name}"'


def test_files_may_be_kept_if_they_have_a_version(board):
    assert "max-age=31536000" in export(board, v="1").headers["Cache-Control"]
    assert "no-cache" in export(board).headers["Cache-Control"]
    where = {"run": "run2", "tag": tag_of("conv2"), "step": 5}
    assert board.get("export", method="HEAD", **where).body == b""


@pytest.mark.parametrize(
    ("changes", "status", "words"),
    [
        (
            {"what": "patterns"},
            400,
            "'what' must be kernels, numbers, history, compare or overview, as the tag is of kernel, but was",
        ),
        ({"what": ""}, 400, "'what' must be kernels"),
        ({"tag": PATTERNS_TAG, "what": "kernels"}, 400, "'what' must be patterns, numbers, history or overview"),
        ({"format": "jpeg"}, 400, "'format' must be one of png, svg, webp, csv, npy, npz, but was 'jpeg'"),
        ({"format": "gif"}, 400, "'format' must be one of png"),
        ({"what": "numbers", "format": "png"}, 400, "'format' must be one of csv, npy, npz, but was 'png'"),
        ({"filters": "20"}, 400, "'filters' must be filters that there are, but was '20'"),
        ({"filters": "0:999999999"}, 400, "'filters' must be filters that there are"),
        ({"filters": "5:5"}, 400, "'filters' must be from 1 to 65536 that there are"),
        ({"filters": "-1"}, 400, "'filters' must be all, 7, 0:64 or 0,3,9, but was '-1'"),
        ({"inputs": "20"}, 400, "'inputs' must be an input from 0 to 19, but was 20"),
        ({"inputs": "max"}, 400, "'inputs' must be an index or one of"),
        ({"inputs": "rgb"}, 400, "needs a kernel of 3 inputs"),
        ({"limit": "nan"}, 400, "'limit' must be layer, filter or a number from 1e-45 to 3.4e+38, but was 'nan'"),
        ({"colormap": "jet"}, 400, "'colormap' must be one of bluered"),
        ({"theme": "black"}, 400, "'theme' must be light or dark, but was 'black'"),
        ({"width": "1e3"}, 400, "'width' must be an integer from 1 to 65536, but was '1e3'"),
        ({"width": ["100", "200"]}, 400, "'width' must be given once"),
        ({"width": "65536", "columns": "1"}, 400, "'width' must be less, or fewer filters shown: a picture may have"),
        ({"scale": "1024"}, 400, "'scale' must be less, or fewer filters shown: a picture may have 16777216 pixels"),
        ({"width": "65536", "caption": "x" * 2000, "columns": "1"}, 400, "'width' must be less"),
        ({"caption": "x" * 2001}, 400, "'caption' must be true, false or a text of at most 2000 characters"),
        ({"labels": "1"}, 400, "'labels' must be true or false, but was '1'"),
        ({"what": "history", "fps": "0"}, 400, "'fps' must be a number from 0.1 to 50, but was 0"),
        ({"what": "history", "frames": "101"}, 400, "'frames' must be an integer from 1 to 100, but was 101"),
        ({"what": "history", "width": "4000", "frames": "3", "format": "gif"}, 400, "'frames' must be at most 2 at"),
        ({"what": "overview", "format": "gif"}, 400, "'format' must be one of png, svg, webp, csv, npy, npz"),
        ({"what": "overview", "inputs": "rgb"}, 400, "'inputs' must be strongest or mean, as layers have different"),
        ({"what": "overview", "run": "nope"}, 404, "run 'nope' has no kernel"),
        ({"what": "numbers", "tag": None, "step": "-3"}, 404, "no kernel up to step -3; the first is of step 0"),
        ({"what": "overview", "step": "x"}, 400, "'step' must be an integer, but was 'x'"),
        ({"what": "numbers", "tag": None, "format": "png"}, 400, "'format' must be one of csv, npy, npz, but was"),
        ({"what": "numbers", "tag": None, "filters": "3"}, 400, "'filters' must be all where no `tag` is given"),
        ({"what": "history", "tag": None}, 400, "'tag' is missing"),
        ({"what": "compare"}, 400, "'run_b' is missing"),
        ({"what": "compare", **B, "tag_b": PATTERNS_TAG}, 400, "'tag_b' must be that of a series of kernel"),
        ({"what": "compare", **B, "tag_b": tag_of("conv1")}, 400, "'tag_b' must be one whose filters have the shape"),
        ({"what": "compare", **B, "step_b": "7"}, 404, "the series has no step 7"),
        ({"what": "compare", **B, "match": "best"}, 400, "'match' must be index or likeness, but was 'best'"),
        ({"what": "compare", **B, "scale": "1024"}, 400, "'scale' must be less, or fewer filters shown"),
        ({"depth": "deep"}, 400, "'depth' must be full or stored, but was 'deep'"),
        ({"what": "history", "inputs": "all"}, 400, "'filters' must be one filter, or `inputs` one slice of each"),
    ],
)
def test_a_bad_request_is_named(board, changes, status, words):
    import urllib.parse

    parameters = {"run": "run2", "tag": tag_of("conv2"), "step": "10", **changes}
    query = urllib.parse.urlencode({key: one for key, one in parameters.items() if one is not None}, doseq=True)
    answer = board.fetch(f"data/plugin/filterviz/export?{query}")
    assert (answer.status, answer.headers.get_content_type()) == (status, "text/plain"), answer.body[:200]
    assert words in answer.text
    assert "Traceback" not in board.log


def test_the_same_address_gives_the_same_bytes(board):
    for form in ("png", "svg", "npz"):
        assert export(board, format=form).body == export(board, format=form).body
    assert Image.open(io.BytesIO(export(board).body)).info == {}, "no date, no program"
