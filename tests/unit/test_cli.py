"""The program on the shell: what it writes, what it says, and how it ends."""

import io
import subprocess
import sys

import numpy as np
import pytest

import tb_filterviz as filterviz
from tb_filterviz import cli
from tests.plugin.samples import kernel_events, kernel_values, pattern_events
from tests.support import logs, pictures

CONV1, CONV2 = "net/conv1/kernel", "net/conv2/kernel"


@pytest.fixture(scope="module")
def logdir(tmp_path_factory):
    directory = tmp_path_factory.mktemp("logs")
    events = [*kernel_events("conv1", 0), *kernel_events("conv2", 1), *pattern_events()]
    logs.write_file(directory / "train" / "events.out.tfevents.1", events)
    logs.write_file(directory / "test" / "events.out.tfevents.1", kernel_events("conv1", 0))
    return directory


@pytest.mark.parametrize(
    ("arguments", "figure"),
    [
        (["--layer", CONV2, "-o", "a.png"], lambda log: log.grid("train", CONV2)),
        (
            ["--layer", CONV2, "--step", "5", "--filters", "0:3", "--inputs", "all", "--theme", "dark", "-o", "a.svg"],
            lambda log: log.grid("train", CONV2, 5, filters=range(3), inputs="all", theme="dark"),
        ),
        (
            ["--layer", CONV1, "--what", "patterns", "--width", "500", "--caption", "false", "-o", "a.webp"],
            lambda log: log.grid("train", CONV1, kind="patterns", width=500, caption=False),
        ),
        (["--layer", CONV2, "--what", "numbers", "-o", "a.csv"], lambda log: log.numbers("train", CONV2)),
        (["--what", "numbers", "--step", "5", "-o", "a.csv"], lambda log: log.numbers("train", step=5)),
        (
            ["--what", "numbers", "--kind", "kernel", "--depth", "stored", "-o", "a.npz"],
            lambda log: log.numbers("train", depth="stored"),
        ),
        (
            ["--layer", CONV2, "--what", "history", "--fps", "8", "--frames", "2", "-o", "a.gif"],
            lambda log: log.history("train", CONV2, fps=8, frames=2),
        ),
        (
            ["--layer", CONV1, "--what", "history", "--kind", "patterns", "--format", "npz", "-o", "a.bin"],
            lambda log: log.history("train", CONV1, kind="patterns"),
        ),
        (
            ["--what", "overview", "--step", "5", "--theme", "dark", "-o", "a.png"],
            lambda log: log.overview("train", 5, theme="dark"),
        ),
        (
            ["--layer", CONV1, "--what", "compare", "--step", "0", "--run-b", "test", "--step-b", "5", "-o", "a.svg"],
            lambda log: log.compare("train", CONV1, 0, run_b="test", step_b=5),
        ),
        (
            ["--layer", CONV2, "--what", "compare", "--filters", "3,1", "--match", "likeness", "-o", "a.csv"],
            lambda log: log.compare("train", CONV2, filters=[3, 1], match="likeness"),
        ),
    ],
)
def test_files_are_those_of_the_reader(logdir, tmp_path, monkeypatch, capsys, arguments, figure):
    monkeypatch.chdir(tmp_path)
    assert cli.main(["export", str(logdir), "--run", "train", *arguments]) == 0
    (file,) = tmp_path.iterdir()
    assert file.name == arguments[-1]
    form = "npz" if file.suffix == ".bin" else file.suffix[1:]
    assert file.read_bytes() == figure(filterviz.read(logdir)).encode(form)
    assert capsys.readouterr() == ("", "")


def test_a_process_of_its_own_writes_to_its_output(logdir):
    """And what there is only one of need not be named."""
    command = [sys.executable, "-m", "tb_filterviz", "export", str(logdir / "test"), "--format", "npy", "-o", "-"]
    done = subprocess.run(command, capture_output=True, check=True)
    np.testing.assert_array_equal(np.load(io.BytesIO(done.stdout)), kernel_values("conv1", 10).astype(np.float16))
    assert done.stderr == b""


def test_numbers_of_a_run_are_those_of_all_its_layers_though_it_has_one(logdir, capsys):
    arguments = [
        "export",
        str(logdir),
        "--run",
        "test",
        "--what",
        "numbers",
        "--step",
        "7",
        "--format",
        "csv",
        "-o",
        "-",
    ]
    assert cli.main(arguments) == 0
    header, row, *_ = capsys.readouterr().out.splitlines()
    assert (header.split(",")[:4], header.split(",")[-1]) == (['"run"', '"layer"', '"step"', '"filter"'], '"problem"')
    assert row.startswith(f'"test","{CONV1}",5,0,'), "the newest step up to the one asked for, as in an overview"


