"""Patterns of any model: every way to hold a layer, and models left as they were."""

import signal
import threading

import keras
import numpy as np
import pytest
import tensorflow as tf

from tb_filterviz.patterns import generate_patterns, tap
from tb_filterviz.sources.keras import layer_tree
from tests.tf.support import averaged

L = keras.layers
SIDE = 20


@pytest.fixture(autouse=True)
def _seeded():
    keras.utils.set_random_seed(4)


def make(model, layer, filters=None, **options):
    return generate_patterns(
        model, layer, filters, **{"size": SIDE, "steps": 10, "tries": 1, "progress": False, **options}
    )


def blocks():
    """Returns two convolutions with a normalisation between."""
    first = L.Conv2D(4, 3, strides=2, padding="same", activation="relu", name="first")
    second = L.Conv2D(5, 3, activation="elu", bias_initializer="random_normal", name="second")
    return [first, L.BatchNormalization(name="norm"), second, L.GlobalAveragePooling2D(), L.Dense(3, name="out")]


def flat():
    x = inputs = keras.Input((None, None, 3))
    for layer in blocks():
        x = layer(x)
    return keras.Model(inputs, x)


def nested():
    layers = blocks()
    inner_inputs = keras.Input((None, None, 3))
    inner = keras.Model(inner_inputs, layers[1](layers[0](inner_inputs)))
    inputs = keras.Input((None, None, 3))
    return keras.Model(inputs, keras.Sequential(layers[2:])(inner(inputs)))


class Subclassed(keras.Model):
    def __init__(self):
        super().__init__()
        first, norm, second, pool, out = blocks()
        self.parts = {"stem": [first, norm], "head": keras.Sequential([second])}
        self.rest = [pool, out]
        self.calls = 0

    def call(self, x):
        self.calls += not tf.executing_eagerly()
        for layer in [*self.parts["stem"], self.parts["head"], *self.rest]:
            x = layer(x)
        return x


def subclassed():
    model = Subclassed()
    model(tf.zeros((1, 33, 33, 3)))
    return model


class Compiled(Subclassed):
    @tf.function
    def call(self, x):
        return super().call(x)


def compiled():
    model = Compiled()
    model(tf.zeros((1, 33, 33, 3)))
    return model


class Untidy(Subclassed):
    """Counts its calls in a variable, adds a loss, and would swallow any exception."""

    def __init__(self):
        super().__init__()
        self.counter = self.add_weight(shape=(), initializer="zeros", trainable=False, name="counter")

    def call(self, x, training=False):
        self.counter.assign_add(1.0)
        self.add_loss(tf.reduce_sum(x))
        try:
            return super().call(x)
        except Exception:
            return x


def untidy():
    model = Untidy()
    model(tf.zeros((1, 33, 33, 3)))
    return model


def layer_of(model, name):
    return next(layer for _, layer in layer_tree(model) if layer.name == name)


@pytest.mark.parametrize("name", ["first", "second"])
@pytest.mark.parametrize("build", [nested, subclassed, compiled, untidy])
def test_how_a_model_is_written_does_not_change_its_pictures(build, name):
    plain, other = flat(), build()
    random = np.random.default_rng(0)
    for layer in ("first", "norm", "second"):
        weights = [
            random.uniform(0.1, 0.4, weight.shape) - 0.2 * (weight.ndim > 1)
            for weight in layer_of(plain, layer).get_weights()
        ]
        layer_of(plain, layer).set_weights(weights)
        layer_of(other, layer).set_weights(weights)
    expected, patterns = make(plain, layer_of(plain, name)), make(other, name)
    np.testing.assert_array_equal(patterns.images, expected.images)
    np.testing.assert_array_equal(patterns.reached, expected.reached)
    assert not patterns.failed.any()


