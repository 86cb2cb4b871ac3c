"""How a climb is led: references, failure, second tries, the bounds of a batch."""

import itertools

import keras
import numpy as np
import pytest
import tensorflow as tf

from tb_filterviz.patterns import climb, engine, generate_patterns, parameterization, reference, transforms
from tb_filterviz.patterns.recipes import RECIPES, Recipe
from tests.bench.patterns import metrics
from tests.tf import support

L = keras.layers
SIDE = 18


@pytest.fixture(autouse=True)
def _seeded():
    keras.utils.set_random_seed(5)


def make(model, layer, filters=None, **options):
    return generate_patterns(model, layer, filters, **{"size": SIDE, "steps": 6, "progress": False, **options})


def respond(model, conv, images, low=0.0, high=1.0):
    """Runs the model on pictures, and averages before the activation and away from the borders."""
    inputs = low + images.astype(np.float32) / 255 * (high - low)
    response = conv.call(model.layers[0](inputs)) if conv.activation is None else _linear(conv, model.layers[0](inputs))
    return support.averaged(response)


def _linear(conv, inputs):
    kernel, bias = conv.get_weights()
    return tf.nn.conv2d(inputs, kernel, 1, "VALID") + bias


def noise_pictures(recipe, seed, count, shape=(SIDE, SIDE, 3)):
    made = parameterization.make(RECIPES[recipe], shape)
    state = made.state(tf.constant(parameterization.noise(seed, range(count), made)))
    return 255 * made.pixels(made.latent(state)).numpy()


