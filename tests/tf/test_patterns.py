"""Patterns against independent truth: what is climbed, what is measured, what stays the same."""

import doctest
import importlib

import keras
import numpy as np
import pytest
import scipy.signal
import tensorflow as tf

from tb_filterviz.patterns import PatternOptions, generate_patterns, parameterization, receptive
from tb_filterviz.patterns.recipes import RECIPES
from tb_filterviz.records import Layer
from tests.tf.support import averaged

SIDE = 20


@pytest.fixture(autouse=True)
def _seeded():
    keras.utils.set_random_seed(3)


def make(model, layer, filters=None, **options):
    return generate_patterns(model, layer, filters, **{"steps": 12, "progress": False, **options})


def two_layers(bias="random_normal", channels=3):
    """Returns a model and its second layer, whose response `respond` computes too."""
    second = keras.layers.Conv2D(6, 3, activation="relu", bias_initializer=bias, name="second")
    first = keras.layers.Conv2D(5, 3, padding="same", activation="relu", bias_initializer="random_normal", name="first")
    return keras.Sequential([keras.Input((None, None, channels)), first, second]), second


def convolve(values, layer, mode):
    """Returns the response of a convolution, one scipy correlation for each pair of channels."""
    kernel, bias = (weight.astype(np.float64) for weight in layer.get_weights())
    if mode == "same":
        values = np.pad(values, [(1, 1), (1, 1), (0, 0)])
    outputs = [
        sum(scipy.signal.correlate(values[..., i], kernel[..., i, o], "valid") for i in range(values.shape[-1]))
        for o in range(kernel.shape[-1])
    ]
    return np.stack(outputs, -1) + bias


def respond(model, image, low, high):
    inputs = low + image.astype(np.float64) / 255 * (high - low)
    hidden = np.maximum(convolve(inputs, model.layers[0], "same"), 0)
    return averaged(convolve(hidden, model.layers[1], "valid")[None])[0]


def grey_noise(seed, index, shape):
    """What the classic recipe begins with, as its documentation has it: grey, and 20 pixel values of uniform noise."""
    return np.rint(127.5 + 20 * (np.random.default_rng((seed, index)).random(shape) - 0.5))


def beginning(recipe, seed, index, shape):
    made = parameterization.make(RECIPES[recipe], shape)
    state = made.state(tf.constant(parameterization.noise(seed, [index], made)))
    return 255 * made.pixels(made.latent(state)).numpy()[0]


@pytest.mark.parametrize("recipe", RECIPES)
def test_start_and_reached_are_what_scipy_makes_of_the_noise_and_the_stored_pictures(recipe):
    model, layer = two_layers()
    patterns = make(
        model, layer, size=(SIDE, SIDE + 3), input_range=(-2, 3), seed=5, recipe=recipe, tries=1, steps=None
    )
    assert patterns.images.shape == (6, SIDE, SIDE + 3, 3)
    assert patterns.images.dtype == np.uint8
    for row, index in enumerate(patterns.filters):
        before = respond(model, beginning(recipe, 5, index, (SIDE, SIDE + 3, 3)), -2, 3)
        after = respond(model, patterns.images[row], -2, 3)
        assert patterns.start[row] == pytest.approx(before[index], rel=1e-4, abs=1e-5)
        assert patterns.reached[row] == pytest.approx(after[index], rel=1e-4, abs=1e-5)
    assert (patterns.reached > patterns.start + 0.05).all()
    assert not patterns.failed.any()


@pytest.mark.parametrize("input_range", [(0, 255), (0, 1)])
def test_the_picture_of_a_linear_filter_moves_along_its_mean_kernel(input_range):
    conv = keras.layers.Conv2D(2, 3, bias_initializer=keras.initializers.Constant(1e4))  # nowhere below 0
    model = keras.Sequential([keras.Input((SIDE, SIDE, 3)), conv])
    recipe = RECIPES["classic"]
    patterns = make(
        model, conv, recipe="classic", steps=recipe.steps, input_range=input_range, tries=1, compute_dtype="float32"
    )
    counted = np.zeros((SIDE - 2, SIDE - 2))
    counted[2:-2, 2:-2] = 1 / (SIDE - 6) ** 2
    for index in range(2):
        kernel = conv.get_weights()[0][..., index].astype(np.float64)
        gradient = np.stack([scipy.signal.convolve(counted, kernel[..., c]) for c in range(3)], -1)
        moved = recipe.steps * recipe.rate * gradient / np.sqrt((gradient**2).mean())
        expected = np.clip(grey_noise(0, index, (SIDE, SIDE, 3)) + moved, 0, 255)
        assert np.abs(patterns.images[index] - expected).max() <= 0.51  # half of it is the rounding


def test_a_filter_that_its_relu_silences_still_climbs():
    model, layer = two_layers(bias=keras.initializers.Constant(-1000.0))
    assert (model(np.random.default_rng(0).random((6, SIDE, SIDE, 3))).numpy() == 0).all()
    patterns = make(model, layer, size=SIDE, steps=None)
    assert (patterns.reached > patterns.start + 0.1).all()
    assert (patterns.start < -90).all()


