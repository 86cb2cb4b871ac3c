"""What ends a climb early, the clock or an interrupt, and what is kept then."""

import contextlib
import signal
import types

import keras
import numpy as np
import pytest

from tb_filterviz.patterns import climb, engine, generate, generate_patterns
from tests.tf import support

SIDE = 18


@pytest.fixture(autouse=True)
def _seeded():
    keras.utils.set_random_seed(5)


def make(model, layer, **options):
    return generate_patterns(model, layer, **{"size": SIDE, "steps": 6, "progress": False, **options})


def test_when_the_time_is_over_what_is_done_is_returned_with_a_warning():
    model, conv = support.small()
    said = (
        "`max_seconds`=1e-09 are over: the patterns of 2 of 6 filters of 'conv' are done, 2 of them with fewer steps "
        "or tries than asked for, the others are left out"
    )
    with pytest.warns(UserWarning, match=said):
        patterns = make(model, conv, max_seconds=1e-9, batch_size=2, steps=50)
    assert patterns.filters.tolist() == [0, 1]
    assert np.isfinite(patterns.reached).all()
    assert patterns.curve.shape == (2, 2), "the step that the first ones take in any case"


def test_who_gets_fewer_steps_or_tries_since_the_time_is_over_is_told():
    model, conv = support.small()
    said = "the patterns of 6 of 6 filters of 'conv' are done, 6 of them with fewer steps or tries than asked for$"
    with pytest.warns(UserWarning, match=said) as warned:
        patterns = make(model, conv, max_seconds=1e-9, steps=50, tries=1)
    assert len(patterns) == 6
    assert [one.filename for one in warned if "max_seconds" in str(one.message)] == [__file__]
    with pytest.warns(UserWarning, match=said):  # all their steps, but not their second tries
        make(*support.silent(), max_seconds=1e-9, steps=1, tries=2)


@pytest.mark.parametrize("in_time", [True, False])
def test_a_try_at_spots_that_the_clock_ends_does_not_take_the_place_of_a_picture(monkeypatch, in_time):
    model, conv = support.silent()
    once = make(model, conv, tries=1)
    assert (once.reached < 0).all()
    now, real, tries = [0.0], engine.Engine.climb, []

    def climbing(*arguments):
        tries.append(1)
        now[0] = 5.0 * (len(tries) == 2 and not in_time)
        return real(*arguments)

    monkeypatch.setattr(engine.Engine, "climb", climbing)
    monkeypatch.setattr(climb, "time", types.SimpleNamespace(monotonic=lambda: now[0]))
    with contextlib.nullcontext() if in_time else pytest.warns(UserWarning, match="6 of them with fewer steps"):
        patterns = make(model, conv, tries=2, max_seconds=1)
    assert len(tries) == 2
    assert patterns.spots.tolist() == [in_time] * 6
    if not in_time:
        for name in ("images", "reached", "curve"):
            np.testing.assert_array_equal(getattr(patterns, name), getattr(once, name))


def test_enough_time_changes_nothing():
    model, conv = support.small()
    np.testing.assert_array_equal(make(model, conv, max_seconds=1e6).images, make(model, conv).images)


def test_an_interrupt_returns_what_is_done(monkeypatch):
    model, conv = support.small()
    whole = make(model, conv, batch_size=2)
    support.interrupt_climb(monkeypatch, 3)
    with pytest.warns(UserWarning, match=r"interrupted: the patterns of 4 filters are done and returned, the others"):
        patterns = make(model, conv, batch_size=2)
    assert patterns.filters.tolist() == [0, 1, 2, 3]
    for name in ("images", "start", "reached", "noise", "failed"):
        np.testing.assert_array_equal(getattr(patterns, name), getattr(whole, name)[:4])


def test_an_interrupt_before_anything_is_done_goes_through(monkeypatch):
    model, conv = support.small()
    support.interrupt_climb(monkeypatch, 1)
    with pytest.raises(KeyboardInterrupt):
        make(model, conv, batch_size=2)
    assert "call" not in vars(conv)


def test_an_interrupt_is_heard_in_the_middle_of_a_long_climb():
    model, conv = support.small()
    previous = signal.signal(signal.SIGALRM, lambda *_: signal.raise_signal(signal.SIGINT))
    # Again after a while, as a person would, should the first fall where nobody hears it.
    signal.setitimer(signal.ITIMER_REAL, 3.0, 5.0)
    try:
        with pytest.raises(KeyboardInterrupt):
            make(model, conv, steps=10**6, max_seconds=120)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, previous)


def test_who_passes_an_interrupt_on_gets_both(monkeypatch):
    model, conv = support.small()
    support.interrupt_climb(monkeypatch, 2)
    options = generate.PatternOptions(size=SIDE, steps=2, batch_size=4, progress=False)
    made, interrupt = generate.until_interrupt(model, conv, options=options)
    assert made.filters.tolist() == [0, 1, 2, 3]
    assert isinstance(interrupt, KeyboardInterrupt)
