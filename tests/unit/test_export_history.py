"""Histories: every step, on one scale of colours, as a filmstrip, an animation, arrays and a table."""

import csv
import dataclasses
import io

import numpy as np
import pytest
from PIL import Image

import tb_filterviz as filterviz
from tb_filterviz import records, wire
from tb_filterviz.export import layout
from tb_filterviz.export import place as place_module
from tb_filterviz.export.make import make
from tb_filterviz.export.options import SERVER, Budget, OptionError, Options
from tb_filterviz.store import spread
from tests.plugin.samples import STEPS, kernel_events, kernel_values
from tests.support import logs, pictures

BARE = {"caption": False, "labels": False, "bar": False}
CONV2 = "net/conv2/kernel"
PATTERN_STEPS = (0, 1, 2)
OBJECTIVES = ("", "channel", "distinct")


def pattern_values(step):
    images = np.random.default_rng(step).integers(0, 256, (2, 9, 9, 1)).astype(np.uint8)
    numbers = np.array([step, step + 1], np.float32)
    failed = np.array([False, step == 1])
    layer = records.Layer("net/conv2/kernel", "Conv2D", 1)
    made = (images, -numbers, numbers, failed, (0.0, 1.0), "classic", 80)
    return records.Patterns(layer, np.array([1, 4]), *made, objective=OBJECTIVES[step])


def pattern_events():
    for step in PATTERN_STEPS:
        elements = wire.encode_patterns(pattern_values(step), "cnn")
        tag = wire.tag("cnn", "net/conv2/kernel", wire.PATTERNS)
        yield logs.event(tag, step, logs.blob_tensor(elements), wire.metadata(wire.PATTERNS))


@pytest.fixture(scope="module")
def log(tmp_path_factory):
    directory = tmp_path_factory.mktemp("logs")
    events = [*kernel_events("conv1", 0), *kernel_events("conv2", 1), *pattern_events()]
    logs.write_file(directory / "train" / "events.out.tfevents.1", events)
    return filterviz.read(directory)


def stored(step):
    return kernel_values("conv2", step).astype(np.float16)


def largest():
    values = np.stack([kernel_values("conv2", step) for step in STEPS])
    return float(np.abs(values[np.isfinite(values)]).max())


def colour(value, limit):
    return pictures.grey(float(value), limit) if np.isfinite(value) else (194, 24, 91)


@pytest.mark.parametrize("form", ["gif", "apng", "webp"])
def test_an_animation_has_each_step_on_one_scale(log, form):
    figure = log.history("train", CONV2, inputs=3, colormap="grey", scale=2, columns=7, fps=5, **BARE)
    content = figure.encode(form)
    frames = pictures.frames(content)
    assert len(frames) == len(STEPS)
    image = Image.open(io.BytesIO(content))
    image.seek(1)
    assert image.info.get("loop") == 0
    image.load()
    assert image.info.get("duration") in (200, 200.0)
    tolerance = 1 if form == "gif" else 0  # 239 of the map's 255 colours
    for frame, step in zip(frames, STEPS, strict=True):
        for o, row, column in np.ndindex(7, 3, 3):
            expect = colour(stored(step)[row, column, 3, o], largest())
            assert np.abs(frame[row * 2, o * 7 + column * 2].astype(int) - expect).max() <= tolerance


def test_captions_say_the_step_and_change_nothing_else(log):
    frames = pictures.frames(log.history("train", CONV2, filters=2, inputs=0, limit=1e9).encode("apng"))
    changed = np.abs(np.diff(np.stack(frames).astype(int), axis=0)).max(axis=(0, 3))
    rows, columns = np.nonzero(changed)
    # Only the number in the line `Step 0`, as at this limit each weight has the colour of 0.
    assert rows.max() - rows.min() < 15
    assert columns.max() < 80


