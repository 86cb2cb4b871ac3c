"""The contract of http_api.md, on a real TensorBoard with each loader."""

import argparse
import io
import time

import numpy as np
import pytest
from PIL import Image
from tensorboard.plugins import base_plugin
from werkzeug import test as werkzeug_test

from tb_filterviz import analysis
from tests.plugin.samples import SHAPES, STEPS, kernel_events, kernel_values, some_patterns, tag_of
from tests.support import logs


def kernels(board, name, step=5, **parameters):
    facts, body = board.get("kernels", run="run2", tag=tag_of(name), step=step, **parameters).frame
    assert len(body) == np.prod(facts["shape"]) * np.dtype(facts["dtype"]).itemsize
    return facts, np.frombuffer(body, facts["dtype"]).reshape(facts["shape"])


def by_filter(name, step=5):
    """The stored values, [filters][inputs][*spatial]."""
    return np.moveaxis(kernel_values(name, step).astype(np.float16), (-1, -2), (0, 1))


def test_index(board):
    index = board.get("index").json
    assert index["version"] == 1
    assert index["problems"] == []
    assert [run["run"] for run in index["runs"]] == ["run2", "run10"]
    for run in index["runs"]:
        series = [one for one in run["series"] if one["kind"] == "kernel"]
        assert [one["path"] for one in series] == [f"net/{name}/kernel" for name in SHAPES]
        assert [one["position"] for one in series] == list(range(len(SHAPES)))
        assert [one["shape"] for one in series] == [list(shape) for shape in SHAPES.values()]
        assert [one["axes"] for one in series] == ["HWIO", "HWIO", "WIO", "DHWIO", "IO", "HWIO", "HWIO"]
        for one in series:
            timeline = run["timelines"][one["timeline"]]
            assert timeline["steps"] == [*STEPS]
            assert timeline["wall_time"] == 1.7e9 + STEPS[0]
            assert timeline["elapsed_ms"] == [1000 * (step - STEPS[0]) for step in STEPS]
            assert one["superseded"] == 0
            assert (one["description"], one["name"], one["filters"]) == ("of <b>mine</b>", "cnn", one["shape"][-1])
        (patterns,) = [one for one in run["series"] if one["kind"] == "patterns"]
        assert run["series"][1] == patterns, "a layer's patterns follow its kernel"
        assert (patterns["filters"], patterns["shape"], patterns["axes"]) == (3, [8, 9, 3], "HWC")


@pytest.mark.parametrize("name", SHAPES)
def test_all_slices(board, name):
    facts, pictures = kernels(board, name)
    np.testing.assert_array_equal(pictures, by_filter(name))
    assert facts["nonfinite"] == np.count_nonzero(~np.isfinite(by_filter(name)))
    finite = np.where(np.isfinite(kernel_values(name, 5)), kernel_values(name, 5), 0)
    limits = np.abs(finite).reshape(-1, finite.shape[-1]).max(axis=0)
    np.testing.assert_allclose(facts["limits"], limits, rtol=1e-6)
    assert facts["limit"] == pytest.approx(limits.max(), rel=1e-6)


@pytest.mark.parametrize(("filters", "start", "stop"), [("all", 0, 512), ("500:512", 500, 512), ("300", 300, 301)])
def test_some_filters(board, filters, start, stop):
    facts, pictures = kernels(board, "wide", filters=filters)
    assert facts["filters"] == [start, stop]
    assert len(facts["limits"]) == stop - start
    np.testing.assert_array_equal(pictures, by_filter("wide")[start:stop])


def test_one_input_and_rgb(board):
    _, pictures = kernels(board, "wide", inputs=7)
    np.testing.assert_array_equal(pictures, by_filter("wide")[:, 7:8])
    _, pictures = kernels(board, "conv1", inputs="rgb")
    np.testing.assert_array_equal(pictures, by_filter("conv1"))