def test_what_there_is(logdir, capsys):
    assert cli.main(["ls", str(logdir)]) == 0
    assert capsys.readouterr().out.splitlines() == [
        f"'test' '{CONV1}' kernel 3 steps, 0 to 10",
        f"'train' '{CONV1}' kernel 3 steps, 0 to 10",
        f"'train' '{CONV1}' patterns 2 steps, 5 to 10",
        f"'train' '{CONV2}' kernel 3 steps, 0 to 10",
    ]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--run", "nope"], "there is no run 'nope'; there are 'test', 'train'"),
        ([], "`run` must be given where there is not exactly one; there are 'test', 'train'"),
        (["--run", "train"], f"`layer` must be given where there is not exactly one; there are '{CONV1}', '{CONV2}'"),
        (["--run", "train", "--layer", "conv"], f"has no kernel of a layer 'conv'; it has '{CONV1}', '{CONV2}'"),
        (["--run", "test", "--step", "7"], "has no step 7; it has 3, from 0 to 10"),
        (["--run", "test", "--filters", "99"], "`filters` must be indices of the 20 filters. Received: filters=[99]"),
        (["--run", "test", "--filters", "x"], "`filters` must be all, 7, 0:64 or 0,3,9. Received: filters='x'"),
        (["--run", "test", "--width", "wide"], "`width` must be an integer from 1 to 65536. Received: width='wide'"),
        (["--run", "test", "--what", "patterns"], "has no patterns of a layer"),
        (["--run", "test", "--format", "gif"], "`format` must be one of png, svg, webp, csv, npy, npz"),
        (
            ["--run", "test", "--what", "numbers", "--filters", "3"],
            "`layer` must be given where `kind` or `filters` are",
        ),
        (["--run", "train", "--what", "numbers", "--kind", "patterns"], "`layer` must be given where `kind` or"),
        (["--run", "test", "--what", "numbers", "--step", "-3"], "no kernel up to step -3; the first is of step 0"),
        (["--run", "test", "--what", "numbers", "--layer", CONV1, "--step", "7"], "has no step 7; it has 3, from 0 to"),
        (["--run", "train", "--what", "numbers"], "`format` must be one of csv, npy, npz. Received: format='png'"),
        (["--run", "test", "--what", "compare", "--layer-b", "x"], "has no kernel of a layer 'x'"),
        (["--run", "train", "--what", "overview", "--inputs", "3"], "`inputs` must be strongest or mean"),
        (["--run", "test", "-o", "a.jpg"], "`format` must be one of png, svg, webp, gif, apng, csv, npy, npz, here or"),
    ],
)
def test_what_cannot_be_is_named(logdir, tmp_path, monkeypatch, capsys, arguments, words):
    monkeypatch.chdir(tmp_path)
    assert cli.main(["export", str(logdir), "-o", "a.png", *arguments]) == 2
    output, complaint = capsys.readouterr()
    assert output == ""
    assert complaint.startswith("tb-filterviz: error: ")
    assert words in complaint
    assert len(complaint.splitlines()) == 1
    assert list(tmp_path.iterdir()) == []


def test_no_directory(capsys):
    assert cli.main(["ls", "/nowhere/to/be"]) == 2
    assert "`logdir` must be a directory of logs. Received: logdir='/nowhere/to/be'" in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments", [[], ["export"], ["export", "logs"], ["export", "logs", "-o", "a", "--what", "x"]]
)
def test_wrong_usage(arguments, capsys):
    with pytest.raises(SystemExit) as ended:
        cli.main(arguments)
    assert ended.value.code == 2
    assert "usage: tb-filterviz" in capsys.readouterr().err


def test_a_file_that_cannot_be_written(logdir, capsys):
    assert cli.main(["export", str(logdir), "--run", "test", "-o", "/nowhere/a.png"]) == 1
    assert "No such file or directory: '/nowhere/a.png'" in capsys.readouterr().err


def test_a_damaged_datum(tmp_path, capsys):
    (event, *_) = kernel_events("conv1", 0)
    elements = event.summary.value[0].tensor.string_val
    elements[2] = elements[2][:-1] + bytes([elements[2][-1] ^ 1])
    logs.write_file(tmp_path / "events.out.tfevents.1", [event])
    assert cli.main(["export", str(tmp_path), "-o", str(tmp_path / "a.png")]) == 1
    assert "this cannot be read: the checksum of element 2 does not match" in capsys.readouterr().err
    assert not (tmp_path / "a.png").exists()


def test_a_reader_that_goes_away(logdir):
    command = f"{sys.executable} -m tb_filterviz export {logdir}/test --scale 40 -o - --format png | head -c 10"
    done = subprocess.run(["bash", "-c", f"set -o pipefail; {command}"], capture_output=True)
    assert done.stdout.startswith(b"\x89PNG")
    assert b"Traceback" not in done.stderr


def test_the_picture_is_one(logdir, tmp_path):
    assert cli.main(["export", str(logdir), "--run", "test", "--width", "777", "-o", str(tmp_path / "a.png")]) == 0
    assert pictures.pixels((tmp_path / "a.png").read_bytes()).shape[1] == 777
