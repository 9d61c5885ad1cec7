"""Sizes that models halve without a rest."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from kerasseg import predict, zoo
from kerasseg.predict import in_graph
from kerasseg.predict.strides import continuation, multiple

SIZE = (45, 71)


@pytest.mark.parametrize(
    "make, stride",
    [
        (lambda: zoo.unet(2, base_filters=2), 16),
        (lambda: zoo.unet(2, "mobilenet_v2", decoder_filters=(8, 8, 8, 8, 8)), 32),
        (lambda: zoo.deeplab_v3(2, "mobilenet_v2"), 8),
        (lambda: zoo.stardist(8, base_filters=2, head_filters=4), 16),
        (lambda: zoo.segnet(2), 32),
    ],
)
def test_the_multiple_is_the_largest_stride(make, stride):
    assert multiple(make()) == stride


def test_a_model_that_does_not_tell_gets_32():
    class Own(keras.Model):
        def call(self, images):
            return images

    assert multiple(Own()) == 32


@pytest.fixture(scope="module")
def model():
    keras.utils.set_random_seed(3)
    model = zoo.unet(3, base_filters=4)
    rng = np.random.default_rng(0)
    model(rng.uniform(0, 255, [4, 64, 64, 3]), training=True)  # statistics of images
    return model


def extended(image, step=16):
    more = [(0, -n % step) for n in image.shape[:2]]
    return np.pad(image, [*more, (0, 0)], mode="reflect")


def test_odd_sizes_give_what_the_continued_image_gives(model, rng):
    image = rng.integers(0, 256, [*SIZE, 3], "uint8")
    logits = model(extended(image)[None].astype("float32"), training=False)
    expected = np.argmax(logits, -1)[0, : SIZE[0], : SIZE[1]]
    np.testing.assert_array_equal(predict.class_ids(model, image), expected)
    for options in ({"flips": "both"}, {"tile_px": (64, 96)}):
        found = predict.probabilities(model, image, **options)
        assert found.shape == (*SIZE, 3)


def test_nothing_moves_where_sides_are_no_multiples(model, rng):
    """What lies far from the added pixels is not changed by them."""
    image = rng.integers(0, 256, [192, 192, 3], "uint8")
    whole = predict.probabilities(model, image)
    # Cut by one pixel: the first rows see at most 140 pixels further.
    cut = predict.probabilities(model, image[:191])
    np.testing.assert_allclose(cut[:40], whole[:40], atol=1e-5)


@pytest.mark.parametrize("static", [True, False])
def test_graphs_continue_images_alike(model, static, rng):
    image = rng.integers(0, 256, [*SIZE, 3]).astype("float32")
    shape = [1, *SIZE, 3] if static else [None, None, None, 3]

    @tf.function(input_signature=[tf.TensorSpec(shape)])
    def run(images):
        return in_graph.extended(model, images, lambda x: {"logits": x, "sum": x[:, 0]})

    found = run(image[None])
    logits = model(extended(image)[None], training=False)
    expected = logits[:, : SIZE[0], : SIZE[1]]
    np.testing.assert_allclose(found["logits"], expected, atol=1e-4)


def test_maps_of_a_grid_are_cut_to_it(rng):
    model = zoo.stardist(8, base_filters=2, head_filters=4, grid=2)
    image = rng.uniform(0, 255, [1, *SIZE, 3]).astype("float32")
    found = in_graph.extended(model, tf.constant(image), dict)
    assert found["distances"].shape == (1, 23, 36, 8)


@pytest.mark.parametrize("size", [(1, 5), (3, 1), (2, 2), (7, 40)])
def test_small_images_are_mirrored_as_often_as_needed(model, size, rng):
    image = rng.integers(0, 256, [*size, 3]).astype("float32")
    place = tf.function(lambda x: in_graph.extended(model, x, lambda y: y))
    expected = model(extended(image)[None], training=False)[:, : size[0], : size[1]]
    np.testing.assert_allclose(place(image[None]), expected, atol=1e-4)


def test_objects_are_not_mirrored_beyond_the_image():
    assert continuation(zoo.stardist(encoder="plain", base_filters=2)) == "edge"
    assert continuation(zoo.unet(2, base_filters=2)) == "reflect"
