"""Models as compiled functions: one for all sizes, and nothing of them changes."""

import gc
import weakref

import keras
import numpy as np
import pytest

from kerasseg import predict
from kerasseg.predict import forward
from tests.predict.models import conv_model


def test_logits_of_a_dict_of_outputs_are_used(model, rng):
    image = rng.integers(0, 256, [8, 9, 3], "uint8")
    ids = predict.class_ids(conv_model(as_dict=True), image)
    np.testing.assert_array_equal(ids, predict.class_ids(model, image))


def test_a_model_is_compiled_once_for_all_sizes(monkeypatch):
    monkeypatch.setenv("TF_ENABLE_ONEDNN_OPTS", "0")  # else single images go in pairs
    model = conv_model()
    for size in [(5, 6), (9, 4), (30, 30)]:
        predict.class_ids(model, np.zeros(size))
    function = forward.compiled(model, forward.to_class_ids)
    assert function.experimental_get_tracing_count() == 1


def test_beside_onednn_one_image_goes_through_the_model_as_two(rng, monkeypatch):
    images = rng.integers(0, 256, (2, 8, 9, 3), "uint8")
    x = keras.Input((None, None, 3))
    # The logit counts the images of the batch.
    count = keras.layers.Lambda(
        lambda x: keras.ops.sum(keras.ops.ones_like(x), 0, keepdims=True) + 0 * x
    )
    monkeypatch.setenv("TF_ENABLE_ONEDNN_OPTS", "1")
    model = keras.Model(x, count(x))
    for some in (images[:1], images):
        found = forward.infer(model, some, forward.logits_of)
        np.testing.assert_array_equal(found, np.full((len(some), 8, 9, 3), 2.0))


def test_the_compiled_function_goes_with_its_model():
    model = conv_model()
    predict.class_ids(model, np.zeros([4, 4]))
    gone = weakref.ref(model)
    del model
    gc.collect()
    assert gone() is None


def test_prediction_changes_no_variable(rng):
    x = keras.Input([None, None, 3])
    y = keras.layers.BatchNormalization()(x / 255)
    y = keras.layers.Dropout(0.5)(y)
    model = keras.Model(x, keras.layers.Conv2D(2, 1)(y))
    before = [np.array(v) for v in model.variables]
    image = rng.integers(0, 256, [8, 8, 3], "uint8")
    first, second = (predict.probabilities(model, image) for _ in range(2))
    np.testing.assert_array_equal(first, second)
    for old, new in zip(before, model.variables):
        np.testing.assert_array_equal(old, np.array(new))


@pytest.mark.parametrize("options", [{"outputs": 2}, {"inputs": 2}, {"stride": 2}])
def test_models_of_another_kind_are_refused(options):
    inputs = [keras.Input([None, None, 3]) for _ in range(options.get("inputs", 1))]
    stride = options.get("stride", 1)
    y = keras.layers.Conv2D(2, 1, strides=stride)(sum(inputs[1:], inputs[0]))
    outputs = [y] * options.get("outputs", 1)
    model = keras.Model(
        inputs if len(inputs) > 1 else inputs[0], outputs if len(outputs) > 1 else y
    )
    with pytest.raises(ValueError, match="`model` must"):
        predict.class_ids(model, np.zeros([8, 8, 3]))
