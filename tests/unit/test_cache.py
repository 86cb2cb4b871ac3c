import pathlib
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tb_filterviz.store import ByteCache
from tb_filterviz.store.cache import ROOM

linux = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")


def test_keeps_what_was_put_last_within_the_limit():
    cache = ByteCache(2 * (4 + ROOM))
    cache.put("a", b"1234")
    cache.put("b", b"5678")
    assert [cache.get(key) for key in "ab"] == [b"1234", b"5678"]
    cache.put("c", b"90ab")
    assert [cache.get(key) for key in "abc"] == [None, b"5678", b"90ab"]


@pytest.mark.parametrize("limit", [0, 3, ROOM, 3 + ROOM])
def test_what_is_larger_than_the_limit_is_not_kept(limit):
    cache = ByteCache(limit)
    cache.put("a", b"123")
    cache.put("b", b"1234")
    assert [cache.get(key) for key in "ab"] == [b"123" if limit == 3 + ROOM else None, None]


@given(
    st.integers(4 * ROOM, 12 * ROOM),
    st.lists(st.tuples(st.integers(0, 30), st.integers(0, 4 * ROOM)), min_size=20, max_size=60),
)
def test_never_answers_what_was_not_put_and_keeps_the_newest(limit, sizes):
    cache = ByteCache(limit)
    puts = [(key, number.to_bytes(2, "little") + bytes(size)) for number, (key, size) in enumerate(sizes)]
    puts = [(key, value) for key, value in puts if len(value) + ROOM <= limit]
    for count, (key, value) in enumerate(puts, 1):
        cache.put(key, value)
        # Less than the room of one item may be left over at the end of the block.
        room = limit - max(len(value) + ROOM for _, value in puts[:count])
        seen = set()
        for newer, (known, expected) in enumerate(reversed(puts[:count])):
            room -= len(expected) + ROOM
            if known not in seen:
                seen.add(known)
                assert cache.get(known) == expected or (cache.get(known) is None and room < 0 and newer > 0)
        assert sum(len(found) + ROOM for found in map(cache.get, seen) if found) <= limit


def test_more_than_the_machine_has():
    for limit in (1 << 62, 1 << 80):
        with pytest.raises(MemoryError):
            ByteCache(limit)


@linux
def test_memory_is_that_of_the_limit_however_many_threads_fill_it():
    code = """
import os, pathlib, threading
from tb_filterviz.store import ByteCache
LIMIT = 64_000_000
def resident(): return int(pathlib.Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
def fill(worker):
    barrier.wait()
    for turn in range(8):
        pieces = [bytes(64_000 + turn) for _ in range(60)]
        for number, piece in enumerate(pieces):
            cache.put((worker, turn, number), piece)
cache, before = ByteCache(LIMIT), resident()
for turn in range(4):
    barrier = threading.Barrier(6)
    workers = [threading.Thread(target=fill, args=(worker + 6 * turn,)) for worker in range(6)]
    for worker in workers: worker.start()
    for worker in workers: worker.join()
print(resident() - before)
"""
    root = str(pathlib.Path(__file__).parents[2])
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=root)
    assert result.returncode == 0, result.stderr
    # As objects of their own, which leave holes in the heaps of six threads, these pieces took 99 to 157 MB.
    assert 60_000_000 < int(result.stdout) < 85_000_000