@pytest.mark.parametrize("recipe", ["default", "classic"])
def test_noise_is_the_most_that_eight_pictures_of_noise_reach(recipe):
    model, conv = support.small()
    patterns = make(model, conv, [1, 4], recipe=recipe, seed=3, tries=1)
    measured = respond(model, conv, noise_pictures(recipe, 3, climb.NOISES))
    np.testing.assert_allclose(patterns.noise, measured.max(0)[[1, 4]], rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(patterns.start, [measured[1, 1], measured[4, 4]], rtol=1e-4, atol=1e-5)


def test_natural_and_percentile_are_those_of_the_cuts():
    model, conv = support.small()
    random = np.random.default_rng(0)
    natural = random.uniform(-2, 3, (3, 2 * SIDE + 5, SIDE, 3))
    patterns = make(model, conv, input_range=(-2, 3), reference=natural, tries=1, steps=1)
    cuts = np.concatenate([natural[:, :SIDE], natural[:, SIDE : 2 * SIDE]])
    measured = respond(model, conv, np.rint((cuts + 2) / 5 * 255), -2, 3)
    np.testing.assert_allclose(patterns.natural, measured.max(0), rtol=1e-4, atol=1e-4)
    expected = 100 * (measured < patterns.reached).mean(0)
    np.testing.assert_allclose(patterns.percentile, expected, atol=1e-3)
    without = make(model, conv, tries=1)
    assert np.isnan(without.natural).all()
    assert np.isnan(without.percentile).all()


def test_who_answers_natural_inputs_more_than_its_pattern_has_failed():
    model, conv = support.small()
    best = make(model, conv, steps=40, recipe="classic")
    assert not best.failed.any()
    natural = best.images[[2]] / 255.0
    patterns = make(model, conv, steps=1, tries=1, reference=natural)
    assert patterns.failed[2]
    assert patterns.percentile[2] == 0
    np.testing.assert_allclose(patterns.natural[2], best.reached[2], rtol=1e-4)
    # A better climb gets there, and is not marked.
    better = make(model, conv, [2], steps=80, recipe="classic", reference=natural)
    assert better.reached[0] > best.reached[2]
    assert (better.failed.tolist(), better.percentile.tolist()) == ([False], [100])


@pytest.mark.parametrize(("picture_bytes", "together"), [(1, 8), (engine.MEMORY // 3, 3), (2 * engine.MEMORY, 1)])
def test_only_so_many_cuts_are_measured_and_few_together_where_they_are_large(picture_bytes, together):
    seen = []

    class Counting:
        def __init__(self):
            self.picture_bytes = picture_bytes

        def measure(self, images, apart):  # of averages and of spots
            assert apart == 0
            seen.append(len(images))
            return np.stack([images.astype(np.float32).mean((1, 2))] * 2)

    natural = np.random.default_rng(0).random((reference.MOST + 7, 4, 4, 1))
    cuts = reference.cut(natural, (4, 4, 1))
    assert reference.respond(Counting(), cuts, (0.0, 1.0)).shape == (2, reference.MOST, 1)
    assert sum(seen) == reference.MOST
    assert max(seen) == together


@pytest.mark.parametrize(
    ("natural", "words"),
    [
        (np.zeros((2, SIDE, SIDE)), r"Received: shape \(2, 18, 18\)"),
        (np.zeros((2, SIDE, SIDE, 1)), r"along no side shorter than the pictures, of \(18, 18, 3\)"),
        (np.zeros((2, SIDE - 1, SIDE, 3)), r"`reference` must be an array \[n, \*spatial, channels\]"),
        (np.zeros((0, SIDE, SIDE, 3)), r"Received: shape \(0, 18, 18, 3\)"),
        (
            np.array([0, np.nan, 1, np.inf])[:, None, None, None] * np.ones((SIDE, SIDE, 3)),
            r"finite numbers: leave out inputs with NaN or infinity\. Received: 2 of 4 with some, the first at index 1",
        ),
    ],
)
def test_wrong_references_say_what_was_expected(natural, words, monkeypatch):
    model, conv = support.small()
    monkeypatch.setattr(engine, "Engine", None)  # nothing is traced before
    with pytest.raises(ValueError, match=words):
        make(model, conv, reference=natural)


def test_the_curve_leads_from_the_start_to_what_is_reached():
    model, conv = support.small()
    patterns = make(model, conv, steps=9, tries=1, recipe="classic", compute_dtype="float32")
    assert patterns.curve.shape == (6, 10)
    # Nothing is moved: before the first step it is the start.
    np.testing.assert_allclose(patterns.curve[:, 0], patterns.start, rtol=1e-4, atol=1e-5)
    np.testing.assert_array_equal(patterns.curve[:, -1], patterns.reached)
    assert (np.diff(patterns.curve, axis=1) > 0).all()
    # It is the same climb: of fewer steps, the reached is on its way (but for the rounding of the picture).
    halfway = make(model, conv, steps=4, tries=1, recipe="classic", compute_dtype="float32")
    np.testing.assert_allclose(halfway.reached, patterns.curve[:, 4], rtol=2e-2, atol=2e-2)


def deceptive():
    """A filter that only answers to pictures of more contrast than one step makes: it falls before it climbs."""
    conv = L.Conv2D(2, 1, name="conv")
    model = keras.Sequential([keras.Input((None, None, 3)), conv])
    kernel = np.zeros((1, 1, 3, 2), np.float32)
    kernel[..., 0] = 1
    conv.set_weights([kernel, np.zeros(2, np.float32)])
    return model, conv


def test_a_filter_of_zeros_fails_after_all_tries_and_costs_the_other_nothing():
    model, conv = deceptive()
    calls = []
    real = engine.Engine.climb

    def counting(self, noise, targets, rates, *rest):
        calls.append((targets.tolist(), len(rates)))
        return real(self, noise, targets, rates, *rest)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(engine.Engine, "climb", counting)
        patterns = make(model, conv, steps=3, tries=3, recipe="classic")
    assert patterns.failed.tolist() == [False, True]
    assert calls == [([0, 1], 3), ([1], 3), ([1], 6)]  # as many at spots, then twice as many
    assert patterns.spots.tolist() == [False, True]  # where it did not fire either
    assert patterns.curve.shape == (2, 4)


def test_a_second_try_may_succeed_and_then_counts(monkeypatch):
    """One tiny step cannot pass what eight pictures of noise reach; many of them can."""
    monkeypatch.setitem(RECIPES, "timid", Recipe("timid", "pixel", steps=1, rate=0.05, last_rate=0.05))
    model, conv = support.small()
    short = make(model, conv, steps=1, tries=1, recipe="timid")
    assert short.failed.any()
    again = make(model, conv, steps=1, tries=6, recipe="timid")
    assert not again.failed.any()
    tried = short.failed
    assert (again.reached[tried] > again.noise[tried]).all()
    np.testing.assert_array_equal(again.images[~tried], short.images[~tried])
    # The curve is that of the try that counts, and padded where others were longer.
    ends = [row[np.isfinite(row)] for row in again.curve]
    assert [row[-1] for row in ends] == again.reached.tolist()
    assert all(len(row) > 2 for row in itertools.compress(ends, tried))


def test_the_better_try_counts_where_all_failed():
    better = climb._better
    assert better(2, 1)
    assert not better(1, 2)
    assert better(1, np.nan)
    assert not better(np.nan, 1)
    assert not better(np.nan, np.nan)
    assert not better(np.inf, 1)


def test_a_failed_filter_is_marked_whatever_its_neighbours_are(monkeypatch):
    monkeypatch.setitem(RECIPES, "timid", Recipe("timid", "pixel", steps=1, rate=0.05, last_rate=0.05))
    model, conv = support.small()
    together = make(model, conv, tries=1, recipe="timid", batch_size=2)
    assert together.failed.any()
    for index in range(6):
        alone = make(model, conv, [index], tries=1, recipe="timid", batch_size=1)
        assert alone.failed[0] == together.failed[index]


def test_the_neuron_in_the_middle_alone_can_be_the_goal():
    model, conv = support.small()
    patterns = make(model, conv, objective="neuron", recipe="classic", steps=20)
    response = np.asarray(_linear(conv, model.layers[0](patterns.images / np.float32(255))))
    middle = response[:, response.shape[1] // 2, response.shape[2] // 2]
    np.testing.assert_allclose(patterns.reached, np.diagonal(middle), rtol=1e-4, atol=1e-5)
    # Only the 5 x 5 pixels that it sees have moved.
    moved = np.abs(patterns.images.astype(int) - noise_pictures("classic", 0, 6)).max((0, 3))
    seen = np.zeros((SIDE, SIDE), bool)
    seen[7:12, 7:12] = True
    assert (moved[seen] > 1).all()
    assert (moved[~seen] == 0).all()


def test_the_moves_of_robust_pictures_are_seen_by_the_climb():
    """At each step the response is that to the moved picture."""
    recipe, shape = RECIPES["robust"], (SIDE, SIDE, 3)
    model, conv = support.small()
    climber = engine.Engine(model, conv, lambda pictures: pictures, shape, recipe)
    noise = parameterization.noise(0, [2], climber.parameterization)
    draws = transforms.draw(recipe, 1, 0, [2])
    _, curve = climber.climb(noise, np.array([2], np.int32), np.ones(1, np.float32), draws)
    moves = transforms.matrices(draws[0], SIDE, SIDE)
    moved = transforms.move(tf.constant(climber.pictures(noise)), tf.constant(moves)).numpy()
    assert curve[0, 0] == pytest.approx(respond(model, conv, 255 * moved)[0, 2], rel=1e-4, abs=1e-5)
    _, still = climber.climb(noise, np.array([2], np.int32), np.ones(1, np.float32))
    assert still[0, 0] == pytest.approx(respond(model, conv, 255 * climber.pictures(noise))[0, 2], rel=1e-4, abs=1e-5)


def test_the_memory_bounds_the_batch():
    assert climb._batch_size(engine.MEMORY) == 1
    assert climb._batch_size(engine.MEMORY // 2) == 2
    assert climb._batch_size(2 * engine.MEMORY) == 1
    assert climb._batch_size(0) >= 1


def test_the_steps_of_a_loop_over_time_take_memory_each():
    """Ten films of one step take less than one film of ten, but for the pictures themselves."""

    def picture_bytes(steps):
        conv = L.Conv2D(32, 3)
        model = keras.Sequential([keras.Input((steps, SIDE, SIDE, 3)), L.TimeDistributed(conv)])
        shape = (steps, SIDE, SIDE, 3)
        return engine.Engine(model, conv, lambda pictures: pictures, shape, RECIPES["default"]).picture_bytes

    assert picture_bytes(10) >= 10 * picture_bytes(1)


def test_a_filter_that_dislikes_all_contrast_hides_little_of_it_at_the_border():
    features = L.Conv2D(16, 3, padding="same", activation="relu")
    target = L.Conv2D(4, 3, padding="same")
    model = keras.Sequential([keras.Input((96, 96, 3)), features, target])
    target.set_weights([-np.abs(weight) for weight in target.get_weights()])
    patterns = make(model, target, size=96, steps=None)
    assert (patterns.reached < 0).all()
    assert np.median(metrics.border_ratio(patterns.images)) < 4  # 15 where the frame's contrast counts
