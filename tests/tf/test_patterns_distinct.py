"""What sets a filter apart: how far it is ahead of the others of its layer, over natural inputs."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from tb_filterviz.patterns import (
    PatternOptions,
    climb,
    distinct,
    engine,
    generate_patterns,
    objectives,
    parameterization,
)
from tb_filterviz.patterns.recipes import RECIPES

L = keras.layers
SIDE = 20


@pytest.fixture(autouse=True)
def _seeded():
    keras.utils.set_random_seed(5)


def network(filters=12):
    """Returns a network, its last convolution, and inputs in whole pixel values, in the range 0..1."""
    conv = L.Conv2D(filters, 3, activation="relu", bias_initializer="random_normal")
    model = keras.Sequential([keras.Input((SIDE, SIDE, 3)), L.Conv2D(8, 3, activation="relu"), conv])
    random = np.random.default_rng(2)
    inputs = random.random((40, 1, 1, 3)) + random.normal(0, 0.2, (40, SIDE, SIDE, 3))
    return model, conv, np.rint(np.clip(inputs, 0, 1) * 255) / 255


def make(model, conv, natural, filters=None, **options):
    given = {"objective": "distinct", "reference": natural, "input_range": (0, 1), "progress": False, **options}
    return generate_patterns(model, conv, filters, **given)


def averages(model, conv, pictures):
    """Averages responses before the activation, without two positions at each border."""
    kernel, bias = conv.get_weights()
    response = tf.nn.conv2d(model.layers[0](np.asarray(pictures, np.float32)), kernel, 1, "VALID") + bias
    return response.numpy().astype(np.float64)[:, 2:-2, 2:-2].mean((1, 2))


def leads(responses, natural):
    """Computes leads filter by filter."""
    mean, deviation = natural.mean(0), natural.std(0)
    z = (responses - mean) / deviation
    result = np.empty_like(z)
    for index in range(z.shape[1]):
        others = np.delete(z, index, axis=1)
        result[:, index] = z[:, index] - np.maximum(others.max(1, initial=-np.inf), 0)
    return result


def noise_of(shape):
    """Makes the pictures of noise that filters are compared with."""
    made = parameterization.make(RECIPES["default"], shape)
    drawn = parameterization.noise(0, range(climb.NOISES), made)
    return made.pixels(made.latent(made.state(tf.constant(drawn)))).numpy()


def middle(response):
    """Averages float64 `[n, *positions, filters]` without two positions at each border."""
    response = np.asarray(response, np.float64)
    for axis in range(1, response.ndim - 1):
        response = np.take(response, range(2, response.shape[axis] - 2), axis)
    return response.mean(tuple(range(1, response.ndim - 1)))


KINDS = {
    "normalized": (
        (SIDE, SIDE, 3),
        lambda: L.Conv2D(6, 3),
        lambda: [L.BatchNormalization()],
        lambda model, pictures: middle(model.layers[1](model.layers[0](pictures), training=False)),
    ),
    "sequence": (
        (60, 2),
        lambda: L.Conv1D(6, 5),
        list,
        lambda model, pictures: middle(model.layers[0](pictures)),
    ),
    "volume": (
        (12, 12, 12, 1),
        lambda: L.Conv3D(6, 3),
        list,
        lambda model, pictures: middle(model.layers[0](pictures)),
    ),
}
"""By kind: shape of the inputs, the target, what follows it, and the averages of its responses."""


def test_a_lead_is_over_the_best_of_all_others():
    random = np.random.default_rng(0)
    natural, responses = random.normal(3, 2, (30, 7)), random.normal(3, 9, (50, 7))
    known = distinct.statistics(natural.astype(np.float32))
    found = distinct.lead(responses.astype(np.float32), known)
    np.testing.assert_allclose(found, leads(responses, natural), rtol=1e-3, atol=1e-4)
    assert ((found > 0).sum(1) <= 1).all()


def test_the_lead_that_is_climbed_is_a_little_longer_and_pushes_the_others_down():
    random = np.random.default_rng(0)
    natural = distinct.statistics(random.normal(3, 2, (30, 7)).astype(np.float32))
    responses, targets = random.normal(3, 9, (50, 7)).astype(np.float32), random.integers(0, 7, 50).astype(np.int32)
    hard = distinct.lead(responses, natural)[np.arange(50), targets]
    given = tf.constant(responses)
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(given)
        own, climbed = distinct.own_lead(given, natural, targets)
        z = (given - natural[0]) / natural[1]
        others = tf.where(tf.one_hot(targets, 7) > 0, 0.0, z)
        expected = tf.gather(z, targets, axis=1, batch_dims=1) - 0.3 * tf.reduce_logsumexp(others / 0.3, 1)
    np.testing.assert_allclose(own, hard, rtol=1e-5, atol=1e-5)
    more = climbed.numpy() - hard
    assert (more >= -1e-4).all()
    assert (more <= distinct.SOFTNESS * np.log(7) + 1e-4).all()
    np.testing.assert_allclose(tape.gradient(climbed, given), tape.gradient(expected, given), rtol=1e-3, atol=1e-6)


def test_filters_that_say_nothing_do_not_count():
    natural = np.array([[1, 5, np.nan, np.inf], [3, 5, 0, 0]], np.float32)
    known = distinct.statistics(natural)
    found = distinct.lead(np.array([[4, 100, np.nan, np.inf]], np.float32), known)
    assert found[0, 0] == 2
    assert found[0, 1] == -2
    assert not np.isfinite(found[0, 2:]).any()
    responses = tf.constant([[4.0, 100.0, np.nan, np.inf]])
    with tf.GradientTape() as tape:
        tape.watch(responses)
        own, climbed = distinct.own_lead(responses, known, [0])
    np.testing.assert_allclose((own[0], climbed[0]), (2, 2), rtol=1e-5)
    np.testing.assert_array_equal(tape.gradient(climbed, responses), [[1, 0, 0, 0]])


def test_who_answers_without_end_is_ahead_of_all():
    known = np.array([[0, 0, 0], [1, 1, 1]], np.float32)
    np.testing.assert_array_equal(distinct.lead(np.array([[4, np.inf, 0]], np.float32), known)[0, ::2], [-np.inf] * 2)


def test_rounding_is_no_deviation():
    random = np.random.default_rng(0)
    natural = np.stack([random.normal(1, 1, 30), 1 + 1e-7 * random.normal(size=30), np.full(30, 1e-46)], 1)
    known = distinct.statistics(natural.astype(np.float32))
    np.testing.assert_array_equal(np.isfinite(known[1]), [True, False, False])


def test_all_numbers_are_leads_of_the_untouched_model():
    model, conv, natural = network()
    patterns = make(model, conv, natural, steps=8, tries=1, compute_dtype="float32")
    known = averages(model, conv, natural)
    own = np.diag(leads(averages(model, conv, patterns.images / 255), known))
    np.testing.assert_allclose(patterns.reached, own, rtol=1e-3, atol=1e-3)
    np.testing.assert_allclose(patterns.natural, leads(known, known).max(0), rtol=1e-3, atol=1e-3)
    made = parameterization.make(RECIPES["default"], (SIDE, SIDE, 3))
    drawn = parameterization.noise(0, range(12), made)
    starts = made.pixels(made.latent(made.state(tf.constant(drawn)))).numpy()
    at_start = leads(averages(model, conv, starts), known)
    np.testing.assert_allclose(patterns.noise, at_start[: climb.NOISES].max(0), rtol=1e-3, atol=1e-3)
    share = 100 * (leads(known, known) < own).mean(0)
    np.testing.assert_allclose(patterns.percentile, share, atol=0.1)
    np.testing.assert_allclose(patterns.start, np.diag(at_start), rtol=1e-3, atol=1e-3)
    np.testing.assert_allclose(patterns.curve[:, 0], patterns.start, rtol=1e-3, atol=1e-3)
    np.testing.assert_array_equal(patterns.curve[:, -1], patterns.reached)
    assert (patterns.failed == (own <= np.maximum(0, np.maximum(patterns.noise, patterns.natural)))).all()
    assert patterns.objective == "distinct"


def test_more_filters_are_ahead_than_of_pictures_that_excite_them_most():
    model, conv, natural = network()
    known = averages(model, conv, natural)
    ahead = {}
    for objective in ("channel", "distinct"):
        patterns = make(model, conv, natural, objective=objective, tries=1)
        ahead[objective] = np.diag(leads(averages(model, conv, patterns.images / 255), known)) > 0
        assert patterns.steps == {"channel": 22, "distinct": 66}[objective]
    assert ahead["distinct"].sum() > ahead["channel"].sum()
    assert ahead["distinct"].mean() > 0.8


def test_the_negative_is_how_far_a_filter_is_below_the_others():
    model, conv, natural = network()
    patterns = make(model, conv, natural, negative=True, steps=8, tries=1)
    known = -averages(model, conv, natural)
    own = np.diag(leads(-averages(model, conv, patterns.images / 255), known))
    np.testing.assert_allclose(patterns.reached, own, rtol=1e-3, atol=1e-3)


def test_directions_are_compared_with_one_another():
    model, conv, natural = network(filters=4)
    directions = np.random.default_rng(0).normal(size=(3, 4))
    patterns = make(model, conv, natural, direction=directions, steps=8, tries=1)
    known = averages(model, conv, natural) @ directions.T
    own = np.diag(leads(averages(model, conv, patterns.images / 255) @ directions.T, known))
    np.testing.assert_allclose(patterns.reached, own, rtol=1e-3, atol=1e-3)


def test_a_filter_without_numbers_and_one_without_weights_do_not_cost_the_others():
    model, conv, natural = network()
    kernel, bias = conv.get_weights()
    kernel[..., 3], kernel[..., 7], bias[7] = np.nan, 0, 1
    conv.set_weights([kernel, bias])
    patterns = make(model, conv, natural, tries=1)
    assert patterns.failed[[3, 7]].all()
    assert np.delete(patterns.reached, [3, 7]).min() > -1
    assert np.delete(patterns.failed, [3, 7]).mean() < 0.3


def test_a_layer_of_one_filter_is_ahead_of_its_mean():
    model, conv, natural = network(filters=1)
    patterns = make(model, conv, natural, steps=8, tries=1)
    known = averages(model, conv, natural)
    z = (averages(model, conv, patterns.images / 255) - known.mean()) / known.std()
    np.testing.assert_allclose(patterns.reached, z[:, 0], rtol=1e-3)
    assert patterns.reached > patterns.start


def test_facets_are_as_far_ahead_as_the_weakest_of_them():
    model, conv, natural = network()
    patterns = make(model, conv, natural, [2, 5], facets=2, steps=8, tries=1)
    known = averages(model, conv, natural)
    facets = np.stack([patterns.images[:, :, :SIDE], patterns.images[:, :, SIDE + 1 :]])
    measured = [leads(averages(model, conv, facet / 255), known)[[0, 1], [2, 5]] for facet in facets]
    np.testing.assert_allclose(patterns.reached, np.min(measured, 0), rtol=1e-3, atol=1e-3)


def test_facets_are_held_apart_also_where_leads_are_small(monkeypatch):
    """What is given up for diversity is a share of the lead, but of one standard deviation at least."""
    alike, real = {}, distinct.own_lead

    def small(*given):
        lead, climbed = real(*given)
        return 1e-3 * lead, 1e-3 * climbed

    monkeypatch.setattr(distinct, "own_lead", small)
    for diversity in (1.0, 1e-3):  # this is what the share of the lead alone would give up
        keras.utils.set_random_seed(5)
        model, conv, natural = network()
        monkeypatch.setattr(objectives, "DIVERSITY", diversity)
        sheets = make(model, conv, natural, facets=2, steps=30, tries=1).images
        facets = np.stack([sheets[:, :, :SIDE], sheets[:, :, SIDE + 1 :]], 1).reshape(-1, SIDE, SIDE, 3)
        hidden = model.layers[0](facets / np.float32(255))
        alike[diversity] = objectives.sameness(hidden, 2).numpy().mean()
    assert alike[1.0] < 0.9 * alike[1e-3]


def test_filters_that_are_not_ahead_try_again_with_more_steps(monkeypatch):
    model, conv, natural = network()
    climbs, real = [], engine.Engine.climb

    def climbing(self, noise, targets, rates, *more):
        climbs.append((targets.tolist(), len(rates)))
        return real(self, noise, targets, rates, *more)

    monkeypatch.setattr(engine.Engine, "climb", climbing)
    patterns = make(model, conv, natural, steps=2, tries=2)
    (every, first), (again, second) = climbs
    assert (every, first, second) == (list(range(12)), 2, 4)
    assert set(patterns.filters[patterns.failed]) <= set(again)
    assert 0 < len(again) < 12


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_a_picture_alone_is_that_of_a_batch(dtype):
    model, conv, natural = network(filters=19)
    together, alone = (
        make(model, conv, natural, steps=20, tries=1, compute_dtype=dtype, batch_size=size).images for size in (16, 1)
    )
    np.testing.assert_array_equal(together, alone)


def test_natural_inputs_that_are_all_alike_are_refused():
    model, conv, natural = network()
    with pytest.raises(ValueError, match=r"Pass some dozens that are unlike .* 3 of the pictures' size, layer='conv"):
        make(model, conv, np.repeat(natural[:1], 3, 0))


@pytest.mark.parametrize("kind", KINDS)
def test_leads_are_those_of_any_kind_of_layer(kind):
    shape, target, others, respond = KINDS[kind]
    model = keras.Sequential([keras.Input(shape), target(), *others()])
    layer = model.layers[0]
    for one in model.layers[1:]:
        one.set_weights([1 + np.random.default_rng(3).random(weight.shape) for weight in one.get_weights()])
    random = np.random.default_rng(2)
    natural = random.random((30, *[1] * len(shape))) + random.normal(0, 0.2, (30, *shape))
    natural = np.rint(np.clip(natural, 0, 1) * 255) / 255
    patterns = make(model, layer, natural, steps=6, tries=1)
    known = respond(model, natural.astype(np.float32))
    starts = noise_of(shape)
    np.testing.assert_allclose(patterns.noise, leads(respond(model, starts), known).max(0), rtol=2e-3, atol=2e-3)
    np.testing.assert_allclose(patterns.natural, leads(known, known).max(0), rtol=2e-3, atol=2e-3)
    assert (patterns.reached > patterns.start).mean() > 0.7


def test_few_natural_inputs_are_warned_of():
    model, conv, natural = network()
    said = r"`reference` has 15 cuts of the pictures' size: .* roughly only\. Pass more .* there are 16 or more"
    with pytest.warns(UserWarning, match=said) as warned:
        make(model, conv, natural[:15], steps=2, tries=1)
    assert [one.filename for one in warned if "`reference`" in str(one.message)] == [__file__]


def test_natural_inputs_are_needed():
    with pytest.raises(ValueError, match=r"pass some dozens of them as `reference`\. Received: reference=None"):
        PatternOptions(objective="distinct")
