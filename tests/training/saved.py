"""Variables to be saved, and a bit to be flipped."""

import keras
import numpy as np
import tensorflow as tf


def example(value=1.0):
    """Variables of every kind that models and optimizers have."""
    return {
        "step": tf.Variable(int(value), dtype="int64"),
        "model/kernel": keras.Variable(np.full((2, 3), value), dtype="float32"),
        "model/half": keras.Variable([value, 0.1], dtype="bfloat16"),
        "model/flag": tf.Variable([True, False]),
        "model/none": tf.Variable(np.zeros((0, 4), "float32")),
    }


def values(variables):
    return {name: variable.numpy() for name, variable in variables.items()}


def flip(path, position):
    data = bytearray(path.read_bytes())
    data[position] ^= 1
    path.write_bytes(data)
