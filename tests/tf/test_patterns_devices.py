"""All devices of an active `tf.distribute` strategy climb: in a process of its own, which makes devices first."""

import json
import subprocess
import sys

import pytest

PROGRAM = """
import _thread, json, warnings
import keras, numpy as np, tensorflow as tf
from tb_filterviz.patterns import engine, generate_patterns

[cpu] = tf.config.list_physical_devices("CPU")
tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
batches, devices, interrupt_at = [], set(), None
real, heard = engine.Engine.climb, {}


def climb(self, noise, targets, *rest):
    batches.append(sorted(targets.tolist()))
    if len(batches) == interrupt_at:
        _thread.interrupt_main()
    if id(self) not in heard:
        advance = heard[id(self)] = self._advance

        def watched(*arguments):
            state, scores = advance(*arguments)
            devices.add(state[0].device[-5:])
            return state, scores

        self._advance = watched
    return real(self, noise, targets, *rest)


def patterns(scope):
    global model
    batches.clear(), devices.clear()
    with scope:
        keras.utils.set_random_seed(0)
        layers = [keras.layers.Conv2D(8, 3, activation="relu"), keras.layers.Conv2D(7, 3, name="conv")]
        model = keras.Sequential([keras.Input((24, 24, 3)), *layers])
        made = generate_patterns(
            model, "conv", steps=5, tries=1, batch_size=2, precision="float32", input_range=(0, 1), progress=False
        )
    return made, sorted(batches), sorted(devices)


engine.Engine.climb = climb
alone, *on_one = patterns(tf.device(None))
shared, *on_two = patterns(strategy.scope())
interrupt_at = 3
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    stopped, *_ = patterns(strategy.scope())
print(json.dumps({
    "one": on_one,
    "two": on_two,
    "difference": int(np.abs(alone.images.astype(int) - shared.images).max()),
    "reached": [alone.reached.tolist(), shared.reached.tolist()],
    "stopped": stopped.filters.tolist(),
    "warned": [str(one.message) for one in caught if "interrupted" in str(one.message)],
}))
"""


def test_filters_are_shared_among_devices_and_an_interrupt_keeps_what_is_done():
    run = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, timeout=300)
    assert run.returncode == 0, run.stderr
    said = json.loads(run.stdout.splitlines()[-1])
    assert said["one"] == [[[0, 1], [2, 3], [4, 5], [6]], ["CPU:0"]]
    assert said["two"] == [[[0, 2], [1, 3], [4, 6], [5]], ["CPU:0", "CPU:1"]]
    assert said["difference"] <= 1
    assert said["reached"][1] == pytest.approx(said["reached"][0], rel=1e-3)
    assert said["stopped"] == [0, 1, 2, 3]
    assert len(said["warned"]) == 1
