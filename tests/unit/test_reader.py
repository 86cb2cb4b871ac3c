"""`filterviz.read`: what was logged comes back."""

import io

import numpy as np
import pytest
from PIL import Image

import tb_filterviz as filterviz
from tb_filterviz import colormap, records, wire
from tests.plugin.samples import SHAPES, STEPS, kernel_events, kernel_values, pattern_events, some_patterns
from tests.support import logs

BARE = {"caption": False, "labels": False, "bar": False}
LAYERS = [f"net/{name}/kernel" for name in SHAPES]


@pytest.fixture(scope="module")
def log(tmp_path_factory):
    directory = tmp_path_factory.mktemp("logs")
    events = [one for position, name in enumerate(SHAPES) for one in kernel_events(name, position)]
    logs.write_file(directory / "run10" / "events.out.tfevents.1", [*events, *pattern_events()])
    logs.write_file(directory / "run2" / "events.out.tfevents.1", kernel_events("conv1", 0))
    return filterviz.read(directory)


def test_runs_layers_and_steps(log):
    assert log.runs() == ["run2", "run10"]
    assert log.layers("run10") == LAYERS
    assert log.layers("run2") == ["net/conv1/kernel"]
    assert log.steps("run10", LAYERS[0]) == [*STEPS]
    assert log.steps("run10", LAYERS[0], "patterns") == [5, 10]
    assert log.problems() == []


@pytest.mark.parametrize("name", SHAPES)
def test_kernels(log, name):
    layer = f"net/{name}/kernel"
    np.testing.assert_array_equal(log.kernel("run10", layer), kernel_values(name, 10).astype(np.float16))
    np.testing.assert_array_equal(log.kernel("run10", layer, 5), kernel_values(name, 5).astype(np.float16))


@pytest.mark.parametrize(
    ("filters", "expected"), [(3, [3]), (-1, [19]), (slice(2, 5), [2, 3, 4]), ([7, 0, 7], [7, 0, 7]), ([], [])]
)
def test_some_filters(log, filters, expected):
    expected = kernel_values("conv1", 0).astype(np.float16)[..., expected]
    np.testing.assert_array_equal(log.kernel("run2", "net/conv1/kernel", 0, filters), expected)


def test_patterns(log):
    patterns, expected = log.patterns("run10", "net/conv1/kernel"), some_patterns()
    for name in ("filters", "images", "start", "reached", "failed", "noise", "natural", "percentile", "curve", "spots"):
        np.testing.assert_array_equal(getattr(patterns, name), getattr(expected, name))
        assert getattr(patterns, name).dtype == getattr(expected, name).dtype
    for name in ("layer", "input_range", "recipe", "steps", "objective"):
        assert getattr(patterns, name) == getattr(expected, name)


def test_patterns_without_references_and_curves(log):
    patterns = log.patterns("run10", "net/conv1/kernel", 5)
    np.testing.assert_array_equal(patterns.reached, some_patterns().reached)
    for name in ("noise", "natural", "percentile", "curve", "spots"):
        assert getattr(patterns, name) is None
    assert patterns.objective == ""


