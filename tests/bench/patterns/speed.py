"""How long contenders take, beside what their arithmetic takes at least."""

from __future__ import annotations

import dataclasses
import math
import statistics
import subprocess
import sys
import time
import unittest.mock
from collections.abc import Callable, Mapping
from typing import Any

import keras
import tensorflow as tf

from tb_filterviz.patterns.engine import Engine
from tests.bench.patterns.contenders import ALL_OURS, Contender

_SHARE, _FEWEST = 20, 8
_PASSES = 5
_REDUCED = "auto_mixed_precision_onednn_bfloat16"


@dataclasses.dataclass(frozen=True)
class Timed:
    """What a contender took, in medians of the rounds.

    Attributes:
        seconds: Of one filter.
        a_pass: The seconds of a pass of its `Limit`; not-a-number where it has none.
        share: `a_pass` over `seconds`, of the same round.
    """

    seconds: float
    a_pass: float
    share: float


def rounds(
    runs: Mapping[str, Contender],
    model: keras.Model,
    layer: str,
    filters: list[int],
    repeats: int,
    limits: Mapping[str, Limit] | None = None,
) -> dict[str, Timed]:
    """Times contenders in turns; ours on all filters, with all that a call takes, others on one filter.

    Of the others only steps count, timed as the difference of two numbers of them, so that what they trace and set up
    is free. The limit of a contender is timed before and after it in each round, since a processor that others use
    too, or that is hot, is not always as fast.
    """
    seconds: dict[str, list[float]] = {name: [] for name in runs}
    passes: dict[str, list[float]] = {name: [] for name in runs}
    for number in range(repeats + 1):
        for name, contender in runs.items():
            limit = (limits or {}).get(name)
            time_it = _whole if name in ALL_OURS else _steps
            before = limit.seconds() if limit else math.nan
            taken = time_it(contender, model, layer, filters)
            if number:  # the first round traces
                seconds[name].append(taken)
                passes[name].append((before + limit.seconds()) / 2 if limit else math.nan)
    return {
        name: Timed(
            statistics.median(seconds[name]),
            statistics.median(passes[name]),
            statistics.median(a_pass / taken for a_pass, taken in zip(passes[name], seconds[name], strict=True)),
        )
        for name in runs
    }


def _whole(contender: Contender, model: keras.Model, layer: str, filters: list[int]) -> float:
    return _timed(lambda: contender.make(model, layer, filters, 0, contender.steps)) / len(filters)


