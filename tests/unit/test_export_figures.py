"""Figures of one step: each weight has its colour, each label its tile, and the same content the same bytes."""

import dataclasses
import subprocess
import sys
import xml.etree.ElementTree

import numpy as np
import pytest

import tb_filterviz as filterviz
from tb_filterviz import records, wire
from tb_filterviz.export.options import Budget, OptionError
from tb_filterviz.store import Store
from tests.plugin.samples import SHAPES, kernel_events, kernel_values, pattern_events, some_patterns
from tests.support import logs, pictures

BARE = {"caption": False, "labels": False, "bar": False}
CONV1, CONV2, WIDE = "net/conv1/kernel", "net/conv2/kernel", "net/wide/kernel"


@pytest.fixture(scope="module")
def logdir(tmp_path_factory):
    directory = tmp_path_factory.mktemp("logs")
    events = [one for position, name in enumerate(SHAPES) for one in kernel_events(name, position)]
    logs.write_file(directory / "train" / "events.out.tfevents.1", [*events, *pattern_events()])
    return directory


@pytest.fixture(scope="module")
def log(logdir):
    return filterviz.read(logdir)


def stored(name, step=10):
    return kernel_values(name, step).astype(np.float16).astype(float)


def largest(name, step=10):
    """The limit of a layer: that of the weights before they were rounded to be stored."""
    values = kernel_values(name, step)
    return float(np.abs(values[np.isfinite(values)]).max())


def texts_of(content):
    return [text for _, _, text in pictures.svg_texts(content)]


@pytest.mark.parametrize("options", [{}, {"width": 700}, {"width": 333}, {"columns": 3}, {"scale": 11}])
def test_each_label_stands_above_its_filter(log, options):
    """And the weights of that filter are there, each in its colour."""
    figure = log.grid("train", CONV2, inputs=4, colormap="grey", bar=False, **options)
    png = pictures.pixels(figure.encode("png"))
    tiles = {int(text): (x, y) for x, y, text in pictures.svg_texts(figure.encode("svg")) if text.isdigit()}
    assert sorted(tiles) == list(range(7))
    values, limit = stored("conv2"), largest("conv2")
    scale = options.get("scale") or side(png, tiles[0])
    for o, (x, y) in tiles.items():
        top = first_row(png, x, y)
        for row, column in np.ndindex(3, 3):
            block = png[top + row * scale :, x + column * scale :][:scale, :scale]
            assert (block == pictures.grey(values[row, column, 4, o], limit)).all()
    if "width" in options:
        assert png.shape[1] == options["width"]
    if "columns" in options:
        assert len({x for x, _ in tiles.values()}) == 3


def first_row(png, x, y):
    """The first row of the tile below a label, whose round digits reach a little below their base line."""
    return next(row for row in range(y + 1, y + 20) if (png[row, x : x + 3] != 255).any())


def side(png, label):
    """How large a weight is drawn, from where the first tile ends."""
    x, y = label
    top = first_row(png, x, y)
    end = next(column for column in range(x, png.shape[1]) if (png[top, column] == 255).all())
    return (end - x) // 3


def test_a_table_of_all_slices(log):
    figure = log.grid("train", CONV2, inputs="all", colormap="grey", scale=4, filters=[5, 0], caption=False, bar=False)
    (x, y, picture), *_ = pictures.svg_pictures(figure.encode("svg"))
    values, limit = stored("conv2"), largest("conv2")
    pitch = 3 * 4 + 1
    assert picture.shape == (2 * pitch - 1, 20 * pitch - 1, 3)
    for at, o in enumerate((5, 0)):
        for i, row, column in np.ndindex(20, 3, 3):
            pixel = picture[at * pitch + row * 4, i * pitch + column * 4]
            assert (pixel == pictures.grey(values[row, column, i, o], limit)).all()
    texts = pictures.svg_texts(figure.encode("svg"))
    assert [text for left, _, text in texts if left < x] == ["5", "0"], "rows are filters"
    above = [(left, text) for left, height, text in texts if height < y]
    assert [left for left, _ in above] == [x + int(text) * pitch + 6 for _, text in above], "columns are inputs"


def test_all_slices_of_one_filter(log):
    svg = log.grid("train", CONV2, inputs="all", filters=3).encode("svg")
    assert [text for text in texts_of(svg) if text.isdigit()][:20] == [str(i) for i in range(20)]
    assert "Filter 3: its slices of all inputs" in texts_of(svg)


