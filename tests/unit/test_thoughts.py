"""Who waits for whom where answers take some thought."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from tb_filterviz.thoughts import LARGE, Thoughts

PATIENCE = 20  # seconds until a test is given up; none of it passes where all is well


@pytest.fixture
def pool():
    with ThreadPoolExecutor(16) as running:
        yield running


class Thought:
    """Begins, and ends when it may."""

    def __init__(self, content=b"x"):
        self.content, self.begun, self.may_end, self.count = content, threading.Event(), threading.Event(), 0

    def __call__(self):
        self.count += 1
        self.begun.set()
        assert self.may_end.wait(PATIENCE)
        return self.content


def test_a_small_thought_does_not_wait_for_large_ones(pool):
    thoughts, large, next_large = Thoughts(1 << 16), Thought(b"large"), Thought(b"next")
    first = pool.submit(thoughts.answer, "a", LARGE, large)
    assert large.begun.wait(PATIENCE)
    second = pool.submit(thoughts.answer, "b", LARGE, next_large)
    assert pool.submit(thoughts.answer, "c", 1, lambda: b"small").result(PATIENCE) == b"small"
    assert not next_large.begun.wait(0.1), "large ones take turns"
    large.may_end.set()
    assert next_large.begun.wait(PATIENCE)
    next_large.may_end.set()
    assert (first.result(PATIENCE), second.result(PATIENCE)) == (b"large", b"next")


def test_small_thoughts_are_side_by_side_but_not_without_bound(pool):
    thoughts, many = Thoughts(1 << 16), [Thought() for _ in range(8)]
    running = [pool.submit(thoughts.answer, at, 1, one) for at, one in enumerate(many)]
    for one in many:
        one.begun.wait(0.2)
    assert sum(one.begun.is_set() for one in many) == 4
    for one in many:
        one.may_end.set()
    assert [one.result(PATIENCE) for one in running] == [b"x"] * 8


def test_the_same_is_worked_out_once_and_kept(pool):
    thoughts, one = Thoughts(1 << 16), Thought(b"")
    waiting = [pool.submit(thoughts.answer, "a", 1, one) for _ in range(8)]
    assert one.begun.wait(PATIENCE)
    one.may_end.set()
    assert [each.result(PATIENCE) for each in waiting] == [b""] * 8
    assert thoughts.answer("a", 1, one) == b""
    assert one.count == 1


def test_an_error_is_raised_and_not_kept():
    thoughts = Thoughts(1 << 16)
    for _ in range(6):
        with pytest.raises(ZeroDivisionError):
            thoughts.answer("a", 1, lambda: bytes(1 // 0))
    assert thoughts.answer("a", 1, lambda: b"now") == b"now"
    assert not thoughts._locks, "nobody waits"
