"""Inputs of prediction: PIL images, tensors, files, and numbers of any form."""

import io

import keras
import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from kerasseg import images, predict, tasks, viz

FORMS = {
    "uint16": lambda image: image.astype("uint16") * 257,
    "int32": lambda image: image.astype("int32") * 257,
    "float of 16 bits": lambda image: image.astype("float64") * 257,
    "0..255": lambda image: image.astype("float32"),
    "0..1": lambda image: (image / 255).astype("float64"),
    "PIL": Image.fromarray,
    "tensor": tf.constant,
    "float tensor": lambda image: tf.constant(image, "float32"),
    "bytes": lambda image: encoded(image).getvalue(),
    "file object": lambda image: encoded(image),
    "list": lambda image: image.tolist(),
}


def encoded(image):
    stream = io.BytesIO()
    Image.fromarray(image).save(stream, "PNG")
    stream.seek(0)
    return stream


@pytest.fixture(scope="module")
def image():
    picture = np.random.default_rng(0).integers(0, 256, [40, 50, 3]).astype("uint8")
    picture[0, 0], picture[0, 1] = 0, 255
    return picture


@pytest.mark.parametrize("form", FORMS)
def test_every_form_of_a_picture_gives_one_mask(model, image, form):
    expected = predict.class_ids(model, image)
    assert len(np.unique(expected)) == 3

    def given():
        return FORMS[form](image)

    np.testing.assert_array_equal(predict.class_ids(model, given()), expected)
    tiled = predict.class_ids(model, given(), tile_px=32, overlap_px=8)
    np.testing.assert_array_equal(tiled, expected)
    out = predict.predict_tiled(model, given(), tile_px=32, overlap_px=8)
    np.testing.assert_array_equal(out["class_ids"], expected)
    np.testing.assert_array_equal(tasks.predict(model, given()), expected)
    found = predict.probabilities(model, given(), refine=lambda picture, p: p)
    np.testing.assert_array_equal(found.argmax(-1), expected)
    np.testing.assert_array_equal(viz.display(given()), image)


def test_a_range_is_asked_given_and_applied_to_tiles(model, image):
    deep = image.astype("uint16") * 16
    for options in ({}, {"tile_px": 32}, {"refine": "crf"}):
        with pytest.raises(ValueError, match=r"value_range=\(0, 4095\) for 12 bits"):
            predict.class_ids(model, deep, **options)
    expected = predict.class_ids(model, image)
    for options in ({}, {"tile_px": 32, "overlap_px": 8}):
        found = predict.class_ids(model, deep, value_range=(0, 4080), **options)
        np.testing.assert_array_equal(found, expected)
        scaled = images.scale(deep, (0, 4080))
        found = predict.class_ids(model, scaled, **options)
        np.testing.assert_array_equal(found, expected)


def test_a_dark_tile_is_scaled_as_its_image(model):
    picture = np.full([40, 80, 3], 0.5)  # of 0..255: a tile of it alone looks like 0..1
    picture[:, 40:] = 200
    whole = predict.class_ids(model, picture)
    np.testing.assert_array_equal(
        predict.class_ids(model, picture, tile_px=16, overlap_px=8), whole
    )


def test_batches_of_unequal_sizes_give_a_list(model, image):
    batch = [image, image[:20], Image.fromarray(image), image[:20, ::-1]]
    found = predict.class_ids_of_batch(model, batch)
    assert isinstance(found, list)
    for one, class_ids in zip(batch, found):
        np.testing.assert_array_equal(class_ids, predict.class_ids(model, one))
    equal = predict.class_ids_of_batch(model, batch[::2])
    assert equal.shape == (2, 40, 50)


def test_images_of_a_batch_have_one_range(model, image):
    with pytest.raises(ValueError, match=r"range, 0..1, all alike"):
        predict.class_ids_of_batch(model, [image / 255, image.astype("float32")])


def test_a_photo_with_alpha_is_its_colours(image):
    x = keras.Input([None, None, 3])
    model = keras.Model(x, x * 1.0)
    rgba = Image.fromarray(image).convert("RGBA")
    np.testing.assert_array_equal(
        predict.class_ids(model, rgba), image.argmax(-1).astype("int32")
    )
