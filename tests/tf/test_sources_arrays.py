"""Arrays and dicts of them, and everything that is neither; no framework is needed, nor imported."""

import pathlib
import subprocess
import sys

import numpy as np
import pytest

from tb_filterviz import sources

A = np.zeros((3, 2, 4, 5), np.float32)


class Readable:
    def __array__(self, dtype=None, copy=None):
        return A


class Unreadable:
    def __array__(self, dtype=None, copy=None):
        raise RuntimeError("it is on another device.")


@pytest.mark.parametrize(
    ("shape", "layout"), [((4, 5), "IO"), ((3, 4, 5), "WIO"), ((3, 2, 4, 5), "HWIO"), ((1, 3, 2, 4, 5), "DHWIO")]
)
def test_layout_by_number_of_axes(shape, layout):
    [weight] = sources.find_weights(np.ones(shape))
    assert weight.layout == layout
    assert weight.to_kernel(np.asarray(weight.read())).values.shape == shape


def test_anything_that_numpy_reads():
    [weight] = sources.find_weights(Readable())
    assert weight.read() is A
    assert (weight.layer.path, weight.layer.layer_class) == ("", "array")


def test_nan_and_infinity_pass():
    values = np.array([[np.nan, np.inf], [-np.inf, 0.0]])
    [weight] = sources.find_weights(values)
    np.testing.assert_array_equal(weight.to_kernel(np.asarray(weight.read())).values, values)


def test_dict_keeps_names_and_order():
    found = sources.find_weights({"z": A, "a/'<b>": np.zeros((7, 2)), "é": A})
    assert [(weight.layer.path, weight.layer.position) for weight in found] == [("z", 0), ("a/'<b>", 1), ("é", 2)]


def test_dict_with_layers():
    found = sources.find_weights({"conv1": A, "conv2": A, "other": A}, ["conv.*"])
    assert [weight.layer.path for weight in found] == ["conv1", "conv2"]
    with pytest.raises(ValueError, match=r"nearest are: 'conv1'"):
        sources.find_weights({"conv1": A}, "conv9")


def test_depthwise_layout_has_as_many_groups_as_inputs():
    [weight] = sources.find_weights({"d": A}, layout="HWIM")
    assert weight.layer.groups == 4
    assert weight.to_kernel(np.asarray(weight.read())).values.shape == (3, 2, 1, 20)


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (np.zeros((3, 3, 0, 4)), "`data` must not be empty: each axis needs at least one entry. Received: data of"),
        (np.zeros((3, 3, 2, 0), np.float16), "dtype=float16, shape=(3, 3, 2, 0)"),
        (np.array([["a", "b"]]), "`data` must hold floating-point numbers or integers. Received: data of dtype=str"),
        (np.zeros((3, 3, 1, 2), object), "dtype=object, shape=(3, 3, 1, 2)"),
        (np.zeros((3, 3, 1, 2), bool), "dtype=bool"),
        (np.zeros((3, 3, 1, 2), np.complex64), "dtype=complex64"),
        (np.zeros((3, 3), "datetime64[s]"), "dtype=datetime64[s]"),
        (np.zeros((3, 3), [("a", "f4")]), "dtype=void"),
        (np.float32(1), "`data` must have 2 to 5 axes"),
        (np.zeros(3), "Received: data of dtype=float64, shape=(3,)"),
        (np.zeros((1,) * 6), "shape=(1, 1, 1, 1, 1, 1)"),
        (Unreadable(), "`data` cannot be read by NumPy: it is on another device. Received: Unreadable"),
        ([[1.0], [2.0, 3.0]], "Make it a dict to name each array, or one array with np.asarray. Received: [[1.0]"),
        ([A, A], "`data` may be a Keras model or layer"),
        (None, "`data` may be a Keras model or layer, a tf.Module, a variable or tensor, an array"),
        ("model.keras", "Load the file first"),
        (pathlib.Path("model.keras"), "Load the file first"),
        (7, "Received: 7, of type int"),
        (np.ndarray, "Pass an instance, not the class"),
        ({}, "`data` is an empty dict"),
        ({3: A}, "Received: key 3"),
        ({"": A}, "Received: key ''"),
        ({"a": A, "b": None}, "`data['b']` must be a variable, tensor or array"),
        ({"a": {"b": A}}, "`data['a']` must be a variable, tensor or array"),
        ({"a": np.zeros((2, 0))}, "`data['a']` must not be empty"),
    ],
)
def test_refuses(data, expected):
    with pytest.raises(ValueError, match="Received: ") as error:
        sources.find_weights(data)
    assert expected in str(error.value)


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"layout": "NHWC"}, "`layout` must be one of IO, WIO"),
        ({"layout": 3}, "Received: layout=3"),
        ({"layout": "OI"}, "`layout` must name the 4 axes of `data`, one letter each. Received: layout='OI'"),
        ({"layers": "conv"}, "`layers` chooses from a model or a dict"),
    ],
)
def test_refuses_options(options, expected):
    with pytest.raises(ValueError, match="Received: ") as error:
        sources.find_weights(A, **options)
    assert expected in str(error.value)


@pytest.mark.parametrize(("extra", "loaded"), [("", False), ("import keras; ", True)])
def test_imports_no_framework(extra, loaded):
    program = (
        "import sys, numpy as np; from tb_filterviz import sources; sources.find_weights({'a': np.ones((3, 3))}); "
        f"{extra}print(bool({{'keras', 'tensorflow', 'torch', 'jax'}} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stdout.strip() == str(loaded), done.stderr
