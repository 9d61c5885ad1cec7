"""Models of others: how they are called, and outputs that are no logits."""

import keras
import numpy as np
import pytest
from keras import layers

from kerasseg import predict


def model_of(num_classes, activation, *after):
    x = image = keras.Input((None, None, 3))
    x = layers.Rescaling(1 / 64, -2)(x)
    x = layers.Conv2D(num_classes, 1, activation=activation)(x)
    for layer in after:
        x = layer(x)
    return keras.Model(image, x)


@pytest.fixture
def image(rng):
    return rng.integers(0, 256, (16, 16, 3), "uint8")


@pytest.mark.parametrize(
    "model",
    [
        lambda: model_of(1, "sigmoid", layers.UpSampling2D(1)),
        lambda: model_of(1, "sigmoid", layers.Cropping2D(0)),
        lambda: model_of(1, "sigmoid", layers.AveragePooling2D(1)),
    ],
)
@pytest.mark.parametrize("function", [predict.class_ids, predict.probabilities])
def test_a_sigmoid_before_the_last_layer_is_told(model, function, image):
    with pytest.warns(UserWarning, match="as probabilities do"):
        function(model(), image)


def test_a_softmax_before_the_last_layer_is_told(image):
    model = model_of(3, "softmax", layers.Rescaling(1.0))
    with pytest.warns(UserWarning, match="as probabilities do"):
        predict.probabilities(model, image)


def test_logits_that_are_all_foreground_are_none_of_it(image):
    model = model_of(1, None, layers.Rescaling(1.0, 50.0))
    assert predict.class_ids(model, image).all()


def test_a_model_that_does_not_take_training_works(image):
    class Model(keras.Model):
        def __init__(self):
            super().__init__()
            self.head = layers.Conv2D(2, 1)

        def call(self, images):
            return self.head(images)

    model = Model()
    expected = np.argmax(model(image[None].astype("float32")), -1)[0]
    np.testing.assert_array_equal(predict.class_ids(model, image), expected)


def test_errors_begin_with_what_is_required(image):
    with pytest.raises(ValueError, match=r"^`model` must tell one class per pixel"):
        predict.class_ids(model_of(3, "sigmoid"), image)


@pytest.mark.parametrize("model", ["model.keras", None, np.zeros(3)])
def test_what_is_no_model_is_refused(model, image):
    with pytest.raises(ValueError, match=r"`model` must be a keras.Model"):
        predict.class_ids(model, image)
