"""The index of a log directory: what it finds, follows and says, on real files."""

import os
import pathlib
import shutil
import subprocess
import sys
import time

import google_crc32c
import numpy as np
import pytest

from tb_filterviz import records, wire
from tb_filterviz.store import ByteCache, EventFileSource, LogdirIndex, Store
from tb_filterviz.store.framing import mask
from tests.support import logs

FILE = "events.out.tfevents.1.host"
TAG = "cnn/conv/kernel/filterviz.kernel"


def kernel(step, shape=(3, 3, 4, 5)):
    return np.random.default_rng(step).normal(size=shape).astype(np.float16)


def event(step, wall_time=0.0, tag=TAG, shape=(3, 3, 4, 5), metadata=True):
    elements = wire.encode_kernel(records.Kernel(records.Layer("conv/kernel", "Conv2D"), kernel(step, shape)), "cnn")
    return logs.event(
        tag, step, logs.blob_tensor(elements), wire.metadata(wire.KERNEL) if metadata else None, wall_time
    )


def frame(length):
    """A head with the right checksum."""
    head = length.to_bytes(8, "little")
    return head + mask(google_crc32c.value(head)).to_bytes(4, "little")


def refreshed(index):
    index.refresh()
    return index.contents


def steps(contents):
    return {(run, tag): [d.step for d in one.data] for run, tags in contents.runs.items() for tag, one in tags.items()}


def said(contents):
    return [(problem.run, problem.message) for problem in contents.problems]


def check_values(contents, run=".", tag=TAG):
    """Reads every step, and compares with what was written."""
    source, store = EventFileSource(contents, ByteCache(1 << 20)), Store(0)
    for datum in contents.runs[run][tag].data:
        header = store.header(source, datum)
        expected = np.moveaxis(kernel(datum.step, header.shape), -1, 0)
        np.testing.assert_array_equal(store.filters(source, datum, header, 0, header.shape[-1]), expected)


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


# What is damaged or hostile.


def spoiled(tmp_path, spoil):
    """A file of five steps, spoilt; beside it a healthy run."""
    file = logs.write_file(tmp_path / "bad" / FILE, [event(step) for step in range(5)])
    logs.write_file(tmp_path / "good" / FILE, [event(0)])
    whole = bytearray(file.read_bytes())
    starts, at = [], 0
    while at < len(whole):
        starts.append(at)
        at += 16 + int.from_bytes(whole[at : at + 8], "little")
    file.write_bytes(spoil(whole, starts[1:]))
    contents = refreshed(LogdirIndex(tmp_path))
    assert steps(contents)["good", TAG] == [0]
    return contents


def test_a_flipped_bit_in_a_length_ends_the_file_there(tmp_path):
    def spoil(whole, starts):
        whole[starts[3]] ^= 1
        return whole

    contents = spoiled(tmp_path, spoil)
    assert steps(contents)["bad", TAG] == [0, 1, 2]
    ((run, message),) = said(contents)
    assert run == "bad"
    assert message.startswith(f"{FILE}: the checksum of a record's length does not match, at byte ")
    assert message.endswith("what follows is not shown")


def test_a_flipped_bit_elsewhere_costs_its_datum(tmp_path):
    """Any bit of a record's data and of their checksum: found, and named, when the datum is read."""
    tmp_path = tmp_path / "logs"
    file = logs.write_file(tmp_path / FILE, [event(step) for step in range(3)])
    whole = file.read_bytes()
    first = 16 + int.from_bytes(whole[:8], "little")
    second = first + 16 + int.from_bytes(whole[first : first + 8], "little")
    for at in [*range(first + 12, first + 120), *range(first + 120, second, 41), *range(second - 60, second)]:
        spoiled = bytearray(whole)
        spoiled[at] ^= 1 << at % 8
        file.write_bytes(spoiled)
        contents = refreshed(LogdirIndex(tmp_path))
        read, failed = read_all(contents)
        expected = {(TAG, step): np.moveaxis(kernel(step), -1, 0) for step in (1, 2)}
        assert read.keys() == expected.keys(), at
        assert all((read[key] == expected[key]).all() for key in expected)
        assert failed or said(contents), at


