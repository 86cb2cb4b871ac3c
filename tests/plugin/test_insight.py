"""Analysis, history and comparison over HTTP, against plain computations of what was logged."""

import itertools
import re

import numpy as np
import pytest

from tb_filterviz import analysis, records, wire
from tests.plugin.samples import SHAPES, STEPS, kernel_values, tag_of
from tests.support import logs, server


def stored(name, step):
    """As float16 keeps it, and what is not finite as 0."""
    values = kernel_values(name, step).astype(np.float16).astype(np.float64)
    return np.where(np.isfinite(values), values, 0)


def flat(values):
    return np.moveaxis(values, -1, 0).reshape(values.shape[-1], -1)


def relative(before, after):
    return np.linalg.norm(flat(after - before), axis=1) / np.linalg.norm(flat(before), axis=1)


def where(name, step, suffix=""):
    return {f"run{suffix}": "run2", f"tag{suffix}": tag_of(name), f"step{suffix}": step}


def columns(answer):
    return {name: [row[at] for row in answer["values"]] for at, name in enumerate(answer["names"])}


@pytest.mark.parametrize("name", list(SHAPES)[:6])
def test_full_analysis(board, name):
    answer = board.get("analysis", depth="full", **where(name, 10)).json
    found = columns(answer)
    assert list(found) == [*analysis.NUMBERS, "dead", *analysis.COLUMNS]
    np.testing.assert_allclose(found["change"], relative(stored(name, 5), stored(name, 10)), rtol=1e-4)
    np.testing.assert_allclose(found["change_first"], relative(stored(name, 0), stored(name, 10)), rtol=1e-4)
    assert found["dead"] == [0] * SHAPES[name][-1]
    assert sorted(answer["order"]) == list(range(SHAPES[name][-1]))
    cosine = np.abs(analysis.cosines(stored(name, 10)))
    np.fill_diagonal(cosine, -1)
    assert [row[0] for row in answer["nearest"]] == cosine.argmax(axis=1).tolist()
    assert answer["layer"]["slices"] == SHAPES[name][-1] * SHAPES[name][-2]
    taps = int(np.prod(SHAPES[name][:-2]))
    if taps > 1:
        assert np.shape(answer["basis"]["pictures"]) == (taps, *SHAPES[name][:-2])
    else:
        assert answer["basis"] is None


def test_at_the_first_step_nothing_has_changed_yet(board):
    found = columns(board.get("analysis", depth="full", **where("conv1", 0)).json)
    assert found["change"] == found["cosine_first"] == [None] * 20


def test_history_of_a_layer(board):
    answer = board.get("history", run="run2", tag=tag_of("conv1")).json
    assert answer["steps"] == answer["change_steps"] == [*STEPS]
    norms = [
        np.quantile(np.linalg.norm(flat(kernel_values("conv1", s)), axis=1), (0, 0.25, 0.5, 0.75, 1)) for s in STEPS
    ]
    np.testing.assert_allclose(answer["norms"], norms, rtol=1e-5)
    assert answer["dead"] == [0, 0, 0]
    pairs = itertools.pairwise(STEPS)
    whole = [
        np.linalg.norm(stored("conv1", b) - stored("conv1", a)) / np.linalg.norm(stored("conv1", a)) for a, b in pairs
    ]
    np.testing.assert_allclose(answer["changes"], whole, rtol=1e-4)