KINDS = {
    "conv": lambda: L.Conv2D(4, 3, activation="relu", bias_initializer="random_normal"),
    "layer as activation": lambda: L.Conv2D(4, 3, activation=L.LeakyReLU()),
    "grouped": lambda: L.Conv2D(6, 3, groups=3, activation="relu"),
    "dilated": lambda: L.Conv2D(4, 3, dilation_rate=2, activation="tanh"),
    "depthwise": lambda: L.DepthwiseConv2D(3, depth_multiplier=2, activation="relu"),
    "separable": lambda: L.SeparableConv2D(4, 3, depth_multiplier=2, activation="relu"),
    "transposed": lambda: L.Conv2DTranspose(4, 3, strides=2, activation="relu"),
    "dense": lambda: L.Dense(4, activation="sigmoid"),
}


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_is_measured_before_its_activation(kind):
    layer = KINDS[kind]()
    model = keras.Sequential([keras.Input((SIDE, SIDE, 3)), L.Conv2D(3, 3, activation="elu"), layer, L.MaxPooling2D()])
    patterns = make(model, layer)
    assert not patterns.failed.any()
    linear = type(layer).from_config({**layer.get_config(), "activation": None})
    hidden = model.layers[0](patterns.images / np.float32(255))
    linear.build(hidden.shape)
    linear.set_weights(layer.get_weights()[: len(linear.weights)])
    response = averaged(linear(hidden))
    np.testing.assert_allclose(patterns.reached, np.diagonal(response), rtol=1e-4, atol=1e-6)
    assert len(patterns) == response.shape[1]


