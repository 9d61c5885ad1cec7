"""The permutohedral lattice against its definition, and both kernels' contract."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kerasseg.crf import exact_kernel, gaussian_kernel, lattice


@settings(max_examples=25, deadline=None)
@given(dim=st.integers(1, 9), scale=st.floats(1e-3, 1e4), seed=st.integers(0, 99))
def test_points_lie_within_their_simplex(dim, scale, seed):
    features = np.random.default_rng(seed).normal(size=[40, dim]) * scale
    features = features.astype("float32")
    vertices = np.empty([dim + 1, 40, dim + 1], "int64")
    weights = np.empty([40, dim + 1], "float32")
    for axis, keys in enumerate(np.eye(dim + 1, dtype="int64")):
        # With unit vectors as keys, codes are the entries of the vertices.
        lattice._enclosing_simplex(features, keys, vertices[axis], weights)
    assert not vertices.sum(0).any()
    # Vertex k: all entries leave the remainder k when divided by d + 1.
    np.testing.assert_array_equal(
        vertices % (dim + 1), np.broadcast_to(np.arange(dim + 1), vertices.shape)
    )
    assert weights.min() > -1e-5
    np.testing.assert_allclose(weights.sum(1), 1, atol=1e-5)
    expected = lattice._embedding(dim) @ features.T.astype("float64")
    found = (vertices * weights).sum(2)
    np.testing.assert_allclose(found, expected, atol=1e-3, rtol=1e-5)


def test_splat_blur_and_slice_have_variance_one():
    grid = np.linspace(-8, 8, 161)
    points = np.stack(np.meshgrid(grid, grid, indexing="ij"), -1).reshape(-1, 2)
    impulse = (np.abs(points).max(1) < 0.5).astype("float32")  # its variance: 1/12
    built = lattice.build(points.astype("float32"))
    response = lattice.apply(built, impulse[:, None])[:, 0]
    response /= response.sum()
    impulse /= impulse.sum()
    for axis in range(2):
        variance = response @ points[:, axis] ** 2 - impulse @ points[:, axis] ** 2
        assert variance == pytest.approx(1, rel=0.03)


def test_a_well_sampled_kernel_is_close_to_the_exact_one(rng):
    positions = np.indices([30, 30]).reshape(2, -1).T / 4
    values = rng.random([900, 3])
    expected = exact_kernel(positions)(values)
    found = gaussian_kernel(positions)(values)
    assert np.abs(found - expected).max() < 0.05 * expected.mean()


@pytest.mark.parametrize("kernel", [gaussian_kernel, exact_kernel])
def test_points_far_apart_do_not_mix(kernel):
    near = np.random.default_rng(0).normal(size=[20, 3]) * 0.1
    features = np.concatenate([near, near + 50])
    values = np.repeat([[1.0, 0.0], [0.0, 1.0]], 20, axis=0)
    found = kernel(features)(values)
    assert not found[:20, 1].any() and not found[20:, 0].any()


def test_chunks_do_not_change_the_result(rng, monkeypatch):
    features, values = rng.normal(size=[500, 4]), rng.random([500, 2])
    expected = gaussian_kernel(features)(values)
    monkeypatch.setattr(lattice, "CHUNK", 64)
    np.testing.assert_array_equal(gaussian_kernel(features)(values), expected)


def test_a_kernel_is_used_again_without_memory_of_the_last_time(rng):
    kernel = gaussian_kernel(rng.normal(size=[100, 2]))
    values = rng.random([100, 3])
    first = kernel(values)
    kernel(rng.random([100, 5]))
    np.testing.assert_array_equal(kernel(values), first)


def test_one_point_keeps_its_values():
    for kernel in (gaussian_kernel, exact_kernel):
        found = kernel(np.zeros([1, 1, 5]))([[0.25, 0.75]])
        np.testing.assert_allclose(found, [[0.25, 0.75]], rtol=1e-6)


def test_equal_points_get_the_mean():
    found = gaussian_kernel(np.full([4, 2], 7))([[1], [2], [3], [6]])
    np.testing.assert_allclose(found, np.full([4, 1], 3), rtol=1e-6)


@pytest.mark.parametrize("kernel", [gaussian_kernel, exact_kernel])
@pytest.mark.parametrize(
    "features",
    [
        [[np.nan]],
        [[np.inf, 0]],
        [[1e9]],
        np.zeros([0, 2]),
        np.zeros([3, 0]),
        3,
        [["a"]],
    ],
)
def test_bad_features_are_named(kernel, features):
    with pytest.raises(ValueError, match="`features` must be"):
        kernel(features)


@pytest.mark.parametrize("kernel", [gaussian_kernel, exact_kernel])
def test_values_of_other_points_are_refused(kernel):
    with pytest.raises(ValueError, match="N=3 points"):
        kernel(np.zeros([3, 1]))(np.zeros([4, 2]))