@pytest.mark.parametrize("filters", ["all", "2:5"])
def test_mean(board, filters):
    facts, pictures = kernels(board, "wide", inputs="mean", filters=filters)
    means = by_filter("wide").astype(np.float64).mean(axis=1, keepdims=True)
    np.testing.assert_allclose(pictures, means[slice(*facts["filters"])], atol=1e-6)
    assert facts["dtype"] == "float32"
    assert facts["limit"] == pytest.approx(np.abs(means).max(), rel=1e-4)


def test_strongest(board):
    facts, pictures = kernels(board, "wide", inputs="strongest")
    norms = np.linalg.norm(by_filter("wide").astype(np.float64), axis=(2, 3))
    assert facts["chosen"] == norms.argmax(axis=1).tolist()
    np.testing.assert_array_equal(pictures[:, 0], by_filter("wide")[np.arange(512), facts["chosen"]])


def test_npy(board):
    answer = board.get("kernels", run="run2", tag=tag_of("volume"), step=10, format="npy", filters="1:3")
    np.testing.assert_array_equal(np.load(io.BytesIO(answer.body)), by_filter("volume", 10)[1:3])


def test_analysis(board):
    answer = board.get("analysis", run="run2", tag=tag_of("conv2"), step=5).json
    assert answer["names"] == list(analysis.NUMBERS)
    assert (answer["dtype"], answer["encoding"]) == ("float32", "float16")
    values = kernel_values("conv2", 5)[..., 3].astype(np.float64)
    expected = [np.linalg.norm(values), values.min(), values.max(), values.mean(), values.std()]
    np.testing.assert_allclose(answer["values"][3][:5], expected, rtol=1e-5)
    nonfinite = analysis.NUMBERS.index("nonfinite")
    assert [row[nonfinite] for row in answer["values"]] == [1, 1, 0, 0, 0, 0, 0]


def test_patterns(board):
    where = {"run": "run2", "tag": tag_of("conv1").replace("filterviz.kernel", "filterviz.patterns"), "step": 10}
    facts, body = board.get("patterns", **where).frame
    assert facts["filters"] == [0, 7, 19]
    assert (facts["start"], facts["reached"], facts["failed"]) == ([0, 1, None], [5, 0.5, None], [False, True, True])
    assert (facts["noise"], facts["natural"], facts["percentile"]) == (
        *([1, 2, None], [4, None, None], [100, None, None]),
    )
    assert facts["spots"] == [0, 1, 0]
    assert (facts["recipe"], facts["steps"], facts["input_range"]) == ("classic", 80, [0, 255])
    assert facts["objective"] == "channel"
    assert "curve" not in facts
    ends = np.cumsum(facts["lengths"])
    assert ends[-1] == len(body)
    for image, end, length in zip(some_patterns().images, ends, facts["lengths"], strict=True):
        np.testing.assert_array_equal(np.asarray(Image.open(io.BytesIO(body[end - length : end]))), image)
    facts, _ = board.get("patterns", **where, filters="1:10", curve="yes").frame
    assert (facts["filters"], facts["reached"], facts["curve"]) == ([7], [0.5], [[1, 0.5, None, None]])
    for none in ("8", "20:4000"):
        facts, body = board.get("patterns", **where, filters=none).frame
        assert (facts["filters"], facts["lengths"], body) == ([], [], b"")
    answer = board.get("patterns", **where, filters="19", format="png")
    assert answer.headers["Content-Type"] == "image/png"
    assert answer.headers["Content-Security-Policy"] == "sandbox"
    np.testing.assert_array_equal(np.asarray(Image.open(io.BytesIO(answer.body))), some_patterns().images[2])


def test_patterns_without_references_and_curves(board):
    where = {"run": "run2", "tag": PATTERNS_TAG, "step": 5, "filters": "0:8", "curve": "yes"}
    facts, _ = board.get("patterns", **where).frame
    assert [facts[name] for name in ("reached", "noise", "natural", "percentile", "curve", "spots")] == [
        *([5, 0.5], [None] * 2, [None] * 2, [None] * 2, [[], []], [None] * 2),
    ]
    assert facts["objective"] == ""


