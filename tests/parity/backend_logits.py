"""Logits of every builder under one backend of Keras, on seeded weights.

KERAS_BACKEND=jax python -m tests.parity.backend_logits FILE writes them to an .npz.
"""

import sys

import keras
import numpy as np

from tests.contracts.cases import CASES, build
from tests.parity import seeded


def logits(name, encoder):
    """float32 [2, 65, 97, 3] of a builder with random weights."""
    model = build(name, encoder)
    model.set_weights(list(_random(model)))
    answer = model(seeded.images(65, 97), training=False)
    return keras.ops.convert_to_numpy(answer)


def _random(model):
    """Arrays for the weights of a model, of a scale that neither dies nor explodes."""
    rng = np.random.default_rng(0)
    for weight in model.weights:
        shape = tuple(weight.shape)
        if weight.name in ("gamma", "moving_variance"):
            yield rng.uniform(0.5, 1.5, shape)
        else:
            scale = 0.2 if len(shape) == 1 else np.sqrt(1.5 / np.prod(shape[:-1]))
            yield rng.normal(0, scale, shape)


if __name__ == "__main__":
    np.savez(sys.argv[1], **{"-".join(case): logits(*case) for case in CASES})
