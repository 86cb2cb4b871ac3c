"""The response of one filter a sample against the layer's own convolution."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from tb_filterviz.patterns import head, tap

L = keras.layers


class Doubled(L.Conv2D):
    """Computes something else than its base class."""

    def call(self, inputs):
        return 2 * super().call(inputs)


CONVOLUTIONS = {
    "valid": (lambda: L.Conv2D(24, (3, 2)), (9, 8, 3)),
    "same": (lambda: L.Conv2D(24, (3, 2), padding="same"), (9, 8, 3)),
    "strides": (lambda: L.Conv2D(24, 3, strides=(2, 3)), (10, 11, 3)),
    "strides, same": (lambda: L.Conv2D(24, (4, 3), strides=(3, 2), padding="same"), (10, 11, 3)),
    "strides over a large kernel, same": (lambda: L.Conv2D(24, 1, strides=3, padding="same"), (10, 11, 3)),
    "dilation": (lambda: L.Conv2D(24, 3, dilation_rate=(2, 3)), (10, 11, 3)),
    "dilation, same": (lambda: L.Conv2D(24, (3, 2), dilation_rate=2, padding="same"), (10, 11, 3)),
    "one by one": (lambda: L.Conv2D(24, 1), (4, 5, 6)),
    "no bias": (lambda: L.Conv2D(24, 3, use_bias=False), (9, 8, 3)),
    "1-D": (lambda: L.Conv1D(24, 4, strides=2), (13, 3)),
    "1-D, same": (lambda: L.Conv1D(24, 4, dilation_rate=2, padding="same"), (13, 3)),
    "causal": (lambda: L.Conv1D(24, 4, padding="causal"), (13, 3)),
    "causal, dilated": (lambda: L.Conv1D(24, 3, dilation_rate=3, padding="causal"), (13, 3)),
    "causal, strided": (lambda: L.Conv1D(24, 3, strides=2, padding="causal"), (13, 3)),
    "3-D": (lambda: L.Conv3D(24, (3, 2, 1), strides=(1, 2, 1)), (6, 5, 4, 3)),
    "3-D, same": (lambda: L.Conv3D(24, (3, 2, 3), padding="same"), (6, 5, 4, 3)),
    "long": (lambda: L.Conv1D(24, 40), (80, 1)),
    "few filters": (lambda: L.Conv2D(5, 3), (9, 8, 1)),
    "strides over few filters": (lambda: L.Conv2D(5, 1, strides=3), (10, 11, 3)),
    "groups": (lambda: L.Conv2D(6, 3, groups=3), (9, 8, 3)),
    "depthwise": (lambda: L.DepthwiseConv2D(3, depth_multiplier=2), (9, 8, 3)),
    "transposed": (lambda: L.Conv2DTranspose(24, 3, strides=2), (5, 4, 3)),
    "a subclass": (lambda: Doubled(24, 3), (9, 8, 3)),
}
MORE_WORK_ALONE = ("long", "few filters", "strides over few filters")
OTHERS = ("groups", "depthwise", "transposed", "a subclass")
EVALUATED_ALONE = [name for name in CONVOLUTIONS if name not in (*MORE_WORK_ALONE, *OTHERS)]


def chain(name, *following):
    keras.utils.set_random_seed(1)
    build, shape = CONVOLUTIONS[name]
    layer = build()
    model = keras.Sequential([keras.Input(shape), layer, *following])
    random = np.random.default_rng(2)
    for weight in model.weights:
        signs = random.choice([-1, 1], weight.shape) if len(weight.shape) > 1 else 1  # a variance is positive
        weight.assign(signs * random.uniform(0.2, 1.5, weight.shape))
    pictures = random.normal(size=(4, *shape)).astype(np.float32)
    return model, layer, pictures


def own_in_a_graph(model, layer, pictures, targets):
    @tf.function(autograph=False)
    def run(inputs, indices):
        heard = tap.listen(model, layer, inputs)
        return head.own(layer, heard, indices), head.every(heard)

    unknown = tf.TensorSpec((None, *pictures.shape[1:]), tf.float32)
    concrete = run.get_concrete_function(unknown, tf.TensorSpec((None,), tf.int32))
    return [result.numpy() for result in concrete(tf.constant(pictures), tf.constant(targets))], concrete.graph


def assert_own(found, every, targets):
    expected = np.stack([row[..., index] for row, index in zip(every, targets, strict=True)])
    assert found.shape == expected.shape
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("name", CONVOLUTIONS)
def test_it_is_what_the_layer_computes_for_that_filter(name):
    model, layer, pictures = chain(name, L.ReLU())
    targets = [4, 0, 2, 4]
    (own, every), _ = own_in_a_graph(model, layer, pictures, targets)
    expected = layer(pictures).numpy()
    np.testing.assert_allclose(every, expected, rtol=1e-4, atol=1e-4)
    assert_own(own, expected, targets)


@pytest.mark.parametrize("name", ["same", "causal", "3-D", "groups", "transposed"])
def test_the_normalisation_that_follows_is_applied(name):
    norm = L.BatchNormalization()
    model, layer, pictures = chain(name, norm, L.ReLU())
    targets = [1, 1, 3, 0]
    (own, every), _ = own_in_a_graph(model, layer, pictures, targets)
    expected = norm(layer(pictures), training=False).numpy()
    np.testing.assert_allclose(every, expected, rtol=1e-4, atol=1e-4)
    assert_own(own, expected, targets)


@pytest.mark.parametrize("name", CONVOLUTIONS)
def test_only_the_wanted_filter_of_a_plain_convolution_is_computed(name):
    """The layer's own convolution is left out of the graph: what is convolved there has one channel to make."""
    model, layer, pictures = chain(name, L.ReLU())

    @tf.function(autograph=False)
    def run(inputs, indices):
        return head.own(layer, tap.listen(model, layer, inputs), indices)

    concrete = run.get_concrete_function(tf.TensorSpec(pictures.shape), tf.TensorSpec((4,), tf.int32))
    needed, waiting = set(), [concrete.outputs[0].op]
    while waiting:
        operation = waiting.pop()
        if operation.name not in needed:
            needed.add(operation.name)
            waiting += [tensor.op for tensor in operation.inputs]
    found = [concrete.graph.get_operation_by_name(one) for one in needed]
    # Keras may put a grouped convolution into a function of its own.
    wide = [one for one in found if "Call" in one.type or ("Conv" in one.type and one.outputs[0].shape[-1] != 1)]
    assert bool(wide) == (name not in EVALUATED_ALONE)


