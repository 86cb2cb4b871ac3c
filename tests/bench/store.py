"""The store on a large log, written by ready bytes: `python -m tests.bench store`."""

from __future__ import annotations

import concurrent.futures
import pathlib
import random
import statistics
import struct
import time
from collections.abc import Iterator

import google_crc32c
import numpy as np
import psutil
from tensorboard.compat.proto import event_pb2, summary_pb2
from tensorboard.util import tensor_util

from tb_filterviz import records, wire
from tb_filterviz.store import ByteCache, EventFileSource, LogdirIndex, Store
from tb_filterviz.store.framing import mask
from tests.support import logs, server

STEPS = 200
SCALARS = 1_000_000
VGG16 = [(3, 64), (64, 64), (64, 128), (128, 128), (128, 256), *[(256, 256)] * 2, (256, 512), *[(512, 512)] * 5]
_CONNECTIONS = 6  # of a browser to one server
_FILE = "events.out.tfevents.1.host"


def measure(directory: pathlib.Path) -> Iterator[tuple[str, str, str]]:
    """Yields (what, figure, bar)."""
    yield from _scalars(directory / "scalars")
    big = directory / "kernels"
    size = _write_kernels(big)
    yield f"13 kernels of VGG16 x {STEPS} steps at float16", f"{size / 1e9:.2f} GB", ""
    yield from _index(big, size)
    yield from _one_filter(big)
    empty = directory / "empty"
    _write(empty / "run" / _FILE, [event_pb2.Event(wall_time=1.0, file_version="brain.Event:2").SerializeToString()])
    alone = _memory_of(empty)
    yield from _serve(big, alone)
    yield from _retention(big)


def record(data: bytes) -> bytes:
    """Returns data as they stand in an event file, between length and checksums."""
    length = struct.pack("<Q", len(data))
    checksums = (struct.pack("<I", mask(google_crc32c.value(part))) for part in (length, data))
    return length + next(checksums) + data + next(checksums)


def _write(file: pathlib.Path, datas: list[bytes]) -> None:
    file.parent.mkdir(parents=True)
    file.write_bytes(b"".join(map(record, datas)))


def _scalars(directory: pathlib.Path) -> Iterator[tuple[str, str, str]]:
    directory.mkdir(parents=True)
    metadata = summary_pb2.SummaryMetadata(data_class=summary_pb2.DATA_CLASS_SCALAR)
    metadata.plugin_data.plugin_name = "scalars"
    tensor = tensor_util.make_tensor_proto(np.float32(1))
    summary = summary_pb2.Summary(value=[summary_pb2.Summary.Value(tag="loss", tensor=tensor, metadata=metadata)])
    with open(directory / _FILE, "wb", 1 << 20) as stream:
        for step in range(SCALARS):
            stream.write(record(event_pb2.Event(wall_time=1.7e9, step=step, summary=summary).SerializeToString()))
    start = time.perf_counter()
    LogdirIndex(directory).refresh()
    yield f"index of {SCALARS:,} scalar records", f"{time.perf_counter() - start:.2f} s", "3 s"


def _write_kernels(directory: pathlib.Path) -> int:
    """Writes the same weights at every step; only step and time differ."""
    file = directory / "run" / _FILE
    file.parent.mkdir(parents=True)
    rng = np.random.default_rng(0)
    summaries = []
    for position, (inputs, outputs) in enumerate(VGG16):
        layer = records.Layer(f"conv{position}/kernel", "Conv2D", position)
        kernel = records.Kernel(layer, rng.normal(size=(3, 3, inputs, outputs)).astype(np.float32))
        tag = wire.tag("vgg", layer.path, wire.KERNEL)
        tensor = logs.blob_tensor(wire.encode_kernel(kernel, "vgg"))
        value = summary_pb2.Summary.Value(tag=tag, tensor=tensor, metadata=wire.metadata(wire.KERNEL))
        summaries.append(event_pb2.Event(summary=summary_pb2.Summary(value=[value])).SerializeToString())
    with open(file, "wb") as stream:
        stream.write(record(event_pb2.Event(wall_time=1.7e9, file_version="brain.Event:2").SerializeToString()))
        for step in range(STEPS):
            head = event_pb2.Event(wall_time=1.7e9 + step, step=step).SerializeToString()
            for summary in summaries:
                stream.write(record(head + summary))
    return file.stat().st_size


