"""Log directories that are odd as a whole, behind a real server."""

import argparse
import os
import time

import numpy as np
import pytest
from tensorboard.plugins import base_plugin

from tb_filterviz import records, wire
from tests.support import logs, server

FILE = "events.out.tfevents.1.host"
TAG = "cnn/conv/kernel/filterviz.kernel"
KERNEL = np.arange(3 * 3 * 2 * 4, dtype=np.float32).reshape(3, 3, 2, 4)
RUNS = 2000


def event(tag=TAG):
    elements = wire.encode_kernel(records.Kernel(records.Layer("conv/kernel", "Conv2D"), KERNEL), "cnn")
    return logs.event(tag, 0, logs.blob_tensor(elements), wire.metadata(wire.KERNEL))


def check_kernel(board, run, tag=TAG):
    facts, body = board.get("kernels", run=run, tag=tag, step=0).frame
    expected = np.moveaxis(KERNEL, (-1, -2), (0, 1))
    np.testing.assert_array_equal(np.frombuffer(body, facts["dtype"]).reshape(facts["shape"]), expected)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are FIFOs on POSIX only")
def test_a_fifo_and_a_name_of_10_kilobytes_hold_up_nobody(tmp_path):
    long = "n" * 10_000 + "/filterviz.kernel"
    logs.write_file(tmp_path / "good" / FILE, [event(), event(long)])
    (tmp_path / "bad").mkdir()
    os.mkfifo(tmp_path / "bad" / FILE)
    with server.serve(tmp_path, "true") as board:
        index = board.index_when(lambda index: len(server.steps(index)) == 2)
        assert server.steps(index) == {("good", TAG): [0], ("good", long): [0]}
        check_kernel(board, "good")
        check_kernel(board, "good", long)
        answer = board.get("kernels", run="bad", tag=TAG, step=0)
        assert (answer.status, "there is no series with run 'bad'" in answer.text) == (404, True)


def test_thousands_of_runs(tmp_path):
    for run in range(RUNS):
        logs.write_file(tmp_path / f"run{run}" / FILE, [event()])
    with server.serve(tmp_path, "true") as board:
        index = board.index_when(lambda index: len(server.steps(index)) == RUNS)
        assert [run["run"] for run in index["runs"]] == [f"run{run}" for run in range(RUNS)], "as people count"
        assert index["problems"] == []
        check_kernel(board, f"run{RUNS - 1}")
        assert board.get("index", known=index["revision"]).status == 204


@pytest.mark.filterwarnings("ignore:html5lib's sanitizer is deprecated:DeprecationWarning")
def test_the_tab_comes_alive_without_tensorboards_loader(tmp_path):
    """Nothing but the event files can tell: there is no data provider here."""
    from tb_filterviz import plugin  # here, since what TensorBoard imports for it warns

    flags = argparse.Namespace(logdir=str(tmp_path), reload_interval=1.0)
    filters = plugin.FiltersPlugin(base_plugin.TBContext(flags=flags, logdir=str(tmp_path)))
    filters.get_plugin_apps()
    assert not filters.is_active()
    logs.write_file(tmp_path / "run" / FILE, [event()])
    end = time.monotonic() + 20
    while not filters.is_active() and time.monotonic() < end:
        time.sleep(0.1)
    assert filters.is_active()
