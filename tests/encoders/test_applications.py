"""Encoders of keras.applications: equal to the originals, and what they do better."""

import functools

import keras
import numpy as np
import pytest

from kerasseg import encoders, weights
from kerasseg.encoders import efficientnet as efficientnet_module
from kerasseg.encoders.convnext import arrays_of
from tests.encoders.legacy import save_legacy

APPS = keras.applications
MEAN, STD = np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225])


def standard(image):
    """Normalise so that EfficientNet's own rescaling by 255 gives ImageNet's."""
    return (image / 255 - MEAN) / STD * 255


# application, its preprocessing, its layers at strides 2, 4, 8, 16, 32
ORIGINALS = {
    "mobilenet": (
        APPS.MobileNet,
        APPS.mobilenet.preprocess_input,
        [f"conv_pw_{index}_relu" for index in (1, 3, 5, 11, 13)],
    ),
    "resnet50_v2": (
        APPS.ResNet50V2,
        APPS.resnet_v2.preprocess_input,
        [
            "conv1_conv",
            "conv2_block3_preact_relu",
            "conv3_block4_preact_relu",
            "conv4_block6_preact_relu",
            "post_relu",
        ],
    ),
    "densenet121": (
        APPS.DenseNet121,
        APPS.densenet.preprocess_input,
        ["conv1_relu", "pool2_relu", "pool3_relu", "pool4_relu", "relu"],
    ),
    "efficientnet_b0": (
        APPS.EfficientNetB0,
        standard,
        [
            "block1a_project_bn",
            "block2b_add",
            "block3b_add",
            "block5c_add",
            "block7a_project_bn",
        ],
    ),
    "efficientnet_v2_b0": (
        APPS.EfficientNetV2B0,
        np.array,
        [
            "block1a_project_activation",
            "block2b_add",
            "block3b_add",
            "block5e_add",
            "block6h_add",
        ],
    ),
}


SLOW = pytest.mark.slow
# Many layers take long to build.
DEEP = ("densenet121", "efficientnet_b0", "efficientnet_v2_b0")


def randomise(model, rng):
    """Statistics and factors that an error would not leave as they are."""
    for variable in model.weights:
        if variable.path.endswith(("gamma", "variance")):
            variable.assign(rng.uniform(0.5, 1.5, variable.shape))
        elif variable.path.endswith(("beta", "mean")):
            variable.assign(rng.normal(0, 0.2, variable.shape))


@pytest.fixture(scope="module")
def built():
    """Function from a name to one encoder of it."""
    return functools.cache(encoders.build)


@pytest.mark.parametrize(
    "name", [pytest.param(x, marks=[SLOW] * (x in DEEP)) for x in ORIGINALS]
)
def test_features_equal_those_of_keras_applications(
    name, built, picture, relative_error, rng
):
    application, preprocess, layers = ORIGINALS[name]
    image = picture(64, 96)
    # Some random kernels leave errors just above the tolerance: always the same ones.
    keras.utils.set_random_seed(0)
    source = application(include_top=False, weights=None, input_shape=(64, 96, 3))
    randomise(source, rng)
    model = built(name)
    names = weights.named_variables(model)
    arrays = {v.path: v.numpy() for v in source.weights if v.path in names}
    weights.load(model, arrays)
    outputs = [source.get_layer(layer).output for layer in layers]
    expected = keras.Model(source.input, outputs)(preprocess(image.copy()))
    for (tap, features), original in zip(model(image).items(), expected):
        assert relative_error(features, original) <= 1e-5, tap


def test_convnext_equals_that_of_keras_applications(
    built, picture, relative_error, rng
):
    source = APPS.ConvNeXtTiny(include_top=False, weights=None)
    randomise(source, rng)
    model = weights.load(
        built("convnext_tiny"), arrays_of(source, built("convnext_tiny"))
    )
    image = picture(64, 96)
    assert relative_error(model(image)["c5"], source(image)) <= 1e-5


