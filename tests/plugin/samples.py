"""Kernels of every number of axes, and patterns, as events of a log."""

from __future__ import annotations

import dataclasses

import numpy as np

from tb_filterviz import records, wire
from tests.support import logs

SHAPES = {
    "conv1": (3, 3, 3, 20),
    "conv2": (3, 3, 20, 7),
    "wave": (5, 4, 6),
    "volume": (2, 3, 3, 2, 5),
    "dense": (6, 4),
    "wide": (3, 3, 128, 512),
    'quo"te\\<script>alert(1)</script>é/%41\n': (3, 3, 2, 2),
}
STEPS = (0, 5, 10)
PATTERN_STEPS = (5, 10)


def kernel_values(name: str, step: int) -> np.ndarray:
    values = np.random.default_rng([len(name), step]).normal(size=SHAPES[name]).astype(np.float32)
    if name == "conv2" and step == 5:
        values[0, 0, 0, :2] = [np.nan, np.inf]
    return values


def kernel_events(name: str, position: int):
    layer = records.Layer(f"net/{name}/kernel", "Conv2D", position)
    for step in STEPS:
        elements = wire.encode_kernel(records.Kernel(layer, kernel_values(name, step)), "cnn")
        tag = wire.tag("cnn", layer.path, wire.KERNEL)
        yield logs.event(tag, step, logs.blob_tensor(elements), wire.metadata(wire.KERNEL, "of <b>mine</b>"))


def some_patterns() -> records.Patterns:
    images = np.random.default_rng(3).integers(0, 256, (3, 8, 9, 3)).astype(np.uint8)
    start, reached = np.array([0, 1, np.nan], np.float32), np.array([5, 0.5, np.nan], np.float32)
    layer = records.Layer("net/conv1/kernel", "Conv2D", 0)
    failed = np.array([False, True, True])
    noise, natural = np.array([1, 2, np.nan], np.float32), np.array([4, np.nan, np.nan], np.float32)
    percentile = np.array([100, np.nan, np.nan], np.float32)
    curve = np.array([[0, 3, 4, 5], [1, 0.5, np.nan, np.nan], [np.nan] * 4], np.float32)
    made = (images, start, reached, failed, (0.0, 255.0), "classic", 80)
    spots = np.array([False, True, False])
    return records.Patterns(layer, np.array([0, 7, 19]), *made, noise, natural, percentile, curve, spots, "channel")


def old_patterns() -> records.Patterns:
    """Patterns as they were logged before there were references, curves, spots and objectives."""
    none = dict.fromkeys(("noise", "natural", "percentile", "curve", "spots"))
    return dataclasses.replace(some_patterns(), **none, objective="")


def pattern_events():
    tag = wire.tag("cnn", "net/conv1/kernel", wire.PATTERNS)
    for step, patterns in zip(PATTERN_STEPS, (old_patterns(), some_patterns()), strict=True):
        elements = wire.encode_patterns(patterns, "cnn")
        yield logs.event(tag, step, logs.blob_tensor(elements), wire.metadata(wire.PATTERNS))


def tag_of(name: str) -> str:
    return wire.tag("cnn", f"net/{name}/kernel", wire.KERNEL)
