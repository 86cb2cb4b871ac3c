"""Patterns of every kind of convolution and input: what is stored is what was measured, and is the best there is."""

import itertools

import keras
import numpy as np
import pytest
import tensorflow as tf

import tb_filterviz as filterviz
from tb_filterviz.patterns import generate_patterns
from tb_filterviz.patterns.parameterization import squash
from tb_filterviz.patterns.sheet import lay_out
from tests.tf.support import averaged

L = keras.layers


@pytest.fixture(autouse=True)
def _seeded():
    keras.utils.set_random_seed(5)


def make(model, layer, filters=None, **options):
    return generate_patterns(model, layer, filters, **{"steps": 10, "tries": 1, "progress": False, **options})


def strips(sheets, shape):
    """Reads `(length, channels)` off a strip."""
    assert sheets.shape[1:] == (shape[1], shape[0], 1)
    return sheets[..., 0].transpose(0, 2, 1)


def tiles(sheets, height, width, number, across):
    """Reads tiles in reading order, one white pixel apart."""
    grid = itertools.product(range(-(-number // across)), range(across))
    places = [(row * (height + 1), column * (width + 1)) for row, column in grid]
    assert sheets.shape[1:3] == (places[-1][0] + height, places[-1][1] + width)
    found = [sheets[:, top : top + height, left : left + width] for top, left in places]
    gaps = np.ones(sheets.shape, bool)
    for top, left in places[:number]:
        gaps[:, top : top + height, left : left + width] = False
    assert (sheets[gaps] == 255).all()
    return np.stack(found[:number], axis=1)


def slices(across):
    return lambda sheets, shape: tiles(sheets, *shape[1:3], shape[0], across)


def channels(across):
    return lambda sheets, shape: np.moveaxis(tiles(sheets, *shape[:2], shape[2], across)[..., 0], 1, -1)


def slices_by_channel(sheets, shape):
    depth, height, width, count = shape
    rows = tiles(sheets, height, width, count * depth, depth)[..., 0]
    return np.moveaxis(rows.reshape(-1, count, depth, height, width), 1, -1)


def identity(sheets, shape):
    return sheets


KINDS = {
    # name: the shape of the input, how its pictures are drawn, the layer
    "curve": ((40, 1), strips, lambda **o: L.Conv1D(4, 5, **o)),
    "curves": ((40, 3), strips, lambda **o: L.Conv1D(4, 5, padding="causal", dilation_rate=2, **o)),
    "many curves": ((40, 9), strips, lambda **o: L.Conv1D(6, 5, groups=3, strides=2, **o)),
    "curves, depthwise": ((40, 2), strips, lambda **o: L.DepthwiseConv1D(5, depth_multiplier=2, **o)),
    "curves, separable": ((40, 2), strips, lambda **o: L.SeparableConv1D(4, 5, **o)),
    "curves, transposed": ((40, 2), strips, lambda **o: L.Conv1DTranspose(4, 5, strides=2, **o)),
    "grey": ((20, 24, 1), identity, lambda **o: L.Conv2D(4, 3, padding="same", **o)),
    "many channels": ((20, 20, 7), channels(3), lambda **o: L.Conv2D(4, 3, **o)),
    "two channels": ((20, 24, 2), channels(1), lambda **o: L.DepthwiseConv2D(3, depth_multiplier=2, **o)),
    "volume": ((7, 12, 12, 1), slices(3), lambda **o: L.Conv3D(4, 3, **o)),
    "film": ((5, 12, 12, 3), slices(2), lambda **o: L.Conv3D(4, 3, padding="same", strides=(1, 2, 2), **o)),
    "many volumes": ((4, 10, 12, 2), slices_by_channel, lambda **o: L.Conv3D(4, 3, groups=2, **o)),
    "volume, transposed": ((5, 8, 8, 1), slices(2), lambda **o: L.Conv3DTranspose(4, 3, strides=2, **o)),
}


def linear(layer):
    """Makes the layer again, with its weights and no activation."""
    plain = type(layer).from_config({**layer.get_config(), "activation": None})
    plain.build(layer.get_build_config()["input_shape"])
    plain.set_weights(layer.get_weights())
    return plain


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_drawn_is_what_was_measured_and_climbed(kind):
    shape, read, build = KINDS[kind]
    target = build(activation="relu", bias_initializer="random_normal")
    model = keras.Sequential(
        [
            keras.Input(shape),
            L.Dense(shape[-1], activation="tanh"),
            target,
            L.GlobalMaxPooling1D() if len(shape) == 2 else L.Flatten(),
        ]
    )
    patterns = make(model, target, input_range=(-1, 1), steps=None)
    pictures = read(patterns.images, shape).astype(np.float32) / 255 * 2 - 1
    assert pictures.shape[1:] == shape
    response = averaged(linear(target)(model.layers[0](pictures)).numpy())
    np.testing.assert_allclose(patterns.reached, np.diagonal(response), rtol=1e-4, atol=1e-5)
    assert (patterns.reached > patterns.start).all()
    assert not patterns.failed.any()
    assert (np.argmax(response - response.mean(0), axis=0) == np.arange(response.shape[1])).mean() > 0.7


@pytest.mark.parametrize("kind", ["curve", "curves", "many channels", "film", "volume"])
def test_a_neuron_of_a_linear_layer_gets_the_best_picture_there_is(kind):
    """Of a linear function on a cube the largest value is that of the corner that its signs point to."""
    shape, read, build = KINDS[kind]
    target = build(bias_initializer="random_normal")
    model = keras.Sequential([keras.Input(shape), target])
    patterns = make(model, target, recipe="classic", objective="neuron", steps=120)
    # The function's coefficients, one after another, from the layer itself.
    places = np.eye(np.prod(shape), dtype=np.float32).reshape(-1, *shape)
    bias = target.get_weights()[1]
    middle = tuple(side // 2 for side in model.output_shape[1:-1])
    slope = np.asarray(model.predict(places, verbose=0))[(slice(None), *middle)] - bias
    best = np.maximum(slope, 0).sum(0) + bias
    np.testing.assert_allclose(patterns.reached, best, rtol=0.02)
    values = read(patterns.images, shape).reshape(len(patterns), -1)
    for filter_, value in enumerate(values):
        large = np.abs(slope[:, filter_]) > 0.3 * np.abs(slope[:, filter_]).max()
        np.testing.assert_array_equal(value[large], np.where(slope[large, filter_] > 0, 255, 0))


def test_three_curves_are_not_mixed_as_colours_are():
    latent = np.zeros((1, 30, 3), np.float32)
    latent[..., 0] = np.sin(np.arange(30))
    curves, colours = squash(tf.constant(latent), 0.3), squash(tf.constant(latent[:, None]), 0.3)
    assert np.ptp(curves, axis=1)[0] == pytest.approx([np.ptp(curves), 0, 0])
    assert (np.ptp(colours, axis=(1, 2)) > 0.1).all()


def test_a_long_curve_is_folded_and_loses_nothing():
    curves = np.random.default_rng(0).integers(0, 255, (2, 2500, 3), np.uint8)
    sheet = lay_out(curves)
    assert sheet.shape == (2, 11, 1024, 1)
    bands = [sheet[:, top : top + 3, :, 0] for top in (0, 4, 8)]
    np.testing.assert_array_equal(np.concatenate(bands, axis=2)[..., :2500].transpose(0, 2, 1), curves)
    assert (sheet[:, [3, 7]] == 255).all()
    assert (sheet[:, 8:, 2500 - 2048 :] == 255).all()


@pytest.mark.parametrize(
    ("shape", "size"), [((None, 2), (64,)), ((None, None, 5), (48, 48)), ((None, 12, 12, 1), (16, 12, 12))]
)
def test_open_sides_follow_what_a_filter_sees(shape, size):
    rank = len(shape) - 1
    conv = {1: L.Conv1D, 2: L.Conv2D, 3: L.Conv3D}[rank](1, 3)
    patterns = make(keras.Sequential([keras.Input(shape), conv]), conv, steps=1)
    expected = lay_out(np.zeros((1, *size, shape[-1]), np.uint8)).shape
    assert patterns.images.shape == expected


def test_the_sides_of_a_long_sighted_filter_grow_with_what_it_sees():
    conv = L.Conv1D(1, 3, dilation_rate=100, kernel_initializer="ones")
    patterns = make(keras.Sequential([keras.Input((None, 1)), conv]), conv, steps=1)
    assert patterns.images.shape == (1, 1, 304, 1)  # sees 201 samples


@pytest.mark.parametrize("size", [30, (30,)])
def test_a_size_may_be_one_number_or_one_for_each_axis(size):
    conv = L.Conv1D(2, 3)
    model = keras.Sequential([keras.Input((None, 4)), conv])
    assert make(model, conv, size=size, steps=1).images.shape == (2, 4, 30, 1)
    with pytest.raises(ValueError, match=r"one number for all sides, or 1: .* Received: size=\(30, 30\)"):
        make(model, conv, size=(30, 30))


def test_a_sheet_that_no_log_could_hold_is_refused():
    conv = L.Conv2D(2, 3)
    with pytest.raises(ValueError, match="take a sheet of 4607 x 4607 pixels, of which a log holds 4096"):
        make(keras.Sequential([keras.Input((None, None, 81)), conv]), conv, size=511)


@pytest.mark.parametrize("wrap", [lambda conv: conv, lambda conv: keras.Sequential([L.Rescaling(2.0), conv])])
def test_a_layer_over_time_is_climbed_at_all_time_steps(wrap):
    conv = L.Conv2D(3, 3, activation="relu", bias_initializer="random_normal")
    model = keras.Sequential([keras.Input((4, 12, 12, 3)), L.TimeDistributed(wrap(conv)), L.GlobalMaxPooling3D()])
    patterns = make(model, conv, input_range=(0, 1))
    frames = tiles(patterns.images, 12, 12, 4, 2).astype(np.float32) / 255
    factor = 1.0 if wrap(conv) is conv else 2.0
    plain = linear(conv)
    response = np.stack([averaged(plain(factor * frames[:, t]).numpy()) for t in range(4)], axis=1)
    np.testing.assert_allclose(patterns.reached, np.einsum("ntn->n", response) / 4, rtol=1e-4, atol=1e-5)
    noise = make(model, conv, input_range=(0, 1), steps=1, recipe="classic")
    first = tiles(noise.images, 12, 12, 4, 2).astype(np.float32) / 255
    before = np.stack([averaged(plain(factor * first[:, t]).numpy()) for t in range(4)], axis=1)
    assert (np.einsum("ntn->nt", response) > np.einsum("ntn->nt", before)).all()


@pytest.mark.parametrize("states", [False, True])
def test_a_convolution_with_a_memory_is_measured_at_its_output(states):
    conv, inputs = L.ConvLSTM2D(3, 3, return_state=states), keras.Input((4, 12, 12, 1))
    outputs = conv(inputs)
    model = keras.Model(inputs, outputs[0] if states else outputs)
    patterns = make(model, conv)
    response = averaged(model(tiles(patterns.images, 12, 12, 4, 2).astype(np.float32) / 255).numpy())
    np.testing.assert_allclose(patterns.reached, np.diagonal(response), rtol=1e-4, atol=1e-5)
    assert not patterns.failed.any()


class Penalised(L.Conv2D):
    """Returns what stands beside its output, too."""

    def call(self, inputs):
        outputs = super().call(inputs)
        return outputs, tf.reduce_sum(outputs)

    def compute_output_shape(self, shape):
        return super().compute_output_shape(shape), ()


@pytest.mark.parametrize("activation", [None, "relu"])
def test_a_layer_that_returns_more_is_measured_at_its_first_output(activation):
    conv, norm, inputs = Penalised(3, 3, activation=activation), L.BatchNormalization(), keras.Input((12, 12, 3))
    model = keras.Model(inputs, norm(conv(inputs)[0]))
    norm.set_weights([np.float32([0.5, 1.0, 2.0])] * 4)
    patterns = make(model, conv, input_range=(0, 1))
    response = tf.nn.conv2d(patterns.images / np.float32(255), conv.kernel, 1, "VALID")
    response = averaged((norm(response) if activation is None else response).numpy())
    np.testing.assert_allclose(patterns.reached, np.diagonal(response), rtol=1e-4, atol=1e-5)


def test_natural_curves_are_a_reference_too():
    conv = L.Conv1D(3, 5, activation="relu")
    model = keras.Sequential([keras.Input((None, 2)), conv])
    natural = np.random.default_rng(0).random((3, 70, 2), np.float32)
    patterns = make(model, conv, size=30, reference=natural)
    cuts = np.concatenate([natural[:, :30], natural[:, 30:60]])
    response = averaged(linear(conv)(np.rint(cuts * 255) / np.float32(255)).numpy())
    np.testing.assert_allclose(patterns.natural, response.max(0), rtol=1e-4)


def test_channels_may_stand_first_where_they_can_be_computed():
    conv = L.Conv3D(4, 3, data_format="channels_first")
    model = keras.Sequential([keras.Input((2, 5, 8, 9)), conv])
    patterns = make(model, conv)
    pictures = slices_by_channel(patterns.images, (5, 8, 9, 2)).astype(np.float32) / 255
    response = averaged(np.moveaxis(model(np.moveaxis(pictures, -1, 1)).numpy(), 1, -1))
    np.testing.assert_allclose(patterns.reached, np.diagonal(response), rtol=1e-4, atol=1e-5)


@pytest.mark.skipif(bool(tf.config.list_physical_devices("GPU")), reason="a GPU convolves them")
def test_channels_that_stand_first_in_vain_are_told_before_the_climb():
    model = keras.Sequential([keras.Input((3, 8, 9)), L.Conv2D(4, 3, data_format="channels_first", name="conv")])
    with pytest.raises(
        ValueError, match=r'on a GPU only, and there is none. Build the model with data_format="channels_'
    ):
        make(model, "conv")


def test_layers_that_prepare_pictures_are_part_of_the_model():
    conv = L.Conv2D(4, 3, activation="relu", bias_initializer="random_normal")
    prepare = [L.Resizing(30, 30), L.RandomFlip(), L.RandomRotation(0.1), L.CenterCrop(20, 20), L.Rescaling(1 / 255)]
    model = keras.Sequential([keras.Input((None, None, 3)), *prepare, conv])
    patterns = make(model, conv, size=24)
    assert patterns.input_range == (0, 255)
    prepared = keras.Sequential(prepare)(patterns.images.astype(np.float32), training=False)
    response = averaged(linear(conv)(prepared).numpy())
    np.testing.assert_allclose(patterns.reached, np.diagonal(response), rtol=1e-3, atol=1e-4)
    assert not patterns.failed.any()


def test_sheets_are_logged_and_read_as_they_are(tmp_path):
    conv = L.Conv3D(3, 3)
    model = keras.Sequential([keras.Input((9, 12, 12, 3)), conv])
    made = make(model, conv, facets=2)
    with tf.summary.create_file_writer(str(tmp_path)).as_default():
        filterviz.summary("volumes", made, step=0)
    log = filterviz.read(tmp_path)
    (run,) = log.runs()
    (layer,) = log.layers(run)
    np.testing.assert_array_equal(log.patterns(run, layer).images, made.images)