def _index(directory: pathlib.Path, size: int) -> Iterator[tuple[str, str, str]]:
    start = time.perf_counter()
    index = LogdirIndex(directory)
    index.refresh()
    seconds = time.perf_counter() - start
    series = index.contents.runs["run"].values()
    assert [len(one.data) for one in series] == [STEPS] * len(VGG16)
    yield "index of all of it", f"{seconds:.3f} s, {size / 1e9 / seconds:.0f} GB/s", "1 GB/s"


def _one_filter(directory: pathlib.Path) -> Iterator[tuple[str, str, str]]:
    index, store = LogdirIndex(directory), Store(0)
    index.refresh()
    source = EventFileSource(index.contents, ByteCache(1 << 20))
    data = index.contents.runs["run"][wire.tag("vgg", "conv12/kernel", wire.KERNEL)].data
    milliseconds, beyond = [], []
    for datum in random.Random(0).sample(data, 100):
        read, start = _bytes_read(), time.perf_counter()
        header = store.header(source, datum)
        filters = store.filters(source, datum, header, 300, 301)
        milliseconds.append((time.perf_counter() - start) * 1e3)
        beyond.append(_bytes_read() - read - filters.nbytes)
    yield "one filter of (3, 3, 512, 512) at a random step", f"{statistics.median(milliseconds):.2f} ms median", "5 ms"
    yield "bytes read beyond it", f"{max(beyond):,}", "65,536"


def _bytes_read() -> int:
    return int(pathlib.Path("/proc/self/io").read_text().split()[1])


def _resident(board: server.TensorBoard) -> float:
    """Megabytes of TensorBoard and its data server that are theirs alone."""
    process = psutil.Process(board.process.pid)
    return sum(one.memory_info().rss for one in (process, *process.children(recursive=True))) / 1e6


def _memory_of(directory: pathlib.Path) -> float:
    with server.serve(directory, "true", "--reload_interval", "5") as board:
        for _ in range(5):
            board.fetch("data/runs")
            time.sleep(1)
        return _resident(board)


def _serve(directory: pathlib.Path, alone: float) -> Iterator[tuple[str, str, str]]:
    start = time.perf_counter()
    cache = 256
    with (
        server.serve(directory, "true", "--reload_interval", "5", "--filterviz_cache_mb", str(cache)) as board,
        concurrent.futures.ThreadPoolExecutor(_CONNECTIONS) as browser,
    ):
        started = time.perf_counter()
        board.index_when(lambda index: all(len(steps) == STEPS for steps in server.steps(index).values() or [()]))
        where = {"run": "run", "tag": wire.tag("vgg", "conv12/kernel", wire.KERNEL), "inputs": "strongest"}
        assert board.get("kernels", step=STEPS - 1, **where).status == 200
        first = time.perf_counter()
        figure = f"{first - started:.2f} s ({started - start:.1f} s to start)"
        yield "first picture after TensorBoard's start, every step listed", figure, "3 s"
        for inputs in (0, "strongest"):
            begin = time.perf_counter()
            for step in range(STEPS):
                assert board.get("kernels", step=step, **{**where, "inputs": inputs}).status == 200
            yield f"scrub over {STEPS} steps, inputs={inputs}", f"{STEPS / (time.perf_counter() - begin):.0f}/s", "20/s"
        time.sleep(15)  # until TensorBoard's loader has read it too
        bar = f"{1.2 * alone + cache:.0f} MB"
        figure = f"{_resident(board):.0f} MB (without us {alone:.0f})"
        yield "resident, TensorBoard and data server, after that", figure, bar
        tags = [wire.tag("vgg", f"conv{position}/kernel", wire.KERNEL) for position in range(len(VGG16))]
        asked = [(step, tag) for step in range(0, STEPS, 5) for tag in tags]
        for answer in browser.map(lambda one: board.get("kernels", step=one[0], **{**where, "tag": one[1]}), asked):
            assert answer.status == 200
        figure = f"{_resident(board):.0f} MB"
        yield f"after all layers at each 5th step too, {_CONNECTIONS} requests at once", figure, bar


def _retention(directory: pathlib.Path) -> Iterator[tuple[str, str, str]]:
    flags = ("--filterviz_source", "tensorboard", "--reload_interval", "5")
    with server.serve(directory, "true", *flags) as board:
        board.index_when(lambda index: len(server.steps(index)) == len(VGG16), 90)
        time.sleep(2)
        yield "the same with the 50 steps that TensorBoard's loader would keep", f"{_resident(board):.0f} MB", ""
