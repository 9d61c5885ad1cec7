"""Kernels cut to what the map can reach."""

import os
import subprocess
import sys

import keras
import numpy as np
import pytest
import tensorflow as tf

from kerasseg import machine
from kerasseg.layers import AtrousConv2D, AtrousDepthwiseConv2D


@pytest.mark.parametrize(
    "size", [(1, 1), (3, 12), (12, 13), (13, 8), (24, 25), (30, 5)]
)
@pytest.mark.parametrize("taps", [3, 5])
def test_it_equals_keras_on_maps_of_any_size(size, taps):
    options = {"padding": "same", "dilation_rate": 12}
    ours, theirs = (
        kind(4, taps, **options) for kind in (AtrousConv2D, keras.layers.Conv2D)
    )
    x = np.random.default_rng(0).normal(size=(2, *size, 3)).astype("float32")
    ours.build(x.shape)
    theirs.build(x.shape)
    theirs.set_weights(ours.get_weights())
    np.testing.assert_allclose(ours(x), theirs(x), atol=1e-5)


ATROUS = [(AtrousConv2D, (4, 3)), (AtrousDepthwiseConv2D, (3,))]


@pytest.mark.parametrize("padding", ["same", "valid"])
@pytest.mark.parametrize(("kind", "shape"), ATROUS)
def test_files_of_other_runtimes_get_one_operation(kind, shape, padding):
    options = {"padding": padding, "dilation_rate": (2, 3), "activation": "relu"}
    layer = kind(*shape, **options)
    theirs = kind.__mro__[1](*shape, **options)
    x = np.random.default_rng(0).normal(size=(2, 9, 12, 5)).astype("float32")
    layer.build(x.shape)
    theirs.build(x.shape)
    theirs.set_weights(layer.get_weights())
    np.testing.assert_allclose(layer(x), theirs(x), atol=1e-5)

    def pieces():
        signature = [tf.TensorSpec([None, None, None, 5])]
        run = tf.function(lambda images: layer(images), input_signature=signature)
        graph = run.get_concrete_function().graph
        assert graph.structured_outputs.shape[-1] == theirs(x).shape[-1]
        return {"SpaceToBatchND", "BatchToSpaceND"} & {
            x.type for x in graph.get_operations()
        }

    with machine.converting():
        converted = pieces()
    # Without padding, which no network here has, a dense convolution is Keras' own.
    assert bool(converted) == (kind is AtrousConv2D and padding == "valid")
    if kind is AtrousDepthwiseConv2D:
        assert pieces()  # TensorFlow cannot compute the one operation everywhere


@pytest.mark.slow
def test_onednn_gives_the_same_values_and_gradients():
    code = """
import keras, numpy as np, tensorflow as tf
from kerasseg.layers import AtrousConv2D
x = tf.constant(np.random.default_rng(0).normal(size=(2, 9, 20, 8)), "float32")
answers = []
for kind in (AtrousConv2D, keras.layers.Conv2D):
    keras.utils.set_random_seed(0)
    layer = kind(4, 3, padding="same", dilation_rate=(6, 12))
    layer.build(x.shape)
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = layer(x)
        total = tf.reduce_sum(y * y)
    answers.append([y, *tape.gradient(total, [x, layer.kernel.value])])
for one, other in zip(*answers):
    np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-3)
"""
    environment = {**os.environ, "TF_ENABLE_ONEDNN_OPTS": "1"}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr[-3000:]


def test_unknown_sizes_and_no_padding_are_left_to_keras():
    image = keras.Input((None, None, 3))
    for padding, side in (("same", 20), ("valid", 12)):
        layer = AtrousConv2D(2, 3, padding=padding, dilation_rate=4)
        model = keras.Model(image, layer(image))
        found = model.predict(np.ones((1, 20, 20, 3)), verbose=0)
        assert found.shape == (1, side, side, 2)
        again = keras.layers.deserialize(keras.layers.serialize(layer))
        assert again.get_config() == layer.get_config()