def test_convnext_is_dense_without_batch_statistics(built, picture, relative_error):
    rng = np.random.default_rng(2)
    strided = built("convnext_tiny")
    randomise(strided, rng)
    for variable in strided.weights:
        if variable.path.endswith("factors"):  # tiny at the start: nothing would show
            variable.assign(rng.uniform(0.5, 1.5, variable.shape))
    image = picture(65, 97)
    expected = strided(image)
    for output_stride in (16, 8):
        dense = encoders.convnext_tiny(output_stride=output_stride)
        dense.set_weights(strided.get_weights())
        for tap, features in dense(image).items():
            step = max(1, 2 ** int(tap[1]) // output_stride)
            assert relative_error(features[:, ::step, ::step], expected[tap]) <= 1e-5


def test_published_weights_keep_their_first_kernel_for_other_channels(
    monkeypatch, picture
):
    published = APPS.MobileNet(include_top=False, weights=None)

    def download(include_top, weights, input_shape):
        assert (include_top, weights) == (False, "imagenet")
        assert input_shape == (224, 224, 3)
        return published

    monkeypatch.setattr(keras.applications, "MobileNet", download)
    grey = picture(64, 64)[..., :1]
    three = encoders.mobilenet(weights="imagenet")
    one = encoders.mobilenet((None, None, 1), weights="imagenet")
    np.testing.assert_array_equal(
        three.get_layer("conv_pw_13").kernel, published.get_layer("conv_pw_13").kernel
    )
    np.testing.assert_allclose(
        one(grey)["c2"], three(np.repeat(grey, 3, -1))["c2"], atol=1e-5
    )


@pytest.fixture(scope="module")
def efficientnet():
    """That of keras.applications, and what its last block gives for a picture."""
    keras.utils.set_random_seed(0)
    shape = (64, 96, 3)
    source = APPS.EfficientNetB0(include_top=False, weights=None, input_shape=shape)
    randomise(source, np.random.default_rng(0))
    output = source.get_layer("block7a_project_bn").output
    return source, keras.Model(source.input, output)


@pytest.mark.slow
def test_files_of_efficientnet_load(efficientnet, tmp_path, picture, relative_error):
    source, deepest = efficientnet
    save_legacy(source, tmp_path / "notop.h5")
    source.save_weights(tmp_path / "efficientnet.weights.h5")
    image = picture(64, 96)
    expected = deepest(standard(image.copy()))
    for name in ("notop.h5", "efficientnet.weights.h5"):
        model = encoders.efficientnet_b0(weights=tmp_path / name)
        assert relative_error(model(image)["c5"], expected) <= 1e-5
    with pytest.raises(weights.WeightsError, match=r"Build .* publisher='keras\.app"):
        encoders.efficientnet_b0(
            weights=tmp_path / "notop.h5", publisher="segmentation_models.pytorch"
        )


def test_efficientnet_of_imagenet_is_that_of_keras_applications(
    efficientnet, monkeypatch
):
    source, _ = efficientnet
    monkeypatch.setattr(APPS, "EfficientNetB0", lambda include_top, weights: source)
    model = encoders.efficientnet_b0(weights="imagenet")
    for layer in ("stem_conv", "block5b_se_reduce", "block7a_project_bn"):
        for found, expected in zip(
            model.get_layer(layer).get_weights(), source.get_layer(layer).get_weights()
        ):
            np.testing.assert_array_equal(found, expected)


def test_efficientnet_of_smp_pads_as_at_the_size_of_its_images_in_imagenet():
    # B1: sides 240, 120, 60, 30, 15, 8. The stride that meets 15 needs no odd zero.
    stem, *stages = efficientnet_module._paddings(240)
    strided = [p for p, row in zip(stages, efficientnet_module.STAGES) if row[2] == 2]
    assert [stem, *strided] == ["same", "same", "same", "same", "symmetric"]


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        ("features.denseblock3.denselayer24.norm2.weight", "conv4_block24_1_bn/gamma"),
        ("features.denseblock3.denselayer24.norm.2.weight", "conv4_block24_1_bn/gamma"),
        ("encoder.features.transition2.norm.weight", "pool3_bn/gamma"),
        ("features.norm5.weight", "bn/gamma"),
    ],
)
def test_layers_of_torchvision_have_our_names(theirs, ours):
    rules = encoders.ENCODERS["densenet121"].traits.rules
    assert [*weights.from_torch({theirs: np.zeros(3)}, [], rules)] == [ours]


