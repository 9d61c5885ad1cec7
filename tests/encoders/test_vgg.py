"""Files of keras.applications' VGG, whose first kernel sees blue first."""

import keras
import numpy as np
import pytest

from kerasseg import encoders, zoo
from tests.encoders.legacy import save_legacy


def filled(model, rng):
    """The model with weights of a scale that neither dies nor explodes."""
    values = []
    for weight in model.get_weights():
        scale = np.sqrt(2 / np.prod(weight.shape[:-1])) if weight.ndim > 1 else 0.1
        values.append(rng.normal(0, scale, weight.shape))
    model.set_weights(values)
    return model


@pytest.mark.parametrize("legacy", [False, True])
def test_files_of_keras_applications_give_their_features(tmp_path, rng, legacy):
    source = filled(keras.applications.VGG16(include_top=False, weights=None), rng)
    path = tmp_path / ("notop.h5" if legacy else "vgg16.weights.h5")
    save_legacy(source, path) if legacy else source.save_weights(path)
    images = rng.integers(0, 256, (1, 32, 64, 3)).astype("float32")
    turned = keras.applications.vgg16.preprocess_input(images.copy())
    expected = keras.Model(source.input, source.get_layer("block5_conv3").output)(
        turned
    )
    for model in (
        encoders.vgg16(weights=path),
        zoo.load_torch(encoders.vgg16(), path),
    ):
        found = np.asarray(model(images)["c4"])
        assert np.abs(found - expected).max() <= 1e-5 * np.abs(expected).max()


def test_our_own_files_stay_as_they_are(tmp_path, rng):
    model = filled(encoders.vgg16(), rng)
    model.save_weights(tmp_path / "ours.weights.h5")
    again = encoders.vgg16(weights=tmp_path / "ours.weights.h5")
    for old, new in zip(model.get_weights(), again.get_weights()):
        np.testing.assert_array_equal(old, new)