PATTERNS_TAG = tag_of("conv1").replace("filterviz.kernel", "filterviz.patterns")


@pytest.mark.parametrize("route", ["kernels", "analysis", "patterns", "export"])
@pytest.mark.parametrize(
    ("changes", "status", "words"),
    [
        ({"run": None}, 400, "'run' is missing"),
        ({"tag": None}, 400, "'tag' is missing"),
        ({"step": None}, 400, "'step' is missing"),
        ({"run": "nope"}, 404, "run 'nope'"),
        ({"run": ""}, 404, "run ''"),
        ({"tag": "nope"}, 404, "tag 'nope'"),
        ({"step": "7"}, 404, "no step 7; it has"),
        ({"step": "-1"}, 404, "no step -1"),
        ({"step": "9" * 19}, 404, "no step 999"),
        ({"step": "9" * 20}, 400, "'step' must be an integer"),
        ({"step": "1e1"}, 400, "'step' must be an integer, but was '1e1'"),
        ({"step": "+10"}, 400, "'step' must be an integer"),
        ({"step": "1_0"}, 400, "'step' must be an integer"),
        ({"step": "\u0661\u0660"}, 400, "'step' must be an integer"),
        ({"step": "nan"}, 400, "'step' must be an integer"),
        ({"step": ["10", "10"]}, 400, "'step' must be given once"),
    ],
)
def test_a_bad_datum_is_named(board, route, changes, status, words):
    tag = PATTERNS_TAG if route == "patterns" else tag_of("conv1")
    check(board, route, {"run": "run2", "tag": tag, "step": "10", **changes}, status, words)


@pytest.mark.parametrize(
    ("route", "changes", "status", "words"),
    [
        ("kernels", {"filters": "20"}, 400, "'filters' must be all, an index or a range start:stop within 0:20"),
        ("kernels", {"filters": "5:5"}, 400, "'filters'"),
        ("kernels", {"filters": "7:3"}, 400, "'filters'"),
        ("kernels", {"filters": "0:21"}, 400, "'filters'"),
        ("kernels", {"filters": "-1"}, 400, "'filters'"),
        ("kernels", {"filters": ""}, 400, "'filters'"),
        ("kernels", {"filters": "0:" + "9" * 30}, 400, "'filters'"),
        ("kernels", {"inputs": "3"}, 400, "'inputs' must be an input from 0 to 2, but was '3'"),
        ("kernels", {"inputs": "-1"}, 400, "'inputs'"),
        ("kernels", {"inputs": "max"}, 400, "'inputs' must be all, mean, strongest, rgb or the index"),
        ("kernels", {"tag": tag_of("conv2"), "inputs": "rgb"}, 400, "needs a kernel of 3 inputs, and this one has 20"),
        ("kernels", {"format": "jpeg"}, 400, "'format' must be frame or npy, but was 'jpeg'"),
        ("kernels", {"tag": PATTERNS_TAG}, 400, "'tag' must be that of a series of kernel"),
        ("analysis", {"tag": PATTERNS_TAG}, 400, "'tag' must be that of a series of kernel"),
        ("patterns", {}, 400, "'tag' must be that of a series of patterns"),
        ("patterns", {"tag": PATTERNS_TAG, "format": "gif"}, 400, "'format' must be frame or png"),
        ("patterns", {"tag": PATTERNS_TAG, "format": "png"}, 400, "one filter for format=png"),
        ("patterns", {"tag": PATTERNS_TAG, "filters": "x"}, 400, "'filters' must be all, an index or a range"),
        ("patterns", {"tag": PATTERNS_TAG, "filters": "8", "format": "png"}, 404, "no pattern was logged of filter 8"),
        ("static/../plugin.py", {}, 404, ""),
        ("static/x/static/index.js", {}, 404, ""),
        ("static/%2e%2e/plugin.py", {}, 404, ""),
        ("static/", {}, 404, ""),
        ("nothing", {}, 404, ""),
    ],
)
def test_a_bad_request_is_named(board, route, changes, status, words):
    check(board, route, {"run": "run2", "tag": tag_of("conv1"), "step": "10", **changes}, status, words)