def test_grid(log, tmp_path):
    figure = log.grid("run10", "net/conv2/kernel", 0, inputs=4, colormap="grey", scale=3, columns=4, **BARE)
    figure.save(tmp_path / "grid.png")
    pixels = np.asarray(Image.open(tmp_path / "grid.png"))
    np.testing.assert_array_equal(pixels, figure.pixels)
    values = kernel_values("conv2", 0).astype(np.float16)[:, :, 4]
    assert pixels.shape == (2 * 10 - 1, 4 * 10 - 1, 3)
    limit = np.abs(kernel_values("conv2", 0)).max().astype(float)
    for o in range(7):
        tile = pixels[o // 4 * 10 :, o % 4 * 10 :][:9, :9][::3, ::3]
        np.testing.assert_array_equal(tile, colormap.table("grey")[colormap.indices(values[..., o], limit)])
    assert figure.title == "net/conv2/kernel, run run10, step 0"
    np.testing.assert_array_equal(np.asarray(Image.open(io.BytesIO(figure._repr_png_()))), pixels)


@pytest.mark.parametrize("layer", LAYERS)
@pytest.mark.parametrize("inputs", [None, 0, "mean", "strongest", "all"])
def test_every_layer_can_be_drawn(log, layer, inputs):
    assert log.grid("run10", layer, inputs=inputs).pixels.size > 0


def test_grid_of_patterns(log):
    figure = log.grid("run10", "net/conv1/kernel", kind="patterns", columns=3, **BARE)
    np.testing.assert_array_equal(figure.pixels[:8, :9], some_patterns().images[0])


def test_a_notebook_shows_names_as_text(tmp_path):
    name = "<script>alert(1)</script>"
    kernel = records.Kernel(records.Layer(), np.ones((3, 3, 1, 2), np.float32))
    tensor = logs.blob_tensor(wire.encode_kernel(kernel, name))
    event = logs.event(wire.tag(name, "", wire.KERNEL), 0, tensor, wire.metadata(wire.KERNEL))
    logs.write_file(tmp_path / "events.out.tfevents.1", [event])
    log = filterviz.read(tmp_path)
    assert log.layers(".") == [name]
    table, picture = log._repr_html_(), log.grid(".", name)._repr_html_()
    assert "&lt;script&gt;" in table
    assert "&lt;script&gt;" in picture
    assert "<script>" not in table + picture


def test_names_that_share_a_path_are_told_apart(tmp_path):
    kernel = records.Kernel(records.Layer("conv/kernel"), np.ones((3, 3, 1, 2), np.float32))
    logs.write_file(
        tmp_path / "events.out.tfevents.1",
        [
            logs.event(
                wire.tag(name, "conv/kernel", wire.KERNEL),
                0,
                logs.blob_tensor(wire.encode_kernel(kernel, name)),
                wire.metadata(wire.KERNEL),
            )
            for name in ("a", "b")
        ],
    )
    assert filterviz.read(tmp_path).layers(".") == ["a/conv/kernel", "b/conv/kernel"]


def test_each_call_sees_what_is_there_now(tmp_path):
    (first, second, _) = kernel_events("conv1", 0)
    file = logs.write_file(tmp_path / "events.out.tfevents.1", [first])
    log = filterviz.read(tmp_path)
    assert log.steps(".", "net/conv1/kernel") == [0]
    logs.append(file, [second])
    assert log.steps(".", "net/conv1/kernel") == [0, 5]
    np.testing.assert_array_equal(log.kernel(".", "net/conv1/kernel"), kernel_values("conv1", 5).astype(np.float16))


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda log: log.layers("run3"), KeyError, "there is no run 'run3'; there are 'run2', 'run10'"),
        (lambda log: log.steps("run2", "conv"), KeyError, "no kernel of a layer 'conv'; it has 'net/conv1/kernel'"),
        (lambda log: log.patterns("run2", LAYERS[0]), KeyError, "has no patterns of a layer .* it has none"),
        (lambda log: log.kernel("run2", LAYERS[0], 3), KeyError, "has no step 3; it has 3, from 0 to 10"),
        (
            lambda log: log.kernel("run2", LAYERS[0], filters=20),
            IndexError,
            "indices of the 20 filters. Received: filters=20",
        ),
        (lambda log: log.grid("run2", LAYERS[0], inputs="max"), ValueError, "`inputs` must be an index or one of"),
        (lambda log: log.grid("run2", LAYERS[0], inputs=9), ValueError, "an input from 0 to 2"),
        (lambda log: log.grid("run2", LAYERS[0], inputs=0, colormap="jet"), ValueError, "`colormap` must be one of"),
        (lambda log: log.grid("run2", LAYERS[0], size=3), TypeError, "no option `size`; there are inputs, limit"),
        (lambda log: filterviz.read("/nowhere/to/be"), NotADirectoryError, "Received: logdir='/nowhere/to/be'"),
    ],
)
def test_what_is_not_there_is_named(log, call, error, words):
    with pytest.raises(error, match=words):
        call(log)
