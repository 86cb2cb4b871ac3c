"""All devices of an active `tf.distribute` strategy climb."""

import contextlib
import threading

import keras
import numpy as np
import pytest
import tensorflow as tf

from tb_filterviz.patterns import engine, generate_patterns

L = keras.layers


def model_of(filters):
    keras.utils.set_random_seed(0)
    conv = L.Conv2D(filters, 3, name="conv")
    return keras.Sequential([keras.Input((24, 24, 3)), L.Conv2D(8, 3, activation="relu"), conv])


def make(scope, filters=7, **options):
    with scope:
        return generate_patterns(
            *(model_of(filters), "conv"),
            **{"steps": 5, "tries": 1, "batch_size": 2, "input_range": (0, 1), "progress": False, **options},
        )


def two_devices():
    return tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"]).scope()


@pytest.fixture
def climbs(monkeypatch):
    """Which filters climbed on which device."""
    found = []

    def climb(self, noise, targets, *rest):
        climbing.targets = sorted(targets.tolist())
        return real_climb(self, noise, targets, *rest)

    def init(self, *rest):
        real_init(self, *rest)
        advance = self._advance

        def watched(*arguments):
            state, scores = advance(*arguments)
            one = (state[0].device[-5:], climbing.targets)
            if one not in found:
                found.append(one)
            return state, scores

        self._advance = watched

    climbing = threading.local()
    real_climb, real_init = engine.Engine.climb, engine.Engine.__init__
    monkeypatch.setattr(engine.Engine, "climb", climb)
    monkeypatch.setattr(engine.Engine, "__init__", init)
    return found


def test_filters_are_shared_among_the_devices(climbs):
    alone = make(contextlib.nullcontext(), compute_dtype="float32")
    assert climbs == [("CPU:0", [0, 1]), ("CPU:0", [2, 3]), ("CPU:0", [4, 5]), ("CPU:0", [6])]
    climbs.clear()
    shared = make(two_devices(), compute_dtype="float32")
    assert sorted(climbs) == [("CPU:0", [0, 2]), ("CPU:0", [4, 6]), ("CPU:1", [1, 3]), ("CPU:1", [5])]
    assert np.abs(shared.images.astype(int) - alone.images).max() <= 1
    np.testing.assert_allclose(shared.reached, alone.reached, rtol=1e-3)


def test_a_strategy_of_one_device_is_used(climbs):
    make(tf.distribute.OneDeviceStrategy("CPU:1").scope(), filters=2)
    assert climbs == [("CPU:1", [0, 1])]


@pytest.mark.parametrize("trouble", [KeyboardInterrupt, MemoryError])
def test_what_ends_one_share_ends_the_others_soon(monkeypatch, trouble):
    """The other one would take a million steps."""
    real = engine.Engine.climb

    def climb(self, noise, targets, *rest):
        if 0 in targets:
            raise trouble
        return real(self, noise, targets, *rest)

    monkeypatch.setattr(engine.Engine, "climb", climb)
    monkeypatch.setattr(engine, "_SLICE", 0.05)
    with pytest.raises(trouble):
        make(two_devices(), steps=1_000_000)
