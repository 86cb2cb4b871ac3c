"""Damaged and hostile logs: each costs its own datum and nothing else, from each source."""

import json
import os
import pathlib
import shutil
import signal
import time

import google_crc32c
import numpy as np
import pytest
from tensorboard.compat.proto import summary_pb2, tensor_pb2, tensor_shape_pb2, types_pb2

from tb_filterviz import wire
from tests.plugin.samples import STEPS, kernel_events, kernel_values, pattern_events, tag_of
from tests.support import logs, pictures, server

BACKENDS = pytest.mark.parametrize("backend", ["files", "rust", "python"])
HEALTHY = ("good", tag_of("conv1"))


def claim(size, values=(b"x",)):
    """A tensor that claims more elements than it has."""
    dim = tensor_shape_pb2.TensorShapeProto.Dim(size=size)
    return tensor_pb2.TensorProto(
        dtype=types_pb2.DT_STRING, tensor_shape=tensor_shape_pb2.TensorShapeProto(dim=[dim]), string_val=values
    )


def metadata_of(content):
    metadata = wire.metadata(wire.KERNEL)
    metadata.plugin_data.content = content
    return metadata


LIES = {
    "many filters": {"shape": [1, 1 << 27], "axes": "IO", "chunk": 1 << 27, "bytes": [28 << 27, 2 << 27]},
    "a range that overflows": {"kind": "patterns", "filters": [0], "input_range": [10**400, 1]},
    "a range of nothing": {"kind": "patterns", "filters": [0], "input_range": [float("nan"), 1]},
    "no filters": {"kind": "patterns", "filters": [], "input_range": [0, 1]},
}


def resealed(elements, lie):
    """The elements with a header that claims something else."""
    text = json.dumps({**json.loads(elements[0].split(b"\n")[0]), **lie}).encode()
    return [text + b"\n%08x" % google_crc32c.value(text), *elements[1:]]


def poisons():
    metadata = wire.metadata(wire.KERNEL)
    (good, *_) = kernel_events("conv1", 0)
    elements = list(good.summary.value[0].tensor.string_val)
    yield "no elements", claim(0, []), metadata
    yield "garbage", logs.blob_tensor([b"garbage", b"\xff" * 99]), metadata
    yield "one element", logs.blob_tensor(elements[:1]), metadata
    yield "swapped elements", logs.blob_tensor([elements[0], *elements[:0:-1]]), metadata
    yield "2^40 elements", claim(1 << 40), metadata
    yield "negative size", claim(-5), metadata
    yield "foreign metadata", logs.blob_tensor(elements), metadata_of(b"\xff\xfe")
    yield "newer version", logs.blob_tensor(elements), metadata_of(b'{"v":99,"kind":"kernel"}')
    yield "other kind", logs.blob_tensor(elements), wire.metadata(wire.PATTERNS)
    yield "rank 0", tensor_pb2.TensorProto(dtype=types_pb2.DT_STRING, string_val=[b"x"]), metadata
    floats = tensor_pb2.TensorProto(dtype=types_pb2.DT_FLOAT, float_val=[1.0, 2.0])
    floats.tensor_shape.dim.add(size=2)
    yield "floats", floats, metadata
    for name, lie in LIES.items():
        yield name, logs.blob_tensor(resealed(elements, lie)), metadata
    yield "long description", logs.blob_tensor(elements), wire.metadata(wire.KERNEL, "*_" * 300_000)
    tensor_class = summary_pb2.SummaryMetadata()
    tensor_class.CopyFrom(metadata)
    tensor_class.data_class = summary_pb2.DATA_CLASS_TENSOR
    yield "other data class", logs.blob_tensor(elements), tensor_class


@BACKENDS
def test_poisoned_series_cost_nothing_else(tmp_path, backend):
    logs.write_file(tmp_path / "good" / "events.out.tfevents.1.host", kernel_events("conv1", 0))
    names = []
    for name, tensor, metadata in poisons():
        names.append(name)
        evil = tmp_path / f"evil {name}"
        poisoned = [logs.event("evil/filterviz.kernel", 0, tensor, metadata)]
        logs.write_file(evil / "events.out.tfevents.1.host", [*poisoned, *kernel_events("wave", 1)])
    with server.serve(tmp_path, *server.BACKENDS[backend]) as board:
        healthy = [HEALTHY, *((f"evil {name}", tag_of("wave")) for name in names)]
        index = board.index_when(lambda index: all(server.steps(index).get(key) == [*STEPS] for key in healthy))
        for run, tag in healthy:
            answer = board.get("kernels", run=run, tag=tag, step=5, inputs=0)
            assert answer.status == 200, answer.text
        for name in names:
            evil = {"run": f"evil {name}", "tag": "evil/filterviz.kernel", "step": 0}
            answer = board.get("kernels", **evil, inputs=0)
            # All that is wrong with the last two is what does not concern the datum itself.
            expected = (200,) if name == "long description" else (400, 404, 422)
            assert answer.status in expected, (name, answer.text)
            assert answer.status == 200 or answer.headers.get_content_type() == "text/plain"
            for more in ({"format": "png"}, {"format": "npz"}, {"what": "history", "format": "gif"}):
                exported = board.get("export", **evil, **more)
                assert exported.status in expected, (name, more)
                assert exported.status == 200 or exported.headers.get_content_type() == "text/plain"
        reported = {problem["run"] for problem in board.get("index").json["problems"]}
        assert {"evil garbage", "evil swapped elements", "evil foreign metadata", "evil newer version"} <= reported
        assert index["problems"]
        assert "Traceback" not in board.log