@pytest.mark.parametrize("recipe", RECIPES)
def test_a_seed_repeats_bit_by_bit_and_another_one_does_not(recipe):
    model, layer = two_layers()
    first, second, other = (make(model, layer, size=SIDE, seed=seed, recipe=recipe) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first.curve, second.curve)
    np.testing.assert_array_equal(first.images, second.images)
    np.testing.assert_array_equal(first.reached, second.reached)
    assert (first.images != other.images).any((1, 2, 3)).all()


def gated():
    """Returns a model, and its last layer, whose channels a `Dense` layer weighs: TensorFlow rounds it by batch."""
    inputs = keras.Input((None, None, 3))
    x = keras.layers.Conv2D(24, 3, activation="relu")(inputs)
    gate = keras.layers.Dense(7, activation="relu")(keras.layers.GlobalAveragePooling2D(keepdims=True)(x))
    x = x * keras.layers.Dense(24, activation="sigmoid")(gate)
    outputs = keras.layers.Conv2D(6, 3, name="second")(x)
    model = keras.Model(inputs, outputs)
    return model, model.get_layer("second")


# Not "maco": its steps of a radian make of a last digit another picture, as its documentation says.
@pytest.mark.parametrize("network", [two_layers, gated])
@pytest.mark.parametrize("recipe", sorted(RECIPES.keys() - {"maco"}))
def test_neighbours_and_batches_do_not_change_a_picture(recipe, network):
    # Kernels of TensorFlow may add in another order in another batch: pictures agree to one pixel value on average.
    model, layer = network()
    common = {"size": SIDE, "recipe": recipe, "steps": None, "tries": 2}
    together = make(model, layer, batch_size=16, **common)
    for other in (make(model, layer, batch_size=1, **common), make(model, layer, batch_size=4, **common)):
        assert np.abs(together.images.astype(float) - other.images).mean((1, 2, 3)).max() <= 1
        np.testing.assert_array_equal(together.failed, other.failed)
        np.testing.assert_allclose(together.noise, other.noise, rtol=1e-4)
    alone = make(model, layer, [4], **common)
    assert np.abs(together.images[4].astype(float) - alone.images[0]).mean() <= 1
    np.testing.assert_allclose(together.noise[4], alone.noise[0], rtol=1e-4)
    assert alone.filters.tolist() == [4]


def test_filters_options_and_record_reach_the_result():
    model, layer = two_layers(channels=1)
    options = PatternOptions(filters=[5, 1, 5], size=SIDE, steps=3, input_range=(0, 2), progress=False)
    patterns = generate_patterns(model, layer, options=options)
    assert patterns.filters.tolist() == [1, 5]
    assert patterns.images.shape == (2, SIDE, SIDE, 1)
    assert (patterns.recipe, patterns.steps, patterns.input_range) == ("default", 3, (0.0, 2.0))
    assert make(model, layer, 1, size=SIDE, steps=None, recipe="maco").steps == RECIPES["maco"].steps
    assert patterns.layer == Layer(f"{model.name}/second/kernel", "Conv2D", position=1)
    record = Layer("mine", "Conv2D", 7)
    again = generate_patterns(model, layer, 2, options=options, steps=1, record=record)
    assert (again.filters.tolist(), again.steps, again.layer) == ([0, 1], 1, record)


def test_a_filter_that_is_not_finite_fails_alone():
    model, layer = two_layers()
    clean = make(model, layer, size=SIDE)
    weights = model.get_weights()
    model, layer = two_layers()  # of which nothing is known from before
    model.set_weights(weights)
    kernel, bias = layer.get_weights()
    kernel[1, 1, 2, 3] = np.nan
    kernel[0, 0, 0, 5] = np.inf
    layer.set_weights([kernel, bias])
    patterns = make(model, layer, size=SIDE, reference=np.zeros((1, SIDE, SIDE, 3)))
    assert patterns.failed.tolist() == [False, False, False, True, False, True]
    assert np.isfinite(patterns.percentile).tolist() == [True, True, True, False, True, False]
    for numbers in (patterns.reached, patterns.start, patterns.percentile):
        assert np.isnan(numbers[3])
    np.testing.assert_array_equal(patterns.images[[0, 1, 2, 4]], clean.images[[0, 1, 2, 4]])
    np.testing.assert_array_equal(layer.get_weights()[0], kernel)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_what_a_layer_sees_is_what_its_finite_filters_see(bad):
    sizes = []
    for value in (0, bad):
        keras.utils.set_random_seed(4)
        layer = keras.layers.Conv2D(4, 15, activation="relu")
        model = keras.Sequential([keras.Input((None, None, 3)), keras.layers.Conv2D(5, 30), layer])
        kernel, bias = layer.get_weights()
        kernel[..., 2] = value
        layer.set_weights([kernel, bias])
        shape = make(model, layer, 1, steps=1, size="auto").images.shape[1:3]
        sizes.append((shape, receptive.apart(model, layer, lambda pictures: pictures, (96, 96, 3))))
    assert sizes[0] == sizes[1]
    assert sizes[0][0] < (224, 224)