@pytest.mark.parametrize("form", ["gif", "apng", "webp"])
@pytest.mark.parametrize("layer", [CONV2, "net/conv1/kernel"])
def test_colours_stay_close(log, form, layer):
    """What has no colour of its own in a GIF gets one that is near, in captions and in layers of colours too."""
    figure = log.history("train", layer, theme="dark", filters=[1, 2])
    for frame, exact in zip(pictures.frames(figure.encode(form)), pictures.frames(figure.encode("apng")), strict=True):
        assert np.abs(frame.astype(int) - exact).max() <= (12 if form == "gif" else 0)


def test_a_filmstrip_of_filters(log):
    figure = log.history("train", CONV2, filters=[6, 2], inputs=0, colormap="grey", scale=4, caption=False, bar=False)
    (x, y, picture), *_ = pictures.svg_pictures(figure.encode("svg"))
    for at, across in np.ndindex(3, 2):
        step, o = STEPS[at], (6, 2)[across]
        for row, column in np.ndindex(3, 3):
            pixel = picture[at * 13 + row * 4, across * 13 + column * 4]
            assert (pixel == colour(stored(step)[row, column, 0, o], largest())).all()
    texts = pictures.svg_texts(figure.encode("svg"))
    assert [text for left, _, text in texts if left < x] == ["0", "5", "10"]
    assert [text for _, height, text in texts if height < y] == ["6", "2"]


def test_a_filmstrip_of_one_slice_is_labelled_by_steps(log):
    svg = log.history("train", CONV2, filters=2, inputs=0, bar=False).encode("svg")
    assert [text for *_, text in pictures.svg_texts(svg)][-4:-1] == ["0", "5", "10"]


def test_a_filmstrip_of_all_inputs(log):
    figure = log.history("train", CONV2, filters=2, inputs="all", colormap="grey", scale=1, limit="filter", **BARE)
    limit = np.abs(np.stack([kernel_values("conv2", step) for step in STEPS])[..., 2]).max()
    for at, i, row, column in np.ndindex(3, 20, 3, 3):
        pixel = figure.pixels[at * 4 + row, i * 4 + column]
        assert (pixel == colour(stored(STEPS[at])[row, column, i, 2], float(limit))).all()


def test_the_strongest_slice_is_that_of_the_newest_step(log):
    figure = log.history("train", CONV2, filters=2, colormap="grey", scale=1, columns=3, **BARE)
    norms = np.linalg.norm(stored(10)[..., 2].astype(float), axis=(0, 1))
    for at, step in enumerate(STEPS):
        tile = figure.pixels[:3, at * 4 :][:, :3]
        for row, column in np.ndindex(3, 3):
            value = stored(step)[row, column, norms.argmax(), 2]
            assert (tile[row, column] == colour(value, largest())).all()


@pytest.mark.parametrize("filters", [None, [1]])
def test_patterns_over_steps(log, filters):
    figure = log.history("train", CONV2, kind="patterns", filters=filters, **BARE)
    count = 2 if filters is None else 1
    for frame, step in zip(pictures.frames(figure.encode("apng")), PATTERN_STEPS, strict=True):
        np.testing.assert_array_equal(frame[:9, :9], pattern_values(step).images[0].repeat(3, axis=2))
    for at, step in enumerate(PATTERN_STEPS):
        place = (slice(at * 13, at * 13 + 9), slice(0, 9)) if count == 2 else (slice(0, 9), slice(at * 13, at * 13 + 9))
        np.testing.assert_array_equal(figure.pixels[place][..., :1], pattern_values(step).images[0])
    with np.load(io.BytesIO(figure.encode("npz"))) as arrays:
        expected = np.stack([pattern_values(step).images[:count] for step in PATTERN_STEPS])
        np.testing.assert_array_equal(arrays["images"], expected)
        np.testing.assert_array_equal(arrays["numbers"][:, 0, 1], PATTERN_STEPS)
        assert arrays["objectives"].tolist() == list(OBJECTIVES)
    rows = csv.DictReader(io.StringIO(figure.encode("csv").decode()))
    assert [(row["step"], row["objective"]) for row in rows if row["filter"] == "4"] == [
        (str(step), OBJECTIVES[step]) for step in PATTERN_STEPS if count == 2
    ]