WITHOUT_NUMBERS = {
    "many filters": (
        {"shape": [1, 1 << 24], "axes": "IO", "chunk": 1 << 24, "bytes": [0, 1 << 25], "crc32c": [0, 0]},
        1,
    ),
    "few filters": ({}, 99),
}


@BACKENDS
def test_a_kernel_without_numbers_is_damaged_wherever_it_is_asked_for(tmp_path, backend):
    """And that is said at once: nothing is made for as many filters as a header claims, if there is nothing of them."""
    (good, *_) = kernel_events("conv1", 0)
    whole = list(good.summary.value[0].tensor.string_val)
    for name, (lie, kept) in WITHOUT_NUMBERS.items():
        facts = {"numbers": [], "bytes": [0, *map(len, whole[2:])], "crc32c": [0, *map(google_crc32c.value, whole[2:])]}
        elements = resealed([whole[0], b"", *whole[2:]][: 1 + kept], {**facts, **lie})
        poisoned = logs.event("evil/filterviz.kernel", 0, logs.blob_tensor(elements), wire.metadata(wire.KERNEL))
        file = tmp_path / name / "events.out.tfevents.1.host"
        logs.write_file(file, [poisoned, *kernel_events("wave", 1)])
    with server.serve(tmp_path, *server.BACKENDS[backend]) as board:
        board.index_when(lambda index: all(server.steps(index).get((n, tag_of("wave"))) for n in WITHOUT_NUMBERS))
        begun = time.monotonic()
        for name in WITHOUT_NUMBERS:
            evil = {"run": name, "tag": "evil/filterviz.kernel", "step": 0}
            answers = [board.get(route, **evil) for route in ("kernels", "analysis", "history", "export")]
            answers += [board.get("analysis", depth="full", **evil), board.get("history", filter=0, **evil)]
            assert [answer.status for answer in answers] == [422] * 6, [answer.text for answer in answers]
            assert "the numbers must begin with norm, min, max" in answers[0].text
        assert time.monotonic() - begun < 10
        assert "Traceback" not in board.log


@BACKENDS
def test_flipped_bits_cost_their_datum(tmp_path, backend):
    """The record's own checksum is right: the damage happened before, or the loader does not look."""
    events = list(kernel_events("conv1", 0))
    damaged = events[1].summary.value[0].tensor.string_val
    damaged[2] = damaged[2][:100] + bytes([damaged[2][100] ^ 4]) + damaged[2][101:]
    logs.write_file(tmp_path / "good" / "events.out.tfevents.1.host", events)
    with server.serve(tmp_path, *server.BACKENDS[backend]) as board:
        board.index_when(lambda index: server.steps(index).get(HEALTHY) == [*STEPS])
        where = {"run": "good", "tag": HEALTHY[1]}
        answer = board.get("kernels", **where, step=5)
        assert answer.status == 422
        assert "checksum of element 2 does not match" in answer.text
        assert board.get("analysis", **where, step=5).status == 200, "its numbers are whole"
        answer = board.get("export", **where, step=5)
        assert answer.status == 422
        assert "checksum of element 2 does not match" in answer.text
        assert len(pictures.frames(board.get("export", **where, what="history", format="apng").body)) == 2
        for step in (0, 10):
            facts, body = board.get("kernels", **where, step=step).frame
            expected = np.moveaxis(kernel_values("conv1", step).astype(np.float16), (-1, -2), (0, 1))
            np.testing.assert_array_equal(np.frombuffer(body, np.float16).reshape(facts["shape"]), expected)
        (problem,) = board.get("index").json["problems"]
        assert (problem["run"], problem["tag"], problem["step"]) == ("good", HEALTHY[1], 5)
        assert "checksum" in problem["message"]


def test_a_damaged_curve_costs_no_picture(tmp_path):
    (*_, event) = pattern_events()
    value = event.summary.value[0]
    value.tensor.string_val[-1] = bytes(len(value.tensor.string_val[-1]))
    logs.write_file(tmp_path / "good" / "events.out.tfevents.1.host", [event])
    with server.serve(tmp_path, *server.BACKENDS["files"]) as board:
        board.index_when(lambda index: ("good", value.tag) in server.steps(index))
        where = {"run": "good", "tag": value.tag, "step": event.step}
        answer = board.get("patterns", **where, curve="yes")
        assert answer.status == 422
        assert "the checksum of the curve does not match: its bytes are damaged" in answer.text
        facts, body = board.get("patterns", **where).frame
        assert len(body) == sum(facts["lengths"]) > 0


