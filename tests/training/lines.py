"""A model of one number, and a step of an objective for it."""

import keras
import numpy as np

from kerasseg import training


def line():
    """y = 2 x."""
    conv = keras.layers.Conv2D(1, 1, use_bias=False)
    model = keras.Sequential([keras.Input((2, 2, 1)), conv])
    model.set_weights([np.full((1, 1, 1, 1), 2.0)])
    return model


def make(function, seed=0, **options):
    objective = training.Objective(function, seed)
    return training.make_train_step(
        line(),
        objective,
        keras.optimizers.SGD(0.1),
        options=training.StepOptions(**options),
    )