def test_rows_and_columns_are_numbered_where_tiles_are_small(log):
    figure = log.grid("train", WIDE, inputs=0, colormap="grey", scale=2, columns=32)
    svg, png = figure.encode("svg"), pictures.pixels(figure.encode("png"))
    (x, y, picture), *_ = pictures.svg_pictures(svg)
    assert (png[y : y + picture.shape[0], x : x + picture.shape[1]] == picture).all()
    values, limit = stored("wide"), largest("wide")
    for left, height, text in pictures.svg_texts(svg):
        if left < x and text.isdigit():
            row = (height - y) // 7
            assert int(text) == row * 32
            assert (picture[row * 7, 0] == pictures.grey(values[0, 0, 0, int(text)], limit)).all()
        elif text.startswith("+") and text[1:].isdigit():
            column = (left - x) // 7
            assert int(text) == column
            assert (picture[0, column * 7] == pictures.grey(values[0, 0, 0, column], limit)).all()


def test_first_layers_are_colours(log):
    figure = log.grid("train", CONV1, scale=1, columns=20, **BARE)
    values, limit = stored("conv1"), largest("conv1")
    for o, row, column in np.ndindex(20, 3, 3):
        levels = [pictures.grey(values[row, column, i, o], limit)[0] for i in range(3)]
        # An odd number of levels has its middle at 127.5: half a level lies between this map and `grey`.
        np.testing.assert_allclose(figure.pixels[row, o * 4 + column], levels, atol=1)


@pytest.mark.parametrize(
    ("limit", "expected"),
    [
        (2.5, [2.5] * 7),
        ("layer", [largest("conv2")] * 7),
        ("filter", np.abs(kernel_values("conv2", 10)).max((0, 1, 2))),
    ],
)
def test_what_the_colours_reach_to(log, limit, expected):
    figure = log.grid("train", CONV2, inputs=0, limit=limit, colormap="grey", scale=1, columns=7, **BARE)
    values = stored("conv2")
    for o, row, column in np.ndindex(7, 3, 3):
        expect = pictures.grey(values[row, column, 0, o], float(expected[o]))
        assert (figure.pixels[row, o * 4 + column] == expect).all()


def test_means_reach_to_the_largest_mean(log):
    figure = log.grid("train", CONV2, inputs="mean", filters=[2], colormap="grey", scale=1, **BARE)
    means = stored("conv2").mean(axis=2)
    for row, column in np.ndindex(3, 3):
        expect = pictures.grey(means[row, column, 2], np.abs(means).max())
        np.testing.assert_allclose(figure.pixels[row, column].astype(int), expect, atol=1)


