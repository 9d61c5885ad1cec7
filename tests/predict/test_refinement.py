"""Prediction refined by a dense CRF or by a function of the user's."""

import keras
import numpy as np
import pytest

from kerasseg import predict
from kerasseg.crf import dense_crf


def red_model(num_logits):
    """Bright red speaks for the last class, weakly."""
    x = keras.Input([None, None, 3])
    layer = keras.layers.Conv2D(num_logits, 1)
    model = keras.Model(x, layer(x))
    kernel = np.zeros([1, 1, 3, num_logits], "float32")
    kernel[0, 0, 0, -1] = 0.02
    layer.set_weights([kernel, np.full(num_logits, -2.5 if num_logits == 1 else 0)])
    return model


@pytest.fixture
def photo(rng):
    image = np.repeat([[60, 190]], 10, axis=1).repeat(17, axis=0)[..., None]
    return np.clip(image + rng.normal(0, 30, [17, 20, 3]), 0, 255).astype("uint8")


@pytest.mark.parametrize("num_logits", [1, 3])
@pytest.mark.parametrize("options", [{}, {"tile_px": 8}, {"flips": True}])
def test_refined_probabilities_are_those_of_the_crf(num_logits, options, photo):
    model = red_model(num_logits)
    plain = predict.probabilities(model, photo, **options)
    expected = dense_crf(photo, plain)
    refined = predict.probabilities(model, photo, **options, refine="crf")
    np.testing.assert_allclose(refined, expected, atol=1e-5)
    ids = expected[..., 0] > 0.5 if num_logits == 1 else expected.argmax(-1)
    found = predict.class_ids(model, photo, **options, refine="crf")
    np.testing.assert_array_equal(found, ids)
    assert found.dtype == "int32"


def test_a_function_refines_with_other_parameters(photo):
    def invert(image, probabilities):
        assert image is photo
        return 1 - probabilities

    model = red_model(1)
    plain = predict.class_ids(model, photo)
    found = predict.class_ids(model, photo, refine=invert)
    np.testing.assert_array_equal(found, 1 - plain)


def test_an_unknown_refinement_is_named(photo):
    with pytest.raises(ValueError, match="`refine` must be None, 'crf' or a function"):
        predict.probabilities(red_model(2), photo, refine="cfr")
