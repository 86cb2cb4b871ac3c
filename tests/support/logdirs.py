"""Log directories of one kernel's steps, and what an index says of them."""

from __future__ import annotations

import google_crc32c
import numpy as np

from tb_filterviz import records, wire
from tb_filterviz.store import ByteCache, EventFileSource, Store
from tb_filterviz.store.framing import mask
from tests.support import logs

FILE = "events.out.tfevents.1.host"
TAG = "cnn/conv/kernel/filterviz.kernel"


def kernel(step, shape=(3, 3, 4, 5)):
    return np.random.default_rng(step).normal(size=shape).astype(np.float16)


def event(step, wall_time=0.0, tag=TAG, shape=(3, 3, 4, 5), metadata=True):
    elements = wire.encode_kernel(records.Kernel(records.Layer("conv/kernel", "Conv2D"), kernel(step, shape)), "cnn")
    return logs.event(
        tag, step, logs.blob_tensor(elements), wire.metadata(wire.KERNEL) if metadata else None, wall_time
    )


def frame(length):
    """A head with the right checksum."""
    head = length.to_bytes(8, "little")
    return head + mask(google_crc32c.value(head)).to_bytes(4, "little")


def refreshed(index):
    index.refresh()
    return index.contents


def steps(contents):
    return {(run, tag): [d.step for d in one.data] for run, tags in contents.runs.items() for tag, one in tags.items()}


def said(contents):
    return [(problem.run, problem.message) for problem in contents.problems]


def check_values(contents, run=".", tag=TAG):
    """Reads every step, and compares with what was written."""
    source, store = EventFileSource(contents, ByteCache(1 << 20)), Store(0)
    for datum in contents.runs[run][tag].data:
        header = store.header(source, datum)
        expected = np.moveaxis(kernel(datum.step, header.shape), -1, 0)
        np.testing.assert_array_equal(store.filters(source, datum, header, 0, header.shape[-1]), expected)
