"""The answer of the route `export`, without a server."""

import concurrent.futures
import threading

import numpy as np
import pytest
from tensorboard import errors
from werkzeug import test, wrappers

from tb_filterviz import insight
from tb_filterviz.export.http import Exports
from tb_filterviz.export.place import Place
from tb_filterviz.query import Query
from tb_filterviz.store import ByteCache, EventFileSource, LogdirIndex, Store
from tb_filterviz.thoughts import Thoughts
from tests.support import logdirs, logs


@pytest.fixture
def source(tmp_path):
    logs.write_file(tmp_path / "train" / logdirs.FILE, [logdirs.event(step) for step in (0, 5, 10)])
    return EventFileSource(logdirs.refreshed(LogdirIndex(str(tmp_path))), ByteCache(1 << 20))


@pytest.fixture
def exports():
    return Exports(Store(1 << 20), Thoughts(1 << 20))


def asked(**parameters):
    where = {"run": "train", "tag": logdirs.TAG, "step": 10, **parameters}
    query = {name: str(value) for name, value in where.items() if value is not None}
    return Query(wrappers.Request(test.EnvironBuilder(query_string=query).get_environ()))


def test_filters_that_are_not_there_are_named_and_no_other_fault_is_taken_for_them(exports, source, monkeypatch):
    with pytest.raises(errors.InvalidArgumentError, match="'filters' must be filters that there are, but was '5'"):
        exports.answer(asked(filters=5), source)

    def broken(*_):
        return np.empty(0)[1]

    monkeypatch.setattr(Place, "filters", broken)
    with pytest.raises(IndexError, match="out of bounds"):
        exports.answer(asked(), source)


OF_ALL_LAYERS = pytest.mark.parametrize("what", ["overview", "numbers"])


OF_B = {"run_b": "train", "tag_b": logdirs.TAG, "step_b": 0}


@pytest.mark.parametrize(
    ("parameters", "lines"),
    [
        ({"what": "overview", "tag": None}, 2),
        ({"what": "numbers", "tag": None}, 6),
        ({"what": "numbers"}, 6),
        ({"what": "kernels"}, 6),
        ({"what": "compare", **OF_B}, 6),
    ],
)
def test_while_kernels_are_analysed_for_an_export_others_are_made(exports, source, monkeypatch, parameters, lines):
    begun, may_end = threading.Event(), threading.Event()

    def slow(analyse):
        def slowly(*arguments):
            begun.set()
            assert may_end.wait(20)
            return analyse(*arguments)

        return slowly

    for name in ("report", "compare"):
        monkeypatch.setattr(insight, name, slow(getattr(insight, name)))
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        try:
            table = pool.submit(exports.answer, asked(format="csv", **parameters), source)
            assert begun.wait(20)
            picture = pool.submit(exports.answer, asked(), source)
            assert picture.result(20)[0].startswith(b"\x89PNG")
        finally:
            may_end.set()
        assert table.result(20)[0].count(b"\n") == lines


@pytest.mark.parametrize(
    "parameters",
    [
        {"what": "kernels", "format": "npy"},
        {"what": "kernels", "format": "csv", "depth": "stored"},
        {"what": "numbers", "depth": "stored"},
        {"what": "history", "format": "csv", "step": None},
    ],
)
def test_what_holds_no_computed_numbers_needs_no_analysis(exports, source, monkeypatch, parameters):
    monkeypatch.delattr(insight, "report")
    assert exports.answer(asked(**parameters), source)[0]


@OF_ALL_LAYERS
def test_a_layer_is_analysed_once_for_all_that_show_it(exports, source, monkeypatch, what):
    exports.answer(asked(what="numbers"), source)
    monkeypatch.delattr(insight, "report")
    for form in ("csv", "npz"):
        answers = [exports.answer(asked(what=what, tag=None, format=form), source) for _ in range(2)]
        assert answers[0] == answers[1]
        assert answers[0][3] == "", "never kept"


def test_two_kernels_are_compared_once_for_all_that_show_them(exports, source, monkeypatch):
    of_b = {**OF_B, "what": "compare", "match": "likeness"}
    exports.answer(asked(format="csv", **of_b), source)
    monkeypatch.delattr(insight, "compare")
    for form in ("png", "svg", "npz"):
        one, other = (exports.answer(asked(format=form, **of_b), source) for _ in range(2))
        assert one == other


def test_a_comparison_that_is_not_kept_is_worked_out_once(source, monkeypatch):
    compared, compare = [], insight.compare
    monkeypatch.setattr(insight, "compare", lambda *arguments: compared.append(1) or compare(*arguments))
    answer = Exports(Store(1 << 20), Thoughts(0)).answer(asked(what="compare", **OF_B), source)
    assert answer[0].startswith(b"\x89PNG")
    assert len(compared) == 1


@pytest.mark.parametrize(
    ("what", "bad"),
    [(what, "filters") for what in ("kernels", "numbers", "compare")]
    + [(what, "inputs") for what in ("kernels", "compare")],
)
def test_what_cannot_be_shown_is_refused_before_any_work(exports, source, monkeypatch, what, bad):
    def worked(*_):
        pytest.fail("it was analysed")

    for name in ("report", "compare"):
        monkeypatch.setattr(insight, name, worked)
    of_b = OF_B if what == "compare" else {}
    with pytest.raises(errors.InvalidArgumentError, match=f"'{bad}' must be .*, but was '?99'?"):
        exports.answer(asked(what=what, format="csv", **{bad: 99}, **of_b), source)


@pytest.mark.parametrize("what", ["overview", "numbers", "compare"])
def test_a_format_that_cannot_be_is_refused_before_any_work(exports, source, monkeypatch, what):
    monkeypatch.delattr(insight, "report")
    monkeypatch.delattr(insight, "compare")
    of_b = OF_B if what == "compare" else {"tag": None}
    with pytest.raises(errors.InvalidArgumentError, match=r"'format' must be one of .*, but was 'gif'"):
        exports.answer(asked(what=what, format="gif", **of_b), source)


def test_numbers_of_all_layers_are_of_all_filters(exports, source):
    with pytest.raises(errors.InvalidArgumentError, match="'filters' must be all where no `tag` is given, but was '3'"):
        exports.answer(asked(what="numbers", tag=None, filters=3), source)
    with pytest.raises(errors.NotFoundError, match=r"run 'nope' has no kernel$"):
        exports.answer(asked(what="numbers", tag=None, run="nope"), source)
    with pytest.raises(errors.NotFoundError, match="run 'train' has no kernel up to step -1; the first is of step 0"):
        exports.answer(asked(what="numbers", tag=None, step=-1), source)
