"""What is noticed before a long climb: a wrong range of inputs, sizes that do not work, weights that are NaN."""

import re
import warnings

import keras
import numpy as np
import pytest
import tensorflow as tf
from sklearn.datasets import load_sample_images

from tb_filterviz.patterns import generate_patterns, sizes

L = keras.layers
SIDE = 64
WRONG = "The range of the model's inputs is probably wrong: on pictures in "


@pytest.fixture(autouse=True)
def _seeded():
    keras.utils.set_random_seed(8)


def make(model, layer, filters=1, **options):
    return generate_patterns(model, layer, filters, **{"steps": 2, "size": SIDE, "progress": False, **options})


def photographs():
    """Returns pieces of two photographs, 0 to 255."""
    images = [image.astype(np.float32) for image in load_sample_images().images]
    return np.stack([one[y : y + SIDE, x : x + SIDE] for one in images for y in (0, 150, 300) for x in (0, 200, 400)])


def trained(natural, steps=1, momentum=0.0):
    """Returns a network whose normalisations have seen natural inputs."""
    layers = [L.Conv2D(8, 3, name="conv"), L.BatchNormalization(momentum=momentum, name="norm"), L.ReLU()]
    second = [L.Conv2D(8, 3), L.BatchNormalization(momentum=momentum), L.Conv2D(3, 3, name="deep")]
    model = keras.Sequential([keras.Input((None, None, 3)), *layers, *second])
    for _ in range(steps):
        model(natural, training=True)
    return model


