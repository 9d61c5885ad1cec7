"""Mean field against loops, by hand, and its free energy."""

import numpy as np
import pytest

from kerasseg.crf import exact_kernel, free_energy, gaussian_kernel, mean_field


def random_probabilities(rng, *shape, sharpness=1.0):
    shares = np.exp(sharpness * rng.normal(size=shape))
    return shares / shares.sum(-1, keepdims=True)


def updates_in_loops(probabilities, kernel, weight, compatibility, iterations):
    """The update as the paper writes it, one scalar at a time."""
    num, classes = probabilities.shape
    matrix = kernel(np.eye(num))
    found = probabilities
    for _ in range(iterations):
        after = np.empty_like(found)
        for i in range(num):
            for label in range(classes):
                energy = -np.log(probabilities[i, label])
                for other in range(classes):
                    message = sum(matrix[i, j] * found[j, other] for j in range(num))
                    energy += weight * compatibility[label, other] * message
                after[i, label] = np.exp(-energy)
        found = after / after.sum(1, keepdims=True)
    return found


@pytest.mark.parametrize(
    "compatibility", [None, [[0, 1, 3], [1, 0, 0.5], [3, 0.5, -1]]]
)
def test_updates_equal_the_papers_written_as_loops(rng, compatibility):
    probabilities = random_probabilities(rng, 7, 3)
    kernel = exact_kernel(rng.normal(size=[7, 2]))
    costs = 1 - np.eye(3) if compatibility is None else np.array(compatibility)
    expected = updates_in_loops(probabilities, kernel, 2.5, costs, 4)
    found = mean_field(
        probabilities, [(2.5, kernel)], iterations=4, compatibility=compatibility
    )
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_potts_is_one_minus_identity(rng):
    probabilities = random_probabilities(rng, 6, 5, 4)
    kernels = [(3, gaussian_kernel(np.indices([6, 5]).transpose(1, 2, 0)))]
    found = mean_field(probabilities, kernels)
    same = mean_field(probabilities, kernels, compatibility=1 - np.eye(4))
    np.testing.assert_allclose(found, same, atol=1e-5)


def test_a_single_foreground_column_is_two_classes(rng):
    pair = random_probabilities(rng, 6, 5, 2)
    kernels = [(3, gaussian_kernel(np.indices([6, 5]).transpose(1, 2, 0)))]
    found = mean_field(pair[..., 1:], kernels)
    assert found.shape == (6, 5, 1)
    np.testing.assert_allclose(found, mean_field(pair, kernels)[..., 1:], atol=1e-5)


@pytest.mark.parametrize("options", [{"iterations": 0}, {}])
def test_without_updates_or_kernels_probabilities_stay(rng, options):
    probabilities = random_probabilities(rng, 4, 3)
    kernels = [(5, exact_kernel(np.eye(4)))] if options else []
    found = mean_field(probabilities, kernels, **options)
    np.testing.assert_allclose(found, probabilities, atol=1e-6)


def test_free_energy_of_two_points_by_hand():
    # Both points: p = (1/2, 1/2), q = (3/4, 1/4); the kernel is 1/2 everywhere.
    kernel = exact_kernel(np.zeros([2, 1]))
    marginals = np.array([[0.75, 0.25]] * 2)
    divergence = 0.75 * np.log(1.5) + 0.25 * np.log(0.5)  # one point's q log(q / p)
    pairwise = -0.5 * 4 * 0.5 * (0.75**2 + 0.25**2)  # 4 ordered pairs
    found = free_energy(marginals, np.full([2, 2], 0.5), [(1, kernel)])
    assert found == pytest.approx(2 * divergence + pairwise, abs=1e-6)


@pytest.mark.parametrize("kernel", [gaussian_kernel, exact_kernel])
@pytest.mark.parametrize("seed", range(4))
def test_free_energy_never_increases(kernel, seed):
    rng = np.random.default_rng(seed)
    probabilities = random_probabilities(rng, 12, 15, 4, sharpness=0.5)
    positions = np.indices([12, 15]).transpose(1, 2, 0)
    colors = rng.random([12, 15, 3])
    features = np.concatenate([positions / 6, colors / 0.4], -1)
    kernels = [(5, kernel(positions / 2)), (10, kernel(features))]
    energies = [
        free_energy(
            mean_field(probabilities, kernels, iterations=count), probabilities, kernels
        )
        for count in range(9)
    ]
    assert energies[1] < energies[0] - 1
    # Summing 720 float32 terms leaves an error of about 1e-4.
    assert np.diff(energies).max() < 1e-3


@pytest.mark.parametrize(
    "probabilities, message",
    [
        ([[0.5, np.nan]], "within 0..1"),
        ([[np.inf, -np.inf]], "within 0..1"),
        ([[1e300, 0]], "within 0..1"),
        ([[1.5, -0.5]], "within 0..1"),
        ([[0.5, 0.4]], "sum to 1"),
        ([[2.0]], "within 0..1"),
        (np.zeros([4, 0]), "at least one class"),
        (np.zeros([0, 4]), "at least one class"),
        ([0.5, 0.5], r"numbers \[..., K\]"),
        ([["a", "b"]], r"numbers \[..., K\]"),
    ],
)
def test_bad_probabilities_are_named(probabilities, message):
    with pytest.raises(ValueError, match="`probabilities` must.*" + message):
        mean_field(probabilities, [])


@pytest.mark.parametrize(
    "matrix", [[[0, 1], [2, 0]], [[0, np.nan], [np.nan, 0]], [0, 1], [[0]], [["a"]]]
)
def test_bad_compatibility_is_named(matrix):
    with pytest.raises(ValueError, match="`compatibility` must be symmetric"):
        mean_field([[0.5, 0.5]], [], compatibility=matrix)


@pytest.mark.parametrize("iterations", [-1, 1.5, None, True])
def test_bad_iterations_are_named(iterations):
    with pytest.raises(ValueError, match="`iterations` must be an integer"):
        mean_field([[0.5, 0.5]], [], iterations=iterations)


def test_marginals_of_another_shape_are_refused():
    with pytest.raises(ValueError, match="`marginals` must have the shape"):
        free_energy([[0.5, 0.5]], [[0.2, 0.3, 0.5]], [])