def read_all(contents):
    source, store = EventFileSource(contents, ByteCache(1 << 20)), Store(0)
    read, failed = {}, []
    for series in source.series()[0]:
        for datum in series.data:
            try:
                header = store.header(source, datum)
                store.numbers(source, datum, header)
                read[datum.tag, datum.step] = store.filters(source, datum, header, 0, header.shape[-1])
            except wire.FormatError as error:
                failed.append(str(error))
    return read, failed


@pytest.mark.parametrize(
    ("tail", "words"),
    [
        (frame(1 << 60), "a record claims 1152921504606846976 bytes"),
        (frame((1 << 31) - 1), None),  # may be being written
        (bytes(4096), "the checksum of a record's length does not match"),
        (frame(5) + b"\xff" * 5 + bytes(4), None),  # no event, and none of ours
        (frame(20_000) + b"\xff" * 20_000 + bytes(4), "the record at byte"),
    ],
    ids=["2^60 bytes", "2 GiB", "zeros", "short garbage", "long garbage"],
)
def test_what_stands_behind_good_records_leaves_them_alone(tmp_path, tail, words):
    contents = spoiled(tmp_path, lambda whole, starts: whole + tail)
    assert steps(contents)["bad", TAG] == [0, 1, 2, 3, 4]
    assert [words in message for _, message in said(contents)] == [True] * bool(words)


def test_a_last_record_that_was_never_finished_is_said(tmp_path):
    file = logs.write_file(tmp_path / FILE, [event(step) for step in range(3)])
    whole = file.read_bytes()
    file.write_bytes(whole[:-10])
    index = LogdirIndex(tmp_path)
    assert said(refreshed(index)) == [], "it may be being written"
    os.utime(file, (time.time() - 300,) * 2)
    ((_, message),) = said(refreshed(index))
    assert "bytes into a record" in message
    file.write_bytes(whole)
    contents = refreshed(index)
    assert (steps(contents), said(contents)) == ({(".", TAG): [0, 1, 2]}, [])


def test_damage_that_is_mended_is_forgotten(tmp_path):
    file = logs.write_file(tmp_path / FILE, [event(step) for step in range(3)])
    whole = file.read_bytes()
    file.write_bytes(whole[:-200] + bytes(200))  # as a page that has not reached a network file system yet
    index = LogdirIndex(tmp_path)
    refreshed(index)
    before = file.stat().st_mtime_ns
    file.write_bytes(whole)
    os.utime(file, ns=(before + 10**9,) * 2)  # the clock of a file system may be coarser than these few milliseconds
    contents = refreshed(index)
    assert (steps(contents), said(contents)) == ({(".", TAG): [0, 1, 2]}, [])
    check_values(contents)


def test_a_file_of_another_program(tmp_path):
    (tmp_path / "my.tfevents.png").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 50)
    logs.write_file(tmp_path / FILE, [event(0)])
    contents = refreshed(LogdirIndex(tmp_path))
    assert steps(contents) == {(".", TAG): [0]}
    ((_, message),) = said(contents)
    assert "my.tfevents.png: the checksum" in message
    assert message.endswith("it is not an event file, or damaged")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are FIFOs on POSIX only")
def test_an_event_file_that_became_something_else(tmp_path):
    file = logs.write_file(tmp_path / "run" / FILE, [event(0)])
    logs.write_file(tmp_path / "good" / FILE, [event(0)])
    index = LogdirIndex(tmp_path)
    contents = refreshed(index)
    source, datum = EventFileSource(contents, ByteCache(0)), contents.runs["run"][TAG].data[0]
    for become in (
        os.mkdir,
        os.mkfifo,
        lambda path: os.symlink(path, path),
        lambda path: os.symlink("/dev/zero", path),
    ):
        file.unlink()
        become(file)
        with pytest.raises((LookupError, wire.FormatError)):
            source.read(datum, [0])
        assert steps(refreshed(index)) == {("good", TAG): [0]}
        file.rmdir() if file.is_dir() else file.unlink()
        logs.write_file(file, [event(0)])
        assert steps(refreshed(index)) == {("good", TAG): [0], ("run", TAG): [0]}