def said(model, layer="conv", **options):
    """Returns the warnings of a climb."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        make(model, layer, **options)
    return [str(one.message) for one in caught]


@pytest.mark.parametrize(
    ("scale", "offset", "right", "wrong"),
    [(1 / 255, 0, (0, 1), (0, 255)), (1, 0, (0, 255), (0, 1)), (1 / 127.5, -1, (-1, 1), (0, 255))],
)
@pytest.mark.parametrize("layer", ["conv", "deep"])
def test_a_wrong_range_is_warned_about_with_the_numbers(scale, offset, right, wrong, layer):
    natural = photographs() * scale + offset
    model = trained(natural)
    assert said(model, layer, input_range=right) == []
    (message,) = said(model, layer, input_range=wrong)
    assert message.startswith(f"{WRONG}{tuple(map(float, wrong))} the standard deviation of what 'norm' normalises is ")
    assert f"pass input_range={tuple(map(float, right))}, or `preprocess`" in message
    factor = (wrong[1] - wrong[0]) / (right[1] - right[0])
    found = re.search(r"is (1/)?([\d.]+) ", message)
    ratio = 1 / float(found[2]) if found[1] else float(found[2])
    assert factor / 3 < ratio < factor * 3


@pytest.mark.parametrize("momentum", [0.99, 0.999])
@pytest.mark.parametrize("strength", [0.01, 1.0, 100.0])
def test_a_network_that_has_hardly_begun_to_learn_gives_no_false_alarm(momentum, strength):
    model = trained(photographs() / 255, 0, momentum)
    kernel, bias = model.get_layer("conv").get_weights()
    model.get_layer("conv").set_weights([strength * kernel, bias])
    for steps in (0, 1, 4, 20):
        for _ in range(steps):
            model(photographs() / 255, training=True)
        assert said(model, steps=1) == []


def test_a_network_of_keras_is_not_warned_about():
    model = keras.applications.MobileNetV2(weights=None, include_top=False, alpha=0.35, input_shape=(SIDE, SIDE, 3))
    assert said(model, "Conv1", size="auto") == []
    for layer in model.layers:
        if isinstance(layer, L.BatchNormalization):
            layer.momentum = 0.0
    model(keras.applications.mobilenet_v2.preprocess_input(photographs()), training=True)
    assert said(model, "Conv1", size="auto") == []
    (message,) = said(model, "Conv1", size="auto", input_range=(0, 255))  # what is given is not scaled again
    assert message.startswith(WRONG)
    with pytest.warns(UserWarning, match=WRONG) as warned:
        generate_patterns(model, "Conv1", 1, steps=1, tries=1, input_range=(0, 255), progress=False)
    assert [one.filename for one in warned if str(one.message).startswith(WRONG)] == [__file__]


def test_a_normalisation_that_cannot_be_heard_does_not_hinder():
    class Blocks(keras.Model):
        def __init__(self):
            super().__init__()
            self.conv, self.hidden = L.Conv2D(2, 3, activation="relu", name="conv"), L.Conv2D(4, 3)
            self.norm = L.BatchNormalization(momentum=0.0)

        @tf.function
        def block(self, x):
            return self.norm(self.hidden(x))

        def call(self, x):
            return self.block(self.conv(x))

    model = Blocks()
    model(tf.zeros((1, 20, 20, 3)))  # smaller than what the check looks at, which is then traced anew
    *rest, _ = model.norm.get_weights()
    model.norm.set_weights([*rest, np.array([1, 5, 9, 2], np.float32)])
    assert said(model) == []


@pytest.mark.parametrize(("scale", "expected"), [(1 / 255, (0, 1)), (1, (0, 255))])
def test_a_normalisation_tells_the_range(scale, expected):
    norm, conv = L.Normalization(name="norm"), L.Conv2D(2, 3, name="conv")
    norm.adapt(photographs() * scale)
    model = keras.Sequential([keras.Input((None, None, 3)), norm, conv])
    assert make(model, conv).input_range == expected
    assert said(model) == []
    assert said(model, input_range=(0, 256 - expected[1]))[0].startswith(WRONG)


@pytest.mark.parametrize(
    ("scale", "offset", "expected"),
    [
        (1 / 255, 0, 255),
        (1 / 127.5, -1, 255),
        (1.0, [-123.0, -117.0, -104.0], 255),
        (2.0, -1.0, 1),
        (255.0, 0.0, 1),
        ([4.4, 4.5, 4.4], [-2.1, -2.0, -1.8], 1),
    ],
)
def test_a_rescaling_tells_the_range(scale, offset, expected):
    conv = L.Conv2D(2, 3)
    model = keras.Sequential([keras.Input((None, None, 3)), L.Rescaling(scale, offset), conv])
    assert make(model, conv).input_range == (0, expected)


def test_a_reference_in_another_range_is_warned_about():
    conv = L.Conv2D(2, 3, name="conv")
    model = keras.Sequential([keras.Input((None, None, 3)), conv])
    natural = photographs()
    assert said(model, reference=natural / 255) == []
    assert said(model, reference=natural, input_range=(0, 255)) == []
    assert said(model, reference=natural * 0 + 0.5) == []
    high = natural.max()
    beyond = rf"not in the input range \(0.0, 1.0\): its values reach from 0 to {high:.4g}, and \d+% of them are within"
    assert re.search(beyond, said(model, reference=natural)[0])
    assert (
        "its values reach from 0 to 1, and 100% of them"
        in said(model, reference=natural / high, input_range=(0, 255))[0]
    )


def convolutions(*layers, shape=(None, None, 3)):
    return keras.Sequential([keras.Input(shape), *layers, L.Conv2D(2, 3, name="conv")])


def fixed():
    picture = keras.Input((10, 12, 3))
    return keras.Model(picture, L.Conv2D(2, 3, name="conv")(picture))


class Flattening(keras.Model):
    """Takes the size that it was built on only."""

    def __init__(self):
        super().__init__()
        self.conv, self.out = L.Conv2D(2, 3), L.Dense(3, name="conv")

    def call(self, x):
        return self.out(L.Flatten()(self.conv(x)))


def flattening():
    model = Flattening()
    model(tf.zeros((1, 12, 12, 3)))
    return model


def choosy():
    class Choosy(L.Layer):
        def call(self, x):
            if x.shape[0] is None:  # while it is built, and in every later graph
                raise ValueError("I am choosy")
            return x

    class Model(keras.Model):
        def __init__(self):
            super().__init__()
            self.choosy, self.conv = Choosy(), L.Conv2D(2, 3, name="conv")

        def call(self, x):
            return self.conv(self.choosy(x))

    model = Model()
    model(tf.zeros((1, 12, 12, 3)))
    return model


SIZES = {
    "smaller than it accepts": (lambda: convolutions(L.Conv2D(2, 31, strides=2)), 8, "35 works, 34 does not"),
    "nothing left of it": (lambda: convolutions(L.MaxPooling2D(9)), (8, 30), "(27, 102) works, (26, 98) does not"),
    "another than it takes": (fixed, 8, "(10, 12) works"),
    "larger than it was built on": (flattening, 40, "12 works"),
    "smaller than it was built on": (flattening, 5, "12 works, 11 does not"),
    "with one open side": (
        lambda: convolutions(L.Conv2D(2, 7), shape=(None, 20, 3)),
        (5, 20),
        "(9, 20) works, (8, 20) does not",
    ),
    "none that works": (choosy, 8, "choose another one"),
}


@pytest.mark.parametrize("case", SIZES)
def test_a_size_that_cannot_be_is_answered_with_one_that_can(case):
    build, size, advice = SIZES[case]
    model = build()
    with pytest.raises(ValueError, match=r"`size`.*; " + re.escape(advice) + r"\. Received: model="):
        make(model, "conv", size=size)
    if "works" in advice:
        works = [int(side) for side in re.findall(r"\d+", advice.partition(" works")[0])]
        make(model, "conv", size=works if len(works) > 1 else works[0])


def test_the_search_for_a_size_ends():
    tried = []
    assert sizes.advice(lambda sides: tried.append(sides), (50, 50), (None, None), (None, None)) is None
    assert max(tried) < (2048, 2048)


MESSAGES = {
    "before": r"There is NaN or infinity in weights .* depend on. Received: '\S*before/kernel', layer=",
    "conv": "No filter of the layer answers noise with a finite number: there is NaN or infinity in the weights up to",
}


@pytest.mark.parametrize("place", MESSAGES)
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_weights_that_are_no_numbers_are_reported_before_the_climb(place, value):
    model = convolutions(L.Conv2D(4, 3, name="before"))
    layer = model.get_layer(place)
    kernel, bias = layer.get_weights()
    layer.set_weights([kernel * value, bias])
    with pytest.raises(ValueError, match=f"{MESSAGES[place]}.*'conv'"):
        make(model, "conv", steps=10**6)


@pytest.mark.parametrize(
    "build",
    [
        lambda: L.Conv2D(4, 3),
        lambda: L.SeparableConv2D(4, 3),
        lambda: L.Conv2D(4, 3, groups=2),
        lambda: L.Conv2DTranspose(4, 3),
        lambda: L.DepthwiseConv2D(3),
    ],
)
@pytest.mark.parametrize("bad", [np.nan, np.inf, 1e30])
def test_numerical_trouble_in_one_filter_does_not_cost_the_others(build, bad):
    def network():
        layer = build()
        return keras.Sequential([keras.Input((16, 16, 3)), L.Conv2D(4, 3), layer]), layer

    model, layer = network()
    healthy = make(model, layer, None, steps=4, size=16)
    for fresh in (False, True):
        if fresh:  # nothing is known from before; where spots are follows from the fields of all filters then
            weights = model.get_weights()
            model, layer = network()
            model.set_weights(weights)
        *kernels, bias = layer.get_weights()
        kernel = kernels[-1]
        by_input = isinstance(layer, (L.Conv2DTranspose, L.DepthwiseConv2D))
        (kernel[..., 2, :] if by_input else kernel[..., 2])[...] = bad
        layer.set_weights([*kernels, bias])
        patterns = make(model, layer, None, steps=4, size=16)
        others = np.array([0, 1, 3])
        np.testing.assert_array_equal(patterns.failed[others], healthy.failed[others])
        np.testing.assert_array_equal(patterns.spots[others], healthy.spots[others])
        others = others[~(healthy.spots[others] & fresh)]
        assert others.size
        np.testing.assert_array_equal(patterns.images[others], healthy.images[others])
        assert np.isfinite(bad) != patterns.failed[2]


def test_a_layer_that_is_not_built_says_so():
    class Late(keras.Model):
        def __init__(self):
            super().__init__()
            self.conv, self.late = L.Conv2D(2, 3), L.Conv2D(2, 3, name="unbuilt")

        def call(self, x, training=False):
            return self.late(x) if training else self.conv(x)

    model = Late()
    with pytest.warns(UserWarning, match="unbuilt state"):
        model(tf.zeros((1, 8, 8, 3)))
    with pytest.raises(
        ValueError, match=r"`layer` cannot have patterns: its layer is not built. .* Received: layer='unbuilt'"
    ):
        make(model, "unbuilt")


def test_a_strategy_on_several_devices_is_no_hindrance():
    with tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"]).scope():
        model = convolutions(L.Conv2D(4, 3))
        patterns = make(model, "conv", None)
    assert not patterns.failed.any()
