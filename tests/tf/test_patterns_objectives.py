"""What patterns maximise: channels, neurons, directions, their opposites, and several facets of one filter."""

import re

import keras
import numpy as np
import pytest
import tensorflow as tf

from tb_filterviz.patterns import PatternOptions, climb, generate_patterns, objectives, parameterization
from tb_filterviz.patterns.recipes import RECIPES
from tests.tf.support import averaged

L = keras.layers
SIDE = 16


@pytest.fixture(autouse=True)
def _seeded():
    keras.utils.set_random_seed(7)


def make(model, layer, filters=None, **options):
    return generate_patterns(model, layer, filters, **{"steps": 10, "progress": False, **options})


def linear():
    """Returns one linear convolution, and the slope of each of its middle neurons, `[channels, 3 * 3 * 3]`."""
    conv = L.Conv2D(3, 3, bias_initializer="random_normal")
    model = keras.Sequential([keras.Input((3, 3, 3)), conv])
    kernel, bias = conv.get_weights()
    return model, conv, kernel.reshape(-1, 3).T, bias


def deep():
    """Returns a network whose last layer sees what two others make of a picture."""
    layers = [L.Conv2D(8, 3, activation="relu"), L.Conv2D(8, 3, activation="relu"), L.Conv2D(4, 3, activation="relu")]
    return keras.Sequential([keras.Input((SIDE, SIDE, 3)), *layers]), layers[-1]


def responses(model, layer, pictures):
    """Computes the response before the activation of all filters of the last layer."""
    hidden = pictures.astype(np.float32) / 255
    for before in model.layers[:-1]:
        hidden = before(hidden)
    kernel, bias = layer.get_weights()
    return (tf.nn.conv2d(hidden, kernel, 1, "VALID") + bias).numpy()


CLIMB = {"objective": "neuron", "recipe": "classic", "steps": 1000, "input_range": (-1, 1)}


def test_the_negative_of_a_linear_neuron_reaches_the_lowest_corner():
    model, conv, slopes, bias = linear()
    up, down = (make(model, conv, negative=least, compute_dtype="float32", **CLIMB) for least in (False, True))
    np.testing.assert_allclose(up.reached, bias + np.abs(slopes).sum(1), rtol=0.01)
    np.testing.assert_allclose(down.reached, bias - np.abs(slopes).sum(1), rtol=0.01)
    assert (down.reached < down.start).all()
    assert (down.noise <= down.start).all()
    np.testing.assert_allclose(down.curve[:, 0], down.start, rtol=1e-3)
    assert not down.failed.any()


def test_the_negative_is_the_positive_of_the_opposite_weights():
    model, layer = deep()
    down = make(model, layer, negative=True, reference=np.random.default_rng(0).random((20, SIDE, SIDE, 3)))
    layer.set_weights([-weight for weight in layer.get_weights()])
    up = make(model, layer, reference=np.random.default_rng(0).random((20, SIDE, SIDE, 3)))
    assert np.abs(up.images.astype(int) - down.images).mean() < 1
    for name in ("start", "reached", "noise", "natural", "curve"):
        np.testing.assert_allclose(getattr(up, name), -getattr(down, name), rtol=1e-3, atol=1e-4)
    np.testing.assert_array_equal(up.percentile, down.percentile)
    np.testing.assert_array_equal(up.failed, down.failed)


def test_a_filter_that_only_noise_keeps_low_is_marked():
    model, layer = deep()
    kernel, bias = layer.get_weights()
    kernel[..., 1] = 0
    layer.set_weights([kernel, bias])
    assert make(model, layer, negative=True).failed.tolist() == [False, True, False, False]


def test_a_direction_of_a_linear_neuron_reaches_its_corner():
    model, conv, slopes, bias = linear()
    directions = np.array([[1, -2, 0], [0, 0.5, 3]])
    patterns = make(model, conv, direction=directions, **CLIMB)
    np.testing.assert_array_equal(patterns.filters, [0, 1])
    np.testing.assert_allclose(patterns.reached, directions @ bias + np.abs(directions @ slopes).sum(1), rtol=0.02)


def test_one_direction_may_stand_alone():
    model, layer = deep()
    weights = [1.0, 2.0, 0.0, -1.0]
    patterns = make(model, layer, direction=weights)
    assert len(patterns) == 1
    expected = averaged((responses(model, layer, patterns.images) @ weights)[..., None])[0]
    np.testing.assert_allclose(patterns.reached, expected, rtol=1e-4)


def test_the_directions_of_the_axes_are_the_channels():
    model, layer = deep()
    expected, patterns = (make(model, layer, direction=axes, compute_dtype="float32") for axes in (None, np.eye(4)))
    assert np.abs(patterns.images.astype(int) - expected.images).mean((1, 2, 3)).max() < 1
    np.testing.assert_allclose(patterns.reached, expected.reached, rtol=1e-3)


