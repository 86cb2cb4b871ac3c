"""What is worked out on demand: how much that takes, what it reads, and from where each number is."""

import numpy as np
import pytest

from tb_filterviz import course, insight, records, wire
from tb_filterviz.store import ByteCache, EventFileSource, LogdirIndex, Store
from tb_filterviz.thoughts import LARGE
from tests.support import logdirs, logs


def exact(step, shape=(3, 3, 4, 5)):
    return np.random.default_rng(step).normal(size=shape).astype(np.float32)


def opened(directory, steps, precision="float16", shape=(3, 3, 4, 5)):
    """Returns a source, its only series, and the header of its newest step."""
    events = []
    for step in steps:
        kernel = records.Kernel(records.Layer("conv/kernel", "Conv2D"), exact(step, shape))
        elements = wire.encode_kernel(kernel, "cnn", precision)
        events.append(logs.event(logdirs.TAG, step, logs.blob_tensor(elements), wire.metadata(wire.KERNEL)))
    logs.write_file(directory / logdirs.FILE, events)
    source = EventFileSource(logdirs.refreshed(LogdirIndex(str(directory))), ByteCache(1 << 20))
    (series,), _ = source.series()
    return source, series, Store(0).newest(source, series)[1]


@pytest.fixture
def counted(monkeypatch):
    """Counts the weights that are read."""
    found = []
    decode = wire.decode_chunk

    def counting(header, element):
        values = decode(header, element)
        found.append(values.size)
        return values

    monkeypatch.setattr(wire, "decode_chunk", counting)
    return found


def test_a_history_takes_as_much_as_it_reads(tmp_path, counted):
    source, series, header = opened(tmp_path, range(120), shape=(3, 3, 40, 50))
    course.of_layer(Store(0), source, series, header)
    numbers = 100 * 50 * len(header.numbers)
    assert sum(counted) + numbers == course.work_of_layer(series, header) == 100 * 3 * 3 * 40 * 50 + numbers
    counted.clear()
    course.of_filter(Store(0), source, series, header, 7, "strongest")
    assert sum(counted) == course.work_of_filter(series, header) == 100 * 3 * 3 * 40 * 50


def test_a_history_of_many_steps_is_large_work_though_one_step_is_small(tmp_path):
    _, series, header = opened(tmp_path, range(70), shape=(3, 3, 128, 128))
    assert insight.work(header) < LARGE / 4
    assert course.work_of_layer(series, header) > LARGE


def test_norms_over_steps_are_those_of_the_exact_weights(tmp_path):
    """And not of the eight bits that are stored of each."""
    source, series, header = opened(tmp_path, range(4), "int8")
    facts, _ = course.of_filter(Store(0), source, series, header, 2, "mean")
    expected = [np.linalg.norm(exact(step)[..., 2]) for step in range(4)]
    np.testing.assert_allclose(facts["norms"], expected, rtol=1e-6)


def test_the_second_step_reads_the_first_once(tmp_path, counted):
    source, series, _ = opened(tmp_path, (0, 5, 9))
    for step, kernels in (0, 1), (5, 2), (9, 3):
        counted.clear()
        (datum,) = (one for one in series.data if one.step == step)
        insight.report(Store(0), source, series, datum, Store(0).header(source, datum))
        assert sum(counted) == kernels * exact(0).size


@pytest.mark.parametrize(("step", "expected"), [(-1, 0), (0, 0), (3, 1), (5, 1), (9, 2), (10, 3)])
def test_how_many_data_are_before_a_step(tmp_path, step, expected):
    _, series, _ = opened(tmp_path, (0, 5, 9))
    assert series.before(step) == expected
