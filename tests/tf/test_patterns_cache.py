"""What is kept of a model between calls: as long as the model, and only while it is the same."""

import gc
import weakref

import keras
import numpy as np
import pytest

from tb_filterviz.patterns import cache, engine, generate_patterns, receptive

L = keras.layers


@pytest.fixture(autouse=True)
def _seeded():
    keras.utils.set_random_seed(6)


@pytest.fixture
def engines(monkeypatch):
    """Counts the engines that are made."""
    made = []
    real = engine.Engine

    def counting(*arguments):
        made.append(arguments[3])
        return real(*arguments)

    monkeypatch.setattr(engine, "Engine", counting)
    return made


def make(model, layer="conv", **options):
    return generate_patterns(model, layer, 2, **{"size": 12, "steps": 2, "progress": False, "tries": 1, **options})


def small(**options):
    layers = [L.Conv2D(3, 3, activation="relu", name="first"), L.Conv2D(3, 3, activation="relu", name="conv")]
    return keras.Sequential([keras.Input((None, None, 3)), *layers], **options)


def test_another_call_of_the_same_form_traces_nothing(engines):
    model = small()
    make(model)
    make(model, seed=3, steps=5, max_seconds=100.0, batch_size=1, input_range="auto")
    assert engines == [(12, 12, 3)]
    for other in ({"size": 13}, {"recipe": "classic"}, {"objective": "neuron"}, {"input_range": (0, 2)}):
        count = len(engines)
        make(model, **other)
        assert len(engines) == count + 1, other


def test_weights_are_read_anew(engines):
    model = small()
    before = make(model)
    model.layers[1].set_weights([2 * weight for weight in model.layers[1].get_weights()])
    after = make(model)
    assert len(engines) == 1
    np.testing.assert_allclose(after.noise, 2 * before.noise, rtol=1e-4)


def test_another_activation_is_noticed(engines):
    model = small()
    before = make(model)
    model.get_layer("first").activation = keras.activations.tanh
    after = make(model)
    assert len(engines) == 2
    fresh = small()
    fresh.get_layer("first").activation = keras.activations.tanh
    fresh.set_weights(model.get_weights())
    np.testing.assert_array_equal(after.reached, make(fresh).reached)
    assert (after.reached != before.reached).all()


def test_other_weight_objects_are_noticed(engines):
    model = small()
    make(model)
    conv = model.get_layer("conv")
    conv.enable_lora(2)
    random = np.random.default_rng(0)
    for weight in conv.weights:
        weight.assign(random.normal(size=weight.shape))
    after = make(model)
    assert len(engines) == 2
    fresh = small()
    fresh.set_weights([*model.layers[0].get_weights(), np.asarray(conv.kernel), np.asarray(conv.bias)])
    np.testing.assert_allclose(after.noise, make(fresh).noise, rtol=1e-4, atol=1e-4)


def test_a_weight_of_the_same_shape_in_place_of_another_is_noticed():
    model = small()
    conv = model.get_layer("conv")
    before = cache.get(model, "key", object)
    conv._tracker.unlock()
    conv._trainable_variables.clear()
    conv.built = False
    conv.build((None, 10, 10, 3))
    assert cache.get(model, "key", object) is not before


def test_another_function_that_prepares_inputs_is_noticed(engines):
    model = small()

    def twice(inputs):
        return 2 * inputs

    first, second = make(model, preprocess=twice), make(model, preprocess=lambda inputs: 0 * inputs)
    assert len(engines) == 2
    make(model, preprocess=twice)
    assert len(engines) == 2
    assert (first.reached != second.reached).all()


def test_a_method_that_prepares_inputs_is_asked_anew():
    """Nobody knows which attributes it reads."""

    class Times:
        factor = 2.0

        def prepare(self, inputs):
            return self.factor * inputs

    model, times = small(), Times()
    before = make(model, preprocess=times.prepare)
    times.factor = 0.0
    assert (make(model, preprocess=times.prepare).reached != before.reached).all()


def test_what_was_made_for_functions_that_are_gone_is_not_kept():
    model = small()
    for number in range(5):
        for loop in (True, False):
            cache.get(model, ("key", number), lambda: 1, lambda number=number: number, loop=loop)
        gc.collect()
    assert [len(cache._made[model][loop]) for loop in (True, False)] == [1, 1]


@pytest.mark.parametrize("recipe", ["default", "classic", "robust"])
def test_a_model_is_let_go(recipe):
    model = small()
    make(model, recipe=recipe, size="auto", preprocess=lambda inputs, model=model: inputs)
    gone = [weakref.ref(one) for one in (model, model.layers[1], model.layers[1].kernel)]
    del model
    gc.collect()
    assert [one() for one in gone] == [None] * 3