@BACKENDS
def test_a_truncated_file_costs_its_last_record(tmp_path, backend):
    file = logs.write_file(tmp_path / "good" / "events.out.tfevents.1.host", kernel_events("conv1", 0))
    whole = file.read_bytes()
    file.write_bytes(whole[:-100])
    with server.serve(tmp_path, *server.BACKENDS[backend]) as board:
        board.index_when(lambda index: server.steps(index).get(HEALTHY) == [*STEPS[:-1]])
        assert board.get("kernels", run="good", tag=HEALTHY[1], step=5).status == 200
        assert board.get("kernels", run="good", tag=HEALTHY[1], step=10).status == 404
        with open(file, "ab") as stream:
            stream.write(whole[-100:])
        board.index_when(lambda index: server.steps(index).get(HEALTHY) == [*STEPS])
        assert board.get("kernels", run="good", tag=HEALTHY[1], step=10).status == 200


@pytest.mark.parametrize(("backend", "expected"), [("files", [0, 5, 10]), ("rust", [0, 5]), ("python", [0, 5, 10])])
def test_an_earlier_step_hides_later_ones_from_the_data_server_only(tmp_path, backend, expected):
    """What the README documents: within a file every step counts, but the data server takes it for a restart."""
    events = list(kernel_events("conv1", 0))
    logs.write_file(tmp_path / "good" / "events.out.tfevents.1.host", [events[0], events[2], events[1]])
    with server.serve(tmp_path, *server.BACKENDS[backend]) as board:
        board.index_when(lambda index: server.steps(index).get(HEALTHY) == expected)


@BACKENDS
def test_a_run_that_goes_away(tmp_path, backend):
    for run in ("good", "doomed"):
        logs.write_file(tmp_path / run / "events.out.tfevents.1.host", kernel_events("conv1", 0))
    with server.serve(tmp_path, *server.BACKENDS[backend]) as board:
        board.index_when(lambda index: len(server.steps(index)) == 2)
        shutil.rmtree(tmp_path / "doomed")
        board.index_when(lambda index: list(server.steps(index)) == [HEALTHY])
        answer = board.get("kernels", run="doomed", tag=HEALTHY[1], step=5)
        assert answer.status == 404, answer.text


@pytest.mark.parametrize("backend", ["rust", "python"])
def test_every_step_that_is_listed_can_be_read_while_the_loader_drops_some(tmp_path, backend):
    file = tmp_path / "good" / "events.out.tfevents.1.host"
    (first, *_) = kernel_events("conv1", 0)
    value = first.summary.value[0]
    with server.serve(tmp_path, *server.BACKENDS[backend], "--samples_per_plugin", "filterviz=3") as board:
        for last in range(4, 24, 4):
            logs.write_file(file, (logs.event(value.tag, s, value.tensor, value.metadata) for s in range(last)))
            index = board.index_when(lambda index, last=last: server.steps(index).get(HEALTHY, [0])[-1] == last - 1)
            kept = server.steps(index)[HEALTHY]
            assert len(kept) == 3
            for step in kept:
                answer = board.get("kernels", run="good", tag=HEALTHY[1], step=step)
                # Between the two requests the loader may have dropped it; then it says so, and lists others.
                assert answer.status == 200 or step not in server.steps(board.get("index").json)[HEALTHY], answer.text


@pytest.mark.parametrize("backend", ["files", "rust"])
def test_a_data_server_that_died_is_said_where_it_matters(tmp_path, backend):
    logs.write_file(tmp_path / "good" / "events.out.tfevents.1.host", kernel_events("conv1", 0))
    with server.serve(tmp_path, *server.BACKENDS[backend]) as board:
        board.index_when(lambda index: HEALTHY in server.steps(index))
        children = pathlib.Path(f"/proc/{board.process.pid}/task/{board.process.pid}/children").read_text().split()
        for child in children:
            os.kill(int(child), signal.SIGKILL)
        for route in ("index", "kernels"):
            answer = board.get(route, run=HEALTHY[0], tag=HEALTHY[1], step=0)
            if backend == "files":
                assert answer.status == 200, answer.text
                continue
            assert answer.status == 503, answer.text
            assert answer.text.startswith("TensorBoard's data server does not answer: UNAVAILABLE"), answer.text


@BACKENDS
def test_path_prefix(tmp_path, backend):
    logs.write_file(tmp_path / "good" / "events.out.tfevents.1.host", kernel_events("conv1", 0))
    with server.serve(tmp_path, *server.BACKENDS[backend], "--path_prefix", "/pre/fix") as board:
        assert board.url.endswith("/pre/fix/")
        board.index_when(lambda index: HEALTHY in server.steps(index))
        assert board.get("static/index.js").status == 200
