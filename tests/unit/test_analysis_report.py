"""The analysis against SciPy, plain loops, and layers whose answers are known."""

import numpy as np
import pytest
import scipy.cluster.hierarchy
import scipy.fft
import scipy.linalg
import scipy.optimize
import scipy.spatial.distance

from tb_filterviz import analysis


def random_kernel(shape=(3, 3, 8, 24), seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


def flat(values):
    return np.moveaxis(values, -1, 0).reshape(values.shape[-1], -1).astype(np.float64)


def gabor(degrees, size=11, period=4.0):
    """A wave that changes along `degrees`, from the axis of columns towards that of rows, under a bell."""
    y, x = np.indices((size, size)) - size // 2
    along = np.cos(np.radians(degrees)) * x + np.sin(np.radians(degrees)) * y
    return np.exp(-(x**2 + y**2) / (2 * (size / 5) ** 2)) * np.cos(2 * np.pi * along / period)


def as_kernel(pictures):
    """Pictures of one input each, as one kernel."""
    return np.moveaxis(np.asarray(pictures), 0, -1)[:, :, np.newaxis]


@pytest.mark.parametrize("shape", [(3, 3, 8, 24), (5, 7, 9), (6, 4), (2, 3, 3, 2, 5)])
@pytest.mark.parametrize("scale", [1.0, 1e-30, 1e30])
def test_cosines(shape, scale):
    kernel = random_kernel(shape)
    expected = 1 - scipy.spatial.distance.cdist(flat(kernel), flat(kernel), "cosine")
    np.testing.assert_allclose(analysis.cosines(kernel * np.float32(scale)), expected, atol=2e-6)


def test_a_filter_of_zeros_resembles_none_and_a_small_one_does():
    kernel = random_kernel((3, 3, 4, 4))
    kernel[..., 1] = 0
    kernel[..., 2] = kernel[..., 3] * np.float32(1e-30)
    cosine = analysis.cosines(kernel)
    assert (cosine[1] == 0).all()
    assert cosine[2, 3] == pytest.approx(1, abs=1e-6)


def test_what_is_not_finite_counts_as_zero():
    kernel = random_kernel()
    broken = kernel.copy()
    broken[0, 0, 0, :3] = [np.nan, np.inf, -np.inf]
    kernel[0, 0, 0, :3] = 0
    np.testing.assert_array_equal(analysis.cosines(broken), analysis.cosines(kernel))
    np.testing.assert_allclose(analysis.report(broken).filters, analysis.report(kernel).filters)


def test_filters_of_different_shapes_are_not_compared():
    with pytest.raises(ValueError, match=r"equal shapes. Received: \(3, 3, 8\) and \(3, 3, 4\)"):
        analysis.cosines(random_kernel(), random_kernel((3, 3, 4, 24)))
    with pytest.raises(ValueError, match=r"one shape. Received: \(3, 3, 8, 24\) and \(3, 3, 8, 2\)"):
        analysis.change(random_kernel(), random_kernel((3, 3, 8, 2)))


def test_orthogonality():
    kernel = random_kernel()
    cosine = 1 - scipy.spatial.distance.cdist(flat(kernel), flat(kernel), "cosine")
    pairs = [abs(cosine[i, j]) for i in range(24) for j in range(24) if i != j]
    assert analysis.orthogonality(analysis.cosines(kernel)) == pytest.approx(1 - np.mean(pairs), abs=1e-6)
    alike = np.repeat(kernel[..., :1], 5, axis=-1)
    assert analysis.orthogonality(analysis.cosines(alike)) == pytest.approx(0, abs=1e-6)
    assert analysis.orthogonality(analysis.cosines(np.eye(9).reshape(3, 3, 1, 9))) == 1
    assert analysis.orthogonality(analysis.cosines(kernel[..., :1])) == 1


def test_planted_duplicates_are_found_and_flipped_ones_told_apart():
    kernel = random_kernel((3, 3, 16, 40))
    noise = random_kernel((3, 3, 16, 40), seed=1) * 0.05
    kernel[..., 7] = 2 * kernel[..., 3] + noise[..., 7]
    kernel[..., 20] = -kernel[..., 3] + noise[..., 20]
    kernel[..., 39] = 0.1 * kernel[..., 30]
    found = analysis.clusters(analysis.cosines(kernel))
    expected = np.full(40, -1)
    expected[[3, 7]] = 3
    expected[[30, 39]] = 30
    np.testing.assert_array_equal(found.labels, expected)
    cosine = scipy.spatial.distance.cdist(
        *[kernel.reshape(-1, 40).T] * 2, lambda a, b: a @ b / np.sqrt(a @ a * (b @ b))
    )
    expected = np.full(40, -1)
    expected[[3, 7]] = 20
    expected[20] = 3 if cosine[20, 3] < cosine[20, 7] else 7
    np.testing.assert_array_equal(found.opposites, expected)


def test_clusters_are_the_connected_components():
    rng = np.random.default_rng(4)
    angles = np.sort(rng.uniform(0, np.pi, 60))  # chains: each resembles the next, the ends do not
    rng.shuffle(angles)
    cosine = analysis.cosines(np.stack([np.cos(angles), np.sin(angles)]))
    graph = scipy.sparse.csr_matrix((cosine > 0.999).astype(int))
    count, labels = scipy.sparse.csgraph.connected_components(graph, directed=False)
    smallest = np.array([np.flatnonzero(labels == label)[0] for label in labels])
    alone = np.bincount(labels, minlength=count)[labels] == 1
    found = analysis.clusters(cosine, 0.999).labels
    np.testing.assert_array_equal(found, np.where(alone, -1, smallest))
    assert 1 < len(set(found.tolist())) < 50


def test_dead_filters():
    kernel = random_kernel((3, 3, 8, 10))
    kernel[..., 4] = 0
    kernel[..., 6] *= 1e-4
    norms = analysis.filter_numbers(kernel)[:, 0]
    assert np.flatnonzero(analysis.dead(norms)).tolist() == [4, 6]
    assert analysis.dead(np.array([np.nan, 1.0])).tolist() == [False, False]
    assert analysis.dead(np.zeros(3)).all()


def test_nearest():
    cosine = analysis.cosines(random_kernel())
    near, found = analysis.nearest(cosine, 5)
    for one in range(24):
        others = [other for other in range(24) if other != one]
        expected = sorted(others, key=lambda other: -abs(cosine[one, other]))[:5]
        assert near[one].tolist() == expected
        np.testing.assert_array_equal(found[one], cosine[one, expected])
    assert analysis.nearest(cosine[:1, :1])[0].shape == (1, 0)
    assert analysis.nearest(cosine[:3, :3])[0].shape == (3, 2)


def test_the_order_is_that_of_average_linkage():
    """Each cluster of SciPy's tree stands together."""
    kernel = random_kernel((3, 3, 4, 50))
    cosine = analysis.cosines(kernel)
    place = np.argsort(analysis.order(cosine))
    distance = scipy.spatial.distance.squareform(np.where(np.eye(50) > 0, 0, 1 - cosine), checks=False)
    members = {one: [one] for one in range(50)}
    for row, (left, right, _, _) in enumerate(scipy.cluster.hierarchy.linkage(distance, "average")):
        members[50 + row] = members[int(left)] + members[int(right)]
        places = place[members[50 + row]]
        assert np.ptp(places) == len(places) - 1


def test_like_stands_beside_like():
    prototypes = random_kernel((3, 3, 16, 6))
    kernel = np.tile(prototypes, 7) + 0.1 * random_kernel((3, 3, 16, 42), seed=1)
    kinds = analysis.order(analysis.cosines(kernel)) % 6
    assert np.count_nonzero(np.diff(kinds)) == 5
    for degenerate in (np.zeros((3, 3, 2, 5)), np.ones((3, 3, 2, 5)), np.ones((3, 3, 2, 1))):
        assert sorted(analysis.order(analysis.cosines(degenerate))) == list(range(degenerate.shape[-1]))


def test_high_frequencies_as_of_a_transform_of_each_slice():
    kernel = random_kernel((3, 5, 6, 9))
    power = np.abs(scipy.fft.fft2(kernel.astype(np.float64), (16, 16), axes=(0, 1))) ** 2
    v, u = np.meshgrid(scipy.fft.fftfreq(16), scipy.fft.fftfreq(16), indexing="ij")
    expected = power[np.hypot(u, v) > 0.25].sum(axis=(0, 1)) / power.sum(axis=(0, 1, 2))
    np.testing.assert_allclose(analysis.spectrum(kernel).high, expected, rtol=1e-5)


@pytest.mark.parametrize("degrees", [0, 20, 45, 90, 130, 175])
def test_the_orientation_of_a_planted_gabor_filter(degrees):
    found = analysis.spectrum(as_kernel([gabor(degrees)]))
    distance = (found.angle[0] - degrees + 90) % 180 - 90
    assert abs(distance) < 3
    assert found.strength[0] > 0.8


def test_a_blob_has_no_direction_and_fine_waves_are_high_frequencies():
    blob, fine, coarse = (
        np.exp(-(((np.indices((11, 11)) - 5) / 2) ** 2).sum(axis=0)),
        gabor(0, period=2.5),
        gabor(0, period=9),
    )
    found = analysis.spectrum(as_kernel([blob, fine, coarse]))
    assert found.strength[0] < 1e-6
    assert found.high[1] > 0.9 > 0.1 > found.high[2]
    constant = analysis.spectrum(np.zeros((3, 3, 2, 1)))
    assert np.isnan([constant.high, constant.angle, constant.strength]).all()
    assert np.isnan(analysis.spectrum(np.ones((1, 1, 8, 4))).high).all()


def test_colour():
    grey = np.repeat(random_kernel((3, 3, 1, 1)), 3, axis=2)
    opponent = grey * np.array([1.0, -1.0, 0.0]).reshape(1, 1, 3, 1)
    share = analysis.colour_share(np.concatenate([grey, opponent, grey + opponent, 0 * grey], axis=-1))
    # |grey + opponent|^2 = (2^2 + 0 + 1) g^2, of which 3 g^2 are grey
    np.testing.assert_allclose(share, [0, 1, 0.4, np.nan], atol=1e-6)
    assert np.isnan(analysis.colour_share(random_kernel())).all()


def test_the_basis_is_the_pca_of_the_slices():
    kernel = random_kernel((3, 3, 8, 24)) * np.linspace(0.2, 3, 9).reshape(3, 3, 1, 1).astype(np.float32)
    slices = np.moveaxis(kernel.astype(np.float64), (2, 3), (0, 1)).reshape(-1, 9)
    _, sizes, directions = scipy.linalg.svd(slices - slices.mean(axis=0), full_matrices=False)
    found = analysis.basis(kernel)
    np.testing.assert_allclose(found.explained, sizes**2 / (sizes**2).sum(), rtol=1e-5)
    alignment = np.abs(np.einsum("ck,ck->c", found.pictures.reshape(9, 9), directions))
    np.testing.assert_allclose(alignment, 1, atol=1e-6)


@pytest.mark.parametrize("draw", ["normal", "uniform"])
def test_a_random_layer_is_at_the_bound(draw):
    rng = np.random.default_rng(0)
    kernel = rng.normal(size=(3, 3, 128, 128)) if draw == "normal" else rng.uniform(-1, 1, (3, 3, 128, 128))
    found = analysis.quality(kernel, analysis.basis(kernel))
    assert found.randomness == pytest.approx(1, abs=0.01)
    assert found.entropy == pytest.approx(np.log10(9), abs=1e-3)
    assert found.sparsity == 0


def test_few_slices_have_no_bound():
    """Sixteen random slices are 13% above what the published curve says, in the mean: nothing can be told by it."""
    kernel = random_kernel((3, 3, 1, 16))
    found = analysis.quality(kernel, analysis.basis(kernel))
    assert found.entropy > 0.7
    assert found.bound is None
    assert found.randomness is None


@pytest.mark.parametrize("slices", [64, 192, 512])
def test_random_layers_are_near_the_bound_wherever_there_is_one(slices):
    kernels = [random_kernel((3, 3, 1, slices), seed) for seed in range(50)]
    found = [analysis.quality(kernel, analysis.basis(kernel)).randomness for kernel in kernels]
    assert min(found) > 0.98
    assert max(found) < 1.05


@pytest.mark.parametrize("kernel", [np.full((3, 3, 2, 3), np.nan), np.zeros((3, 3, 2, 3)), np.ones((3, 3, 1, 1))])
def test_a_report_of_nothing_much(kernel):
    found = analysis.report(kernel, kernel, kernel)
    assert sorted(found.order.tolist()) == list(range(kernel.shape[-1]))
    assert np.isnan(found.filters[:, analysis.COLUMNS.index("duplicate_of")]).all()
    assert 0 <= found.orthogonality <= 1


def test_a_layer_of_rank_one_is_redundant():
    rng = np.random.default_rng(0)
    kernel = rng.normal(size=(3, 3, 1, 1)) * rng.normal(size=(1, 1, 16, 32))
    found = analysis.quality(kernel, analysis.basis(kernel))
    assert found.entropy == pytest.approx(0, abs=1e-6)
    assert found.randomness == pytest.approx(0, abs=1e-6)


def test_the_sparsity_of_slices():
    kernel = random_kernel((3, 3, 4, 10))
    kernel[:, :, 1, :] = 1e-4
    kernel[:, :, 2, 5] = 0
    assert analysis.quality(kernel, analysis.basis(kernel)).sparsity == pytest.approx(11 / 40)


@pytest.mark.parametrize("shape", [(1, 1, 8, 16), (8, 16)])
def test_pointwise_layers_have_no_slices_to_judge(shape):
    found = analysis.report(random_kernel(shape))
    assert found.basis is None
    assert found.quality.entropy is None
    assert found.quality.slices == 128


def test_other_sizes_have_no_published_bound():
    kernel = random_kernel((5, 5, 8, 16))
    found = analysis.quality(kernel, analysis.basis(kernel))
    assert found.entropy > 1.2
    assert found.bound is None


def test_a_layer_of_zeros():
    found = analysis.report(np.zeros((3, 3, 4, 5), np.float16))
    assert found.quality.entropy == 0
    assert found.quality.sparsity == 1
    assert (found.basis.explained == 0).all()
    assert np.isnan(found.filters).all()


def test_change():
    before, after = random_kernel(), random_kernel(seed=1)
    before[..., 3] = 0
    after[..., 5] = 0
    relative, cosine = analysis.change(before, after)
    first, second = flat(before), flat(after)
    with np.errstate(invalid="ignore", divide="ignore"):
        expected = np.linalg.norm(second - first, axis=1) / np.linalg.norm(first, axis=1)
        angle = (first * second).sum(axis=1) / np.linalg.norm(first, axis=1) / np.linalg.norm(second, axis=1)
    expected[3] = np.nan
    np.testing.assert_allclose(relative, expected, rtol=1e-6)
    np.testing.assert_allclose(cosine, angle, rtol=1e-6, atol=1e-7)
    assert relative[5] == 1


def test_a_permuted_copy_is_matched_exactly():
    kernel = random_kernel((3, 3, 8, 64))
    permutation = np.random.default_rng(2).permutation(64)
    partners, cosine = analysis.match(kernel, kernel[..., permutation] + 0.2 * random_kernel((3, 3, 8, 64), seed=3))
    np.testing.assert_array_equal(permutation[partners], np.arange(64))
    assert (cosine > 0.9).all()


def greedy(cosine):
    """All pairs by falling cosine, equal ones by their places; each is taken if both are left."""
    partners, used = [-1] * cosine.shape[0], set()
    for _, one, other in sorted((-value, *place) for place, value in np.ndenumerate(cosine)):
        if partners[one] < 0 and other not in used:
            partners[one] = other
            used.add(other)
    return partners


@pytest.mark.parametrize(("count", "others"), [(1, 1), (40, 40), (40, 25), (25, 40), (1, 30), (30, 1)])
@pytest.mark.parametrize("ties", [False, True])
def test_pairs_are_the_greedy_ones(count, others, ties):
    """With few different weights, too, where many cosines are equal."""
    rng = np.random.default_rng([count, others])
    draw = (lambda n: rng.integers(-1, 2, (2, n)).astype(np.float32)) if ties else (lambda n: rng.normal(size=(9, n)))
    for _ in range(20):
        left, right = draw(count), draw(others)
        partners, found = analysis.match(left, right)
        cosine = analysis.cosines(left, right)
        assert partners.tolist() == greedy(cosine)
        np.testing.assert_array_equal(found[partners >= 0], cosine[np.arange(count), partners][partners >= 0])


def test_greedy_pairs_are_near_the_best_assignment():
    left, right = random_kernel((3, 3, 2, 80)), random_kernel((3, 3, 2, 80), seed=1)
    cosine = analysis.cosines(left, right)
    best = cosine[scipy.optimize.linear_sum_assignment(cosine, maximize=True)].sum()
    partners, found = analysis.match(left, right)
    assert sorted(partners) == list(range(80))
    assert 0.85 * best < found.sum() <= best + 1e-4


def test_layers_of_different_width_are_matched_as_far_as_they_go():
    kernel = random_kernel((3, 3, 8, 10))
    partners, cosine = analysis.match(kernel, kernel[..., 4:])
    np.testing.assert_array_equal(partners[4:], np.arange(6))
    assert (partners[:4] == -1).all()
    assert np.isnan(cosine[:4]).all()


def test_the_report_joins_them():
    kernel, previous = random_kernel(), random_kernel(seed=1)
    found = analysis.report(kernel, previous)
    column = {name: found.filters[:, at] for at, name in enumerate(analysis.COLUMNS)}
    np.testing.assert_array_equal(column["change"], analysis.change(previous, kernel)[0])
    assert np.isnan(column["change_first"]).all()
    np.testing.assert_array_equal(column["high_frequency"], analysis.spectrum(kernel).high)