@pytest.mark.filterwarnings("ignore:html5lib's sanitizer is deprecated:DeprecationWarning")
def test_the_means_of_a_layer_are_bounded_though_one_filter_is_asked_for(tmp_path, monkeypatch):
    """As its scale takes those of all filters."""
    from tb_filterviz import plugin  # here, since what TensorBoard imports for it warns

    logs.write_file(tmp_path / "run2" / "events.out.tfevents.1", kernel_events("conv2", 0))
    flags = argparse.Namespace(logdir=str(tmp_path), reload_interval=1.0)
    filters = plugin.FiltersPlugin(base_plugin.TBContext(flags=flags, logdir=str(tmp_path)))
    apps = filters.get_plugin_apps()
    end = time.monotonic() + 20
    while not filters.is_active() and time.monotonic() < end:
        time.sleep(0.1)
    monkeypatch.setattr(plugin, "_MAX_VALUES", 7 * 9 - 1)
    where = {"run": "run2", "tag": tag_of("conv2"), "step": "5", "filters": "0"}
    answers = [
        werkzeug_test.Client(apps["/kernels"]).get(query_string={**where, "inputs": inputs})
        for inputs in ("strongest", "mean")
    ]
    assert [answer.status_code for answer in answers] == [200, 400]
    assert "'inputs' must be other than mean, as the means of all filters have more than 62 values" in answers[1].text


def check(board, route, parameters, status, words):
    import urllib.parse

    pairs = [
        (key, one)
        for key, value in parameters.items()
        if value is not None
        for one in (value if isinstance(value, list) else [value])
    ]
    answer = board.fetch(f"data/plugin/filterviz/{route}?{urllib.parse.urlencode(pairs)}")
    assert (answer.status, answer.headers.get_content_type()) == (status, "text/plain"), answer.body[:200]
    assert words in answer.text
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "Traceback" not in board.log


def test_an_index_that_is_known_is_not_sent_again(board):
    revision = board.get("index").json["revision"]
    again = board.get("index", known=revision)
    if revision:
        assert (again.status, again.body) == (204, b"")
    else:
        assert again.json["runs"]
    assert board.get("index", known="something else").json["runs"]


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "FOO"])
def test_only_get_and_head(board, method):
    answer = board.get("index", method=method)
    assert (answer.status, answer.headers["Allow"]) == (405, "GET, HEAD")
    assert f"{method} is not allowed" in answer.text


def test_head_has_no_body(board):
    answer = board.get("index", method="HEAD")
    assert (answer.status, answer.body) == (200, b"")
    assert answer.headers.get_content_type() == "application/json"


def test_versioned_answers_may_be_kept(board):
    where = {"run": "run2", "tag": tag_of("conv1"), "step": 10}
    assert "max-age=31536000" in board.get("kernels", **where, v="1").headers["Cache-Control"]
    assert "no-cache" in board.get("kernels", **where).headers["Cache-Control"]
    assert "no-cache" in board.get("index").headers["Cache-Control"]


def test_the_tab_is_listed_and_its_module_served(board):
    listing = board.fetch("data/plugins_listing").json["filterviz"]
    assert (listing["enabled"], listing["tab_name"]) == (True, "Filters")
    path = listing["loading_mechanism"]["module_path"]
    assert path.startswith("/data/plugin/filterviz/static/index.js?v=")
    answer = board.fetch(path[1:])
    assert answer.status == 200
    assert answer.headers.get_content_type() in ("application/javascript", "text/javascript")
    assert b"render" in answer.body
