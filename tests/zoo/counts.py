"""Numbers of parameters."""

import numpy as np


def trainable(model):
    return sum(int(np.prod(weight.shape)) for weight in model.trainable_variables)


def norm_conv(size, inputs, outputs):
    return size**2 * inputs * outputs + 2 * outputs
