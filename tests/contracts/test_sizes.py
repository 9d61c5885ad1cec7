"""Images of any size from one pixel on, through every architecture."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from kerasseg import predict, zoo
from tests.contracts import cases, discs

SIZES = [(1, 1), (3, 200), (15, 15)]
MAPS = zoo.names("stars") + zoo.names("panoptic")
MODELS = cases.CASES + [(name, "tiny") for name in MAPS]


def picture(size, channels):
    rng = np.random.default_rng(0)
    return rng.integers(0, 256, (1, *size, channels)).astype("float32")


@pytest.mark.parametrize(("name", "encoder"), MODELS)
def test_models_answer_at_the_size_of_any_image(name, encoder):
    build = discs.build if name in MAPS else cases.build
    model = build(name, encoder=encoder)
    traced = tf.function(model, input_signature=[tf.TensorSpec(model.input.shape)])
    for size in SIZES:
        image = picture(size, 3)
        outputs, again = map(keras.tree.flatten, (model(image), traced(image)))
        for x, y in zip(outputs, again):
            assert x.shape[:3] == (1, *size)
            scale = np.abs(x).max()
            assert np.isfinite(scale)
            np.testing.assert_allclose(y, x, atol=1e-4 * scale)


def test_last_tiles_may_be_of_a_few_pixels():
    model = cases.build("unet", "plain")
    found = predict.predict_tiled(
        model, picture((130, 65), 3)[0].astype("uint8"), tile_px=64, overlap_px=0
    )
    assert found["class_ids"].shape == (130, 65)
