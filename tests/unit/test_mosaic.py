import numpy as np
import pytest

from tb_filterviz import colormap, mosaic


def test_every_number_is_where_it_belongs():
    values = np.random.default_rng(1).normal(size=(7, 2, 3, 4)).astype(np.float32)
    tiles = mosaic.kernel_tiles(values, 2.0, "grey")
    picture = mosaic.grid(tiles, columns=3, scale=5, gap=2)
    assert picture.shape == (3 * 17 - 2, 3 * 42 - 2, 3)
    for index, item, row, column in np.ndindex(values.shape):
        x = index % 3 * 42 + (item * 4 + column) * 5
        y = index // 3 * 17 + row * 5
        block = picture[y : y + 5, x : x + 5]
        assert (block == colormap.table("grey")[colormap.indices(values[index, item, row, column], 2.0)]).all()
    assert (picture[:, 40:42] == 255).all(), "a gap"
    assert (picture[34:, 42:] == 255).all(), "beyond the last tile"


@pytest.mark.parametrize(
    ("shape", "expected"), [((4, 1), (4, 1, 1, 3)), ((4, 1, 5), (4, 1, 5, 3)), ((4, 1, 2, 3, 5), (4, 3, 10, 3))]
)
def test_any_number_of_spatial_axes(shape, expected):
    assert mosaic.kernel_tiles(np.zeros(shape), 1.0).shape == expected


def test_planes_stand_side_by_side():
    values = np.arange(8.0).reshape(1, 1, 2, 2, 2) - 4
    tile = mosaic.kernel_tiles(values, 4.0, "grey")[0, ..., 0].astype(int)
    assert (np.argsort(tile.ravel()) == np.argsort([-4, -3, 0, 1, -2, -1, 2, 3])).all()


def test_each_tile_may_have_its_own_limit():
    tiles = mosaic.kernel_tiles(np.full((2, 1, 1, 1), 0.5), np.array([0.5, 1.0]), "grey")
    assert tiles[:, 0, 0, 0].tolist() == [255, 192]


def test_rgb():
    values = np.zeros((1, 3, 1, 2))
    values[0, :, 0, 1] = [1, 0, -1]
    assert mosaic.kernel_tiles(values, 1.0, rgb=True)[0, 0].tolist() == [[128, 128, 128], [255, 128, 1]]
    with pytest.raises(ValueError, match=r"needs pictures of three inputs. Received: 2 inputs"):
        mosaic.kernel_tiles(np.zeros((1, 2, 3, 3)), 1.0, rgb=True)


def test_the_whole_is_about_square_by_default():
    height, width, _ = mosaic.grid(np.zeros((512, 3, 3, 3), np.uint8), scale=4).shape
    assert 0.8 < height / width < 1.25
    assert mosaic.grid(np.zeros((0, 3, 3, 3), np.uint8)).shape[2] == 3


def test_wrong_sizes_are_named():
    with pytest.raises(ValueError, match=r"must be from 1.*Received: columns=0, scale=1, gap=1"):
        mosaic.grid(np.zeros((1, 3, 3, 3), np.uint8), columns=0)
