"""One contract for every source: event files, and TensorBoard's provider with each of its loaders.

Where both hold a datum, they say the same of it, whatever was logged in whatever order.
"""

import contextlib
import pathlib
import subprocess
import tempfile
import time

import grpc
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tensorboard import context
from tensorboard.backend.event_processing import data_provider, plugin_event_multiplexer
from tensorboard.data import grpc_provider, server_ingester
from tensorboard.util import grpc_util

from tb_filterviz import records, wire
from tb_filterviz.store import ByteCache, EventFileSource, LogdirIndex, ProviderSource, Store
from tests.plugin.samples import SHAPES, STEPS, kernel_values, some_patterns, tag_of
from tests.support import logs


@contextlib.contextmanager
def files(logdir):
    index = LogdirIndex(logdir)
    index.refresh()
    yield EventFileSource(index.contents, ByteCache(1 << 20))


@contextlib.contextmanager
def python(logdir):
    multiplexer = plugin_event_multiplexer.EventMultiplexer(tensor_size_guidance={wire.PLUGIN_NAME: 0})
    multiplexer.AddRunsFromDirectory(str(logdir))
    multiplexer.Reload()
    provider = data_provider.MultiplexerDataProvider(multiplexer, str(logdir))
    yield ProviderSource(provider, context.RequestContext(), "", {})


@contextlib.contextmanager
def rust(logdir):
    with tempfile.TemporaryDirectory() as scratch:
        port = pathlib.Path(scratch, "port")
        flags = [f"--logdir={logdir}", "--reload=once", "--port=0", f"--port-file={port}", "--die-after-stdin"]
        flags += [f"--samples-per-plugin={wire.PLUGIN_NAME}=all"]
        command = [server_ingester.get_server_binary().path, *flags]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
            wait_until(lambda: port.exists() and port.read_text().endswith("\n"))
            credentials, options = grpc_util.ChannelCredsType.LOCAL.channel_config()
            with grpc.secure_channel(f"localhost:{int(port.read_text())}", credentials, options=options) as channel:
                provider = grpc_provider.GrpcDataProvider("", grpc_provider.make_stub(channel))
                yield ProviderSource(provider, context.RequestContext(), "", {})
            process.stdin.close()  # what the server ends with


SOURCES = {"files": files, "python": python, "rust": rust}


@pytest.fixture(scope="module", params=SOURCES)
def source(request, logdir):
    with SOURCES[request.param](logdir) as opened:
        wait_for(opened, 2 * (len(SHAPES) + 1))
        yield opened


def wait_until(ready):
    end = time.monotonic() + 20
    while not ready() and time.monotonic() < end:
        time.sleep(0.01)


def wait_for(source, count):
    """The data server reads on while it answers."""
    wait_until(lambda: len(source.series()[0]) >= count)


def test_lists_everything(source):
    series, problems = source.series()
    assert problems == []
    assert list(dict.fromkeys(one.run for one in series)) == ["run2", "run10"]
    kernels = [one for one in series if one.kind == wire.KERNEL]
    assert {(one.run, one.tag) for one in kernels} == {(run, tag_of(n)) for run in ("run2", "run10") for n in SHAPES}
    for one in kernels:
        assert (one.description, one.superseded) == ("of <b>mine</b>", 0)
        assert [(datum.step, datum.wall_time) for datum in one.data] == [(step, 1.7e9 + step) for step in STEPS]
        assert all((datum.run, datum.tag) == (one.run, one.tag) for datum in one.data)


def test_lists_one(source):
    for name in SHAPES:
        ((one,), problems) = source.series("run2", tag_of(name))
        assert (one.run, one.tag, problems) == ("run2", tag_of(name), [])
    for run, tag in (("run2", "nothing"), ("nothing", tag_of("conv1")), ("", ""), ("run2/../run10", tag_of("conv1"))):
        assert source.series(run, tag)[0] == []


@pytest.mark.parametrize("name", SHAPES)
def test_reads_what_was_written(source, name):
    (one,), _ = source.series("run10", tag_of(name))
    store = Store(0)
    for datum in one.data:
        header = store.header(source, datum)
        expected = np.moveaxis(kernel_values(name, datum.step), -1, 0).astype(np.float16)
        np.testing.assert_array_equal(store.filters(source, datum, header, 0, len(expected)), expected)
        last = len(expected) - 1
        np.testing.assert_array_equal(store.filters(source, datum, header, last, last + 1), expected[last:])