def test_a_direction_is_not_disturbed_by_channels_that_it_does_not_use():
    model, layer = deep()
    kernel, bias = layer.get_weights()
    kernel[..., 1] = np.nan
    layer.set_weights([kernel, bias])
    patterns = make(model, layer, direction=[[1, 0, 1, 0], [0, 1, 0, 0], [0, 0, 0, 1]])
    assert patterns.failed.tolist() == [False, True, False]
    assert np.isnan(patterns.reached).tolist() == np.isnan(patterns.start).tolist() == [False, True, False]


def test_a_direction_must_fit_the_layer():
    with pytest.raises(ValueError, match=r"must hold 4 numbers, one for each channel of the layer. Received: 3"):
        make(*deep(), direction=[1, 2, 3])


@pytest.mark.parametrize("direction", [1.0, [], [0, 0], [[1, 2], [3]], [1, np.nan], "ab", [[1, 2], [0, 0]]])
def test_a_direction_must_be_finite_numbers(direction):
    with pytest.raises(ValueError, match=re.escape("`direction` must be None, or finite numbers [filters] or [n, ")):
        PatternOptions(direction=direction)


def test_facets_stand_side_by_side_and_the_weakest_speaks_for_all():
    model, layer = deep()
    patterns = make(model, layer, [0, 2], facets=3)
    assert patterns.images.shape == (2, SIDE, 3 * SIDE + 2, 3)
    facets = np.stack([patterns.images[:, :, at : at + SIDE] for at in (0, SIDE + 1, 2 * SIDE + 2)])
    measured = np.stack([averaged(responses(model, layer, facet))[[0, 1], [0, 2]] for facet in facets])
    np.testing.assert_allclose(patterns.reached, measured.min(0), rtol=1e-4, atol=1e-5)
    assert not patterns.failed.any()
    alone = make(model, layer, [0], facets=3, batch_size=1).images
    assert np.abs(patterns.images[:1].astype(int) - alone).mean() < 1


def test_facets_are_less_alike_than_climbs_from_as_many_noises(monkeypatch):
    model, layer = deep()

    def alike():
        sheets = make(model, layer, facets=2, steps=20).images
        facets = np.stack([sheets[:, :, :SIDE], sheets[:, :, SIDE + 1 :]], 1).reshape(-1, SIDE, SIDE, 3)
        hidden = model.layers[1](model.layers[0](facets / np.float32(255))).numpy()
        grams = np.einsum("nyxc,nyxd->ncd", hidden, hidden).reshape(-1, 2, 64)
        one, other = grams[:, 0], grams[:, 1]
        return (one * other).sum(-1) / np.linalg.norm(one, axis=-1) / np.linalg.norm(other, axis=-1)

    diverse = alike()
    monkeypatch.setattr(objectives, "DIVERSITY", 0.0)
    model, layer = deep_again(model)
    assert (diverse < alike()).all()


def deep_again(model):
    """Returns another model of the same weights, for which nothing is traced yet."""
    again, layer = deep()
    again.set_weights(model.get_weights())
    return again, layer


@pytest.mark.parametrize("shape", [(4, 5, 3), (7, 2, 15), (3, 40), (40,)], ids=str)
def test_sameness_is_the_mean_cosine_of_gram_matrices(shape):
    """In float64; where channels are more than positions, too, which takes another way."""
    features = np.random.default_rng(0).normal(size=(6, *shape)).astype(np.float32)
    expected = []
    for group in features.astype(float).reshape(2, 3, -1, shape[-1]):
        grams = [(one.T @ one).ravel() / np.linalg.norm(one.T @ one) for one in group]
        expected += [np.mean([grams[i] @ grams[j] for j in range(3) if j != i]) for i in range(3)]
    np.testing.assert_allclose(objectives.sameness(tf.constant(features), 3), expected, rtol=1e-5)


def test_facets_of_a_dense_layer_need_no_square_of_its_inputs():
    """The Gram matrix of 20,000 inputs would have 1.6 GB."""
    inputs = tf.TensorSpec((None, 20_000))
    graph = tf.function(lambda features: objectives.sameness(features, 2)).get_concrete_function(inputs).graph
    sizes = [np.prod([side or 1 for side in one.shape]) for op in graph.get_operations() for one in op.outputs]
    assert max(sizes) <= 2 * 20_000