def test_no_filter_that_is_not_finite_begins_with_a_number():
    """The climb computes with 0 in place of such weights: its own first measure tells nothing of the filter."""
    layer = keras.layers.Conv2D(4, 3, groups=2)
    model = keras.Sequential([keras.Input((SIDE, SIDE, 4)), layer])
    kernel, bias = layer.get_weights()
    kernel[1, 1, 0, 2] = np.nan
    layer.set_weights([kernel, bias])
    for negative in (False, True):
        patterns = make(model, layer, negative=negative)
        assert np.isnan(patterns.start).tolist() == np.isnan(patterns.reached).tolist() == [False, False, True, False]


def test_where_nothing_is_finite_nothing_is_climbed():
    model, layer = two_layers()
    model.layers[0].set_weights([np.full_like(weight, np.nan) for weight in model.layers[0].get_weights()])
    message = (
        r"There is NaN or infinity in weights that the layer's responses depend on\. Received: '\S*first/kernel', "
    )
    with pytest.raises(ValueError, match=message):
        make(model, layer, size=SIDE, recipe="classic")


def test_a_filter_of_zeros_does_not_rise_and_fails():
    model, layer = two_layers()
    kernel, bias = layer.get_weights()
    kernel[..., 2] = 0
    layer.set_weights([kernel, bias])
    patterns = make(model, layer, size=SIDE)
    assert patterns.failed.tolist() == [False, False, True, False, False, False]
    assert patterns.start[2] == patterns.reached[2] == pytest.approx(bias[2], rel=1e-4)


@pytest.mark.parametrize(
    ("layer", "expected"),
    [
        (keras.layers.Rescaling(1 / 255), (0.0, 255.0)),
        (keras.layers.Normalization(mean=127.0, variance=4000.0), (0.0, 255.0)),
        (keras.layers.Identity(), (0.0, 1.0)),
    ],
)
def test_the_input_range_follows_the_layers_of_the_model(layer, expected):
    conv = keras.layers.Conv2D(2, 3)
    model = keras.Sequential([keras.Input((SIDE, SIDE, 3)), keras.Sequential([layer]), conv])
    assert make(model, conv, steps=1).input_range == expected


def test_the_size_follows_the_model():
    conv = keras.layers.Conv2D(1, 3)
    assert make(keras.Sequential([keras.Input((9, 12, 3)), conv]), conv, steps=1).images.shape == (1, 9, 12, 3)
    conv = keras.layers.Conv2D(1, 3)
    assert make(keras.Sequential([keras.Input((None, 12, 3)), conv]), conv, steps=1).images.shape == (1, 48, 12, 3)


@pytest.mark.parametrize(
    ("policy", "like"), [("mixed_float16", "float32"), ("mixed_bfloat16", "bfloat16"), ("float64", "float32")]
)
def test_other_precisions_climb_the_same_hill(policy, like):
    model, layer = two_layers()
    keras.config.set_dtype_policy(policy)
    try:
        other, other_layer = two_layers()
    finally:
        keras.config.set_dtype_policy("float32")
    other.set_weights(model.get_weights())
    options = {"size": 40, "compute_dtype": like}
    expected, patterns = make(model, layer, **options), make(other, other_layer, **options)
    assert patterns.reached.dtype == np.float32
    for one, two in zip(patterns.images, expected.images, strict=True):
        assert np.corrcoef(one.ravel(), two.ravel())[0, 1] > 0.95
    np.testing.assert_allclose(patterns.reached, expected.reached, rtol=0.05)


def test_progress_counts_filters_and_can_be_silent(capsys):
    model, layer = two_layers()
    make(model, layer, size=SIDE, progress=True, batch_size=4)
    bar = capsys.readouterr().err
    assert "second: 100%" in bar
    assert "6.0/6 filters" in bar
    assert "filter/s" in bar or "s/filter" in bar
    make(model, layer, size=SIDE)
    assert capsys.readouterr() == ("", "")


def test_variables_of_a_distribution_strategy_are_read():
    with tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"]).scope():
        mirrored, layer = two_layers()
    model, same = two_layers()
    model.set_weights(mirrored.get_weights())
    np.testing.assert_array_equal(make(mirrored, layer, size=SIDE).images, make(model, same, size=SIDE).images)


EXAMPLES = ["cache", "distinct", "engine", "generate", "objectives", "options", "parameterization", "receptive", "tap"]


@pytest.mark.parametrize("name", [*EXAMPLES, "transforms"])
def test_examples_run(name):
    failed, tried = doctest.testmod(importlib.import_module(f"tb_filterviz.patterns.{name}"))
    assert (failed, tried > 0) == (0, True)
