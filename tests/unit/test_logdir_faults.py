"""The index of a log directory that is damaged or hostile: what that costs, and what is said of it."""

import os
import shutil
import subprocess
import sys
import time

import numpy as np
import pytest

from tb_filterviz import wire
from tb_filterviz.store import ByteCache, EventFileSource, LogdirIndex, Store
from tests.support import logs
from tests.support.logdirs import FILE, TAG, check_values, event, frame, kernel, refreshed, said, steps


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
