"""The measures of pictures against pictures whose answer is known."""

import numpy as np
import pytest

from tests.bench.patterns import metrics

SIDE = 64


def wave(cycles, side=SIDE, amplitude=100):
    """Grey stripes of so many cycles a pixel, `[1, side, side, 3]`."""
    line = 128 + amplitude * np.sin(2 * np.pi * cycles * np.arange(side))
    return np.broadcast_to(np.rint(line)[None, None, :, None], (1, side, side, 3)).astype(np.uint8)


@pytest.mark.parametrize(("cycles", "share"), [(4 / SIDE, 0.0), (12 / SIDE, 0.0), (20 / SIDE, 1.0), (28 / SIDE, 1.0)])
def test_the_energy_of_a_wave_is_fine_or_is_not(cycles, share):
    assert metrics.fine_energy(wave(cycles))[0] == pytest.approx(share, abs=0.01)


def test_the_fine_energy_of_two_waves_is_their_share_of_power():
    both = wave(4 / SIDE, amplitude=80).astype(int) + wave(24 / SIDE, amplitude=40).astype(int) - 128
    assert metrics.fine_energy(both.astype(np.uint8))[0] == pytest.approx(40**2 / (40**2 + 80**2), abs=0.01)


def test_colour_without_brightness_and_flat_pictures_have_no_energy():
    assert np.isnan(metrics.fine_energy(np.full((1, SIDE, SIDE, 3), 77, np.uint8)))[0]
    colours = wave(28 / SIDE).astype(int) * [1, -1, 0] + [0, 256, 128]
    assert np.isnan(metrics.fine_energy(colours.astype(np.uint8)))[0]


def test_the_variation_of_a_ramp_is_half_its_slope():
    ramp = np.broadcast_to(np.arange(SIDE)[:, None, None], (1, SIDE, SIDE, 3)).astype(np.uint8)
    assert metrics.total_variation(ramp)[0] == pytest.approx(1 / 255 / 2)


def test_the_border_of_even_noise_is_like_its_middle_and_a_frame_is_not():
    even = np.random.default_rng(0).integers(0, 256, (2, SIDE, SIDE, 3)).astype(np.uint8)
    assert metrics.border_ratio(even) == pytest.approx([1, 1], abs=0.05)
    middle = np.full((1, SIDE, SIDE, 3), 100, np.uint8)
    middle[:, 8:-8, 8:-8] = 120
    inner = (SIDE - 16) ** 2 / SIDE**2
    mean = 100 + 20 * inner
    assert metrics.border_ratio(middle)[0] == pytest.approx((100 - mean) ** 2 / (120 - mean) ** 2)


def test_a_shaken_picture_is_moved_by_what_was_said():
    picture = np.full((1, SIDE, SIDE, 3), 128, np.uint8)
    picture[0, 40, 20] = 255
    shaken = metrics.shaken(picture)
    assert np.argwhere(shaken["shift"][0, :, :, 0] == 255).tolist() == [[44, 24]]
    centre, angle = (SIDE - 1) / 2, np.deg2rad(5)
    for name, sign in (("left", 1), ("right", -1)):
        at = np.unravel_index(shaken[name][0, :, :, 0].argmax(), (SIDE, SIDE))
        down, right = 40 - centre, 20 - centre
        turned = (
            centre + np.cos(angle) * down - sign * np.sin(angle) * right,
            centre + np.cos(angle) * right + sign * np.sin(angle) * down,
        )
        np.testing.assert_allclose(at, turned, atol=1.01)
    assert 0 < np.abs(shaken["jpeg"].astype(int) - picture).max() < 128


def test_a_z_score_counts_deviations_and_a_filter_without_any_never_wins():
    natural = np.array([[0, 10, 5], [2, 30, 5]], np.float32)
    z = metrics.z_scores(np.array([[3, 40, 9]], np.float32), natural)
    np.testing.assert_allclose(z, [[2, 2, 0]])
    assert metrics.is_first(np.array([[1.0, 3.0], [2.0, 0.0]]), np.array([1, 1])).tolist() == [True, False]


def test_two_seeds_agree_where_their_pictures_make_the_layer_answer_alike():
    one = np.eye(3)
    assert metrics.agreement(one, 5 * one) == (1.0, 1.0)
    assert metrics.agreement(one, one[[1, 0, 2]]) == (pytest.approx(1 / 3), pytest.approx(1 / 3))


def test_pictures_at_another_contrast_keep_their_mean():
    picture = wave(4 / SIDE)
    same = metrics.same_contrast(picture, 25.5)
    assert same.std() == pytest.approx(25.5, abs=0.3)
    assert same.mean() == pytest.approx(picture.mean(), abs=0.5)
