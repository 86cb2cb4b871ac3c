import numpy as np
import pytest

from tb_filterviz import colormap

# Colours of the tab's own tables at some indices, as the browser computes them.
IN_THE_TAB = {
    "bluered": {0: (0, 59, 123), 40: (30, 112, 210), 120: (221, 235, 254), 127: (245, 245, 245), 254: (115, 17, 21)},
    "blueorange": {0: (7, 82, 125), 120: (216, 235, 250), 127: (242, 242, 242), 214: (181, 103, 29), 254: (116, 60, 1)},
    "night": {0: (178, 222, 254), 40: (41, 157, 224), 127: (22, 22, 22), 214: (219, 114, 81), 254: (254, 202, 185)},
    "grey": {0: (0, 0, 0), 40: (40, 40, 40), 127: (128, 128, 128), 254: (255, 255, 255)},
}


@pytest.mark.parametrize("name", colormap.MAPS)
def test_colours_are_those_of_the_tab(name):
    table = colormap.table(name)
    assert (table.shape, table.dtype) == ((256, 3), np.uint8)
    assert {index: tuple(table[index].tolist()) for index in IN_THE_TAB[name]} == IN_THE_TAB[name]


def test_an_unknown_map_is_named():
    with pytest.raises(ValueError, match=r"must be one of bluered, .*grey. Received: colormap='jet'"):
        colormap.table("jet")


def test_indices_are_symmetric_and_mark_what_is_not_finite():
    values = np.random.default_rng(0).normal(size=1000)
    places = colormap.indices(values, 1.5).astype(int)
    np.testing.assert_array_equal(places + colormap.indices(-values, 1.5), 254)
    np.testing.assert_allclose(places - 127, np.clip(values, -1.5, 1.5) / 1.5 * 127, atol=0.5 + 1e-9)
    special = np.array([np.nan, np.inf, -np.inf, 1e300, -1e300, 0.0])
    assert colormap.indices(special, 1e-300).tolist() == [255, 255, 255, 254, 0, 127]


@pytest.mark.parametrize("limit", [0.0, np.nan, np.inf, -1.0])
def test_without_a_scale_everything_is_zero(limit):
    assert colormap.indices(np.array([-1.0, 3.0]), limit).tolist() == [127, 127]


def test_each_picture_may_have_its_own_limit():
    values = np.array([[1.0, -1.0], [1.0, -1.0]])
    assert colormap.indices(values, np.array([[1.0], [2.0]])).tolist() == [[254, 0], [191, 63]]


def test_three_channels_are_colours_with_zero_mid_grey():
    values = np.array([[0, 0, 0], [1, -1, 0], [np.nan, 0, 0]], float)
    levels = colormap.rgb_levels(values, 1.0)
    assert levels[:2].tolist() == [[128, 128, 128], [255, 1, 128]]
    assert levels[2].tolist() == colormap.table("grey")[colormap.NOT_FINITE].tolist()
