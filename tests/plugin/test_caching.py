"""What browsers may keep: an answer that depends on other steps only as long as these are the same."""

import urllib.error
import urllib.parse
import urllib.request

import numpy as np
import pytest

from tb_filterviz import records, wire
from tests.plugin.samples import tag_of
from tests.support import logs, server

FULL = {"depth": "full", "step": 5}
DEPENDENT = [
    ("analysis", FULL),
    ("history", {}),
    ("history", {"filter": 3}),
    ("export", {"what": "history", "format": "csv"}),
    ("export", {"what": "numbers", "step": 5}),
    ("export", {"step": 5, "format": "npz"}),
]


def version_of(board, tag, run="run2"):
    runs = {one["run"]: one["series"] for one in board.get("index").json["runs"]}
    return next(one["version"] for one in runs[run] if one["tag"] == tag)


def kept(answer):
    assert answer.status == 200, answer.text
    caching = answer.headers["Cache-Control"]
    assert caching in ("private, max-age=31536000", "no-cache, must-revalidate")
    return caching.startswith("private")


@pytest.mark.parametrize(("route", "more"), DEPENDENT)
def test_what_depends_on_other_steps_is_kept_for_their_version_alone(board, route, more):
    where = {"run": "run2", "tag": tag_of("conv1"), **more}
    assert kept(board.get(route, v=version_of(board, where["tag"]), **where))
    for wrong in ({"v": "1790000000"}, {"v": ""}, {}):
        answer = board.get(route, **wrong, **where)
        assert not kept(answer)
        assert answer.headers["ETag"] == board.get(route, **where).headers["ETag"]


@pytest.mark.parametrize(
    ("route", "more"),
    [
        ("kernels", {"step": 5}),
        ("analysis", {"step": 5}),
        ("export", {"step": 5}),
        ("export", {"step": 5, "format": "npy"}),
        ("compare", {"step": 5, "run_b": "run10", "tag_b": tag_of("conv1"), "step_b": 0}),
        ("export", {"what": "compare", "step": 5, "run_b": "run10", "tag_b": tag_of("conv1"), "step_b": 0}),
    ],
)
def test_what_depends_on_the_data_it_names_is_kept_for_any(board, route, more):
    where = {"run": "run2", "tag": tag_of("conv1"), **more}
    assert kept(board.get(route, v="x", **where))
    assert not kept(board.get(route, **where))


@pytest.mark.parametrize("what", ["overview", "numbers"])
def test_what_is_of_all_layers_is_never_kept(board, what):
    for v in (version_of(board, tag_of("conv1")), "", "x"):
        assert not kept(board.get("export", run="run2", what=what, format="csv", v=v))


def test_what_is_known_is_not_sent_again(board):
    where = {"run": "run2", "tag": tag_of("conv1")}
    tag = board.get("history", **where).headers["ETag"]
    url = f"{board.url}data/plugin/filterviz/history?{urllib.parse.urlencode(where)}"
    for known, status in ((tag, 304), ('W/"another"', 200)):
        for accepted in ("gzip", "identity"):
            request = urllib.request.Request(url, headers={"If-None-Match": known, "Accept-Encoding": accepted})
            try:
                with urllib.request.urlopen(request, timeout=60) as response:
                    found = response.status, bool(response.read())
            except urllib.error.HTTPError as error:
                with error:
                    found = error.code, bool(error.read())
            assert found == (status, status == 200)


def test_an_earlier_step_that_is_logged_later_is_seen(tmp_path):
    """The address of the tab does not change with it, unless it names the version."""

    def event(step, size):
        layer = records.Layer("conv", "Conv2D")
        elements = wire.encode_kernel(records.Kernel(layer, np.full((3, 3, 1, 2), size, np.float32)), "net")
        return logs.event(tag, step, logs.blob_tensor(elements), wire.metadata(wire.KERNEL))

    tag = wire.tag("net", "conv", wire.KERNEL)
    file = logs.write_file(tmp_path / "run" / "events.out.tfevents.1", [event(0, 1), event(9, 4)])
    where = {"run": "run", "tag": tag}
    with server.serve(tmp_path, *server.BACKENDS["files"]) as board:
        board.index_when(lambda index: server.steps(index).get(("run", tag)) == [0, 9])
        old = version_of(board, tag, "run")
        before = board.get("analysis", depth="full", step=9, v=old, **where)
        assert kept(before)
        logs.append(file, [event(5, 2)])
        board.index_when(lambda index: server.steps(index).get(("run", tag)) == [0, 5, 9])
        assert version_of(board, tag, "run") != old
        for v, keep in ((old, False), (version_of(board, tag, "run"), True)):
            after = board.get("analysis", depth="full", step=9, v=v, **where)
            assert kept(after) == keep
            changes = [dict(zip(one.json["names"], one.json["values"][0], strict=True)) for one in (before, after)]
            assert [one["change"] for one in changes] == [3, 1]
            assert board.get("history", v=v, **where).json["steps"] == [0, 5, 9]
