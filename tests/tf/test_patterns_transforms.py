"""The movements of pictures while they climb, against SciPy."""

import dataclasses

import numpy as np
import pytest
import scipy.ndimage
import tensorflow as tf

from tb_filterviz.patterns import transforms
from tb_filterviz.patterns.recipes import RECIPES

RECIPE = dataclasses.replace(RECIPES["default"], jitter=0.1, scale=0.2, rotate=30.0)


def picture(height=18, width=25):
    return np.random.default_rng(0).random((height, width, 2)).astype(np.float32)


def moved(pictures, draws):
    moves = transforms.matrices(np.array(draws, np.float32), *pictures.shape[1:3])
    return transforms.move(tf.constant(pictures), tf.constant(moves)).numpy()


def test_no_movement_is_none():
    np.testing.assert_allclose(moved(picture()[None], [[0, 0, 1, 0]])[0], picture(), atol=1e-6)


def test_whole_pixels_are_shifted_and_what_comes_in_is_mirrored():
    values = picture()
    shifted = moved(values[None], [[2 / 18, -3 / 25, 1, 0]])[0]
    np.testing.assert_allclose(shifted[2:, :-3], values[:-2, 3:], atol=1e-5)
    np.testing.assert_allclose(shifted[:2, :-3], values[1::-1, 3:], atol=1e-5)


@pytest.mark.parametrize("draw", [(0, 0, 1.2, 0), (0, 0, 0.8, 0), (0, 0, 1, 0.4), (0.1, -0.05, 1.1, -0.3)])
def test_every_movement_is_that_of_scipy(draw):
    values, (down, right, size, angle) = picture(), draw
    height, width = values.shape[:2]
    # Rotated by `angle` around the centre, made `size` times as large, then shifted: SciPy asks for the way back.
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]]) / size
    centre = np.array([(height - 1) / 2, (width - 1) / 2])
    back = centre - turn @ centre - np.array([down * height, right * width])
    expected = np.stack(
        [scipy.ndimage.affine_transform(values[..., c], turn, back, order=1, mode="grid-mirror") for c in range(2)], -1
    )
    # At the very border the two interpolate between mirrored pixels in their own ways.
    inner = scipy.ndimage.affine_transform(np.ones((height, width)), turn, back, order=1, mode="constant") > 0.999
    assert inner.mean() > 0.4
    np.testing.assert_allclose(moved(values[None], [draw])[0][inner], expected[inner], atol=1e-4)


def test_each_picture_moves_by_itself():
    values = np.stack([picture(), picture()])
    together = moved(values, [[0, 0, 1, 0], [0.1, 0, 1.1, 0.2]])
    np.testing.assert_allclose(together[0], values[0], atol=1e-6)
    np.testing.assert_allclose(together[1], moved(values[:1], [[0.1, 0, 1.1, 0.2]])[0], atol=1e-6)


def test_the_gradient_points_where_the_adjoint_does():
    draw, (height, width) = [0.05, -0.1, 1.1, 0.2], (18, 25)
    weights = scipy.ndimage.gaussian_filter(np.random.default_rng(1).normal(size=(height, width)), 1.0)
    pictures = tf.constant(picture()[None, ..., :1])
    with tf.GradientTape() as tape:
        tape.watch(pictures)
        moved_by = transforms.move(pictures, transforms.matrices(np.array([draw]), height, width))
        score = tf.reduce_sum(moved_by * tf.constant(weights[None, ..., None], tf.float32))
    slope = tape.gradient(score, pictures).numpy()[0, ..., 0]
    # The movement is linear: what it makes of each single pixel is its matrix.
    pixels = np.eye(height * width, dtype=np.float32).reshape(-1, height, width, 1)
    adjoint = (moved(pixels, [draw] * len(pixels))[..., 0] * weights).sum((1, 2)).reshape(height, width)
    inner = (slice(3, -3), slice(3, -3))
    assert np.corrcoef(slope[inner].ravel(), adjoint[inner].ravel())[0, 1] > 0.9


def test_draws_stay_within_their_bounds_and_fill_them():
    draws = transforms.draw(RECIPE, 2000, 7, [3, 9])
    assert draws.shape == (2000, 2, 4)
    assert draws.dtype == np.float32
    bounds = np.array([0.1, 0.1, 0.2, np.deg2rad(30)])
    deviation = np.abs(draws - np.array([0, 0, 1, 0]))
    assert (deviation <= bounds * 1.00001).all()
    assert (deviation.max((0, 1)) > 0.99 * bounds).all()


def test_the_draws_of_a_filter_do_not_depend_on_its_neighbours():
    together, alone = transforms.draw(RECIPE, 5, 7, [3, 9]), transforms.draw(RECIPE, 5, 7, [9])
    np.testing.assert_array_equal(together[:, 1], alone[:, 0])
    assert np.abs(together[:, 0] - together[:, 1]).max() > 0.01
    assert np.abs(transforms.draw(RECIPE, 5, 7, [9], attempt=1) - alone).max() > 0.01
    assert np.abs(transforms.draw(RECIPE, 5, 8, [9]) - alone).max() > 0.01
