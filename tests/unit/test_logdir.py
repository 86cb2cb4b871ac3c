"""The index of a log directory: what it finds, and how it follows it, on real files."""

import os
import pathlib
import shutil
import subprocess
import sys

import numpy as np
import pytest

from tb_filterviz import wire
from tb_filterviz.store import ByteCache, EventFileSource, LogdirIndex, Store
from tests.support import logs
from tests.support.logdirs import FILE, TAG, check_values, event, kernel, refreshed, said, steps


def test_runs_are_named_as_tensorboard_names_them(tmp_path):
    for run in (".", "a", "a/b", "c d/é"):
        logs.write_file(tmp_path / run / FILE, [event(0)])
    logs.write_file(tmp_path / "other name.tfevents", [event(1)])
    logs.write_file(tmp_path / "a" / "events.txt", [event(2)])
    (tmp_path / "empty").mkdir()
    contents = refreshed(LogdirIndex(tmp_path))
    assert steps(contents) == {
        (run, TAG): [0, 1] if run == "." else [0] for run in (".", "a", "a/b".replace("/", os.sep), f"c d{os.sep}é")
    }
    assert said(contents) == []


def test_a_directory_that_comes_later_and_goes_again(tmp_path):
    index = LogdirIndex(tmp_path / "later")
    assert steps(refreshed(index)) == {}
    logs.write_file(tmp_path / "later" / "run" / FILE, [event(0)])
    assert steps(refreshed(index)) == {("run", TAG): [0]}
    shutil.rmtree(tmp_path / "later")
    contents = refreshed(index)
    assert (steps(contents), said(contents)) == ({}, [])


