"""Exact dense Gaussian kernel: the reference that the lattice approximates."""

import functools

import numpy as np

from kerasseg.crf.lattice import check_features, check_rows

MAX_POINTS = 2**15  # their kernel takes 4 GB
CHUNK = 2**8  # rows computed at once, in float64


def exact_kernel(features):
    """Normalised Gaussian kernel of feature vectors without approximation.

    `gaussian_kernel` approximates it, with the same arguments and results. For small
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
    if len(features) > MAX_POINTS:
        raise ValueError(
            f"`features` must hold at most {MAX_POINTS} vectors for the exact kernel; "
            f"use gaussian_kernel for more. Received: {len(features)}."
        )
    matrix = np.empty([len(features)] * 2, "float32")
    for start in range(0, len(features), CHUNK):
        part = features[start : start + CHUNK]
        distance = sum(np.subtract.outer(a, b) ** 2 for a, b in zip(part.T, features.T))
        matrix[start : start + CHUNK] = np.exp(-distance / 2)
    scale = 1 / np.sqrt(matrix.sum(1))
    matrix *= scale
    matrix *= scale[:, None]
    return functools.partial(_apply, matrix)


def _apply(matrix, values):
    return matrix @ check_rows(values, len(matrix))
