"""Mean-field inference in a fully connected CRF with any kernels."""

import numpy as np

from kerasseg.crf.lattice import describe_values

# Lower limit of probabilities, as of pydensecrf's `unary_from_softmax`: the unary term
# is at most 11.5 nats, so that a network's zero does not outweigh all neighbours.
FLOOR = 1e-5


def mean_field(probabilities, kernels, *, iterations=5, compatibility=None):
    """Approximate the marginals of a dense CRF by parallel mean-field updates.

    Args:
        probabilities: [..., K] floats that sum to 1 over K, of N = H * W points. K = 1
            is the probability of the second of two classes, as a sigmoid gives it.
        kernels: list of (weight, function), the functions from values [N, K] to
            filtered values [N, K]; see `gaussian_kernel`.
        iterations: number of updates of all points; 0 returns the probabilities.
        compatibility: label compatibility, symmetric [K, K]: cost of two classes side
            by side; None for the Potts model, 1 between different classes.

    Returns:
        float32 [..., K], sums to 1. O(iterations * N * K) and the kernels' time.

    Raises:
        ValueError: if an argument is not as above.

    Example:
        >>> from kerasseg.crf import gaussian_kernel
        >>> kernel = gaussian_kernel([[0.0], [0.1], [0.2]])
        >>> mean_field([[0.9, 0.1], [0.4, 0.6], [0.9, 0.1]], [(2, kernel)]).argmax(-1)
        array([0, 0, 0])

    Reference: Kraehenbuhl & Koltun, 2011, https://arxiv.org/abs/1210.5644
    """
    unary, shape = _log_probabilities(probabilities)
    compatibility = _check_compatibility(compatibility, unary.shape[1])
    _check_iterations(iterations)
    marginals = _softmax(unary.copy())
    for _ in range(iterations):
        logits = _messages(marginals, kernels, compatibility)
        logits += unary
        marginals = _softmax(logits)
    return marginals[:, -shape[-1] :].reshape(shape)


def free_energy(marginals, probabilities, kernels, *, compatibility=None):
    """Variational free energy that mean field minimises: expected energy less entropy.

    The Potts model counts -1 for equal classes instead of 1 for different ones, which
    differs by a constant.

    Args:
        marginals: [..., K], a result of `mean_field`.
        probabilities, kernels, compatibility: as given to `mean_field`.

    Returns:
        float, in nats. For positive semidefinite kernels and the Potts model no update
        raises it: each minimises the free energy with its concave pairwise part made
        linear.

    Raises:
        ValueError: as `mean_field`, or if the shapes differ.

    Example:
        >>> half = np.full([3, 2], 0.5)
        >>> round(free_energy(half, half, []), 6) + 0.0
        0.0
    """
    unary, shape = _log_probabilities(probabilities)
    # A lower floor than that of the unary term: p log p must go to 0.
    log_marginals, received = _log_probabilities(marginals, floor=1e-30)
    if received != shape:
        raise ValueError(
            f"`marginals` must have the shape of `probabilities`, {shape}. "
            f"Received: shape={received}."
        )
    compatibility = _check_compatibility(compatibility, unary.shape[1])
    marginals = np.exp(log_marginals)
    pairwise = -_messages(marginals, kernels, compatibility) / 2
    terms = marginals * (log_marginals - unary + pairwise)
    return float(terms.sum(dtype="float64"))


def _messages(marginals, kernels, compatibility):
    """Messages of the neighbours to each logit [N, K], up to a constant per point."""
    total = np.zeros_like(marginals)
    for weight, kernel in kernels:
        message = kernel(marginals)
        message *= np.float32(weight)
        total += message
    # The Potts matrix is 1 - identity; the ones would add the same to all classes of a
    # point.
    return total if compatibility is None else -total @ compatibility


def _softmax(logits):
    """Softmax over the last axis of [N, K], in place."""
    logits -= logits.max(1, keepdims=True)
    np.exp(logits, out=logits)
    # A product with ones sums short rows much faster than .sum(1).
    logits /= (logits @ np.ones(logits.shape[1], "float32"))[:, None]
    return logits


def _log_probabilities(probabilities, floor=FLOOR):
    """log p, float32 [N, K] with K >= 2, and the shape of `probabilities`."""
    probabilities = np.asarray(probabilities)
    shape = probabilities.shape
    numeric = probabilities.dtype.kind in "uifb" and len(shape) > 1 and 0 not in shape
    if not numeric:
        raise ValueError(
            "`probabilities` must be numbers [..., K], at least one class and pixel. "
            f"Received: shape={shape}, dtype={probabilities.dtype}."
        )
    if not (probabilities.min() >= 0 and probabilities.max() <= 1.01):  # NaN fails
        raise ValueError(
            "`probabilities` must be within 0..1; logits need a softmax first. "
            f"Received: {describe_values(probabilities)}."
        )
    rows = probabilities.reshape(-1, shape[-1]).astype("float32", copy=False)
    if shape[-1] == 1:
        rows = np.concatenate([1 - rows, rows], 1)
    sums = rows @ np.ones(rows.shape[1], "float32")
    if np.abs(sums - 1).max() > 0.01:
        raise ValueError(
            "`probabilities` must sum to 1 over the last axis. "
            f"Received: sums {sums.min():.4g}..{sums.max():.4g}."
        )
    rows = np.maximum(rows, np.float32(floor))
    return np.log(rows, out=rows), shape


def _check_compatibility(compatibility, num_classes):
    if compatibility is None:
        return None
    matrix = np.asarray(compatibility)
    numeric = matrix.dtype.kind in "uifb" and matrix.shape == (num_classes, num_classes)
    if not (
        numeric and np.all(np.abs(matrix) <= 1e6) and np.allclose(matrix, matrix.T)
    ):
        raise ValueError(
            f"`compatibility` must be symmetric and finite, [{num_classes}, "
            f"{num_classes}]. Received: shape={matrix.shape}, "
            f"{describe_values(matrix)}."
        )
    return matrix.astype("float32")


def _check_iterations(iterations):
    whole = isinstance(iterations, (int, np.integer)) and iterations is not True
    if not whole or iterations < 0:
        raise ValueError(
            f"`iterations` must be an integer >= 0. Received: {iterations!r}."
        )