@pytest.mark.parametrize("shape", [(3, 3, 4, 5), (3, 3, 64, 128)], ids=["read whole", "hopped over"])
def test_a_file_that_grows_byte_by_byte(tmp_path, shape):
    """Whatever part of a record is there, it is picked up when it is complete, once."""
    whole = logs.write_file(tmp_path / "whole", [event(step, shape=shape) for step in range(3)]).read_bytes()
    file = tmp_path / "log" / FILE
    file.parent.mkdir()
    index, source_steps = LogdirIndex(file.parent), []
    pieces = [*range(0, 400, 7), *range(400, len(whole), max(101, len(whole) // 60)), len(whole)]
    for size in pieces:
        file.write_bytes(whole[:size]) if size == 0 else append(file, whole, size)
        source_steps.append(steps(refreshed(index)).get((".", TAG), []))
        assert said(index.contents) == []
    assert [seen for i, seen in enumerate(source_steps) if seen not in source_steps[:i]] == [[], [0], [0, 1], [0, 1, 2]]
    check_values(index.contents)


def append(file, whole, size):
    with open(file, "ab") as stream:
        stream.write(whole[stream.tell() : size])


def test_what_has_not_changed_is_not_read_again(tmp_path):
    for run in range(20):
        logs.write_file(tmp_path / str(run) / FILE, [event(step, shape=(3, 3, 64, 64)) for step in range(4)])
    index = LogdirIndex(tmp_path)
    before = refreshed(index)
    read = bytes_read()
    for _ in range(10):
        assert refreshed(index) is before
    assert bytes_read() - read < 2000


def bytes_read():
    """How many bytes this process has read, as the kernel counts."""
    return int(pathlib.Path("/proc/self/io").read_text().split()[1])


linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the kernel counts bytes on Linux only")


@linux
def test_an_index_reads_no_payload_and_a_read_only_its_filter(tmp_path):
    logs.write_file(tmp_path / FILE, [event(step, shape=(3, 3, 512, 128)) for step in range(5)])
    index, store = LogdirIndex(tmp_path), Store(0)
    before = bytes_read()
    contents = refreshed(index)
    assert bytes_read() - before < 40_000, "of 5.9 MB"
    source = EventFileSource(contents, ByteCache(1 << 20))
    datum = contents.runs["."][TAG].data[3]
    before = bytes_read()
    header = store.header(source, datum)
    filters = store.filters(source, datum, header, 100, 101)
    assert bytes_read() - before < filters.nbytes + (64 << 10)
    np.testing.assert_array_equal(filters[0], kernel(3, (3, 3, 512, 128))[..., 100])


def test_a_file_written_anew_in_place(tmp_path):
    file = logs.write_file(tmp_path / FILE, [event(step) for step in range(5)])
    index = LogdirIndex(tmp_path)
    assert steps(refreshed(index)) == {(".", TAG): [0, 1, 2, 3, 4]}
    old = EventFileSource(index.contents, ByteCache(1 << 20))
    datum = index.contents.runs["."][TAG].data[4]
    for anew in ([7], [8, 9, 10, 11, 12, 13]):
        logs.write_file(file, [event(step) for step in anew])
        with pytest.raises((LookupError, wire.FormatError)):
            old.read(datum, [0])
        assert steps(refreshed(index)) == {(".", TAG): anew}
        check_values(index.contents)
        assert said(index.contents) == []


def test_a_file_replaced_by_another(tmp_path):
    file = logs.write_file(tmp_path / FILE, [event(step) for step in range(5)])
    index = LogdirIndex(tmp_path)
    refreshed(index)
    os.replace(logs.write_file(tmp_path / "new", [event(step) for step in range(20, 30)]), file)
    assert steps(refreshed(index)) == {(".", TAG): [*range(20, 30)]}
    check_values(index.contents)


def test_several_files_and_a_restart(tmp_path):
    logs.write_file(tmp_path / "events.out.tfevents.1", [event(step, 100 + step) for step in range(6)])
    index = LogdirIndex(tmp_path)
    refreshed(index)
    second = logs.write_file(tmp_path / "events.out.tfevents.2", [event(step, 200 + step) for step in (3, 4)])
    series = refreshed(index).runs["."][TAG]
    assert [(datum.step, datum.wall_time) for datum in series.data] == [
        (0, 100),
        (1, 101),
        (2, 102),
        (3, 203),
        (4, 204),
    ]
    assert series.superseded == 3
    check_values(index.contents)
    second.unlink()
    series = refreshed(index).runs["."][TAG]
    assert ([datum.step for datum in series.data], series.superseded) == ([*range(6)], 0)


def test_metadata_in_the_first_event_of_a_run_only(tmp_path):
    logs.write_file(tmp_path / "events.out.tfevents.1", [event(0, 1), event(1, 2, metadata=False)])
    logs.write_file(tmp_path / "events.out.tfevents.2", [event(2, 3, metadata=False)])
    contents = refreshed(LogdirIndex(tmp_path))
    assert steps(contents) == {(".", TAG): [0, 1, 2]}
    assert contents.runs["."][TAG].kind == wire.KERNEL


def test_tags_of_other_plugins_are_left_alone(tmp_path):
    foreign = wire.metadata(wire.KERNEL)
    foreign.plugin_data.plugin_name = "images"
    big = logs.blob_tensor([b"filterviz" * 10_000])
    events = [logs.event("filterviz", step, big, foreign) for step in range(3)]
    mine = wire.metadata(wire.KERNEL)
    events += [logs.event("a name of its own", 1, logs.blob_tensor([b"x" * 50_000]), mine), event(5)]
    logs.write_file(tmp_path / FILE, events)
    contents = refreshed(LogdirIndex(tmp_path))
    assert steps(contents) == {(".", "a name of its own"): [1], (".", TAG): [5]}


@linux
def test_a_thousand_reloads_of_a_growing_log_keep_descriptors_and_memory(tmp_path):
    code = """
import os, pathlib, sys
import resource
sys.path.insert(0, sys.argv[2])
from tb_filterviz.store import ByteCache, EventFileSource, LogdirIndex, Store
from tests.support import logs
from tests.support.logdirs import FILE, event
logdir = pathlib.Path(sys.argv[1])
files = [logs.write_file(logdir / str(run) / FILE, []) for run in range(3)]
index, store, memo = LogdirIndex(logdir), Store(1 << 20), ByteCache(1 << 16)
def pages(): return int(pathlib.Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
for step in range(1000):
    logs.append(files[step % 3], [event(step, shape=(3, 3, 32, 64))])
    index.refresh()
    source = EventFileSource(index.contents, memo)
    listed, problems = store.index(source)
    assert not problems
    for series, header in listed:
        store.filters(source, series.data[-1], header, 0, 64)
    if step == 200: before = (len(os.listdir("/proc/self/fd")), pages())
after = (len(os.listdir("/proc/self/fd")), pages())
print(sum(len(series.data) for series, _ in listed), after[0] - before[0], after[1] - before[1])
"""
    root = str(pathlib.Path(__file__).parents[2])
    result = subprocess.run([sys.executable, "-c", code, str(tmp_path), root], capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    found, descriptors, grown = map(int, result.stdout.split())
    assert (found, descriptors) == (1000, 0)
    assert grown < 8 << 20, "800 data more, of 29 MB, cost an index of less than a kilobyte each, not more"