def test_a_convolution_over_time_is_heard_at_every_step():
    conv = L.Conv2D(3, 3, activation="relu")
    inputs = keras.Input((SIDE, SIDE, 3))
    frames = L.Reshape((2, SIDE // 2, SIDE, 3))(inputs)
    patterns = make(keras.Model(inputs, L.TimeDistributed(conv)(frames)), conv, recipe="classic", steps=40)
    moved = np.abs(patterns.images.astype(int) - 127).max((0, 2, 3)) > 10
    assert moved[2 : SIDE // 2 - 2].all()
    assert moved[SIDE // 2 + 2 : -2].all()


def test_a_shared_layer_is_heard_at_its_first_call():
    conv = L.Conv2D(3, 3, padding="same", activation="relu")
    inputs = keras.Input((SIDE, SIDE, 3))
    twice, once = keras.Model(inputs, conv(conv(inputs))), keras.Model(inputs, conv(inputs))
    np.testing.assert_array_equal(make(twice, conv).images, make(once, conv).images)


def test_what_follows_the_layer_is_not_computed():
    class Fragile(keras.Model):
        def __init__(self):
            super().__init__()
            self.conv, self.tail = L.Conv2D(2, 3), L.Dense(3)

        def call(self, x):
            return self.tail(L.Flatten()(self.conv(x)))

    model = Fragile()
    model(tf.zeros((1, 8, 8, 3)))
    assert make(model, model.conv).images.shape == (2, SIDE, SIDE, 3)
    with pytest.raises(ValueError, match=r"The model cannot run on pictures of this `size`; 8 works\. Received: "):
        make(model, model.tail)


def test_the_model_is_traced_three_times_however_many_batches_steps_and_calls():
    model = subclassed()
    model.calls = 0
    make(model, "second", batch_size=2, steps=7)
    make(model, "second", [1, 2], batch_size=3, steps=2, seed=4, tries=1, max_seconds=1e3)
    assert model.calls == 3  # to measure all filters, to measure each picture's own, and to climb


def test_what_keras_layers_normalise_is_found_while_the_model_runs():
    """The response of the layer itself, and after what follows it, by the layers themselves."""
    conv, norm = L.Conv2D(4, 3, bias_initializer="random_normal"), L.BatchNormalization()
    model = keras.Sequential([keras.Input((SIDE, SIDE, 3)), conv, norm, L.Activation("relu"), L.Conv2D(2, 3)])
    random = np.random.default_rng(0)
    norm.set_weights([random.uniform(0.5, 2, weight.shape) for weight in norm.get_weights()])
    for normalized, follows in ((True, norm), (False, lambda response: response)):
        patterns = make(model, conv, normalized=normalized)
        response = averaged(follows(conv(patterns.images / np.float32(255))))
        np.testing.assert_allclose(patterns.reached, np.diagonal(response), rtol=1e-4, atol=1e-5)
    # A negative scale turns the goal around.
    norm.set_weights([-weight if at == 0 else weight for at, weight in enumerate(norm.get_weights())])
    turned = make(model, conv)
    assert turned.reached[0] > turned.start[0]
    assert conv(turned.images[:1] / np.float32(255)).numpy()[..., 0].mean() < 0


def test_a_normalisation_that_takes_something_else_is_not_applied():
    conv, norm = L.Conv2D(4, 3, padding="same"), L.BatchNormalization()
    inputs = keras.Input((SIDE, SIDE, 3))
    shifted = keras.Model(inputs, norm(L.Add()([conv(inputs), L.Conv2D(4, 1)(inputs)])))
    norm.set_weights([weight + 5 for weight in norm.get_weights()])
    patterns = make(shifted, conv)
    response = averaged(conv(patterns.images / np.float32(255)))
    np.testing.assert_allclose(patterns.reached, np.diagonal(response), rtol=1e-4, atol=1e-5)


def snapshot(model):
    layers = [layer for _, layer in layer_tree(model)]
    return (
        [weight.numpy().tobytes() for weight in model.weights],
        [(weight.path, weight.trainable) for weight in model.weights],
        [{name: id(value) for name, value in vars(layer).items() if name != "calls"} for layer in layers],
        [(layer.trainable, layer.built) for layer in layers],
        [metric.result() for metric in model.metrics],
    )


@pytest.mark.parametrize("build", [flat, nested, subclassed, compiled, untidy])
def test_the_model_is_left_as_it_was(build):
    model = build()
    model.compile("adam", "mse")
    picture = np.random.default_rng(0).random((1, 33, 33, 3), np.float32)
    before_output, before = model(picture).numpy(), snapshot(model)
    make(model, "first")
    assert snapshot(model) == before
    layer_of(model, "norm").trainable = False
    frozen = snapshot(model)
    make(model, "second")
    assert snapshot(model) == frozen
    assert model.losses == []
    np.testing.assert_array_equal(model(picture), before_output)


def test_the_model_is_left_as_it_was_after_an_interrupt():
    class Interrupted(Subclassed):
        interrupts = False

        def call(self, x):
            if self.interrupts:
                signal.raise_signal(signal.SIGINT)
            return super().call(x)

    model = Interrupted()
    model(tf.zeros((1, 33, 33, 3)))
    model.interrupts = True
    before = snapshot(model)
    with pytest.raises(KeyboardInterrupt):
        make(model, "second")
    assert snapshot(model) == before


class Helped(keras.Model):
    """Calls a layer in a function that TensorFlow traces."""

    def __init__(self):
        super().__init__()
        self.conv, self.last = L.Conv2D(2, 3), L.Conv2D(3, 3)

    @tf.function
    def help(self, x):
        return self.conv(x)

    def call(self, x):
        return self.last(self.help(x))


@pytest.mark.parametrize("run", [lambda listen: listen(), lambda listen: tf.function(listen, autograph=False)()])
def test_a_layer_in_a_graph_of_its_own_is_told_in_a_function_and_out_of_one(run):
    model = Helped()
    model(tf.zeros((1, 9, 9, 3)))
    pictures = tf.zeros((1, 11, 11, 3))  # of a size for which nothing is traced yet
    with pytest.raises(ValueError, match=r"The model calls this layer in a graph of its own"):
        run(lambda: tap.listen(model, model.conv, tf.identity(pictures)).response)
    assert run(lambda: tap.listen(model, model.last, tf.identity(pictures)).response).shape == (1, 7, 7, 3)
    with pytest.raises(ValueError, match=r"or only within a `tf.function` that is traced"):
        run(lambda: tap.listen(model, model.conv, tf.identity(pictures)).response)


def test_another_thread_may_use_the_model_meanwhile():
    model = subclassed()
    conv, picture = layer_of(model, "first"), tf.random.normal((1, SIDE, SIDE, 3))
    expected, heard = conv(picture).numpy(), []
    ear = tap._Ear(model, conv)
    with tap.hooked(model, ear.wrap):
        thread = threading.Thread(target=lambda: heard.append(conv(picture).numpy()))
        thread.start()
        thread.join()
    assert ear.heard is None
    np.testing.assert_array_equal(heard[0], expected)
