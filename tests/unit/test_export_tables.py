"""Arrays and tables are what was written, and names from a log do no harm in a spreadsheet."""

import csv
import html
import io
import re
import zipfile

import numpy as np
import pytest

import tb_filterviz as filterviz
from tb_filterviz import analysis, records, wire
from tb_filterviz.export import tables
from tb_filterviz.export.options import SERVER, OptionError
from tests.plugin.samples import kernel_events, kernel_values, pattern_events, some_patterns
from tests.support import logs

CONV1 = "net/conv1/kernel"


def write(directory, values, precision, name="cnn", path="conv/kernel"):
    layer = records.Layer(path, "Conv2D", 0)
    elements = wire.encode_kernel(records.Kernel(layer, values), name, precision)
    event = logs.event(wire.tag(name, path, wire.KERNEL), 3, logs.blob_tensor(elements), wire.metadata(wire.KERNEL))
    logs.write_file(directory / "events.out.tfevents.1", [event])
    return filterviz.read(directory)


@pytest.mark.parametrize(
    ("precision", "scale", "dtype"),
    [("float16", 1.0, np.float16), ("float32", 1.0, np.float32), ("float16", 1e100, np.float64)],
)
def test_the_stored_values(tmp_path, precision, scale, dtype):
    values = np.random.default_rng(0).normal(size=(2, 3, 4, 5)) * scale
    values[0, 0, 0, 0] = np.nan
    values = values if scale > 1 else values.astype(np.float32)
    log = write(tmp_path, values, precision)
    figure = log.grid(".", "conv/kernel")
    figure.save(tmp_path / "kernel.npy")
    figure.save(tmp_path / "kernel.npz")
    kernel = np.load(tmp_path / "kernel.npy")
    assert kernel.dtype == dtype
    np.testing.assert_array_equal(kernel, values.astype(dtype))
    with np.load(tmp_path / "kernel.npz") as arrays:
        np.testing.assert_array_equal(arrays["kernel"], kernel)
        assert (arrays["filters"].tolist(), int(arrays["step"])) == ([0, 1, 2, 3, 4], 3)


def test_int8_values_are_codes_times_scales(tmp_path):
    values = np.random.default_rng(0).normal(size=(3, 3, 4, 5)).astype(np.float32)
    kernel = np.load(io.BytesIO(write(tmp_path, values, "int8").grid(".", "conv/kernel").encode("npy")))
    assert np.abs(kernel - values).max() <= np.abs(values).max() / 254 * 1.001
    assert kernel.dtype == np.float32


def test_some_filters(tmp_path):
    logs.write_file(tmp_path / "events.out.tfevents.1", [*kernel_events("conv1", 0), *pattern_events()])
    log = filterviz.read(tmp_path)
    kernel = np.load(io.BytesIO(log.grid(".", CONV1, 5, filters=[7, 0]).encode("npy")))
    np.testing.assert_array_equal(kernel, kernel_values("conv1", 5).astype(np.float16)[..., [7, 0]])
    images = np.load(io.BytesIO(log.grid(".", CONV1, kind="patterns", filters=slice(5, 20)).encode("npy")))
    np.testing.assert_array_equal(images, some_patterns().images[1:])


