import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from tb_filterviz import analysis


def reference(values):
    """The same numbers, one filter at a time in float64."""
    precision = np.float32 if values.dtype == np.float32 else np.float64
    values = np.asarray(values, np.float64)
    finite = values[np.isfinite(values)]
    limit = precision(0.01 * np.abs(finite).max(initial=0))  # comparable with the weights
    rows = []
    for o in range(values.shape[-1]):
        f = values[..., o].ravel()
        good = f[np.isfinite(f)]
        if good.size == 0:
            rows.append([np.nan] * 6 + [f.size, np.nan])
            continue
        norm = np.linalg.norm(good)
        near = (np.abs(good) < limit).mean()
        rows.append(
            [norm, good.min(), good.max(), good.mean(), good.std(), near, f.size - good.size, np.abs(good).sum()]
        )
    return np.array(rows)


@pytest.mark.parametrize("shape", [(3, 3, 3, 64), (7, 5, 9), (3, 3, 3, 2, 4), (10, 3), (1, 1, 2000, 300)])
@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_numbers_equal_a_plain_computation(shape, dtype):
    values = np.random.default_rng(1).normal(0.3, 1, shape).astype(dtype)
    np.testing.assert_allclose(analysis.filter_numbers(values), reference(values), rtol=2e-6, atol=1e-7)


@given(
    hnp.arrays(
        np.float32, (2, 3, 4), elements=st.floats(-1e3, 1e3, width=32) | st.sampled_from([np.nan, np.inf, -np.inf, 0.0])
    )
)
def test_what_is_not_finite_is_counted_and_left_out(values):
    np.testing.assert_allclose(analysis.filter_numbers(values), reference(values), rtol=1e-5, atol=1e-4)


@pytest.mark.parametrize(
    ("dtype", "mean", "spread"), [("float32", 1, 1e-6), ("float32", -1e3, 1e-3), ("float64", 1, 1e-9)]
)
def test_a_small_spread_about_a_large_mean(dtype, mean, spread):
    """As after a few steps from a constant."""
    values = (mean + spread * np.random.default_rng(2).normal(size=(3, 3, 64, 5))).astype(dtype)
    values[0, 0, 0, 0] = np.nan
    np.testing.assert_allclose(analysis.filter_numbers(values), reference(values), rtol=1e-6)


def test_a_filter_of_one_large_weight_has_its_norm():
    values = np.random.default_rng(3).normal(size=(3, 3, 512, 2)) * 1e-6
    values[0, 0, 0] = [1, -1]
    np.testing.assert_allclose(analysis.filter_numbers(values), reference(values), rtol=1e-6)


def test_a_constant_filter_has_no_spread():
    assert analysis.filter_numbers(np.full((3, 3, 64, 1), 0.1, np.float32))[0, 4] == 0


def test_large_values_do_not_overflow():
    numbers = analysis.filter_numbers(np.full((2, 2, 1), 1e30, np.float32))
    np.testing.assert_allclose(numbers[0, :4], [2e30, 1e30, 1e30, 1e30], rtol=1e-6)
