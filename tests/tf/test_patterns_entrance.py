"""The range of a model's inputs, as told by what the model does to them before its first kernel."""

import inspect

import keras
import numpy as np
import pytest
import tensorflow as tf

from tb_filterviz.patterns import entrance, generate_patterns, inputs
from tests.tf.support import averaged

L = keras.layers
SIDE = 32
applications = keras.applications


@pytest.fixture(autouse=True)
def _seeded():
    keras.utils.set_random_seed(9)


def make(model, layer="conv", filters=1, **options):
    return generate_patterns(model, layer, filters, **{"steps": 2, "tries": 1, "progress": False, **options})


def network(build, side=SIDE, channels=3):
    return build(weights=None, include_top=False, input_shape=(side, side, channels))


NETWORKS = {
    "mobilenet_v2": (applications.MobileNetV2, "Conv1"),
    "resnet50": (applications.ResNet50, "conv1_conv"),
    "resnet_v2": (applications.ResNet50V2, "conv1_conv"),
}


@pytest.mark.parametrize("inside", [True, False])
@pytest.mark.parametrize("name", NETWORKS)
def test_pictures_are_preprocessed_once_whoever_does_it(name, inside):
    build, layer = NETWORKS[name]
    base, preprocess = network(build), getattr(applications, name).preprocess_input
    picture = keras.Input((SIDE, SIDE, 3))
    model = keras.Model(picture, L.GlobalMaxPooling2D()(base(preprocess(picture) if inside else picture)))
    patterns = make(model, layer, 2, steps=10, normalized=False)
    assert patterns.input_range == (0, 255)
    to_layer = keras.Model(base.input, base.get_layer(layer).output)
    response = averaged(to_layer(preprocess(patterns.images.astype(np.float32))))
    np.testing.assert_allclose(patterns.reached, np.diagonal(response), rtol=1e-3, atol=1e-3)


PREPARING = {
    "vgg16": "VGG16",
    "vgg19": "VGG19",
    "resnet": "ResNet50 ResNet101 ResNet152",
    "resnet_v2": "ResNet50V2 ResNet101V2 ResNet152V2",
    "densenet": "DenseNet121 DenseNet169 DenseNet201",
    "mobilenet": "MobileNet",
    "mobilenet_v2": "MobileNetV2",
    "inception_v3": "InceptionV3",
    "inception_resnet_v2": "InceptionResNetV2",
    "xception": "Xception",
    "nasnet": "NASNetMobile NASNetLarge",
}


GIVEN = {
    "InceptionV3": "inception_v3",
    "InceptionResNetV2": "inception_resnet_v2",
    "MobileNet": "mobilenet_1.00_224",
    "MobileNetV2": "mobilenetv2_1.00_224",
    "NASNetMobile": "NASNet",
    "NASNetLarge": "NASNet",
}
"""What Keras names networks whose name is not an argument with a default, where it is not that of the function."""


@pytest.mark.parametrize(
    ("module", "name"), [(module, name) for module, names in PREPARING.items() for name in names.split()]
)
def test_networks_of_keras_applications_are_known_by_the_names_that_they_have(module, name):
    parameters = inspect.signature(getattr(applications, name)).parameters
    default = parameters["name"].default if "name" in parameters else None
    for given in {default or GIVEN.get(name, name.lower()), GIVEN.get(name, name.lower())}:
        assert_prepared(given, getattr(applications, module).preprocess_input)


def test_a_network_of_ones_own_of_nearly_such_a_name_is_not_one_of_them():
    for name in ("ResNet50", "VGG16", "nasnet_like"):
        model = keras.Sequential([keras.Input((SIDE, SIDE, 3)), L.Conv2D(2, 3)], name=name)
        assert inputs.detect_range(model, None, 3) == ((0, 1), None)