@pytest.mark.parametrize("name", ["same", "strides", "causal", "3-D", "groups"])
def test_its_gradient_is_that_of_the_layer(name):
    model, layer, pictures = chain(name, L.ReLU())
    targets = tf.constant([4, 0, 2, 4])
    inputs = tf.constant(pictures)
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(inputs)
        own = tf.reduce_sum(tf.sin(head.own(layer, tap.listen(model, layer, inputs), targets)))
        response = layer(inputs)
        plain = tf.reduce_sum(tf.sin(tf.gather(response, targets, axis=response.shape.rank - 1, batch_dims=1)))
    np.testing.assert_allclose(tape.gradient(own, inputs), tape.gradient(plain, inputs), rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("dtype", ["mixed_bfloat16", "mixed_float16"])
@pytest.mark.parametrize("options", [{}, {"scale": False}, {"center": False}])
def test_a_normalisation_in_half_precision_is_not_rounded(dtype, options):
    """Of a small scale beside a large shift nothing would be left."""
    layer, norm = L.Conv2D(4, 3, dtype=dtype), L.BatchNormalization(dtype=dtype, **options)
    model = keras.Sequential([keras.Input((9, 8, 3)), layer, norm, L.ReLU()])
    mean, variance = np.full(4, 500.0), np.array([1e5, 2e5, 3e5, 4e5])
    scale = np.array([0.4, 0.8, 1.2, 1.6]) if options.get("scale", True) else np.ones(4)
    shift = np.array([1.0, 2.0, 3.0, 4.0]) if options.get("center", True) else np.zeros(4)
    given = [weight for weight, name in ((scale, "scale"), (shift, "center")) if options.get(name, True)]
    norm.set_weights([*given, mean, variance])
    pictures = 255 * np.random.default_rng(0).random((2, 9, 8, 3)).astype(np.float32)
    (own, every), _ = own_in_a_graph(model, layer, pictures, [3, 1])
    convolved = layer(pictures).numpy().astype(np.float64)
    expected = (convolved - mean) / np.sqrt(variance + norm.epsilon) * scale + shift
    np.testing.assert_allclose(every, expected, rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(own, [expected[0, ..., 3], expected[1, ..., 1]], atol=3e-2)


def test_half_precision_stays_near():
    keras.utils.set_random_seed(1)
    layer = L.Conv2D(5, 3, dtype="mixed_bfloat16")
    model = keras.Sequential([keras.Input((9, 8, 3)), layer, L.ReLU()])
    pictures = np.random.default_rng(0).random((2, 9, 8, 3)).astype(np.float32)
    (own, every), _ = own_in_a_graph(model, layer, pictures, [3, 1])
    assert own.dtype == every.dtype == np.float32
    np.testing.assert_allclose(own, [every[0, ..., 3], every[1, ..., 1]], atol=2e-2)
