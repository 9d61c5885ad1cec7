"""The U-Net without padding, and options of the mirrored one."""

import numpy as np
import pytest
import tensorflow as tf

from kerasseg import encoders, export, predict, zoo


@pytest.fixture(scope="module")
def model():
    return zoo.unet(2, base_filters=2, padding="valid", norm=None)


def image(side):
    return np.zeros([1, side, side, 3], "float32")


def test_188_pixels_leave_four_without_padding(model):
    # 4 of the bottom: 2 (2 (2 (2 * 4 - 4) - 4) - 4) - 4.
    assert model(image(188)).shape == (1, 4, 4, 2)
    assert model.predict(image(188), verbose=0).shape == (1, 4, 4, 2)


def test_smaller_images_are_refused_with_the_fix(model):
    message = r"at least 188 x 188 pixels.*padding='same'\. Received: 187 x 187\."
    with pytest.raises(ValueError, match=message):
        model(image(187))
    with pytest.raises(ValueError, match=message):
        predict.class_ids(model, image(187)[0])
    with pytest.raises(ValueError, match=r"at least 188.*Received: 64 x 96"):
        zoo.unet(2, base_filters=2, padding="valid", input_shape=(64, 96, 3))
    with pytest.raises(ValueError, match=r"at image size, .*padding='same'"):
        predict.class_ids(model, image(200)[0])


@pytest.mark.slow
def test_graphs_refuse_smaller_images_too(model, tmp_path):
    shown = r"at least 188 x 188 pixels.*height, width:(.|\n)*64 64"
    model.predict(image(188), verbose=0)  # traced for any size from the second on
    for side in (96, 64):
        with pytest.raises((ValueError, tf.errors.InvalidArgumentError), match="188"):
            model.predict(image(side), verbose=0)
    export.saved_model(model, tmp_path / "model", warm_up_sizes=())
    run = tf.saved_model.load(tmp_path / "model/1").signatures["float"]
    assert run(images=tf.constant(image(190)))["class_ids"].shape == (1, 4, 4)
    with pytest.raises(tf.errors.InvalidArgumentError, match=shown):
        run(images=tf.constant(image(64)))


def test_options_of_the_mirrored_network_are_checked():
    with pytest.raises(ValueError, match=r"`fit` must be 'resize' or 'pad'"):
        zoo.unet(2, base_filters=2, fit="zeros")
    with pytest.raises(ValueError, match=r"smaller first. Received: .*\(1, 0\)"):
        zoo.unet(2, base_filters=2, input_range=(1, 0))
    with pytest.raises(ValueError, match=r"`input_range=\(0, 1\)` needs encoder='pl"):
        zoo.unet(2, "tiny", input_range=[0, 1])


@pytest.mark.parametrize(("ends", "black", "white"), [((-1, 1), -1, 1), ((0, 1), 0, 1)])
def test_pixels_are_brought_to_the_range(ends, black, white):
    model = zoo.unet(2, base_filters=2, input_range=ends)
    normalize = encoders.of(model).get_layer("normalize")
    found = normalize(np.float32([0, 255]).reshape(1, 1, 2, 1))
    np.testing.assert_allclose(np.ravel(found), [black, white])


def test_what_a_pooling_dropped_is_padded_with_zeros():
    model = zoo.unet(2, base_filters=2, fit="pad")
    fit = model.get_layer("decoder1_fit")
    x, skip = np.ones([1, 4, 6, 1], "float32"), np.zeros([1, 5, 6, 1], "float32")
    found = fit([model.get_layer("decoder1_pad")(x), skip])
    np.testing.assert_array_equal(found[0, :, 0, 0], [1, 1, 1, 1, 0])
    assert found.shape == skip.shape
