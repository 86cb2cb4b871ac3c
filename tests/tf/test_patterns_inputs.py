"""Models with several inputs: which is climbed, what the others hold, and what is said where that is unclear."""

import re

import keras
import numpy as np
import pytest
import tensorflow as tf

from tb_filterviz.patterns import PatternOptions, generate_patterns
from tests.tf.support import averaged

L = keras.layers
SIDE = 16


@pytest.fixture(autouse=True)
def _seeded():
    keras.utils.set_random_seed(6)


def make(model, layer, filters=None, **options):
    return generate_patterns(model, layer, filters, **{"steps": 10, "tries": 1, "progress": False, **options})


def parts():
    """Returns the layers of two towers and of what joins them."""
    return {
        "left": L.Conv2D(3, 3, activation="tanh", name="left"),
        "right": L.Conv2D(3, 3, activation="tanh", name="right"),
        "both": L.Conv2D(4, 3, activation="relu", name="both"),
    }


def towers(pack=list):
    """Returns a functional model of two pictures, RGB and grey."""
    layers = parts()
    inputs = [keras.Input((SIDE, SIDE, 3), name="rgb"), keras.Input((SIDE, SIDE, 1), name="depth")]
    joined = layers["both"](L.Concatenate()([layers["left"](inputs[0]), layers["right"](inputs[1])]))
    return keras.Model(pack(inputs), joined)


class Towers(keras.Model):
    """The same, written down as a class."""

    def __init__(self):
        super().__init__()
        self.left, self.right, self.both = parts().values()

    def join(self, rgb, depth):
        return self.both(keras.ops.concatenate([self.left(rgb), self.right(depth)], -1))


class OfArguments(Towers):
    def build(self, rgb_shape, depth_shape):
        self.left.build(rgb_shape)
        self.right.build(depth_shape)
        self.both.build((None, None, None, 6))

    def call(self, rgb, depth):
        return self.join(rgb, depth)


class OfList(Towers):
    def call(self, inputs):
        return self.join(*inputs)


class OfDict(Towers):
    def call(self, inputs):
        return self.join(inputs["rgb"], inputs["depth"])


RGB, DEPTH = (np.zeros((1, SIDE, SIDE, channels), np.float32) for channels in (3, 1))
BUILDS = {
    "list": lambda: towers(),
    "dict": lambda: towers(lambda inputs: dict(zip(["rgb", "depth"], inputs, strict=True))),
    "subclass of arguments": lambda: called(OfArguments(), RGB, DEPTH),
    "subclass of a list": lambda: called(OfList(), [RGB, DEPTH]),
    "subclass of a dict": lambda: called(OfDict(), {"rgb": RGB, "depth": DEPTH}),
}


def called(model, *inputs):
    model(*inputs)
    return model


def joined(model, rgb, depth):
    """Computes what the model does up to the last activation, from its layers."""
    layers = [layer for layer in model._flatten_layers() if isinstance(layer, L.Conv2D)]
    left, right, both = (next(layer for layer in layers if layer.name == name) for name in ("left", "right", "both"))
    hidden = np.concatenate([left(rgb), right(depth)], -1)
    kernel, bias = both.get_weights()
    return averaged(tf.nn.conv2d(hidden, kernel, 1, "VALID") + bias)


@pytest.mark.parametrize("build", BUILDS)
def test_one_input_is_climbed_and_the_others_hold_what_was_given(build):
    model = BUILDS[build]()
    depth = np.random.default_rng(0).random((SIDE, SIDE, 1), np.float32)
    names = {"subclass of a list": ("input_0", "input_1")}.get(build, ("rgb", "depth"))
    size = {} if "subclass" not in build else {"size": SIDE}
    patterns = make(model, "both", input=names[0], other_inputs={names[1]: depth}, **size)
    assert patterns.images.shape == (4, SIDE, SIDE, 3)
    expected = joined(model, patterns.images / np.float32(255), np.tile(depth, (4, 1, 1, 1)))
    np.testing.assert_allclose(patterns.reached, np.diagonal(expected), rtol=1e-4, atol=1e-5)
    assert not patterns.failed.any()


@pytest.mark.parametrize("build", ["list", "subclass of arguments"])
def test_the_others_hold_0_by_default(build):
    model = BUILDS[build]()
    patterns = make(model, "both", input=1, size=SIDE)
    expected = joined(model, np.tile(RGB, (4, 1, 1, 1)), patterns.images / np.float32(255))
    np.testing.assert_allclose(patterns.reached, np.diagonal(expected), rtol=1e-4, atol=1e-5)


def test_the_input_that_the_layer_sees_is_found():
    model = towers()
    assert make(model, "left").images.shape == (3, SIDE, SIDE, 3)
    assert make(model, "right").images.shape == (3, SIDE, SIDE, 1)
    np.testing.assert_array_equal(make(model, "left").images, make(model, "left", input="rgb").images)


def test_an_input_that_is_no_picture_is_not_asked_about():
    picture, codes, facts = keras.Input((SIDE, SIDE, 3)), keras.Input((5,), dtype="int32"), keras.Input((2,))
    scale = L.Dense(3)(L.Concatenate()([L.Flatten()(L.Embedding(7, 4)(codes)), facts]))
    conv = L.Conv2D(4, 3, name="conv")
    model = keras.Model([facts, codes, picture], conv(L.Multiply()([picture, L.Reshape((1, 1, 3))(scale)])))
    patterns = make(model, "conv", other_inputs={1: [1, 2, 3, 4, 5], 0: [0.5, -1]})
    given = [np.array([[0.5, -1.0]] * 4), np.array([[1, 2, 3, 4, 5]] * 4), patterns.images / np.float32(255)]
    response = averaged(model(given))
    np.testing.assert_allclose(patterns.reached, np.diagonal(response), rtol=1e-4, atol=1e-5)