@pytest.mark.parametrize("name", ["conv2", "wave", "volume", "dense"])
@pytest.mark.parametrize("inputs", ["strongest", "mean", 1])
def test_history_of_a_filter(board, name, inputs):
    facts, body = board.get("history", run="run2", tag=tag_of(name), filter=3, inputs=inputs).frame
    pictures = np.frombuffer(body, "<f4").reshape(facts["shape"])
    logged = np.stack([stored(name, step)[..., 3] for step in STEPS])
    energy = np.square(logged[-1].reshape(-1, logged.shape[-1])).sum(axis=0)
    expected = (
        logged.mean(axis=-1) if inputs == "mean" else logged[..., energy.argmax() if inputs == "strongest" else 1]
    )
    np.testing.assert_allclose(pictures[:, 0], expected, atol=1e-3)
    exact = np.stack([kernel_values(name, step)[..., 3].ravel() for step in STEPS])
    np.testing.assert_allclose(facts["norms"], np.linalg.norm(exact, axis=1), rtol=1e-6)
    steps = itertools.pairwise(STEPS)
    assert facts["changes"][0] is None
    changes = [relative(stored(name, before), stored(name, after))[3] for before, after in steps]
    np.testing.assert_allclose(facts["changes"][1:], changes, rtol=1e-4)
    assert facts["cosines_first"][0] == pytest.approx(1, abs=1e-6)


def test_two_steps_compared_by_index(board):
    facts, body = board.get("compare", **where("conv1", 0), **where("conv1", 10, "_b"), inputs="rgb").frame
    pictures = np.frombuffer(body, "<f4").reshape(facts["shape"])
    for side, step in enumerate((0, 10)):
        np.testing.assert_array_equal(pictures[side], np.transpose(stored("conv1", step), (3, 2, 0, 1)))
    assert facts["partners"] == list(range(20))
    np.testing.assert_allclose(facts["changes"], relative(stored("conv1", 0), stored("conv1", 10)), rtol=1e-4)
    difference = stored("conv1", 10) - stored("conv1", 0)
    assert facts["change"] == pytest.approx(np.linalg.norm(difference) / np.linalg.norm(stored("conv1", 0)), rel=1e-4)


def test_filters_compared_by_likeness(board):
    facts, body = board.get("compare", **where("conv1", 0), **where("conv1", 5, "_b"), match="likeness").frame
    pictures = np.frombuffer(body, "<f4").reshape(facts["shape"])
    partners, cosine = analysis.match(stored("conv1", 0), stored("conv1", 5))
    assert facts["partners"] == partners.tolist()
    np.testing.assert_allclose(facts["cosines"], cosine, atol=1e-5)
    for one in range(20):
        expected = stored("conv1", 5)[..., facts["chosen"][one], partners[one]]
        np.testing.assert_array_equal(pictures[1, one, 0], expected)


@pytest.mark.parametrize(
    ("route", "parameters", "message"),
    [
        ("analysis", {"depth": "deep"}, "parameter 'depth' must be stored or full, but was 'deep'"),
        ("history", {"filter": "2:5"}, "parameter 'filter' must be all or one filter, but was '2:5'"),
        ("history", {"filter": "20"}, "parameter 'filter' must be all, an index or a range start:stop within 0:20"),
        ("history", {"filter": "2", "inputs": "9"}, "parameter 'inputs' must be an input from 0 to 2, but was"),
        ("history", {"filter": "2", "inputs": "all"}, "parameter 'inputs' must be strongest, mean, rgb or the index"),
        ("compare", {}, "parameter 'run_b' is missing"),
        ("compare", {**where("conv2", 0, "_b")}, r"the filters have the shapes \(3, 3, 3\) and \(3, 3, 20\)"),
        ("compare", {**where("conv1", 0, "_b"), "inputs": "9"}, "parameter 'inputs' must be an input from 0 to 2"),
        (
            "compare",
            {**where("conv2", 0), **where("conv2", 5, "_b"), "inputs": "rgb"},
            "parameter 'inputs' must be another",
        ),
        ("compare", {**where("conv1", 0, "_b"), "match": "x"}, "parameter 'match' must be index or likeness"),
    ],
)
def test_bad_requests(board, route, parameters, message):
    answer = board.get(route, **{**where("conv1", 0), **parameters})
    assert answer.status == 400
    assert re.search(message, answer.text)