def assert_prepared(given, expected):
    model = keras.Sequential([keras.Input((SIDE, SIDE, 3)), L.Conv2D(2, 3)], name=given)
    span, preprocess = inputs.detect_range(model, None, 3)
    assert span == (0, 255)
    pictures = np.random.default_rng(0).uniform(0, 255, (1, 4, 4, 3)).astype(np.float32)
    np.testing.assert_allclose(preprocess(pictures.copy()), expected(pictures.copy()), rtol=1e-5, atol=1e-5)


BYTES = {
    "a quotient": lambda x: x / 255.0,
    "a quotient and a difference": lambda x: x / 127.5 - 1,
    "a difference": lambda x: x - np.array([123.7, 116.8, 103.9], np.float32),
    "a padded difference": lambda x: L.ZeroPadding2D(3)(x) - 120.0,
    "clipped": lambda x: keras.ops.clip(x / 255.0, 0, 1),
    "a lambda": L.Lambda(lambda x: x / 255.0),
    "a rescaling": L.Rescaling(1 / 255),
    "a normalisation with dead channels": L.Normalization(mean=[0.0, 120, 120], variance=[0.0, 4000, 4000]),
    "a trained normalisation": L.Normalization(mean=[120.0] * 3, variance=[4000.0] * 3),
    "before each time step": lambda x: L.TimeDistributed(L.Conv1D(2, 3))(x / 255.0),
}
UNITS = {
    "a product and a difference": lambda x: x * 2 - 1,
    "a small difference": lambda x: x - 0.5,
    "a product": lambda x: x * 255.0,
    "an axis more": lambda x: L.Reshape((SIDE, SIDE, 3))(L.Lambda(lambda x: tf.expand_dims(x, 1))(x)),
    "zeros around": L.ZeroPadding2D(2),
    "another type": lambda x: keras.ops.cast(x, "float16"),
    "a normalisation not yet trained": L.BatchNormalization(),
}


@pytest.mark.parametrize("case", [*BYTES, *UNITS])
def test_what_a_model_does_to_pictures_tells_their_range(case):
    change, high = (BYTES[case], 255) if case in BYTES else (UNITS[case], 1)
    picture = keras.Input((SIDE, SIDE, 3))
    model = keras.Model(picture, L.Conv2D(2, 3, name="conv")(change(picture)))
    assert make(model).input_range == (0, high)


class Written(keras.Model):
    """Does something to its pictures in its `call`, and has its layers in another order."""

    def __init__(self, change):
        super().__init__()
        self.change, self.out, self.conv = change, L.Dense(2), L.Conv2D(2, 3, name="conv")

    @tf.function
    def call(self, x):
        return self.out(self.conv(self.change(x)))


@pytest.mark.parametrize(("case", "high"), [("a quotient", 255), ("a product and a difference", 1)])
def test_what_a_model_does_in_its_call_tells_the_range(case, high):
    model = Written({**BYTES, **UNITS}[case])
    model(tf.zeros((1, SIDE, SIDE, 3)))
    assert make(model, size=SIDE).input_range == (0, high)


class Tokens(keras.Model):
    """Owns a table of three axes itself, as models of patches do, and holds the size of its kernels."""

    def __init__(self):
        super().__init__()
        self.kernel, self.rescale, self.conv = 3, L.Rescaling(1 / 255), L.Conv2D(2, 3, name="conv")
        self.table = self.add_weight(shape=(1, SIDE - 2, 2), name="table")

    def call(self, x):
        return self.conv(self.rescale(x)) + self.table


def test_a_table_that_the_model_owns_is_no_kernel():
    model = Tokens()
    model(tf.zeros((1, SIDE, SIDE, 3)))
    assert make(model, size=SIDE).input_range == (0, 255)


class Told(keras.Model):
    """Has a second input whose branch runs first."""

    def __init__(self):
        super().__init__()
        self.hidden, self.out, self.conv = L.Dense(7, activation="sigmoid"), L.Dense(2), L.Conv2D(2, 3, name="conv")

    def build(self, picture_shape, facts_shape):
        self.conv.build(picture_shape)
        self.hidden.build(facts_shape)
        self.out.build((None, 7))

    def call(self, picture, facts):
        told = self.out(self.hidden(facts))
        return self.conv(picture) + told[:, None, None]


