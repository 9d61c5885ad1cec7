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
    monkeypatch.setattr(forward.machine, "is_slow_for_one_image", lambda: False)
    model = conv_model()
    for size in [(5, 6), (9, 4), (30, 30)]:
        predict.class_ids(model, np.zeros(size))
    function = forward.compiled(model, forward.to_class_ids)
    assert function.experimental_get_tracing_count() == 1


@pytest.mark.parametrize("slow", [False, True])
def test_the_compiled_function_goes_with_its_model(monkeypatch, slow):
    monkeypatch.setattr(forward.machine, "is_slow_for_one_image", lambda: slow)
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
