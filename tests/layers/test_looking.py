"""Mistakes in the values of images and labels, told in plain `fit`."""

import keras
import numpy as np
import pytest

from kerasseg import losses, zoo

MASKS = (np.indices([2, 32, 32]).sum(0) % 2).astype("int32")
IMAGES = (MASKS[..., None] * np.array([200.0, 100, 50])).astype("float32")


def fit(images, labels, **options):
    model = zoo.unet(1, base_filters=2)
    model.compile("sgd", losses.CrossEntropy(), jit_compile=False, **options)
    model.fit(images, labels, batch_size=1, epochs=2, verbose=0)


@pytest.mark.filterwarnings("error")
def test_images_and_masks_as_they_should_be_are_passed_in_silence():
    fit(IMAGES, MASKS)


@pytest.mark.parametrize("images", [IMAGES / 255, IMAGES / 127.5 - 1])
@pytest.mark.parametrize("run_eagerly", [False, True])
def test_images_that_were_scaled_are_told(images, run_eagerly):
    with pytest.warns(UserWarning, match=r"within -1\.\.1, but models take 0\.\.255"):
        fit(images, MASKS, run_eagerly=run_eagerly)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("images", [IMAGES * 0, (IMAGES > 150).astype("float32")])
def test_black_images_are_no_scaled_ones(images):
    fit(images, MASKS)


def test_masks_of_0_and_255_are_told():
    with pytest.warns(UserWarning, match="hold 0 and 255 but no 1"):
        fit(IMAGES, MASKS * 255)


def test_labels_between_whole_numbers_end_the_training():
    with pytest.raises(Exception, match="Labels must be whole numbers"):
        fit(IMAGES, MASKS * 0.5)


@pytest.mark.slow
def test_what_xla_compiles_is_not_looked_at():
    model = zoo.unet(1, base_filters=2)
    model.compile("sgd", losses.CrossEntropy(), jit_compile=True)
    loss = model.fit(IMAGES, MASKS, verbose=0).history["loss"]
    assert np.isfinite(loss).all() and keras.backend.backend() == "tensorflow"