def test_a_table_of_numbers(tmp_path):
    logs.write_file(tmp_path / "train" / "events.out.tfevents.1", [*kernel_events("conv1", 0), *pattern_events()])
    log = filterviz.read(tmp_path)
    log.numbers("train", CONV1, 5).save(tmp_path / "numbers.csv")
    with open(tmp_path / "numbers.csv", newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [int(row["filter"]) for row in rows] == list(range(20))
    assert {(row["run"], row["layer"], row["step"]) for row in rows} == {("train", CONV1, "5")}
    weights = kernel_values("conv1", 5).reshape(-1, 20)
    for name, expected in (("min", weights.min(axis=0)), ("max", weights.max(axis=0))):
        assert [np.float32(row[name]) for row in rows] == expected.tolist(), "each digit that counts"
    np.testing.assert_allclose(
        [float(row["norm"]) for row in rows], np.linalg.norm(weights.astype(float), axis=0), 1e-6
    )
    patterns = list(csv.DictReader(io.StringIO(log.numbers("train", CONV1, kind="patterns").encode("csv").decode())))
    names = ("filter", "start", "reached", "failed", "objective")
    assert [tuple(row[name] for name in names) for row in patterns] == [
        ("0", "0.0", "5.0", "0.0", "channel"),
        ("7", "1.0", "0.5", "1.0", "channel"),
        ("19", "nan", "nan", "1.0", "channel"),
    ]
    for what in (log.numbers("train", CONV1, kind="patterns"), log.grid("train", CONV1, kind="patterns")):
        with np.load(io.BytesIO(what.encode("npz"))) as arrays:
            assert arrays["objective"] == "channel"
    assert "objective" not in rows[0], "a kernel has none"
    assert log.grid("train", CONV1, 5).encode("csv") == (tmp_path / "numbers.csv").read_bytes()


def planted(step):
    """Six filters that move: 0 is like 3, 4 is the negative of 1, 2 is dead, 5 is grey in all three inputs."""
    rng = np.random.default_rng(7)
    values = rng.normal(size=(3, 3, 3, 6)) + step * rng.normal(size=(3, 3, 3, 6)) / 20
    values[..., 3], values[..., 4], values[..., 2] = 2 * values[..., 0], -values[..., 1], 1e-4
    values[..., 5] = values[:, :, :1, 5]
    return values.astype(np.float32)


def write_planted(directory, steps=(0, 4, 9), path="conv/kernel"):
    events = []
    for step in steps:
        elements = wire.encode_kernel(records.Kernel(records.Layer(path, "Conv2D"), planted(step)), "cnn", "float32")
        tag = wire.tag("cnn", path, wire.KERNEL)
        events.append(logs.event(tag, step, logs.blob_tensor(elements), wire.metadata(wire.KERNEL)))
    logs.write_file(directory / "events.out.tfevents.1", events)
    return filterviz.read(directory)


def rows_of(figure):
    return list(csv.DictReader(io.StringIO(figure.encode("csv").decode(), newline="")))


def column(rows, name):
    return [float(row[name]) for row in rows]


def moved(before, after):
    flat = [one.reshape(-1, one.shape[-1]).astype(float) for one in (before, after)]
    lengths = [np.linalg.norm(one, axis=0) for one in flat]
    return np.linalg.norm(flat[1] - flat[0], axis=0) / lengths[0], (flat[0] * flat[1]).sum(0) / lengths[0] / lengths[1]


def test_a_table_holds_what_is_computed_too(tmp_path):
    rows = rows_of(write_planted(tmp_path).numbers(".", "conv/kernel"))
    assert [row["dead"] for row in rows] == ["0", "0", "1", "0", "0", "0"]
    assert [row["duplicate_of"] for row in rows] == ["0", "nan", "nan", "0", "nan", "nan"]
    assert [row["opposite_of"] for row in rows] == ["nan", "4", "nan", "nan", "1", "nan"]
    for names, before in (("change", "cosine"), 4), (("change_first", "cosine_first"), 0):
        for name, expected in zip(names, moved(planted(before), planted(9)), strict=True):
            np.testing.assert_allclose(column(rows, name), expected, rtol=1e-5, atol=1e-7)
    kernel = planted(9).astype(float)
    power = np.abs(np.fft.fft2(kernel, (16, 16), axes=(0, 1))) ** 2
    fast = np.hypot(*np.meshgrid(np.fft.fftfreq(16), np.fft.fftfreq(16))) > 0.25
    np.testing.assert_allclose(
        column(rows, "high_frequency"), power[fast].sum((0, 1)) / power.sum((0, 1, 2)), atol=1e-5
    )
    grey = kernel.mean(axis=2, keepdims=True)
    colour = ((kernel - grey) ** 2).sum((0, 1, 2)) / (kernel**2).sum((0, 1, 2))
    np.testing.assert_allclose(column(rows, "colour"), colour, atol=1e-5)
    assert all(0 <= float(row["orientation"]) <= 180 and 0 <= float(row["orientation_strength"]) <= 1 for row in rows)


def test_numbers_of_chosen_filters_are_theirs_in_the_whole_layer(tmp_path):
    log = write_planted(tmp_path)
    every = rows_of(log.numbers(".", "conv/kernel"))
    assert rows_of(log.numbers(".", "conv/kernel", filters=[4, 3])) == [every[4], every[3]]
    with np.load(io.BytesIO(log.grid(".", "conv/kernel", filters=[4, 3]).encode("npz"))) as arrays:
        at = arrays["names"].tolist().index("duplicate_of")
        assert arrays["numbers"].dtype == np.float32
        np.testing.assert_array_equal(arrays["numbers"][:, at], [np.nan, 0])


@pytest.mark.parametrize("layer", ["<b>conv</b>", None])
def test_a_notebook_shows_numbers_as_a_table(tmp_path, layer):
    log = write(tmp_path, np.random.default_rng(0).normal(size=(3, 3, 2, 30)), "float32", path="<b>conv</b>")
    figure = log.numbers(".", layer)
    assert figure._repr_png_() is None
    shown = figure._repr_html_()
    assert "&lt;b&gt;conv" in shown
    assert "<b>" not in shown
    assert shown.count("<tr>") == 1 + 20
    (first,) = re.findall(r"<tr><td>.*?</tr>", shown)[:1]
    cells, row = re.findall("<td>(.*?)</td>", first), rows_of(figure)[0]
    assert [html.unescape(cell) for cell in cells] == [*row.values()]


def test_numbers_as_they_were_stored(tmp_path):
    log = write_planted(tmp_path)
    names = list(rows_of(log.numbers(".", "conv/kernel"))[0])
    stored = list(rows_of(log.numbers(".", "conv/kernel", depth="stored"))[0])
    assert names[: len(stored)] == stored == ["run", "layer", "step", "filter", *analysis.NUMBERS]
    assert names[len(stored) :] == ["dead", *analysis.COLUMNS]
    first = rows_of(log.numbers(".", "conv/kernel", 0))
    assert {row["change"] for row in first} == {"nan"}, "nothing is before the first step"


def test_a_kernel_too_large_to_analyse_has_its_stored_numbers(tmp_path):
    log = write(tmp_path, np.ones((1, 4097), np.float32), "float32")
    rows = rows_of(log.numbers(".", "conv/kernel"))
    assert list(rows[0])[4:] == list(analysis.NUMBERS)
    assert len(rows) == 4097


FORMULAS = ['=HYPERLINK("http://x";"a")', "+1", "-1+cmd|' /C calc'!A0", "@SUM(A1)", "\t=1", "\r=1", "\n=1"]


@pytest.mark.parametrize("name", [*FORMULAS, 'a,"b"\n;=1', "日本", "\ud800"])
def test_names_are_no_formulas(tmp_path, name):
    kernel = np.ones((3, 3, 1, 2), np.float32)
    log = write(tmp_path, kernel, "float16", path=name)
    content = log.grid(".", name).encode("csv")
    header, first, second = csv.reader(io.StringIO(content.decode(), newline=""))
    expected = name.replace("\ud800", "\\ud800")
    assert first[1] == (f"'{expected}" if name in FORMULAS else expected)
    assert content.count(b'"') > 2 * len(header), "quoted, as some spreadsheets split at semicolons"
    assert second[3] == "1"


def test_names_of_numbers_come_from_a_log_too():
    header, row = csv.reader(io.StringIO(tables.table(["=a", "b"], [[-1.5, np.float32(0.1)]], 99).decode()))
    assert (header, row) == (["'=a", "b"], ["-1.5", "0.1"])


def test_names_that_are_repeated_do_not_fill_the_memory(tmp_path):
    """A log may hold a name of megabytes, which each row of a table and each item of an array would repeat."""
    layer = "x" * (1 << 20)
    elements = wire.encode_kernel(records.Kernel(records.Layer(layer), np.ones((1, 2000), np.float32)), "cnn")
    tag = wire.tag("cnn", "short", wire.KERNEL)
    event = logs.event(tag, 3, logs.blob_tensor(elements), wire.metadata(wire.KERNEL))
    logs.write_file(tmp_path / "events.out.tfevents.1", [event])
    log = filterviz.read(tmp_path)
    figure = log.numbers(".", layer, depth="stored")
    figure._budget = SERVER
    with pytest.raises(
        OptionError, match="`format` must be npz, or there must be fewer filters: a table may have 67108864"
    ):
        figure.encode("csv")
    with pytest.raises(OptionError, match="`format` must be csv, as names that long would take more than 67108864"):
        tables.texts([layer, *"abcdefghijklmnop"], SERVER.text)
    assert tables.texts([], 0).shape == (0,)


def test_an_archive_holds_no_date():
    (entry,) = zipfile.ZipFile(io.BytesIO(tables.npz({"a": np.arange(3)}))).infolist()
    assert (entry.filename, entry.date_time) == ("a.npy", (1980, 1, 1, 0, 0, 0))
