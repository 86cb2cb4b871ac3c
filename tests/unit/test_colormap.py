import numpy as np
import pytest

from tb_filterviz import colormap

# At some indices, as a browser computed them from the same definitions.
KNOWN = {
    "bluered": {0: (0, 59, 123), 40: (30, 112, 210), 120: (221, 235, 254), 127: (245, 245, 245), 254: (115, 17, 21)},
    "blueorange": {0: (7, 82, 125), 120: (216, 235, 250), 127: (242, 242, 242), 214: (181, 103, 29), 254: (116, 60, 1)},
    "night": {0: (178, 222, 254), 40: (41, 157, 224), 127: (22, 22, 22), 214: (219, 114, 81), 254: (254, 202, 185)},
    "grey": {0: (0, 0, 0), 40: (40, 40, 40), 127: (128, 128, 128), 254: (255, 255, 255)},
}


@pytest.mark.parametrize("name", colormap.MAPS)
def test_colours_at_some_places(name):
    table = colormap.table(name)
    assert (table.shape, table.dtype) == ((256, 3), np.uint8)
    assert {index: tuple(table[index].tolist()) for index in KNOWN[name]} == KNOWN[name]


def lightness(colours):
    """CIE lightness L* of 8-bit colours, from the sRGB and CIELAB definitions (IEC 61966-2-1, ISO 11664-4)."""
    levels = colours / 255
    linear = np.where(levels <= 0.04045, levels / 12.92, ((levels + 0.055) / 1.055) ** 2.4)
    y = linear @ [0.2126, 0.7152, 0.0722]
    return np.where(y > 216 / 24389, 116 * np.cbrt(y) - 16, y * 24389 / 27)


@pytest.mark.parametrize("name", [name for name in colormap.MAPS if name != "grey"])
def test_equal_magnitudes_are_equally_light_and_the_sign_can_be_told(name):
    table = colormap.table(name)[: colormap.NOT_FINITE].astype(int)
    below, above = table[colormap.ZERO :: -1], table[colormap.ZERO :]
    assert np.ptp(table[colormap.ZERO]) <= 1, "zero is neutral"
    assert np.abs(lightness(below) - lightness(above)).max() < 9
    # Blue below, red above: blue against red differs also for people who confuse red and green.
    assert (below[9:, 2] > below[9:, 0]).all()
    assert (above[9:, 2] < above[9:, 0]).all()
    steps = np.diff(lightness(above))
    assert (steps * np.sign(steps.sum()) > -0.6).all(), "lightness runs one way from zero to the limit"
    assert lightness(table[colormap.ZERO]) < 20 if name == "night" else lightness(table[colormap.ZERO]) > 90


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
