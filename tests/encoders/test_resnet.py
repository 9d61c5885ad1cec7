"""ResNeXt's convolutions in groups, which TensorFlow's CPU kernels lack; deep stems."""

import keras
import numpy as np
import tensorflow as tf

from kerasseg import encoders
from kerasseg.encoders.resnet import bottleneck


def block():
    image = keras.Input((None, None, 16))
    return keras.Model(image, bottleneck(image, 8, width=2, groups=4, name="block"))


def test_channels_of_other_groups_are_not_seen(rng):
    layer = block().get_layer("block_2_conv")
    x = rng.normal(size=(1, 5, 5, 16)).astype("float32")
    changed = x.copy()
    changed[..., 4:8] += 1  # the second of four groups
    seen = np.any(np.asarray(layer(x)) != np.asarray(layer(changed)), axis=(0, 1, 2))
    np.testing.assert_array_equal(seen, np.repeat([False, True, False, False], 4))


def test_a_trace_for_any_size_equals_the_call_and_has_gradients(rng):
    model = block()
    traced = tf.function(model, input_signature=[tf.TensorSpec(model.input.shape)])
    for shape in [(1, 9, 7, 16), (2, 4, 6, 16)]:
        x = rng.normal(size=shape).astype("float32")
        np.testing.assert_allclose(traced(x), model(x), atol=1e-5)
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(model(x, training=True) ** 2)
    kernel = model.get_layer("block_2_conv").kernel.value
    assert np.any(np.asarray(tape.gradient(loss, kernel)))


def test_a_deep_stem_is_that_of_resnet50_c():
    model = encoders.resnet50(deep_stem=True)
    # timm's resnet50c has 25,576,264, of which 2,049,000 score ImageNet's classes.
    count = sum(int(np.prod(x.shape)) for x in model.trainable_weights)
    assert count == 25_576_264 - 2_049_000
    assert model.compute_output_shape((1, 64, 96, 3))["c1"] == (1, 32, 48, 64)