def test_reads_elements_in_any_order(source):
    (one,), _ = source.series("run2", tag_of("wide"))
    datum = one.data[1]
    count = 1 + len(wire.parse_header(source.read(datum, [0])[0]).lengths)
    ascending = source.read(datum, range(count))
    assert source.read(datum, [*range(count)][::-1]) == ascending[::-1]
    assert source.read(datum, [3, 1]) == [ascending[3], ascending[1]]
    assert source.read(datum, []) == []


def test_reads_pictures(source):
    (one,), _ = source.series("run2", tag_of("conv1").replace("filterviz.kernel", "filterviz.patterns"))
    (datum,) = one.data
    store = Store(0)
    header = store.header(source, datum)
    pngs = store.pictures(source, datum, header, [2, 0])
    assert pngs == [wire.encode_patterns(some_patterns(), "cnn")[2 + position] for position in (2, 0)]


def test_an_element_too_many_is_named(source):
    (one,), _ = source.series("run2", tag_of("conv1"))
    with pytest.raises(wire.FormatError, match=r"the datum has 3 elements, and element 3 is missing"):
        source.read(one.data[0], [3])


# The property: agreement, of whatever was logged.

TAGS = [wire.tag("m", path, wire.KERNEL) for path in ("a/kernel", "b/kernel")]


def encoded(number):
    kernel = records.Kernel(records.Layer("a/kernel"), np.full((1, 2), number, np.float32))
    return logs.blob_tensor(wire.encode_kernel(kernel, "m", "float32"))


FILES = st.lists(  # of one run, in order; each a list of (tag, step)
    st.lists(st.tuples(st.sampled_from(TAGS), st.integers(0, 6)), max_size=8), min_size=1, max_size=3
)


@contextlib.contextmanager
def written(runs):
    """Event files of runs, whose every datum holds another number; and what was written."""
    with tempfile.TemporaryDirectory() as scratch:
        number, truth = 0, {}
        for run, in_files in runs.items():
            for place, entries in enumerate(in_files):
                events = []
                for tag, step in entries:
                    number += 1
                    truth[run, tag, step, 1.7e9 + number] = number
                    events.append(logs.event(tag, step, encoded(number), wire.metadata(wire.KERNEL), 1.7e9 + number))
                logs.write_file(pathlib.Path(scratch, run, f"events.out.tfevents.{place}"), events)
        yield scratch, truth


def held(source):
    """By run, tag, step and time what a source holds."""
    found, store = {}, Store(0)
    for series in source.series()[0]:
        for datum in series.data:
            header = store.header(source, datum)
            value = store.filters(source, datum, header, 0, 1)
            found[series.run, series.tag, datum.step, datum.wall_time] = float(value.reshape(-1)[0])
    return found


RUNS = st.fixed_dictionaries({"r": FILES, "r/nested": FILES})


@settings(max_examples=60, deadline=None)
@given(RUNS)
def test_event_files_agree_with_the_python_loader(runs):
    with written(runs) as (logdir, truth), files(logdir) as mine, python(logdir) as theirs:
        ours, others = held(mine), held(theirs)
        assert ours.items() <= truth.items()
        for key in ours.keys() & others.keys():
            # Of a step that is there twice that loader reads the first, whichever it is asked for.
            assert others[key] in {value for other, value in truth.items() if other[:3] == key[:3]}
            if sum(other[:3] == key[:3] for other in truth) == 1:
                assert ours[key] == others[key]
        # It drops nothing, so that it holds every step that is listed from the files.
        assert {key[:3] for key in ours} <= {key[:3] for key in others}


def ascending(files):
    """Sessions as training writes them: the steps of a tag ascend within a file."""
    return [sorted(set(entries)) for entries in files]


@settings(max_examples=12, deadline=None)
@given(st.fixed_dictionaries({"r": FILES.map(ascending), "r/nested": FILES.map(ascending)}))
def test_event_files_agree_with_the_data_server(runs):
    """Restarts and all: of sessions one after another both hold the same, neither more nor less."""
    with written(runs) as (logdir, _), files(logdir) as mine, rust(logdir) as theirs:
        ours = held(mine)
        wait_for(theirs, len({key[:2] for key in ours}))
        assert held(theirs) == ours