def test_a_training_step_afterwards_and_many_models_in_turn_leave_nothing():
    gc.collect()
    before = len(cache._made)
    for _ in range(3):
        model = small()
        make(model)
        model.compile("sgd", "mse")
        model.fit(np.zeros((2, 8, 8, 3)), np.zeros((2, 4, 4, 3)), verbose=0)
        del model
        gc.collect()
    assert len(cache._made) == before


@pytest.mark.parametrize("bounds", [{"LOOPS": 5}, {"LAYERS": 4 * 5}])  # the model and its three layers
def test_only_the_newest_loops_are_kept(monkeypatch, bounds):
    model, made = small(), []
    for name, bound in bounds.items():
        monkeypatch.setattr(cache, name, bound)

    def get(key, loop=True):
        return cache.get(model, key, lambda: made.append(key) or len(made), loop=loop)

    for key in range(5):
        get(key)
    get(0)  # used just now: the one after it has to go
    get(5)
    assert made == list(range(6))
    get(0)
    assert len(made) == 6
    get(1)
    assert made[-1] == 1
    # Numbers take the place of none.
    for key in range(20):
        get(f"number {key}", loop=False)
    get(1)
    get("number 0", loop=False)
    assert len(made) == 27


def test_rounds_over_many_layers_trace_each_once(engines, monkeypatch):
    measured, real = [], receptive.sides
    monkeypatch.setattr(receptive, "sides", lambda *arguments: measured.append(1) or real(*arguments))
    layers = [L.Conv2D(2, 3, padding="same", name=f"conv{i}") for i in range(10)]
    model = keras.Sequential([keras.Input((None, None, 3)), *layers])
    for _ in range(3):
        for layer in layers:
            make(model, layer, size="auto", steps=1)
    assert (len(engines), len(measured)) == (10, 10)


def test_a_normalisation_that_adapts_anew_is_noticed(engines):
    norm, random = L.Normalization(), np.random.default_rng(0)
    model = keras.Sequential([keras.Input((12, 12, 3)), norm, L.Conv2D(2, 3, name="conv")])
    norm.adapt(random.normal(0.5, 1.0, (4, 12, 12, 3)))
    before = make(model, input_range=(0, 1))
    norm.adapt(random.normal(0.5, 0.1, (4, 12, 12, 3)))
    after = make(model, input_range=(0, 1))
    assert len(engines) == 2
    np.testing.assert_array_equal(make(model, input_range=(0, 1)).noise, after.noise)
    assert len(engines) == 2
    cache._made.clear()
    np.testing.assert_array_equal(make(model, input_range=(0, 1)).noise, after.noise)
    assert (np.abs(after.noise) > 3 * np.abs(before.noise)).all()


def test_another_scale_is_noticed(engines):
    rescaling = L.Rescaling(1.0)
    model = keras.Sequential([keras.Input((12, 12, 3)), rescaling, L.Conv2D(2, 3, name="conv")])
    before = make(model, input_range=(0, 1))
    rescaling.scale = 4.0
    np.testing.assert_allclose(make(model, input_range=(0, 1)).noise, 4 * before.noise, rtol=1e-4)
    assert len(engines) == 2


class Masked(L.Layer):
    """Multiplies by an array, and keeps what it computed, as layers do for debugging."""

    mask = np.ones(3, np.float32)

    def call(self, x):
        self.last = x * self.mask
        return self.last


def test_an_array_of_a_layer_is_noticed_and_what_a_trace_leaves_is_not(engines):
    masked = Masked()
    model = keras.Sequential([keras.Input((12, 12, 3)), masked, L.Conv2D(2, 3, name="conv")])
    before = make(model)
    make(model)
    assert len(engines) == 1
    masked.mask = np.full(3, 2, np.float32)
    np.testing.assert_allclose(make(model).noise, 2 * before.noise, rtol=1e-4)
    assert len(engines) == 2


def test_what_cannot_be_referred_to_weakly_is_kept_by_itself():
    model = small()
    model.get_layer("first").activation = "relu"  # a layer of one's own may hold a name
    assert cache.get(model, "key", object) is cache.get(model, "key", object)


def test_what_could_not_be_made_is_tried_again():
    model = small()
    with pytest.raises(ZeroDivisionError):
        cache.get(model, "key", lambda: 1 / 0)
    assert cache.get(model, "key", lambda: "made") == "made"
