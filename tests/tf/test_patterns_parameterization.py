"""What a climb moves: starts, pictures and steps against NumPy's Fourier transform and TensorFlow's gradients."""

import dataclasses

import numpy as np
import pytest
import tensorflow as tf

from tb_filterviz.patterns import parameterization, quantisation
from tb_filterviz.patterns.recipes import RECIPES

SHAPES = [(24, 3), (26, 25, 3), (15, 14, 1), (6, 7, 8, 2)]
FOURIER = [recipe for recipe in RECIPES.values() if recipe.parameterization == "fourier"]
MACO = next(recipe for recipe in RECIPES.values() if recipe.parameterization == "maco")


def started(recipe, shape, filters=(0, 5)):
    made = parameterization.make(recipe, shape)
    return made, made.state(tf.constant(parameterization.noise(3, filters, made)))


def waves(values, shape):
    """The Fourier transform over the spatial axes of `[batch, *spatial, channels]`."""
    return np.fft.fftn(values.astype(np.float64), axes=range(1, len(shape)))


@pytest.mark.parametrize("recipe", RECIPES.values(), ids=RECIPES)
@pytest.mark.parametrize("shape", SHAPES)
def test_pictures_start_grey_and_each_filter_has_its_own(recipe, shape):
    made, state = started(recipe, shape, range(4))
    pictures = made.pixels(made.latent(state)).numpy()
    assert pictures.shape == (4, *shape)
    assert pictures.dtype == np.float32
    assert (pictures >= 0).all()
    assert (pictures <= 1).all()
    np.testing.assert_allclose(pictures.mean(axis=tuple(range(1, pictures.ndim))), 0.5, atol=0.17 * recipe.contrast)
    apart = np.abs(pictures[:, None] - pictures).mean(axis=tuple(range(2, pictures.ndim + 1)))
    assert (apart + np.eye(4) > 0.005).all()


def test_the_classic_noise_is_grey_with_a_width_of_twenty():
    made, state = started(RECIPES["classic"], (64, 64, 3), range(4))
    pictures = 255 * made.pixels(made.latent(state)).numpy().astype(np.float64)
    np.testing.assert_allclose(pictures, pictures.round(), atol=1e-4)
    np.testing.assert_allclose(pictures.mean((1, 2, 3)), 127.5, atol=0.3)
    np.testing.assert_allclose(pictures.std((1, 2, 3)), 20 / np.sqrt(12), rtol=0.03)
    correlation = np.corrcoef(pictures.reshape(4, -1)) - np.eye(4)
    assert np.abs(correlation).max() < 0.05


@pytest.mark.parametrize("recipe", FOURIER, ids=lambda recipe: recipe.name)
def test_pictures_have_the_contrast_of_the_recipe_before_they_are_squashed(recipe):
    made, state = started(recipe, (40, 30, 3))
    gradient = tf.constant(np.random.default_rng(1).normal(size=(2, 40, 30, 3)).astype(np.float32))
    for rate in (0.0, 0.5, 1e3):  # however long the step: only the form changes
        state = made.advance(state, gradient, tf.constant(0), tf.constant(rate))
        pictures = made.pixels(made.latent(state)).numpy().astype(np.float64)
        unsquashed = np.log(pictures / (1 - pictures)) / 4
        within = unsquashed[:, 1:-1, 1:-1]  # a twenty-fourth of a side
        np.testing.assert_allclose(within.std((1, 2, 3)), recipe.contrast, rtol=1e-2)
        np.testing.assert_allclose(within.mean((1, 2, 3)), 0, atol=1e-3)


def test_the_noise_of_pictures_in_colour_varies_most_in_brightness():
    made, state = started(RECIPES["default"], (64, 64, 3), range(4))
    colours = made.latent(state).numpy().reshape(-1, 3)
    natural = np.array([[0.26, 0.09, 0.02], [0.27, 0.00, -0.05], [0.27, -0.09, 0.03]])
    expected = natural @ natural.T
    np.testing.assert_allclose(np.cov(colours.T), expected * 3 / np.trace(expected), atol=0.1)


def test_three_channels_are_mixed_into_colours_and_others_are_not():
    flat = np.random.default_rng(0).normal(size=(1, 4, 4, 3)).astype(np.float32)
    flat[..., 1:] = 0  # the first axis of colour is brightness
    pictures = parameterization.squash(tf.constant(flat), 0.1).numpy()[0].reshape(-1, 3)
    assert np.corrcoef(pictures.T).min() > 0.999
    one = np.random.default_rng(0).normal(size=(1, 4, 4, 2)).astype(np.float32)
    standard = (one - one.mean()) / one.std()
    expected = 1 / (1 + np.exp(-4 * 0.1 * standard))
    np.testing.assert_allclose(parameterization.squash(tf.constant(one), 0.1), expected, rtol=1e-4)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("recipe", FOURIER, ids=lambda recipe: recipe.name)
