"""Files of keras.applications' VGG, whose first kernel sees blue first."""

import keras
import numpy as np
import pytest

from kerasseg import encoders, weights, zoo
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


# torchvision numbers convolutions, normalisations, ReLUs and poolings through: the last
# convolution of VGG16 is the 29th, that of VGG11 with normalisations the 26th.
@pytest.mark.parametrize(
    ("name", "theirs", "ours"),
    [
        ("vgg16", "features.28.weight", "block5_conv3/kernel"),
        ("vgg19", "encoder.features.34.bias", "block5_conv4/bias"),
        ("vgg11_bn", "features.25.weight", "block5_conv2/kernel"),
        ("vgg13_bn", "features.31.weight", "block5_conv2/kernel"),
        ("vgg16_bn", "features.41.running_var", "block5_conv3_norm/moving_variance"),
        ("vgg19_bn", "features.49.weight", "block5_conv4/kernel"),
    ],
)
def test_layers_of_torchvision_have_our_names(name, theirs, ours):
    array = np.zeros((4, 4, 3, 3) if theirs.endswith("weight") else 4)
    rules = encoders.ENCODERS[name].traits.rules
    assert [*weights.from_torch({theirs: array}, [], rules)] == [ours]


def test_a_file_of_torchvision_is_refused_by_the_network_of_keras_applications():
    # The same layers: but its images are divided by ImageNet's deviation.
    arrays = {"features.0.weight": np.zeros((64, 3, 3, 3), "float32")}
    with pytest.raises(weights.WeightsError, match=r"Build .* publisher='torchvision'"):
        encoders.vgg16(weights=arrays)
    with pytest.raises(weights.WeightsError, match="missing: 'block1_conv1/bias"):
        encoders.vgg16(weights=arrays, publisher="torchvision")
