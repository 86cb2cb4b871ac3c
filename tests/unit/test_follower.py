"""When those who ask wait for what was written just now."""

import threading
import time

import pytest

from tb_filterviz.store.follower import Follower


class Index:
    """An index of which a pass takes a while."""

    def __init__(self, seconds):
        self.seconds, self.passes, self.passed = seconds, 0, threading.Event()

    @property
    def contents(self):
        return self.passes

    def refresh(self):
        time.sleep(self.seconds)
        self.passes += 1
        self.passed.set()


def test_a_short_pass_is_waited_for():
    index = Index(0.01)
    follower = Follower(index, 60)
    first = follower.fresh(30)
    assert first >= 1
    assert follower.fresh(30) > first


def test_who_asks_while_it_rests_after_a_long_pass_gets_what_there_is_at_once():
    index = Index(0.5)  # and then rests for two seconds
    follower = Follower(index, 60)
    follower.start()
    assert index.passed.wait(30)
    time.sleep(0.1)
    begin = time.monotonic()
    assert follower.fresh(1.0) == 1
    assert time.monotonic() - begin < 0.5
    assert follower.fresh(30) >= 2  # who is patient is not turned away


@pytest.mark.parametrize("interval", [0, -1])
def test_a_single_pass(interval):
    index = Index(0.01)
    follower = Follower(index, interval)
    assert follower.fresh(30) == 1
    assert follower.fresh(30) == 1