def test_arrays_are_what_was_written(log):
    figure = log.history("train", CONV2, filters=[6, 2])
    expected = np.stack([stored(step)[..., [6, 2]] for step in STEPS])
    values = np.load(io.BytesIO(figure.encode("npy")))
    assert values.dtype == np.float16
    np.testing.assert_array_equal(values, expected)
    with np.load(io.BytesIO(figure.encode("npz"))) as arrays:
        np.testing.assert_array_equal(arrays["kernels"], expected)
        assert arrays["steps"].tolist() == list(STEPS)
        assert arrays["filters"].tolist() == [6, 2]
        norm = arrays["numbers"][..., arrays["names"].tolist().index("norm")]
        weights = np.stack([kernel_values("conv2", step)[..., [6, 2]] for step in STEPS]).astype(np.float64)
        np.testing.assert_allclose(norm, np.linalg.norm(weights.reshape(3, -1, 2), axis=1), rtol=1e-6)


def test_a_table_of_all_steps(log):
    rows = list(csv.DictReader(io.StringIO(log.history("train", CONV2).encode("csv").decode())))
    assert [(int(row["step"]), int(row["filter"])) for row in rows] == [(s, f) for s in STEPS for f in range(7)]
    for row in rows[::5]:
        values = kernel_values("conv2", int(row["step"]))[..., int(row["filter"])]
        assert np.float32(row["max"]) == values[np.isfinite(values)].max()
        assert int(float(row["nonfinite"])) == np.count_nonzero(~np.isfinite(values))


def test_the_most_steps(log):
    figure = log.history("train", CONV2, frames=2)
    with np.load(io.BytesIO(figure.encode("npz"))) as arrays:
        assert arrays["steps"].tolist() == [0, 10]
    assert len(pictures.frames(figure.encode("gif"))) == 2
    assert "Run train, 2 of its 3 steps" in [text for *_, text in pictures.svg_texts(figure.encode("svg"))]
    data = list(range(101))
    assert spread(data, 1) == [100]
    assert spread(data, 3) == [0, 50, 100]
    assert spread(data, 101) == data


def test_what_is_damaged_or_of_another_shape_is_left_out(tmp_path):
    first, second, third = kernel_events("conv2", 0)
    other = kernel_values("conv2", 0)[..., :3]
    elements = wire.encode_kernel(records.Kernel(records.Layer(CONV2, "Conv2D", 0), other), "cnn")
    tag = wire.tag("cnn", CONV2, wire.KERNEL)
    shorter = logs.event(tag, 7, logs.blob_tensor(elements), wire.metadata(wire.KERNEL))
    payload = bytearray(second.summary.value[0].tensor.string_val[2])
    payload[5] ^= 255
    second.summary.value[0].tensor.string_val[2] = bytes(payload)
    logs.write_file(tmp_path / "events.out.tfevents.1", [first, second, shorter, third])
    figure = filterviz.read(tmp_path).history(".", CONV2)
    assert len(pictures.frames(figure.encode("apng"))) == 2
    assert "Run ., 2 of its 4 steps" in [text for *_, text in pictures.svg_texts(figure.encode("svg"))]
    with np.load(io.BytesIO(figure.encode("npz"))) as arrays:
        assert arrays["steps"].tolist() == [0, 10]


def place(log, budget):
    found, _ = log._place("train", CONV2, -1, "kernel")
    return dataclasses.replace(found, budget=budget)


def test_an_animation_has_as_many_steps_as_there_is_room_for(log):
    figure = make("history", place(log, Budget(1 << 30, 400_000, 9, 1 << 20, 99)), None, None, Options())
    assert len(pictures.frames(figure.encode("gif"))) == 2