def test_what_another_input_rounds_to_does_not_count():
    model = Told()
    model(tf.zeros((1, SIDE, SIDE, 3)), tf.zeros((1, 5)))
    facts = np.random.default_rng(0).normal(size=5).astype(np.float32)
    assert make(model, size=SIDE, other_inputs={"facts": facts}).input_range == (0, 1)


def test_the_range_stays_while_a_normalisation_learns():
    norm, conv = L.BatchNormalization(), L.Conv2D(2, 3, name="conv")
    model = keras.Sequential([keras.Input((SIDE, SIDE, 3)), norm, conv])
    assert make(model).input_range == (0, 1)
    norm.moving_mean.assign([120.0] * 3)
    norm.moving_variance.assign([3000.0, 4000.0, 6000.0])
    with pytest.warns(UserWarning, match=r"input_range=\(0\.0, 255\.0\)"):
        assert make(model).input_range == (0, 1)


def test_the_normalisation_of_another_input_does_not_count():
    picture, facts = keras.Input((SIDE, SIDE, 3)), keras.Input((5,))
    norm, hidden = L.Normalization(mean=[50000.0] * 5, variance=[1e6] * 5), facts
    for layer in (norm, *(L.Dense(4) for _ in range(4))):
        hidden = layer(hidden)
    conv = L.Conv2D(2, 3, name="conv")
    joined = L.Concatenate()([L.GlobalMaxPooling2D()(conv(picture)), hidden])
    for taken in ([picture, facts], [facts, picture]):
        assert make(keras.Model(taken, joined)).input_range == (0, 1)


def test_a_network_of_keras_behind_another_input_does_not_count():
    picture, other = keras.Input((SIDE, SIDE, 3), name="picture"), keras.Input((SIDE, SIDE, 3), name="other")
    seen = L.GlobalMaxPooling2D()(network(applications.VGG16)(picture))
    joined = L.Concatenate()([seen, L.GlobalMaxPooling2D()(L.Conv2D(2, 3, name="conv")(other))])
    model = keras.Model([picture, other], joined)
    assert make(model, "conv").input_range == (0, 1)
    assert make(model, "block1_conv1").input_range == (0, 255)


def test_a_network_of_keras_with_other_channels_is_the_users_own():
    model = applications.VGG16(weights=None, include_top=False, input_tensor=keras.Input((SIDE, SIDE, 1)))
    patterns = make(model, "block1_conv1", 3)
    assert patterns.input_range == (0, 1)
    kernel, bias = model.get_layer("block1_conv1").get_weights()
    response = averaged(tf.nn.conv2d(patterns.images / np.float32(255), kernel, 1, "SAME") + bias)
    np.testing.assert_allclose(patterns.reached, np.diagonal(response)[:3], rtol=1e-3, atol=1e-5)


def test_what_a_model_cannot_tell_is_left_open():
    class Hidden(keras.Model):
        def __init__(self):
            super().__init__()
            self.conv = L.Conv2D(2, 3)

        @tf.function
        def block(self, x):
            return self.conv(x / 255.0)

        def call(self, x):
            return self.block(x)

    model = Hidden()
    model(tf.zeros((1, SIDE, SIDE, 3)))
    assert entrance.find(model, lambda pictures: pictures, (SIDE, SIDE, 3)) is None
    assert entrance.find(tf.Module(), lambda pictures: pictures, (None, None, 3)) is None


def test_where_a_model_cannot_tell_its_layers_do():
    scaled = keras.Sequential([keras.Input((SIDE, SIDE, 3)), L.Rescaling(1 / 255), network(applications.MobileNetV2)])
    assert inputs.detect_range(scaled, None, 3) == ((0, 255), None)
    span, preprocess = inputs.detect_range(network(applications.MobileNetV2), None, 3)
    assert span == (0, 255)
    assert preprocess is not None
