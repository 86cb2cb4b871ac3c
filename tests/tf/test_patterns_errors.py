"""Patterns that cannot be made: each case says what was expected, what there was and what to do."""

import re

import keras
import numpy as np
import pytest
import tensorflow as tf

from tb_filterviz.patterns import engine, generate_patterns

L = keras.layers


def make(model, layer, filters=None, **options):
    return generate_patterns(model, layer, filters, **{"size": 20, "steps": 2, "progress": False, **options})


def small():
    layers = [L.Conv2D(4, 3, name="first"), L.BatchNormalization(name="norm"), L.Conv2D(5, 3, name="second")]
    return keras.Sequential([keras.Input((None, None, 3)), *layers])


def test_an_unknown_layer_is_answered_with_the_nearest():
    with pytest.raises(ValueError, match=r"or its name or path; the nearest are 'second', .* Received: layer='secand'"):
        make(small(), "secand")


def test_a_name_that_several_layers_have_asks_for_the_path():
    inner = [
        keras.Sequential([keras.Input((8, 8, 3)), L.Conv2D(3, 3, padding="same", name="conv")], name=name)
        for name in "ab"
    ]
    model = keras.Sequential([keras.Input((8, 8, 3)), *inner])
    with pytest.raises(
        ValueError, match=re.escape("several layers have this name: 'a/conv', 'b/conv'. Received: layer='conv'")
    ):
        make(model, "conv", size=8)
    np.testing.assert_array_equal(make(model, "b/conv", size=8).images, make(model, inner[1].layers[0], size=8).images)


def two_inputs():
    inputs = [keras.Input((8, 8, 3)), keras.Input((8, 8, 3))]
    return keras.Model(inputs, L.Conv2D(2, 3, name="conv")(L.Add()(inputs)))


def fixed():
    inputs = keras.Input((8, 8, 3))
    return keras.Model(inputs, L.Conv2D(2, 3, name="conv")(inputs))


def looping():
    class Looping(keras.Model):
        def __init__(self):
            super().__init__()
            self.conv = L.Conv2D(3, 3, padding="same", name="conv")

        def call(self, x):
            return keras.ops.fori_loop(0, 2, lambda i, value: self.conv(value), x)

    model = Looping()
    model.conv.build((None, 8, 8, 3))
    model(tf.zeros((1, 8, 8, 3)))
    return model


def unused():
    class Unused(keras.Model):
        def __init__(self):
            super().__init__()
            self.conv, self.other = L.Conv2D(3, 3, name="conv"), L.Conv2D(3, 3, name="other")

        def call(self, x, training=False):
            return self.conv(x) if training else self.other(x)

    model = Unused()
    model.conv.build((None, 8, 8, 3))
    model.other.build((None, 8, 8, 3))
    model(tf.zeros((1, 8, 8, 3)))
    return model


def sequential(*layers, shape=(8, 8, 3)):
    return keras.Sequential([keras.Input(shape), *layers])


def remembering():
    inputs = keras.Input(batch_shape=(1, 20, 20, 20, 1))
    return keras.Model(inputs, L.ConvLSTM2D(2, 3, stateful=True, name="conv")(inputs))


ERRORS = {
    "not a model": (
        lambda: "model",
        "conv",
        "`model` must be a Keras 3 model; or a tf.Module, with a function of its inputs as `layer`. Received: "
        "model='model'",
    ),
    "not built": (lambda: keras.Sequential([L.Conv2D(2, 3, name="conv")]), "conv", "`model` must be built"),
    "no filters": (
        small,
        "norm",
        "`layer` must have filters, that is a kernel of its own, as convolutions have. Received: layer='norm'",
    ),
    "other layer": (small, L.Conv2D(2, 3, name="stray"), "or a name or path. Received: layer=<Conv2D name=stray"),
    "two inputs": (two_inputs, "conv", "The model has several inputs that can be climbed: choose one with `input`."),
    "fixed size": (
        fixed,
        "conv",
        "The model cannot run on pictures of this `size`; 8 works. Received: ",
    ),
    "too small": (
        lambda: sequential(L.Conv2D(2, 30, name="conv"), shape=(None, None, 3)),
        "conv",
        "The model cannot run on pictures of this `size`",
    ),
    "nothing left": (
        lambda: sequential(L.MaxPooling2D(30, padding="valid"), L.Conv2D(2, 1, name="conv"), shape=(None, None, 3)),
        "conv",
        "`size`",
    ),
    "no gradient": (
        lambda: sequential(L.Lambda(lambda x: tf.round(x)), L.Conv2D(2, 3, name="conv"), shape=(None, None, 3)),
        "conv",
        "The model has no gradient from the layer to its input",
    ),
    "states between batches": (
        remembering,
        "conv",
        "The model keeps states between batches, in 'conv', so that all batches must have the size",
    ),
    "loop": (looping, "conv", "The model calls this layer in a graph of its own"),
    "not called": (unused, "conv", "The model does not call this layer in inference mode"),
}


@pytest.mark.parametrize("case", ERRORS)
def test_what_cannot_have_patterns_says_why(case):
    build, layer, message = ERRORS[case]
    with pytest.raises(ValueError, match=re.escape(message)):
        make(build(), layer)


def test_what_the_model_said_is_passed_on():
    with pytest.raises(
        ValueError, match=r"The model said: Input 0 .* expected shape=\(None, 8, 8, 3\), found shape=.*\)$"
    ):
        make(fixed(), "conv")


def test_a_filter_that_the_layer_does_not_have_says_what_it_has(monkeypatch):
    monkeypatch.setattr(engine, "Engine", None)  # nothing is traced before
    with pytest.raises(
        ValueError, match=re.escape("must be indices from 0 to 4: the layer 'second' has 5 filters. Received: 5")
    ):
        make(small(), "second", [0, 5])