def test_a_step_follows_the_gradient_of_the_coefficients(recipe, shape):
    """The adjoint that is written out equals TensorFlow's gradient through coefficients, colours and standardising."""
    recipe = dataclasses.replace(recipe, momentum=0.0)
    made, state = started(recipe, shape)
    spatial, rank = shape[:-1], len(shape) - 1
    gradient = np.random.default_rng(1).normal(size=(2, *shape)).astype(np.float32)
    # A real picture as a matrix product of real coefficients: no Fourier code of TensorFlow or ours in it.
    amplitudes = made._amplitudes.astype(np.float64)

    def colouring(values):
        return np.fft.irfftn(np.fft.rfftn(values) * amplitudes, spatial, range(rank))

    matrix = np.stack([colouring(unit.reshape(spatial)).ravel() for unit in np.eye(int(np.prod(spatial)))], 1)
    natural = np.array([[0.26, 0.09, 0.02], [0.27, 0.00, -0.05], [0.27, -0.09, 0.03]])
    colours = tf.constant(natural / np.linalg.norm(natural, axis=0).max() if shape[-1] == 3 else np.eye(shape[-1]))
    cut = np.ix_(*(range(side // 24, side - side // 24) for side in spatial))
    within = np.arange(np.prod(spatial)).reshape(spatial)[cut].ravel()
    white = tf.Variable(np.zeros((2, matrix.shape[1], shape[-1])))

    def change(coefficients):
        return tf.einsum("xw,bwc,oc->bxo", tf.constant(matrix), coefficients, colours)

    with tf.GradientTape() as tape:
        picture = tf.cast(tf.reshape(state[0], white.shape), tf.float64) + change(white)
        picture -= tf.reduce_mean(tf.gather(picture, within, axis=1), (1, 2), keepdims=True)
        picture /= tf.math.reduce_std(tf.gather(picture, within, axis=1), (1, 2), keepdims=True)
        score = tf.reduce_sum(picture * gradient.reshape(picture.shape))
    along = change(tape.gradient(score, white)).numpy().reshape(2, *shape)
    along /= np.sqrt((along**2).mean(axis=tuple(range(1, rank + 2)), keepdims=True))
    moved, step = made.advance(state, tf.constant(gradient), tf.constant(0), tf.constant(0.3))
    np.testing.assert_allclose(step.numpy(), along, atol=2e-4)
    expected = state[0].numpy() + 0.3 * along
    flat = expected.reshape(2, -1, shape[-1])[:, within]
    expected -= flat.mean((1, 2)).reshape(2, *[1] * (rank + 1))
    expected /= flat.std((1, 2)).reshape(2, *[1] * (rank + 1))
    np.testing.assert_allclose(moved.numpy(), expected, atol=5e-4)


@pytest.mark.parametrize("recipe", FOURIER, ids=lambda recipe: recipe.name)
def test_momentum_takes_its_share_of_the_previous_step_again(recipe):
    made, state = started(recipe, (16, 16, 3))
    gradients = np.random.default_rng(1).normal(size=(2, 2, 16, 16, 3)).astype(np.float32)
    moved = made.advance(state, tf.constant(gradients[0]), tf.constant(0), tf.constant(0.1))
    rested = (moved[0], tf.zeros_like(moved[1]))
    alone, both = (
        made.advance(one, tf.constant(gradients[1]), tf.constant(1), tf.constant(0.1)) for one in (rested, moved)
    )
    np.testing.assert_allclose(both[1], recipe.momentum * moved[1] + alone[1], atol=1e-5)


@pytest.mark.parametrize("shape", SHAPES)
def test_maco_moves_phases_only(shape):
    made, state = started(MACO, shape)
    before = np.abs(waves(made.latent(state).numpy(), shape))
    gradient = np.random.default_rng(1).normal(size=(2, *shape)).astype(np.float32)
    for step in range(3):
        state = made.advance(state, tf.constant(gradient), tf.constant(step), tf.constant(0.2))
    after = np.abs(waves(made.latent(state).numpy(), shape))
    # Waves that are their own mirror image cannot turn: of these the amplitude may change.
    own = np.ones(shape[:-1], bool)
    for axis, side in enumerate(shape[:-1]):
        mirrored = np.isin(np.arange(side), [0, side / 2])
        own &= mirrored.reshape([-1 if other == axis else 1 for other in range(len(shape) - 1)])
    np.testing.assert_allclose(after[:, ~own], before[:, ~own], atol=2e-3 * before.max())
    assert np.abs(made.latent(state).numpy()).max() > 0


@pytest.mark.parametrize("shape", SHAPES[:3])  # TensorFlow has no gradient of three-dimensional transforms
def test_the_first_maco_step_follows_the_gradient_of_the_phases(shape):
    made, state = started(MACO, shape)
    weights = tf.constant(np.random.default_rng(1).normal(size=(2, *shape)).astype(np.float32))
    spatial, rank = shape[:-1], len(shape) - 1
    inverse = {1: tf.signal.irfft, 2: tf.signal.irfft2d, 3: tf.signal.irfft3d}[rank]
    with tf.GradientTape() as tape:
        tape.watch(state[0])
        amplitudes = tf.constant(made._amplitudes)
        spectrum = tf.complex(amplitudes * tf.cos(state[0]), amplitudes * tf.sin(state[0]))
        picture = tf.transpose(inverse(spectrum, list(spatial)), [0, *range(2, rank + 2), 1])
        score = tf.reduce_sum(picture * weights)
    slope = tape.gradient(score, state[0]).numpy()
    moved = made.advance(state, weights, tf.constant(0), tf.constant(1e-3))[0].numpy() - state[0].numpy()
    clear = np.abs(slope) > 1e-2 * np.abs(slope).max()  # a difference of phases has few digits
    assert clear.mean() > 0.2
    assert (np.sign(moved) == np.sign(slope))[clear].all()


@pytest.mark.parametrize("recipe", RECIPES.values(), ids=RECIPES)
@pytest.mark.parametrize("value", [0.0, np.nan, np.inf])
def test_a_gradient_of_nothing_or_of_no_numbers_moves_nothing_and_not_the_neighbour(recipe, value):
    made, state = started(recipe, (12, 12, 3))
    gradient = np.random.default_rng(1).normal(size=(2, 12, 12, 3)).astype(np.float32)
    gradient[0] = value
    moved = made.advance(state, tf.constant(gradient), tf.constant(0), tf.constant(0.5))
    before, after = (made.pixels(made.latent(one)).numpy() for one in (state, moved))
    np.testing.assert_allclose(after[0], before[0], atol=1e-5)
    assert np.abs(after[1] - before[1]).max() > 1e-3


@pytest.mark.parametrize("factor", [1e-30, 1e30])
def test_gradients_of_any_size_are_as_good(factor):
    for recipe in [*FOURIER, RECIPES["classic"]]:
        made, state = started(recipe, (12, 12, 3))
        gradient = np.random.default_rng(1).normal(size=(2, 12, 12, 3)).astype(np.float32)
        one, other = (
            made.advance(state, tf.constant(scaled), tf.constant(0), tf.constant(0.5))[0].numpy()
            for scaled in (gradient, gradient * np.float32(factor))
        )
        np.testing.assert_allclose(other, one, atol=1e-4)


def test_pixels_stay_pixels():
    made, state = started(RECIPES["classic"], (8, 8, 3))
    gradient = tf.constant(np.random.default_rng(1).normal(size=(2, 8, 8, 3)).astype(np.float32))
    (moved,) = made.advance(state, gradient, tf.constant(0), tf.constant(1e9))
    assert set(np.unique(moved)) == {0.0, 1.0}


def test_quantising_rounds_and_never_stretches():
    pictures = np.array([0.4999 / 255, 0.5001 / 255, 0.5, 0.5, 1.7, -3.0])
    assert quantisation.quantise(pictures).tolist() == [0, 1, 128, 128, 255, 0]


def test_another_try_begins_with_another_noise():
    made = parameterization.make(RECIPES["default"], (8, 8, 3))
    first, again, second = (parameterization.noise(1, [2], made, attempt) for attempt in (0, 0, 1))
    np.testing.assert_array_equal(first, again)
    assert np.abs(first - second).mean() > 0.5


@pytest.mark.parametrize("recipe", RECIPES.values(), ids=RECIPES)
def test_a_single_number_is_grey(recipe):
    made, state = started(recipe, (1, 1, 1))
    after = made.advance(state, tf.ones_like(made.latent(state)), tf.constant(0), tf.constant(0.3))
    for one in (state, after):
        np.testing.assert_allclose(made.pixels(made.latent(one)), 0.5, atol=0.1)


@pytest.mark.parametrize(
    "recipe", [recipe for recipe in RECIPES.values() if recipe is not MACO], ids=lambda one: one.name
)
@pytest.mark.parametrize("shape", [(131, 3), (37, 41, 3), (150, 150, 3), (7, 11, 13, 1)])
def test_a_picture_alone_is_rounded_as_in_a_batch(recipe, shape):
    """To the last digit: a climb through a deep network makes another picture of less."""
    made, state = started(recipe, shape, range(16))
    random = np.random.default_rng(1)
    arrays = [random.normal(size=part.shape).astype(np.float32) for part in (*state, state[0])]

    @tf.function(reduce_retracing=True)
    def follow(*parts):
        *climbing, gradient = parts
        first = made.state(climbing[0])
        after = made.advance(tuple(climbing), gradient, tf.constant(3), tf.constant(0.3))
        return *first, *after, made.pixels(made.latent(after))

    whole = follow(*map(tf.constant, arrays))
    for size in (1, 5):
        parts = [follow(*(tf.constant(array[at : at + size]) for array in arrays)) for at in range(0, 16, size)]
        for one, others in zip(whole, zip(*parts, strict=True), strict=True):
            np.testing.assert_array_equal(one, np.concatenate(others))