def _steps(contender: Contender, model: keras.Model, layer: str, filters: list[int]) -> float:
    few = max(_FEWEST, contender.steps // _SHARE)
    short, long = (
        _timed(lambda steps=steps: contender.make(model, layer, filters[:1], 0, steps)) for steps in (few, 2 * few)
    )
    return (long - short) / few * contender.steps


def steps_a_filter(contender: Contender, model: keras.Model, layer: str, filters: list[int]) -> float:
    """Counts the steps that one of our filters takes on average, those of second tries too."""
    climb, counts = Engine.climb, []

    def counted(*arguments: Any, **more: Any) -> Any:
        pictures, curve = climb(*arguments, **more)
        counts.append(curve.size)
        return pictures, curve

    with unittest.mock.patch.object(Engine, "climb", counted):
        contender.make(model, layer, filters, 0, contender.steps)
    return sum(counts) / len(filters)


@dataclasses.dataclass(frozen=True)
class Overhead:
    """What calls take beside their steps, in seconds.

    Attributes:
        first: By how much a first call takes longer than one after it.
        measured: Of a later call: what pictures and noise are measured for.
        rest: Of a later call: all else.
    """

    first: float
    measured: float
    rest: float


def overhead(contender: Contender, model: keras.Model, layer: str, filters: list[int], repeats: int) -> Overhead:
    """Times calls on a model that was not used before."""
    spent = {"climb": 0.0, "measure": 0.0, "measure_own": 0.0}

    def timing(name: str) -> Any:
        call = getattr(Engine, name)

        def timed(*arguments: Any, **more: Any) -> Any:
            begun = time.perf_counter()
            try:
                return call(*arguments, **more)
            finally:
                spent[name] += time.perf_counter() - begun

        return unittest.mock.patch.object(Engine, name, timed)

    def call() -> tuple[float, float, float]:
        spent.update(dict.fromkeys(spent, 0.0))
        whole = _timed(lambda: contender.make(model, layer, filters, 0, contender.steps))
        measured = spent["measure"] + spent["measure_own"]
        return whole, measured, whole - measured - spent["climb"]

    with timing("climb"), timing("measure"), timing("measure_own"):
        first, *_ = call()
        later = [call() for _ in range(repeats)]
    whole, measured, rest = (statistics.median(column) for column in zip(*later, strict=True))
    return Overhead(first - whole, measured, rest)


class Limit:
    """One forward and backward pass of what one filter of a layer needs, by itself, at the best batch size.

    Args:
        model: Functional model.
        layer: Name of the layer.
        bfloat16: Whether TensorFlow may compute in it.
        batches: Sizes to try.
    """

    def __init__(
        self, model: keras.Model, layer: str, bfloat16: bool, batches: tuple[int, ...] = (1, 4, 8, 16)
    ) -> None:
        target = model.get_layer(layer)
        one = type(target).from_config({**target.get_config(), "filters": 1, "activation": None})
        cut = keras.Model(model.inputs, one(target.input))

        @tf.function(reduce_retracing=True)
        def gradient(pictures: Any) -> Any:
            with tf.GradientTape() as tape:
                tape.watch(pictures)
                total = tf.reduce_sum(cut(pictures, training=False))
            return tape.gradient(total, pictures)

        self._gradient, self._bfloat16 = gradient, bfloat16
        self._pictures = tf.random.uniform((max(batches), *model.inputs[0].shape[1:]), 0, 255)
        tried = [{batch: self.seconds(batch) for batch in batches} for _ in range(4)][1:]  # the first round traces
        self._batch = min(batches, key=lambda batch: min(one[batch] for one in tried))

    def seconds(self, batch: int | None = None) -> float:
        """Times a picture: as contenders are, over several passes on end."""
        pictures = self._pictures[: batch or self._batch]
        tf.config.optimizer.set_experimental_options({_REDUCED: self._bfloat16})
        try:
            self._gradient(pictures)
            taken = _timed(lambda: [self._gradient(pictures).numpy() for _ in range(_PASSES)])
            return taken / _PASSES / len(pictures)
        finally:
            tf.config.optimizer.set_experimental_options({_REDUCED: False})


_MEMORY = """
import ctypes, pathlib, re, sys
from tests.bench.patterns import networks
layer, side, filters = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
model = networks.hed(side)
ctypes.CDLL(None).malloc_trim(0)  # what was freed is not to hide what is needed
pathlib.Path("/proc/self/clear_refs").write_text("5")  # forgets the largest size until now
def size(name):
    return int(re.search(rf"^{name}:\\s+(\\d+) kB$", pathlib.Path("/proc/self/status").read_text(), re.MULTILINE)[1])
before = size("VmRSS")
from tb_filterviz import generate_patterns
generate_patterns(model, layer, filters, size=side, steps=3, tries=1, progress=False)
print(size("VmHWM") - before)
"""


def memory(layer: str, side: int, filters: int) -> int:
    """Returns the bytes by which the largest size of a fresh process grows while it makes patterns, on Linux.

    What `resource` tells would begin with the size of the process that started it.
    """
    arguments = [sys.executable, "-c", _MEMORY, layer, str(side), str(filters)]
    lines = subprocess.run(arguments, check=True, capture_output=True, text=True).stdout.split()
    return int(lines[-1]) * 1024


def _timed(run: Callable[[], object]) -> float:
    begun = time.perf_counter()
    run()
    return time.perf_counter() - begun