def test_facets_within_a_loop_over_time_are_compared_over_all_steps():
    conv = L.Conv2D(3, 3)
    inputs = keras.Input((3, 12, 12, 1))
    patterns = make(keras.Model(inputs, L.TimeDistributed(conv)(inputs)), conv, 2, facets=2)
    assert len(patterns) == 2
    assert np.isfinite(patterns.reached).all()
    features = tf.random.normal((4 * 3, 5, 6, 2))
    films = tf.reshape(features, (4, 3 * 5, 6, 2))
    np.testing.assert_array_equal(objectives.sameness(features, 2, frames=3), objectives.sameness(films, 2))


APART = 7  # half as much again as the five pixels that a filter sees


def shy():
    """Returns a filter that answers any picture with about -10 on average, and one that answers light."""
    conv = L.Conv2D(2, 5, activation="relu")
    model = keras.Sequential([keras.Input((37, 30, 3)), conv])
    kernel = np.random.default_rng(0).normal(size=(5, 5, 3, 2)).astype(np.float32)
    kernel[..., 0] -= kernel[..., 0].mean((0, 1))  # so that every even surface is answered with the bias
    kernel[..., 1] = np.abs(kernel[..., 1])
    conv.set_weights([kernel, np.float32([-10, -3])])
    return model, conv


def at_spots(model, conv, pictures):
    """Averages the responses before the ReLU over every seventh position, from the middle, two from the borders on."""
    kernel, bias = conv.get_weights()
    response = (tf.nn.conv2d(pictures, kernel, 1, "VALID") + bias).numpy()
    assert response.shape[1:3] == (33, 26)
    return response[:, 2:31:APART, 2:24:APART].mean((1, 2))


@pytest.mark.parametrize(
    ("side", "apart", "expected"),
    [
        (33, 7, [2, 9, 16, 23, 30]),
        (26, 7, [2, 9, 16, 23]),
        (12, 4, [3, 7]),
        (9, 20, [4]),
        (3, 1, [0, 1, 2]),
        (1, 5, [0]),
    ],
)
def test_spots_lie_on_a_grid_in_the_middle(side, apart, expected):
    response = tf.reshape(2.0 ** tf.range(side, dtype=tf.float32), (1, side))
    found = objectives.at_spots(response, 1, [tf.constant(apart)])
    np.testing.assert_allclose(found, [np.mean([2.0**at for at in expected])], rtol=1e-6)


def test_a_filter_that_fires_nowhere_on_average_is_shown_at_spots():
    model, conv = shy()
    natural = np.random.default_rng(0).random((6, 37, 30, 3))
    once, patterns = make(model, conv, tries=1), make(model, conv, reference=natural)
    assert once.spots.tolist() == [False, False]
    assert once.reached[0] < 0 < once.reached[1]
    assert patterns.spots.tolist() == [True, False]
    pictures = (patterns.images / 255).astype(np.float32)
    np.testing.assert_allclose(patterns.reached[0], at_spots(model, conv, pictures)[0, 0], rtol=1e-4)
    assert patterns.reached[0] > 1
    np.testing.assert_array_equal(patterns.images[1], once.images[1])
    # All its numbers are of the same kind.
    np.testing.assert_allclose(
        patterns.natural[0], at_spots(model, conv, np.rint(natural * 255) / 255)[:, 0].max(), rtol=1e-4
    )
    made = parameterization.make(RECIPES["default"], (37, 30, 3))
    noise = made.pixels(
        made.latent(made.state(tf.constant(parameterization.noise(0, range(climb.NOISES), made))))
    ).numpy()
    np.testing.assert_allclose(patterns.noise[0], at_spots(model, conv, noise)[:, 0].max(), rtol=1e-4)
    assert not patterns.failed.any()


def test_spots_can_be_asked_for():
    model, conv = shy()
    patterns = make(model, conv, objective="spots")
    assert patterns.spots.tolist() == [True, True]
    expected = at_spots(model, conv, (patterns.images / 255).astype(np.float32))
    np.testing.assert_allclose(patterns.reached, np.diag(expected), rtol=1e-4)


def test_the_spots_of_the_negative_are_those_of_the_opposite():
    model, conv = shy()
    up = make(model, conv, 1)
    conv.set_weights([-weight for weight in conv.get_weights()])
    down = make(model, conv, 1, negative=True)
    assert up.spots.tolist() == down.spots.tolist() == [True]
    np.testing.assert_allclose(up.reached, -down.reached, rtol=1e-3)


def test_a_dense_layer_has_no_spots():
    dense = L.Dense(2, bias_initializer=keras.initializers.Constant(-50.0))
    model = keras.Sequential([keras.Input((8, 8, 3)), L.Flatten(), dense])
    patterns = make(model, dense)
    assert (patterns.reached < 0).all()
    assert patterns.spots.tolist() == [False, False]
    with pytest.raises(ValueError, match=r"Choose 'channel'. Received: objective='spots', layer='dense.*'"):
        make(model, dense, objective="spots")