def test_the_bar_shows_the_map_and_its_limit(log):
    svg = log.grid("train", CONV2, limit=0.25, colormap="grey").encode("svg")
    _, (x, y, bar) = pictures.svg_pictures(svg)
    assert bar[0, 0].tolist() == [0, 0, 0]
    assert bar[0, bar.shape[1] // 2].tolist() == [128, 128, 128]
    assert bar[0, -1].tolist() == [255, 255, 255]
    assert (np.diff(bar[0, :, 0].astype(int)) >= 0).all()
    marks = {text: left for left, height, text in pictures.svg_texts(svg) if height > y}
    assert (marks["\N{MINUS SIGN}0.25"], marks["+0.25"]) == (x, x + bar.shape[1])


def test_the_caption_says_what_it_is(log):
    texts = texts_of(log.grid("train", CONV2, 5).encode("svg"))
    assert texts[:4] == [
        CONV2,
        "Run train, step 5",
        "Conv2D, 3 \N{MULTIPLICATION SIGN} 3 \N{MULTIPLICATION SIGN} 20 \N{MULTIPLICATION SIGN} 7 (HWIO)",
        "7 filters, strongest slice",
    ]
    assert "Weights: white is 0, blue and red are the largest magnitude in the layer" in " ".join(texts)
    own = texts_of(log.grid("train", CONV2, 5, caption="Fig. 1\nby me", labels=False, bar=False).encode("svg"))
    assert own == ["Fig. 1", "by me"]
    assert texts_of(log.grid("train", CONV2, 5, **BARE).encode("svg")) == []


def test_what_is_not_finite_is_marked_and_counted(log):
    figure = log.grid("train", CONV2, 5, inputs=0, scale=1, columns=7, **BARE)
    assert figure.pixels[0, 0].tolist() == figure.pixels[0, 4].tolist() == [194, 24, 91]
    assert "2 not finite, drawn in magenta" in texts_of(log.grid("train", CONV2, 5, inputs=0).encode("svg"))


def test_patterns_are_as_they_were_logged(log):
    figure = log.grid("train", CONV1, kind="patterns", columns=3)
    (_, _, picture), *_ = pictures.svg_pictures(figure.encode("svg"))
    for image, place in zip(some_patterns().images, range(3), strict=True):
        wide = (picture.shape[1] - 9) // 2
        np.testing.assert_array_equal(picture[:8, place * wide : place * wide + 9], image)
    texts = texts_of(figure.encode("svg"))
    assert [text for text in texts if text.rstrip("*").isdigit()] == ["0", "7*", "19*"], "failed ones have a star"
    assert "* failed: no better than noise or natural inputs" in texts
    assert "Black is an input of 0, white of 255" in texts
    one = log.grid("train", CONV1, kind="patterns", filters=[7], scale=2, **BARE)
    np.testing.assert_array_equal(one.pixels[::2, ::2], some_patterns().images[1])


@pytest.mark.parametrize(("theme", "background"), [("light", (255, 255, 255)), ("dark", (48, 48, 48))])
def test_themes(log, theme, background):
    figure = log.grid("train", CONV2, theme=theme)
    assert (figure.pixels[[0, 0, -1, -1], [0, -1, 0, -1]] == background).all()
    fill = xml.etree.ElementTree.fromstring(figure.encode("svg")).find(f"{pictures.SVG}rect").attrib["fill"]
    assert fill == "#{:02x}{:02x}{:02x}".format(*background)
    contrast = np.abs(figure.pixels.astype(int) - np.array(background)).sum(axis=2)
    assert contrast[:60].max() > 500, "the heading can be read"


@pytest.mark.parametrize("kind", ["kernel", "patterns"])
def test_formats_agree(log, kind):
    figure = log.grid("train", CONV1, kind=kind, width=640)
    np.testing.assert_array_equal(pictures.pixels(figure.encode("png")), figure.pixels)
    np.testing.assert_array_equal(pictures.pixels(figure.encode("webp")), figure.pixels)
    for x, y, picture in pictures.svg_pictures(figure.encode("svg")):
        same = figure.pixels[y : y + picture.shape[0], x : x + picture.shape[1]] == picture
        assert same.all(axis=2).mean() > 0.9, "labels stand between tiles"


PROGRAM = """
import sys, hashlib
import tb_filterviz
log = tb_filterviz.read(sys.argv[1])
for form in ("png", "svg", "webp", "npy", "npz", "csv"):
    print(form, hashlib.sha256(log.grid("train", "net/conv2/kernel").encode(form)).hexdigest())
for form in ("png", "svg", "csv"):
    print(form, hashlib.sha256(log.overview("train").encode(form)).hexdigest())
    print(form, hashlib.sha256(log.compare("train", "net/conv2/kernel", 0, match="likeness").encode(form)).hexdigest())
for form in ("png", "svg", "gif", "apng", "webp", "npz", "csv"):
    print(form, hashlib.sha256(log.history("train", "net/conv2/kernel").encode(form)).hexdigest())
"""


def test_two_processes_write_the_same_bytes(logdir):
    """Even with other seeds of hashes, another time zone, and some time between."""
    outputs = [
        subprocess.run(
            [sys.executable, "-c", PROGRAM, str(logdir)],
            env={"PYTHONHASHSEED": seed, "TZ": zone, "PYTHONPATH": ":".join(sys.path), "SOURCE_DATE_EPOCH": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed, zone in (("1", "UTC"), ("4000000000", "Asia/Tokyo"))
    ]
    assert outputs[0] == outputs[1]
    assert len(outputs[0].splitlines()) == 19


HOSTILE = '</text><script>alert(1)</script>&<!--\x00\x1b[31m\ud800\u202e\ufffe]]>"' + "x" * 10_000


def test_names_from_a_log_stay_text(tmp_path):
    kernel = records.Kernel(records.Layer(HOSTILE, HOSTILE), np.ones((3, 3, 1, 2), np.float32))
    tensor = logs.blob_tensor(wire.encode_kernel(kernel, "a"))
    event = logs.event(wire.tag("a", "b", wire.KERNEL), 0, tensor, wire.metadata(wire.KERNEL))
    logs.write_file(tmp_path / "events.out.tfevents.1", [event])
    log = filterviz.read(tmp_path)
    figure = log.grid(".", log.layers(".")[0])
    assert figure.pixels.shape[0] < 500
    root = xml.etree.ElementTree.fromstring(figure.encode("svg"))
    assert {element.tag for element in root.iter()} <= {
        f"{pictures.SVG}{name}" for name in ("svg", "title", "rect", "image", "text")
    }
    (heading, *_) = texts_of(figure.encode("svg"))
    assert heading.startswith("</text><script>")
    assert "\\x00\\x1b[31m\\ud800\\u202e\\ufffe" in "".join(texts_of(figure.encode("svg")))


def test_letters_that_the_typeface_lacks_are_written_as_escapes(log):
    with_escape = log.grid("train", CONV2, caption="\\u65e5", labels=False, bar=False).pixels
    np.testing.assert_array_equal(log.grid("train", CONV2, caption="日", labels=False, bar=False).pixels, with_escape)


@pytest.mark.parametrize(
    ("layer", "options", "words"),
    [
        (CONV2, {"inputs": 20}, r"`inputs` must be an input from 0 to 19. Received: inputs=20"),
        (CONV2, {"inputs": "rgb"}, "needs a kernel of 3 inputs, and this one has 20"),
        (CONV2, {"width": 20}, r"`width` must be at least \d+.*Received: width=20"),
        (CONV2, {"width": 60, "columns": 7}, r"`width` must be at least \d+"),
        (CONV2, {"filters": []}, "`filters` must be from 1 to 1048576 that there are"),
        (WIDE, {"scale": 1024, "inputs": "all"}, "`scale` must be less.* may have 268435456 pixels, not .*scale=1024"),
    ],
)
def test_what_does_not_fit_is_named(log, layer, options, words):
    with pytest.raises(ValueError, match=words):
        log.grid("train", layer, **options).encode("png")


def test_an_unknown_suffix_is_named(log, tmp_path):
    with pytest.raises(ValueError, match=r"`format` must be one of png, svg, webp.*Received: format='jpg'"):
        log.grid("train", CONV2).save(tmp_path / "grid.jpg")
    with pytest.raises(ValueError, match=r"`format` must be one of csv, npy, npz. Received: format='png'"):
        log.numbers("train", CONV2).save(tmp_path / "grid.png")
    assert list(tmp_path.iterdir()) == []


def wide_place(log, values):
    found, datum = log._place("train", WIDE, 10, "kernel")
    return dataclasses.replace(found, budget=Budget(1 << 24, 1 << 24, 9, values, 1 << 16)), datum


@pytest.mark.parametrize("filters", [[0, 511], [511, 3, 3, 200, 0], [], [*range(100, 140)]])
def test_only_what_is_wanted_of_a_large_layer_counts(log, filters):
    """A chunk holds 28 of these filters: what is read may be as large, or as the filters are."""
    each = 3 * 3 * 128
    place, datum = wide_place(log, each * max(28, len(filters)))
    values = place.filters(datum, place.header(datum), filters)
    np.testing.assert_array_equal(
        np.moveaxis(values, 0, -1), kernel_values("wide", 10).astype(np.float16)[..., filters]
    )
    place, datum = wide_place(log, each * max(28, len(filters)) - 1)
    with pytest.raises(OptionError, match=r"at most \d+ values are read"):
        place.filters(datum, place.header(datum), filters)


def test_one_filter_of_a_large_layer_is_read_with_its_chunk_only(log):
    place, datum = wide_place(log, 1 << 24)
    header, read = place.header(datum), []
    source = place.source

    class Watched:
        def read(self, datum, elements):
            read.extend(elements)
            return source.read(datum, elements)

    fresh = dataclasses.replace(place, store=Store(0), source=Watched())
    fresh.filters(datum, header, [511, 0, 1])
    assert read == [2, 2 + 511 // header.chunk]


def test_means_of_a_large_layer_are_taken_piece_by_piece(log):
    place, datum = wide_place(log, 3 * 3 * 128 * 28)
    header = place.header(datum)
    expected = np.abs(stored("wide").mean(axis=-2)).max(axis=(0, 1))
    np.testing.assert_allclose(place.magnitudes(datum, header, "mean"), expected, rtol=1e-3, atol=1e-6)
