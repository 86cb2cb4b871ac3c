import numpy as np
import pytest

from tb_filterviz import slices

FILTERS = np.random.default_rng(0).normal(size=(5, 2, 3, 4)).astype(np.float16)  # filters, height, width, inputs


def test_one_input():
    pictures, chosen = slices.select([FILTERS], 2)
    assert chosen is None
    np.testing.assert_array_equal(pictures, FILTERS[:, None, :, :, 2])


def test_all_inputs():
    pictures, _ = slices.select([FILTERS], "all")
    assert pictures.shape == (5, 4, 2, 3)
    np.testing.assert_array_equal(pictures[3, 1], FILTERS[3, :, :, 1])


def test_mean():
    pictures, _ = slices.select([FILTERS], "mean")
    assert pictures.dtype == np.float32
    np.testing.assert_allclose(pictures[:, 0], FILTERS.astype(np.float64).mean(-1), rtol=1e-5, atol=1e-7)


def test_strongest_has_the_largest_norm_and_ignores_what_is_not_finite():
    filters = FILTERS.copy()
    filters[1, :, :, 3] = 100
    filters[2, 0, 0, 0] = np.inf
    pictures, chosen = slices.select([filters], "strongest")
    norms = np.linalg.norm(np.where(np.isfinite(filters), filters, 0).astype(np.float64), axis=(1, 2))
    assert chosen == norms.argmax(axis=1).tolist()
    assert chosen[1] == 3
    for o, i in enumerate(chosen):
        np.testing.assert_array_equal(pictures[o, 0], filters[o, :, :, i])


@pytest.mark.parametrize(("inputs", "words"), [(4, "0 to 3"), (-1, "0 to 3"), ("rgb", "3 inputs")])
def test_what_is_not_there(inputs, words):
    with pytest.raises(ValueError, match=words):
        slices.check(inputs, FILTERS.shape[-1])


@pytest.mark.parametrize("inputs", [*slices.SELECTIONS, 0, 2])
def test_pieces_give_what_the_whole_gives(inputs):
    slices.check(inputs, 3)
    filters = FILTERS[..., :3]
    pictures, chosen = slices.select(iter([filters[:2], filters[2:4], filters[4:]]), inputs)
    expected, expected_chosen = slices.select([filters], inputs)
    np.testing.assert_array_equal(pictures, expected)
    assert (pictures.dtype, chosen) == (expected.dtype, expected_chosen)


def test_limits():
    pictures = np.array([[[1.0, -3.0]], [[np.nan, np.inf]], [[0.0, 0.0]]])
    np.testing.assert_array_equal(slices.limits(pictures), [3, 0, 0])
