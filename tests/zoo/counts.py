"""Numbers of parameters."""

import contextlib

import keras
import numpy as np
from keras.src.backend.common import global_state


@contextlib.contextmanager
def without_values():
    """Weights that are made inside are only counted.

    Keras keeps them in a list, and would draw them, gigabytes, with the next model.
    """
    with keras.StatelessScope(initialize_variables=False):
        yield
    global_state.set_global_attribute("uninitialized_variables", [])


def trainable(model):
    return sum(int(np.prod(weight.shape)) for weight in model.trainable_variables)


def norm_conv(size, inputs, outputs):
    return size**2 * inputs * outputs + 2 * outputs
