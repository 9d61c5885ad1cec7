"""The dense Gaussian kernel itself: slow, and right. The reference of the lattice."""

import functools

import numpy as np

from kerasseg.crf.lattice import check_features, check_rows

MOST = 2**15  # points; their kernel takes 4 GB
PORTION = 2**8


def exact_kernel(features):
    """Normalised Gaussian kernel of feature vectors without approximation.

    What `gaussian_kernel` approximates, with the same arguments and results: for small
    crops and for tests.

    Args:
        features: [..., d] numbers, each divided by its standard deviation.

    Returns:
        Function from values [N, K] to the filtered values float32 [N, K], with N the
        number of feature vectors. O(N^2 (d + K)) time, O(N^2) memory.

    Raises:
        ValueError: as `gaussian_kernel`, or if there are more than 2^15 vectors.

    Example:
        >>> smooth = exact_kernel([[0.0], [0.5], [9.0]])
        >>> smooth(np.eye(3)).round(2)
        array([[0.53, 0.47, 0.  ],
               [0.47, 0.53, 0.  ],
               [0.  , 0.  , 1.  ]], dtype=float32)
    """
    features = check_features(features).astype("float64")
    if len(features) > MOST:
        raise ValueError(
            f"`features` must hold at most {MOST} vectors for the exact kernel; use "
            f"gaussian_kernel for more. Received: {len(features)}."
        )
    matrix = np.empty([len(features)] * 2, "float32")
    for start in range(0, len(features), PORTION):
        part = features[start : start + PORTION]
        distance = sum(np.subtract.outer(a, b) ** 2 for a, b in zip(part.T, features.T))
        matrix[start : start + PORTION] = np.exp(-distance / 2)
    scale = 1 / np.sqrt(matrix.sum(1))
    matrix *= scale
    matrix *= scale[:, None]
    return functools.partial(_apply, matrix)


def _apply(matrix, values):
    return matrix @ check_rows(values, len(matrix))