def test_symbolic_links(tmp_path):
    logs.write_file(tmp_path / "logs" / "run" / FILE, [event(0)])
    logs.write_file(tmp_path / "elsewhere" / FILE, [event(1)])
    os.symlink(tmp_path / "elsewhere", tmp_path / "logs" / "linked")
    os.symlink(tmp_path / "logs", tmp_path / "logs" / "run" / "loop")
    os.symlink(tmp_path / "nowhere", tmp_path / "logs" / "dangling.tfevents")
    contents = refreshed(LogdirIndex(tmp_path / "logs"))
    assert steps(contents) == {("run", TAG): [0], ("linked", TAG): [1]}
    assert said(contents) == [(f"run{os.sep}loop", "a symbolic link leads back to a directory that it is in")]


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="permissions are not those of POSIX")
def test_no_permission(tmp_path):
    """In a process of another user, since root may read everything."""
    if os.geteuid() == 0:
        for parent in (tmp_path, *tmp_path.parents):
            if parent.owner() == "root" and str(parent) != "/":
                parent.chmod(parent.stat().st_mode | 0o011)
    logs.write_file(tmp_path / "logs" / "run" / FILE, [event(0)])
    logs.write_file(tmp_path / "logs" / "run" / "events.out.tfevents.2", [event(1)]).chmod(0)
    logs.write_file(tmp_path / "logs" / "closed" / FILE, [event(0)])
    (tmp_path / "logs" / "closed").chmod(0)
    code = (
        "import os, sys\n"
        "if os.geteuid() == 0: os.setgroups([]); os.setgid(65534); os.setuid(65534)\n"
        "sys.argv[1:], logdir = [], sys.argv[1]\n"
        "from tb_filterviz.store import LogdirIndex\n"
        "index = LogdirIndex(logdir); index.refresh()\n"
        "print({run: [len(s.data) for s in tags.values()] for run, tags in index.contents.runs.items()})\n"
        "print(*[(p.run, p.message) for p in index.contents.problems], sep='\\n')\n"
    )
    # Imported before the user changes, as that user may not be able to.
    code = "import tb_filterviz.store\n" + code
    result = subprocess.run([sys.executable, "-c", code, str(tmp_path / "logs")], capture_output=True, text=True)
    (tmp_path / "logs" / "closed").chmod(0o755)
    assert result.stdout.splitlines() == [
        "{'run': [1]}",
        "('closed', 'the directory cannot be read: Permission denied')",
        "('run', 'events.out.tfevents.2: it cannot be read: Permission denied')",
    ], result.stderr


def test_a_run_that_goes_away_during_a_read(tmp_path):
    logs.write_file(tmp_path / "run" / FILE, [event(0)])
    index = LogdirIndex(tmp_path)
    contents = refreshed(index)
    shutil.rmtree(tmp_path / "run")
    with pytest.raises(LookupError):
        EventFileSource(contents, ByteCache(0)).read(contents.runs["run"][TAG].data[0], [0])
    assert steps(refreshed(index)) == {}


def test_a_name_of_10_kilobytes(tmp_path):
    tag = "n" * 10_000 + "/filterviz.kernel"
    logs.write_file(tmp_path / FILE, [event(0, tag=tag), event(1, tag=tag)])
    contents = refreshed(LogdirIndex(tmp_path))
    assert steps(contents) == {(".", tag): [0, 1]}
    check_values(contents, tag=tag)


def test_not_a_time(tmp_path):
    logs.write_file(tmp_path / FILE, [event(0), event(1, float("nan")), event(2, float("inf"))])
    contents = refreshed(LogdirIndex(tmp_path))
    assert steps(contents) == {(".", TAG): [0]}
    assert ["wall time is nan" in m or "wall time is inf" in m for _, m in said(contents)] == [True, True]


def test_thousands_of_bad_records_are_counted_not_listed(tmp_path):
    logs.write_file(tmp_path / FILE, [event(step, float("nan")) for step in range(200)])
    assert len(said(refreshed(LogdirIndex(tmp_path)))) == 21


@linux
def test_a_thousand_reloads_of_a_growing_log_keep_descriptors_and_memory(tmp_path):
    code = """
import os, pathlib, sys
import resource
sys.path.insert(0, sys.argv[2])
from tb_filterviz.store import ByteCache, EventFileSource, LogdirIndex, Store
from tests.support import logs
from tests.unit.test_logdir import FILE, event
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