def test_a_step_that_is_missing(board):
    answer = board.get("compare", **where("conv1", 0), **where("conv1", 7, "_b"))
    assert (answer.status, answer.text) == (404, "Not found: the series has no step 7; it has 3, from 0 to 10")


def test_patterns_have_no_weights_to_analyse(board):
    tag = tag_of("conv1").replace("filterviz.kernel", "filterviz.patterns")
    for route in ("history", "analysis"):
        assert board.get(route, run="run2", tag=tag, step=10).status == 400


NOTHING_MUCH = {
    "zero": np.zeros((3, 3, 2, 4), np.float32),
    "nan": np.full((3, 3, 2, 4), np.nan, np.float32),
    "infinite": np.full((3, 3, 2, 4), -np.inf, np.float32),
    "one": np.ones((3, 3, 1, 1), np.float32),
    "scalar": np.ones((1, 1), np.float32),
    "more": np.zeros((3, 3, 2, 6), np.float32),
    "too large": np.zeros((1, 4097), np.float32),
}


@pytest.fixture(scope="module", params=server.BACKENDS)
def plain_board(request, tmp_path_factory):
    events = []
    for name, values in NOTHING_MUCH.items():
        elements = wire.encode_kernel(records.Kernel(records.Layer(name, "Conv2D"), values), "net")
        tag = wire.tag("net", name, wire.KERNEL)
        events += [logs.event(tag, step, logs.blob_tensor(elements), wire.metadata(wire.KERNEL)) for step in (0, 1)]
    directory = tmp_path_factory.mktemp("plain")
    logs.write_file(directory / "run" / "events.out.tfevents.1.host", events)
    with server.serve(directory, *server.BACKENDS[request.param]) as board:
        board.index_when(lambda index: sorted(server.steps(index).values()) == [[0, 1]] * len(NOTHING_MUCH))
        yield board


@pytest.mark.parametrize("name", [name for name in NOTHING_MUCH if name != "too large"])
def test_kernels_of_nothing_much_have_answers_too(plain_board, name):
    where = {"run": "run", "tag": wire.tag("net", name, wire.KERNEL)}
    full = columns(plain_board.get("analysis", depth="full", step=1, **where).json)
    course, _ = plain_board.get("history", filter=0, **where).frame
    assert course["steps"] == plain_board.get("history", **where).json["steps"] == [0, 1]
    both, _ = plain_board.get(
        "compare", step=0, run_b="run", tag_b=where["tag"], step_b=1, match="likeness", **where
    ).frame
    alive = name in ("one", "scalar")
    assert full["change"][0] == course["changes"][1] == both["changes"][0] == (0 if alive else None)
    assert course["norms"] == [None if name in ("nan", "infinite") else np.sqrt(NOTHING_MUCH[name].sum())] * 2
    assert set(full["duplicate_of"]) == set(full["opposite_of"]) == {None}


def sides(left, right):
    both = {"": left, "_b": right}.items()
    where = [{f"run{s}": "run", f"tag{s}": wire.tag("net", name, wire.KERNEL), f"step{s}": 0} for s, name in both]
    return where[0] | where[1]


@pytest.mark.parametrize("match", ["index", "likeness"])
def test_filters_without_a_partner_are_named(plain_board, match):
    fewer, _ = plain_board.get("compare", match=match, **sides("zero", "more")).frame
    assert sorted(fewer["partners"] + fewer["unpaired"]) == list(range(6))
    assert len(fewer["unpaired"]) == 2
    more, _ = plain_board.get("compare", match=match, **sides("more", "zero")).frame
    assert (more["unpaired"], more["partners"].count(-1)) == ([], 2)


def test_a_kernel_too_large_to_compare_is_named_by_its_side(plain_board):
    for at, name in (("too large", "scalar"), "tag"), (("scalar", "too large"), "tag_b"):
        answer = plain_board.get("compare", **sides(*at))
        assert answer.status == 400
        assert answer.text.startswith(f"Invalid argument: parameter '{name}' must be that of a kernel of at most"), (
            answer.text
        )