@pytest.mark.parametrize(
    ("budget", "form", "words"),
    [
        (Budget(pixels=10_000, total=1 << 30, frames=9, values=1 << 20, filters=99), "png", "may have 10000 pixels"),
        (
            Budget(pixels=1 << 30, total=200_000, frames=9, values=1 << 20, filters=99),
            "gif",
            "`frames` must be at most 1 at this size",
        ),
        (Budget(pixels=1 << 30, total=1 << 30, frames=9, values=100, filters=99), "png", "at most 100 values are read"),
        (Budget(1 << 30, 1 << 30, 9, 1 << 20, filters=6), "csv", "`filters` must be at most 6 of the 7 there are"),
        (Budget(pixels=1 << 30, total=1 << 30, frames=9, values=100, filters=99), "npy", "at most 100 values are read"),
        (Budget(1 << 30, 1 << 30, 9, values=3 * 7 * 8 - 1, filters=99), "csv", "at most 167 values are read"),
        (Budget(1 << 30, 1 << 30, 9, values=3 * 7 * 187, filters=99), "npz", r"filters='3948 values'"),
    ],
)
def test_what_would_take_too_much_is_refused_before_it_is_made(log, budget, form, words, monkeypatch):
    if form == "png":
        monkeypatch.setattr(layout.mosaic, "grid", lambda *_: pytest.fail("drawn"))
    with pytest.raises(OptionError, match=words):
        make("history", place(log, budget), None, None, Options(frames=3)).encode(form)


@pytest.mark.parametrize(("form", "most"), [("webp", 16_383), ("gif", 65_535)])
def test_a_side_that_the_format_cannot_hold_is_refused(log, form, most):
    page = place(log, Budget(1 << 30, 1 << 40, 9, 1 << 20, 99))
    options = Options(width=most + 1, columns=7, labels=False, caption=False, bar=False)
    with pytest.raises(OptionError, match=f"{most + 1} pixels, and {form} holds {most} at most: choose png, or a smal"):
        make("history", page, None, None, options).encode(form)


def test_wrong_wishes_are_named(log):
    with pytest.raises(OptionError, match=r"`frames` must be an integer from 1 to 100. Received: frames=101"):
        make("history", place(log, SERVER), None, None, Options(frames=101))
    with pytest.raises(OptionError, match="one filter, or `inputs` one slice of each"):
        log.history("train", CONV2, inputs="all").encode("png")
    with pytest.raises(IndexError, match=r"indices of the 7 filters. Received: filters=9"):
        log.history("train", CONV2, filters=9)
    with pytest.raises(IndexError, match=r"of those that have a pattern. Received: filters=3"):
        log.history("train", CONV2, kind="patterns", filters=3)


@pytest.mark.parametrize("limit", ["layer", "filter"])
def test_means_reach_to_the_largest_mean_of_the_filters_shown_and_no_other_is_read(log, limit, monkeypatch):
    read = []
    filters = place_module.Place.filters
    monkeypatch.setattr(
        place_module.Place,
        "filters",
        lambda self, datum, header, wanted: read.append(list(wanted)) or filters(self, datum, header, wanted),
    )
    monkeypatch.setattr(place_module.Place, "magnitudes", None)
    chosen = {"filters": [1, 2], "inputs": "mean", "limit": limit}
    page = log.history("train", CONV2, **chosen, colormap="grey", scale=1, **BARE).pixels
    assert read == [[1, 2]] * len(STEPS)
    with np.errstate(invalid="ignore"):
        means = np.stack([kernel_values("conv2", step).astype(np.float16).astype(float).mean(axis=2) for step in STEPS])
    sizes = np.abs(np.where(np.isfinite(means), means, 0))[..., [1, 2]].max((0, 1, 2))
    limits = [sizes.max()] * 2 if limit == "layer" else sizes
    for at, o, row, column in np.ndindex(3, 2, 3, 3):
        value = means[at, row, column, o + 1]
        expected = pictures.grey(value, limits[o]) if np.isfinite(value) else (194, 24, 91)
        np.testing.assert_allclose(page[at * 4 + row, o * 4 + column].astype(int), expected, atol=2)
    said = log.history("train", CONV2, **chosen).encode("svg").decode()
    assert ("the filters shown" in said) == (limit == "layer")