@pytest.mark.slow
def test_densenet_of_torchvision_ends_before_the_last_activation(built, picture):
    theirs = encoders.densenet121(publisher="torchvision")
    theirs.set_weights(built("densenet121").get_weights())
    image = picture(64, 96)
    found, expected = (
        np.asarray(x(image)["c5"]) for x in (theirs, built("densenet121"))
    )
    assert found.min() < 0
    np.testing.assert_allclose(np.maximum(found, 0), expected, atol=1e-6)


# Parameters that keras.applications documents or torchvision has, all without the
# classifier; then channels in and out of the 1x1 behind the last block, which is not
# used, and 7 numbers of EfficientNet's own normalisation.
@pytest.mark.parametrize(
    ("name", "count", "last", "own"),
    [
        ("mobilenet", 3228864, None, 0),
        ("resnet50_v2", 23564800, None, 0),
        pytest.param("resnet101_v2", 42626560, None, 0, marks=SLOW),
        pytest.param("resnet152_v2", 58331648, None, 0, marks=SLOW),
        ("densenet121", 7037504, None, 0),
        pytest.param("densenet169", 12642880, None, 0, marks=SLOW),
        pytest.param("densenet201", 18321984, None, 0, marks=SLOW),
        ("efficientnet_b0", 4049571, (320, 1280), 7),
        pytest.param("efficientnet_b1", 6575239, (320, 1280), 7, marks=SLOW),
        pytest.param("efficientnet_b2", 7768569, (352, 1408), 7, marks=SLOW),
        pytest.param("efficientnet_b3", 10783535, (384, 1536), 7, marks=SLOW),
        pytest.param("efficientnet_b4", 17673823, (448, 1792), 7, marks=SLOW),
        pytest.param("efficientnet_b5", 28513527, (512, 2048), 7, marks=SLOW),
        pytest.param("efficientnet_b6", 40960143, (576, 2304), 7, marks=SLOW),
        pytest.param("efficientnet_b7", 64097687, (640, 2560), 7, marks=SLOW),
        ("efficientnet_v2_b0", 5919312, (192, 1280), 0),
        pytest.param("efficientnet_v2_b1", 6931124, (192, 1280), 0, marks=SLOW),
        pytest.param("efficientnet_v2_b2", 8769374, (208, 1408), 0, marks=SLOW),
        pytest.param("efficientnet_v2_b3", 12930622, (232, 1536), 0, marks=SLOW),
        pytest.param("efficientnet_v2_s", 20331360, (256, 1280), 0, marks=SLOW),
        pytest.param("efficientnet_v2_m", 53150388, (512, 1280), 0, marks=SLOW),
        pytest.param("efficientnet_v2_l", 117746848, (640, 1280), 0, marks=SLOW),
        ("convnext_tiny", 27820128, None, 0),
        pytest.param("convnext_small", 49454688, None, 0, marks=SLOW),
        pytest.param("convnext_base", 87566464, None, 0, marks=SLOW),
        pytest.param("convnext_large", 196230336, None, 0, marks=SLOW),
    ],
)
def test_parameters_are_the_published_ones(name, count, last, own, built):
    model = built(name) if name in (*ORIGINALS, "convnext_tiny") else None
    model = model or encoders.build(name)
    channels, filters = last or (0, 0)
    assert model.count_params() == count - own - (channels + 4) * filters
    if last:
        assert model.output["c5"].shape[-1] == channels
