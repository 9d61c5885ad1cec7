"""Single images, computed without oneDNN in a process that uses it."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from kerasseg import layers, zoo
from kerasseg.predict import forward, one_image


@pytest.fixture
def network():
    """All kinds of convolutions; a dict of two outputs."""
    image = x = keras.Input((None, None, 4))
    x = keras.layers.Conv2D(6, 3, strides=2, padding="same", use_bias=False)(x)
    x = keras.layers.ReLU()(layers.BatchNormalization()(x))
    x = layers.AtrousConv2D(6, 3, dilation_rate=2, padding="same")(x)
    x = keras.layers.DepthwiseConv2D(3, padding="same", use_bias=False)(x)
    x = keras.layers.Conv2D(6, 3, groups=3, name="groups")(x)
    x = layers.BatchNormalization()(x)
    outputs = {"b": keras.layers.Conv2D(2, 1)(x), "a": keras.layers.Conv2D(3, 1)(x)}
    return keras.Model(image, outputs)


def as_function(model):
    """The model as `predict` compiles it."""
    shape = tf.TensorSpec([None, *model.input_shape[1:]], "float32")
    return tf.function(lambda x: model(x, training=False), input_signature=[shape])


def same(found, expected):
    tf.nest.map_structure(
        lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5),
        found,
        expected,
    )


def test_a_single_image_gets_what_a_batch_gets(network, rng):
    function = as_function(network)
    run = one_image.apart(function)
    for size in [(21, 30), (16, 17)]:
        images = rng.normal(size=(2, *size, 4)).astype("float32")
        both = run(images)
        for number in range(2):
            one = slice(number, number + 1)
            expected = {name: value[one] for name, value in both.items()}
            same(run(images[one]), expected)
    assert function.experimental_get_tracing_count() == 1  # shared


def test_new_weights_are_seen(network, rng):
    run = one_image.apart(as_function(network))
    image = rng.normal(size=(1, 16, 17, 4)).astype("float32")
    run(image)
    network.set_weights([weight * 1.5 for weight in network.get_weights()])
    same(run(image), network(image, training=False))


def test_only_convolutions_that_the_other_knows_are_renamed(network):
    traced = as_function(network).get_concrete_function()
    graph = traced.graph.as_graph_def()
    plain = [n for n in graph.node if n.op == "Conv2D"]
    renamed = [n for n in plain if one_image._is_plain(traced.graph, n)]
    assert {n.name for n in plain if "groups" in n.name}.isdisjoint(
        n.name for n in renamed
    )
    assert len(renamed) >= 4


def test_a_whole_model_predicts_alike(rng, monkeypatch):
    model = zoo.unet(3, "tiny")
    image = rng.integers(0, 256, (1, 33, 40, 3)).astype("float32")
    expected = np.asarray(forward.compiled(model, forward.to_probabilities)(image))
    monkeypatch.setattr(forward.machine, "is_slow_for_one_image", lambda: True)
    other = keras.models.clone_model(model)
    other.set_weights(model.get_weights())
    found = forward.compiled(other, forward.to_probabilities)(image)
    np.testing.assert_allclose(found, expected, atol=1e-5)
