"""tf.Module, variables and tensors."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from tb_filterviz import sources
from tests.tf.models import Block, Chain


def paths(data, layers=None):
    return [weight.layer.path for weight in sources.find_weights(data, layers)]


def test_module_in_the_order_of_its_attributes():
    chain = Chain()
    found = sources.find_weights(chain)
    # Both blocks call their variable `taps`.
    assert [weight.layer.path for weight in found] == ["zblocks/0/taps", "zblocks/1/taps", "out/kernel"]
    assert [weight.layer.layer_class for weight in found] == ["Block", "Block", "Conv2D"]
    assert [weight.source for weight in found] == [None, None, chain.head["out"]]
    assert found[1].read() is chain.zblocks[1].taps


def test_path_is_the_name_of_the_variable_where_unique():
    assert paths(Block(2, 3)) == ["taps"]


@pytest.mark.parametrize(
    ("layers", "expected"),
    [
        ("matrix", ["matrix"]),
        ("zblocks/1/.*", ["zblocks/1/taps"]),
        ("taps", ["zblocks/0/taps", "zblocks/1/taps"]),
        ("out", ["out/kernel"]),
    ],
)
def test_selects(layers, expected):
    assert paths(Chain(), layers) == expected


def test_what_is_no_kernel_is_said():
    with pytest.raises(ValueError, match=r"without a kernel: step \(int32 variable of shape \(\)\)"):
        sources.find_weights(Chain(), "step")


def test_shared_variables_and_cycles_count_once():
    block = Block(2, 3)
    block.again = {"self": block, "tied": (block.taps, [block.taps])}
    assert paths(block) == ["taps"]


def test_keras_variables_in_a_module():
    module = tf.Module()
    module.w = keras.Variable(np.ones((3, 3, 1, 2), np.float32), name="w")
    [weight] = sources.find_weights(module)
    assert weight.layer.path == "w"
    assert np.asarray(weight.read()).sum() == 18


def test_module_without_convolutions():
    module = tf.Module()
    module.a = tf.Variable([1.0], name="a")
    with pytest.raises(ValueError, match=r"no convolution\. It has 1 float32 variable of shape \(1,\)\."):
        sources.find_weights(module)


def test_bare_variables_have_no_path():
    layer = keras.layers.Conv2D(2, 3)
    layer.build((None, 8, 8, 3))
    for data in (layer.kernel, layer.kernel.value):
        [weight] = sources.find_weights(data)
        assert (weight.layer.path, weight.layer.layer_class, weight.layout) == ("", "Variable", "HWIO")


def test_reads_the_variable_as_it_is_then():
    variable = tf.Variable(tf.zeros((3, 3, 1, 2)))
    [weight] = sources.find_weights({"v": variable})
    variable.assign_add(tf.ones_like(variable))
    assert np.all(np.asarray(weight.read()) == 1)


def test_reads_a_symbolic_tensor():
    @tf.function(input_signature=[tf.TensorSpec((3, 3, None, 2), tf.bfloat16)])
    def total(kernel):
        [weight] = sources.find_weights(kernel * 2)
        return tf.reduce_sum(weight.read())

    assert float(total(tf.ones((3, 3, 4, 2), tf.bfloat16))) == 144


def test_reads_under_a_strategy():
    strategy = tf.distribute.MirroredStrategy(["/cpu:0"])
    with strategy.scope():
        layer = keras.layers.Conv2D(2, 3)
        layer.build((None, 8, 8, 3))
    [weight] = sources.find_weights(layer)
    np.testing.assert_array_equal(np.asarray(weight.read()), layer.kernel.numpy())


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (tf.zeros((3, 3, 0, 2)), "`data` must not be empty"),
        (tf.constant([["a"]]), "must hold floating-point numbers or integers. Received: data of dtype=string"),
        (tf.zeros((3, 3, 1, 2), tf.complex64), "dtype=complex64, shape=(3, 3, 1, 2)"),
        (tf.zeros((3, 3, 1, 2), tf.bool), "dtype=bool"),
        (tf.zeros((3,)), "must have 2 to 5 axes"),
        (tf.ragged.constant([[1.0], [2.0, 3.0]]), "`data` may be a Keras model"),
        (tf.sparse.from_dense([[1.0]]), "`data` may be a Keras model"),
        (keras.Input((8, 8, 3)), "cannot be read by NumPy"),
        (keras.optimizers.Adam(), "`data` may be a Keras model"),
        (keras.Variable(np.zeros((3,), np.float32)), "must have 2 to 5 axes"),
    ],
)
def test_refuses(data, expected):
    with pytest.raises(ValueError, match="Received") as error:
        sources.find_weights(data)
    assert expected in str(error.value)


def test_refuses_an_unknown_rank():
    @tf.function(input_signature=[tf.TensorSpec(None, tf.float32)])
    def log(kernel):
        sources.find_weights(kernel)

    with pytest.raises(ValueError, match="known number of axes"):
        log(tf.zeros((3, 3, 1, 2)))
