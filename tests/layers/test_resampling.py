"""Resizing as TensorFlow's, under XLA, too."""

import gc
import weakref

import numpy as np
import pytest
import tensorflow as tf

from kerasseg import layers

SIZES = [((1, 1), (1, 1)), ((3, 5), (7, 97)), ((96, 33), (97, 65)), ((5, 9), (9, 33))]
SIZES += [((7, 9), (3, 4)), ((1, 2), (5, 1)), ((4, 8), (8, 16))]


@pytest.mark.parametrize(
    "training", [pytest.param(False, marks=pytest.mark.slow), True]
)
@pytest.mark.parametrize("compiled_by_xla", [False, True])
@pytest.mark.parametrize(
    "options", [{}, {"interpolation": "nearest"}, {"align_corners": True}], ids=str
)
def test_resizing_and_its_gradient_are_those_of_tensorflow(
    rng, options, compiled_by_xla, training
):
    signature = [tf.TensorSpec([None, None, None, 3])] * 2

    def theirs(x, like):
        if "align_corners" in options:
            size = tf.shape(like)[1:3]
            return tf.raw_ops.ResizeBilinear(images=x, size=size, align_corners=True)
        return tf.image.resize(x, tf.shape(like)[1:3], *options.values())

    def step(resize):
        def run(x, like):
            with tf.GradientTape() as tape:
                tape.watch(x)
                resized = resize(x, like)
                total = tf.reduce_sum(resized * like)
            return resized, tape.gradient(total, x)

        return run

    layer = layers.ResizeLike(**options)
    ours = step(lambda x, like: layer([x, like], training=training))
    ours = tf.function(ours, signature, jit_compile=compiled_by_xla)
    theirs = tf.function(step(theirs), signature)
    for old, new in SIZES:
        x, like = (
            tf.constant(rng.normal(size=(2, *size, 3)), "float32")
            for size in (old, new)
        )
        (found, gradient), (expected, right) = ours(x, like), theirs(x, like)
        if options.get("interpolation") == "nearest":
            np.testing.assert_array_equal(found, expected)
        np.testing.assert_allclose(found, expected, atol=2e-5)
        np.testing.assert_allclose(gradient, right, atol=5e-5)


@pytest.mark.parametrize("training", [False, True])
def test_the_graph_of_a_function_that_is_gone_is_freed(training):
    layer = layers.ResizeLike("nearest")

    @tf.function
    def step(x, like):
        with tf.GradientTape() as tape:
            tape.watch(x)
            resized = layer([x, like], training=training)
        return tape.gradient(resized, x)

    concrete = step.get_concrete_function(
        tf.zeros([1, 2, 2, 1]), tf.zeros([1, 3, 3, 1])
    )
    graph = weakref.ref(concrete.graph)
    del concrete, step
    gc.collect()
    assert graph() is None
