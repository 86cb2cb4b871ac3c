"""Each kernel, run as a plain convolution, gives the output of the layer it was taken from."""

import numpy as np
import pytest

from tb_filterviz import records, sources
from tests.tf.models import CASES, check, find_kernels


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_plain_convolution_with_the_kernel_equals_the_layer(case):
    check(case)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_records_say_groups_and_positions(case):
    found = sources.find_weights(case.build(), case.layers, case.layout)
    assert tuple(weight.layer.groups for weight in found) == case.groups
    assert [weight.layer.position for weight in found] == list(range(len(found)))
    assert all(weight.layout in records.LAYOUTS for weight in found)


@pytest.mark.parametrize(
    "case", [case for case in CASES if case.name == "conv2d_transpose"], ids=lambda case: case.name
)
def test_the_proof_can_fail(case):
    def flipped(case, data):
        return [kernel[::-1] for kernel in find_kernels(case, data)]

    with pytest.raises(AssertionError):
        check(case, flipped)


@pytest.mark.parametrize(
    ("dtype", "expected"),
    [("float16", "float16"), ("bfloat16", "bfloat16"), ("float64", "float64"), ("mixed_bfloat16", "float32")],
)
def test_keeps_the_dtype_of_the_weight(dtype, expected):
    case = next(case for case in CASES if case.name == f"conv2d_{dtype}")
    assert find_kernels(case, case.build())[0].dtype.name == expected


@pytest.mark.parametrize(
    ("dtype", "expected"),
    [("int8", "float32"), ("uint16", "float32"), ("int32", "float64"), ("float16", "float16"), (">f4", ">f4")],
)
def test_integers_become_floats_that_hold_them(dtype, expected):
    values = np.arange(2 * 3 * 4 * 5).reshape(2, 3, 4, 5).astype(dtype)
    [weight] = sources.find_weights(values)
    kernel = weight.to_kernel(np.asarray(weight.read()))
    assert kernel.values.dtype == np.dtype(expected)
    np.testing.assert_array_equal(kernel.values, values)
