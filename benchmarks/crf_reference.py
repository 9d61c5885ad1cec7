"""Reference results of pydensecrf2 1.1 on two small problems, for tests/crf.

    python benchmarks/crf_reference.py tests/crf/pydensecrf2.npz

Needs pydensecrf2, and so a compiler: use an environment of its own.
"""

import sys

import numpy as np
import pydensecrf.densecrf as published
from pydensecrf.utils import unary_from_softmax

HEIGHT, WIDTH, CLASSES = 20, 24, 3
COLORS = np.array([[60, 90, 200], [200, 160, 40], [120, 220, 120]])
COMPATIBILITY = np.float32([[0, 1, 2], [1, 0, 0.5], [2, 0.5, 0]])


def problem():
    """Image uint8 [H, W, 3] of three rectangles, and noisy probabilities [H, W, K]."""
    rng = np.random.default_rng(0)
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    label = (x > 11) * (1 + (y > 12))
    image = COLORS[label] + rng.normal(0, 12, [HEIGHT, WIDTH, 3])
    logits = 2 * np.eye(CLASSES)[label] + rng.normal(0, 1.5, [HEIGHT, WIDTH, CLASSES])
    shares = np.exp(logits)
    shares /= shares.sum(-1, keepdims=True)
    return np.clip(image, 0, 255).astype("uint8"), shares.astype("float32")


def solve(image, probabilities, gaussian, bilateral, iterations):
    """Marginals of pydensecrf2 for keyword arguments of its two kernels."""
    model = published.DenseCRF2D(WIDTH, HEIGHT, CLASSES)
    shares = np.ascontiguousarray(np.moveaxis(probabilities, -1, 0))
    model.setUnaryEnergy(unary_from_softmax(shares, clip=1e-5))
    model.addPairwiseGaussian(**gaussian)
    model.addPairwiseBilateral(rgbim=image, **bilateral)
    found = np.array(model.inference(iterations))
    return np.moveaxis(found.reshape(CLASSES, HEIGHT, WIDTH), 0, -1)


image, probabilities = problem()
potts = {"sxy": 3, "compat": 3}, {"sxy": 80, "srgb": 13, "compat": 10}
full = (
    {"sxy": 2, "compat": 1.5 * COMPATIBILITY},
    {"sxy": 15, "srgb": 20, "compat": 4 * COMPATIBILITY},
)
np.savez_compressed(
    sys.argv[1],
    image=image,
    probabilities=probabilities,
    compatibility=COMPATIBILITY,
    potts=solve(image, probabilities, *potts, 5),
    full=solve(image, probabilities, *full, 3),
)