def test_other_values_of_other_inputs_make_other_pictures():
    model = towers()
    model.get_layer("both").activation = None
    one, other = (
        make(model, "both", input="rgb", other_inputs={"depth": np.full((SIDE, SIDE, 1), value)}) for value in (0, 1)
    )
    assert (one.reached != other.reached).all()


def test_a_model_with_several_outputs_needs_nothing_more():
    picture = keras.Input((SIDE, SIDE, 3))
    hidden = L.Conv2D(3, 3, activation="relu", name="hidden")(picture)
    outputs = [
        L.Conv2D(2, 3, name="one")(hidden),
        {"flat": L.Dense(2)(L.Flatten()(hidden)), "two": L.Conv2D(2, 5, name="two")(hidden)},
    ]
    model = keras.Model(picture, outputs)
    for name, index in (("one", 0), ("two", 1)):
        patterns = make(model, name)
        found = model(patterns.images / np.float32(255))
        response = averaged(found[1]["two"] if index else found[0])
        np.testing.assert_allclose(patterns.reached, np.diagonal(response), rtol=1e-4, atol=1e-5)


ERRORS = {
    "which": ({}, "that can be climbed: choose one with `input`. Its inputs: 0: 'rgb' (None, 16, 16, 3)"),
    "no such name": ({"input": "rbg"}, "`input` must be the name or the index of an input of the model: 0: 'rgb'"),
    "no such index": ({"input": 2}, "`input` must be the name or the index of an input of the model: 0: 'rgb'"),
    "climbed twice": ({"input": 0, "other_inputs": {"rgb": RGB[0]}}, "by name or index: 'depth'. Received: 'rgb'"),
    "no such other": ({"input": 0, "other_inputs": {"mask": RGB[0]}}, "by name or index: 'depth'. Received: 'mask'"),
    "with a batch axis": (
        {"input": 0, "other_inputs": {1: DEPTH}},
        "without the batch axis: 'depth' of shape (16, 16, 1). Received: shape (1, 16, 16, 1)",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", ERRORS)
def test_what_does_not_fit_the_inputs_says_what_does(case):
    options, message = ERRORS[case]
    with pytest.raises(ValueError, match=re.escape(message)):
        make(towers(), "both", **options)


def test_arguments_that_keras_forgets_ask_for_a_wrapper():
    class Forgetful(Towers):
        def call(self, rgb, depth, training=False):
            return self.join(rgb, depth)

    model = called(Forgetful(), RGB, DEPTH)
    message = "Define `build(self, rgb_shape, depth_shape)`, or wrap the model: `keras.Model(inputs, model(*inputs))`"
    with pytest.raises(ValueError, match=re.escape(message)):
        make(model, "left")
    inputs = [keras.Input((SIDE, SIDE, 3)), keras.Input((SIDE, SIDE, 1))]
    assert make(keras.Model(inputs, model(*inputs)), "left").images.shape == (3, SIDE, SIDE, 3)


def test_an_argument_that_says_whether_a_model_trains_is_no_input():
    class Told(keras.Model):
        def __init__(self):
            super().__init__()
            self.conv = L.Conv2D(3, 3, name="conv")

        def call(self, x, training):
            return self.conv(x)

    model = Told()
    model(RGB, training=False)
    patterns = make(model, "conv", size=SIDE)
    response = averaged(model.conv(patterns.images / np.float32(255)))
    np.testing.assert_allclose(patterns.reached, np.diagonal(response), rtol=1e-4, atol=1e-5)


def test_a_shared_layer_says_that_its_first_call_does_not_see_an_input():
    conv, inputs = L.Conv2D(2, 3, name="shared"), [keras.Input((SIDE, SIDE, 3), name=name) for name in ("a", "b")]
    model = keras.Model(inputs, L.Subtract()([conv(inputs[0]), conv(inputs[1])]))
    with pytest.raises(ValueError, match=r"no gradient to the input 'b' at its first call, and only .* sees: 'a'\."):
        make(model, "shared", input="b")
    assert make(model, "shared", input="a").images.shape == (2, SIDE, SIDE, 3)


def test_integers_cannot_be_climbed():
    words = keras.Input((9,), dtype="int32", name="words")
    model = keras.Model(words, L.Conv1D(2, 3, name="conv")(L.Embedding(10, 4)(words)))
    with pytest.raises(ValueError, match=r"'words' \(None, 9\), int32: integers, as an Embedding takes"):
        make(model, "conv")
    with pytest.raises(
        ValueError,
        match=r"This input cannot be climbed: integers, .*, have no gradient .*\. Its inputs: 0: 'words'",
    ):
        make(model, "conv", input="words")


def test_a_vector_is_no_picture():
    model = keras.Sequential([keras.Input((48,)), L.Reshape((4, 4, 3)), L.Conv2D(2, 3, name="conv")])
    with pytest.raises(
        ValueError, match=r"an input of floating-point numbers \(batch, \*spatial, channels\), with one to"
    ):
        make(model, "conv")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"input": -1}, "`input` must be an integer from 0. Received: input=-1"),
        ({"input": 1.0}, "`input` must be an integer from 0. Received: input=1.0"),
        ({"other_inputs": [1]}, "`other_inputs` must be None or a dict {name or index: array}. Received: list"),
    ],
)
def test_options_of_inputs_are_checked_at_once(options, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        PatternOptions(**options)
