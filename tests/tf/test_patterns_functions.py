"""Patterns of what is no Keras layer: a function of the inputs, of a `tf.Module` or of a model."""

import gc
import re
import weakref

import keras
import numpy as np
import pytest
import tensorflow as tf

from tb_filterviz.patterns import PatternOptions, generate_patterns
from tests.tf.support import averaged

SIDE = 16


class Block(tf.Module):
    """Two convolutions, the second of which has no layer of its own."""

    def __init__(self, rank=2, channels=3):
        super().__init__()
        random = np.random.default_rng(0)
        self.first = tf.Variable(random.normal(size=(*[3] * rank, channels, 5)).astype(np.float32))
        self.second = tf.Variable(random.normal(size=(*[3] * rank, 5, 4)).astype(np.float32))

    def respond(self, inputs):
        return tf.nn.convolution(tf.nn.elu(tf.nn.convolution(inputs, self.first)), self.second)

    def __call__(self, inputs):
        return tf.nn.relu(self.respond(inputs))


def make(model, layer, filters=None, **options):
    return generate_patterns(model, layer, filters, **{"steps": 10, "size": SIDE, "progress": False, **options})


def test_a_function_of_a_module_is_climbed_and_measured():
    module = Block()
    patterns = make(module, module.respond, input_range=(-1, 1))
    pictures = patterns.images.astype(np.float32) / 255 * 2 - 1
    response = averaged(module.respond(pictures))
    np.testing.assert_allclose(patterns.reached, np.diagonal(response), rtol=1e-4, atol=1e-5)
    assert (np.argmax(response - response.mean(0), axis=0) == np.arange(4)).all()
    assert not patterns.failed.any()
    assert patterns.layer.path == "respond"


@pytest.mark.parametrize(("rank", "size", "channels"), [(1, (40,), 2), (2, 20, 1), (3, (10, 11, 12), 1)])
def test_size_and_channels_say_what_a_module_takes(rank, size, channels):
    module = Block(rank, channels)
    shapes = []

    @tf.function
    def heard(inputs):
        shapes.append(tuple(inputs.shape[1:]))
        return module.respond(inputs)

    patterns = make(module, heard, size=size, channels=channels, steps=1)
    sides = (size,) * rank if isinstance(size, int) else size
    assert set(shapes) == {(*sides, channels)}
    assert len(patterns) == 4


def test_an_open_size_follows_what_the_function_sees():
    module = Block()
    assert make(module, module.respond, size="auto", steps=1).images.shape == (4, 48, 48, 3)


def test_new_weights_of_a_module_make_new_pictures_and_nothing_keeps_it_alive():
    module = Block()
    before = make(module, module.respond)
    module.second.assign(-module.second)
    after = make(module, module.respond)
    assert (np.abs(before.images.astype(int) - after.images).mean((1, 2, 3)) > 5).all()
    alive = weakref.ref(module)
    del module
    gc.collect()
    assert alive() is None


def test_a_function_may_stand_for_a_layer_of_a_keras_model():
    keras.utils.set_random_seed(0)
    layers = [keras.layers.Conv2D(4, 3, activation="relu"), keras.layers.Conv2D(4, 3)]
    model = keras.Sequential([keras.Input((SIDE, SIDE, 3)), *layers])

    def difference(inputs):
        return model(inputs, training=False)[..., :1] - model(inputs, training=False)[..., 1:2]

    patterns = make(model, difference, size="auto", compute_dtype="float32")
    expected = make(model, layers[1], direction=[1, -1, 0, 0], size="auto", compute_dtype="float32")
    assert np.abs(patterns.images.astype(int) - expected.images).mean() < 1
    np.testing.assert_allclose(patterns.reached, expected.reached, rtol=1e-3)


ERRORS = {
    "no function": (
        lambda: (Block(), "respond"),
        "`model` must be a Keras 3 model; or a tf.Module, with a function of",
    ),
    "no module": (
        lambda: (object(), lambda x: x),
        "`model` must be a Keras 3 model; or a tf.Module, with a function of",
    ),
    "integers": (lambda: (Block(), lambda x: tf.argmax(x, -1)), "must return a tensor of floating-point numbers"),
    "no tensor": (lambda: (Block(), lambda x: None), "with a known number of filters. Received: None"),
    "no gradient": (lambda: (Block(), tf.round), "The model has no gradient from the layer to its input"),
}


@pytest.mark.parametrize("case", ERRORS)
def test_what_is_no_response_says_what_one_is(case):
    build, message = ERRORS[case]
    with pytest.raises(ValueError, match=re.escape(message)):
        make(*build())


def test_channels_are_for_modules():
    model = keras.Sequential([keras.Input((SIDE, SIDE, 3)), keras.layers.Conv2D(4, 3, name="conv")])
    with pytest.raises(
        ValueError, match=r"`channels` is for a tf.Module, .* Received: model='sequential.*', channels=3"
    ):
        make(model, "conv", channels=3)
    with pytest.raises(ValueError, match=r"`channels` must be an integer from 1\. Received: channels=0"):
        PatternOptions(channels=0)
