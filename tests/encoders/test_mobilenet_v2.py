"""MobileNetV2: equal to that of keras.applications, stable names."""

import keras
import numpy as np
import pytest

from kerasseg import weights, zoo
from kerasseg.encoders.mobilenet_v2 import KERAS_RULES, mobilenet_v2
from tests.encoders.legacy import save_legacy

TAPS = {
    "c1": "expanded_conv_project_BN",
    "c2": "block_2_add",
    "c3": "block_5_add",
    "c4": "block_12_add",
    "c5": "block_16_project_BN",
}


def randomise(model, rng):
    for variable in model.weights:
        if "BN" in variable.path or "bn" in variable.path:
            variable.assign(rng.uniform(0.5, 1.5, variable.shape))


@pytest.fixture(scope="module")
def strided(calibrate):
    return calibrate(mobilenet_v2())


@pytest.mark.parametrize("size", [(64, 96), (65, 97)])
def test_features_equal_those_of_keras_applications(picture, relative_error, rng, size):
    image = picture(*size)
    source = keras.applications.MobileNetV2((*size, 3), include_top=False, weights=None)
    randomise(source, rng)
    model = mobilenet_v2()
    weights.load(model, {v.path: v.numpy() for v in source.weights}, rules=KERAS_RULES)
    taps = {tap: source.get_layer(name).output for tap, name in TAPS.items()}
    expected = keras.Model(source.input, taps)(image / 127.5 - 1)
    for tap, features in model(image).items():
        assert relative_error(features, expected[tap]) <= 1e-5


def test_files_of_keras_applications_load(tmp_path, picture, relative_error, rng):
    source = keras.applications.MobileNetV2(
        (64, 96, 3), include_top=False, weights=None
    )
    randomise(source, rng)
    save_legacy(source, tmp_path / "notop.h5")  # they hold the last 1x1, too
    source.save_weights(tmp_path / "mobilenet_v2.weights.h5")
    image = picture(64, 96)
    output = source.get_layer(TAPS["c5"]).output
    expected = keras.Model(source.input, output)(image / 127.5 - 1)
    for name in ("notop.h5", "mobilenet_v2.weights.h5"):
        features = mobilenet_v2(weights=tmp_path / name)(image)["c5"]
        assert relative_error(features, expected) <= 1e-5
        with pytest.raises(weights.WeightsError, match=r"those of keras\.applications"):
            mobilenet_v2(weights=tmp_path / name, publisher="torchvision")


def test_a_file_of_torchvision_is_refused_by_the_other_network():
    model = mobilenet_v2(publisher="torchvision")
    arrays = {"features.0.0.weight": np.zeros((32, 3, 3, 3), "float32")}
    with pytest.raises(weights.WeightsError, match=r"Build .* publisher='torchvision'"):
        mobilenet_v2(weights=arrays)
    with pytest.raises(weights.WeightsError, match=r"Build .* publisher='torchvision'"):
        zoo.load_torch(mobilenet_v2(), arrays)
    with pytest.raises(weights.WeightsError, match="missing: 'block0_depthwise"):
        zoo.load_torch(model, arrays)
    with pytest.raises(weights.WeightsError, match="read from a file"):
        zoo.load_torch(keras.models.clone_model(model), arrays)


def test_taps_have_the_channels_of_the_paper_and_the_last_convolution_is_gone(strided):
    assert [tap.shape[-1] for tap in strided.output.values()] == [16, 24, 32, 96, 320]
    # keras.applications without top 2,257,984, less 320 * 1280 + 4 * 1280
    assert strided.count_params() == 1843264


def test_names_do_not_depend_on_what_was_built_before(strided):
    again = mobilenet_v2(output_stride=8)
    assert [v.path for v in again.weights] == [v.path for v in strided.weights]
    assert [layer.name for layer in again.layers] == [
        layer.name for layer in strided.layers
    ]


def test_weights_load_from_a_file(strided, tmp_path, picture):
    path = tmp_path / "mobilenet.npz"
    np.savez(
        path, **{k: v.numpy() for k, v in weights.named_variables(strided).items()}
    )
    image = picture(33, 33)
    expected = strided(image)["c5"]
    np.testing.assert_array_equal(mobilenet_v2(weights=path)(image)["c5"], expected)


def test_other_publishers_are_refused_and_have_no_imagenet():
    with pytest.raises(ValueError, match=r"one of .*Received: publisher='timm'"):
        mobilenet_v2(publisher="timm")
    with pytest.raises(ValueError, match=r"those of keras\.applications"):
        mobilenet_v2(weights="imagenet", publisher="torchvision")


def test_that_of_torchvision_has_its_parameters_but_for_the_classifier():
    model = mobilenet_v2(publisher="torchvision")
    # 3,504,872 with the classifier of 1000 classes, whose 1280 inputs are "c5".
    statistics = sum(np.size(v) for v in model.non_trainable_variables)
    assert model.count_params() - statistics == 3504872 - 1281 * 1000
    assert model.output["c5"].shape[-1] == 1280
