"""The programs of the README run as they stand there."""

import pathlib
import re
import shlex
import types

import keras
import numpy as np
import pytest
import tensorflow as tf

import tb_filterviz as filterviz
from tb_filterviz import cli, records, wire
from tests.support import logs

README = pathlib.Path(__file__).parents[2] / "README.md"
PROGRAMS = re.findall(r"\*\*(\d)\..*?```python\n(.*?)```", README.read_text(), re.S)
(EXPORT,) = re.findall(r"```python\n(log\.grid.*?)```", README.read_text(), re.S)
SHELL = [line for line in README.read_text().splitlines() if line.startswith("tb-filterviz ")]
(READER,) = re.findall(r"```python\n(log = filterviz\.read.*?)```", README.read_text(), re.S)


@pytest.mark.filterwarnings("ignore:You are saving your model:UserWarning")
@pytest.mark.parametrize(("number", "program"), PROGRAMS, ids=[number for number, _ in PROGRAMS])
def test_program(number, program, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    model = keras.Sequential(
        [
            keras.Input((12, 12, 3)),
            keras.layers.Conv2D(9, 3, activation="relu", name="block3_conv3"),
            keras.layers.GlobalMaxPooling2D(),
        ]
    )
    model.compile("adam", "mse")
    tf.train.Checkpoint(kernel=model.layers[0].kernel.value).write("model.ckpt")
    # What PyTorch's parameters answer to, since PyTorch is not needed for this.
    weight = types.SimpleNamespace(detach=lambda: tf.constant(np.zeros((8, 3, 5, 5), np.float32)))
    names = {
        "x": np.zeros((8, 12, 12, 3), np.float32),
        "y": np.zeros((8, 9), np.float32),
        "batches": range(501),
        "train_step": lambda batch: None,
        "module": types.SimpleNamespace(conv1=types.SimpleNamespace(weight=weight)),
    }
    exec(program, {"keras": keras, "tf": tf, "filterviz": filterviz, "np": np, "model": model, **names})
    assert [tag for tag, *_ in logs.read_events(tmp_path) if tag.endswith("filterviz.kernel")]


def test_there_are_five():
    assert [number for number, _ in PROGRAMS] == ["1", "2", "3", "4", "5"]


def test_the_reader(tmp_path, monkeypatch):
    """It says of itself what shape `log.kernel` returns."""
    monkeypatch.chdir(tmp_path)
    weights = np.random.default_rng(0).normal(size=(3, 3, 3, 9)).astype(np.float32)
    events = []
    for step, values in (0, weights / 2), (500, weights):
        elements = wire.encode_kernel(records.Kernel(records.Layer("conv1/kernel", "Conv2D"), values), "cnn", "float32")
        tensor = logs.blob_tensor(elements)
        events.append(logs.event("cnn/conv1/filterviz.kernel", step, tensor, wire.metadata(wire.KERNEL)))
    logs.write_file(tmp_path / "logs" / "run1" / "events.out.tfevents.1.host", events)
    names = {"filterviz": filterviz}
    exec(READER, names)
    assert (tmp_path / "grid.png").read_bytes().startswith(b"\x89PNG")
    (call, shape) = re.findall(r"^(log\.kernel\(.*\)) +# (\(.*\))$", READER, re.M)[0]
    kernel = eval(call, names)
    assert kernel.shape == eval(shape)
    np.testing.assert_array_equal(kernel, weights[..., [0, 7]])
    exec(EXPORT, names)
    np.testing.assert_array_equal(np.load(tmp_path / "kernel.npy"), weights)
    written = {"figure.png", "filter7.svg", "training.gif", "layers.png", "change.png", "numbers.csv", "all.csv"}
    assert written < {file.name for file in tmp_path.iterdir()}
    from_python = {name: (tmp_path / name).read_bytes() for name in written}
    assert len(SHELL) == 8
    for line in SHELL:
        assert cli.main(shlex.split(line)[1:]) == 0
    for name in written - {"filter7.svg"}:  # where a caption makes the difference
        assert (tmp_path / name).read_bytes() == from_python[name]
    assert (tmp_path / "layers.svg").exists()
