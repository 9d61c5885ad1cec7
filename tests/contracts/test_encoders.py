"""Promises of every encoder."""

import re

import keras
import numpy as np
import pytest

from kerasseg import encoders

STRIDES = {"c0": 1, "c1": 2, "c2": 4, "c3": 8, "c4": 16, "c5": 32}
# Deep ones share their code with a shallow one; xception65 has a file of its own.
SHARED = {
    "resnet": ("101", "152", "101_v2", "152_v2"),
    "wide_resnet50": ("_2",),
    "se_resnext": ("50_32x4d", "101_32x4d"),
    "xception": ("41", "65"),
    "hrnet_w": ("32", "48"),
    "vgg": ("11_bn", "13_bn", "16_bn", "19", "19_bn"),
    "mit_b": "12345",
    "densenet": ("169", "201"),
    "efficientnet_b": "1234567",
    "efficientnet_v2_": ("b1", "b2", "b3", "s", "m", "l"),
    "efficientnet_lite": "12",
    "convnext_": ("small", "base", "large"),
}
DEEP = {family + size for family, sizes in SHARED.items() for size in sizes}
QUICK = [n for n in encoders.names() if n not in DEEP]
STRIDED_ONLY = [n for n in QUICK if not encoders.ENCODERS[n].traits.dense]


GREY = (None, None, 1)
SLOW = pytest.mark.slow

# They take long, and tests/encoders/test_applications.py builds them, too.
BUILT_ELSEWHERE = {"densenet121", "resnet50_v2", "convnext_tiny"}
BUILT_ELSEWHERE |= {"efficientnet_v2_b0", "efficientnet_b0"}
LONG = BUILT_ELSEWHERE | {"resnext50_32x4d"}


def image(shape=(1, 64, 96, 1)):
    return np.random.default_rng(0).integers(0, 256, shape).astype("float32")


@pytest.fixture(
    scope="module",
    params=[pytest.param(x, marks=[SLOW] * (x in BUILT_ELSEWHERE)) for x in QUICK],
)
def encoder(request):
    """Of grey images: those of three channels are counted and trained elsewhere."""
    return encoders.build(request.param, GREY)


def test_taps_have_their_strides(encoder):
    taps = encoder(image())
    without = {"c1"} if encoder.name.startswith(("mit", "convnext")) else set()
    assert {"c1", "c2", "c3", "c4", "c5"} - without <= set(taps)
    for tap, features in taps.items():
        assert features.shape[1:3] == (64 // STRIDES[tap], 96 // STRIDES[tap])


def test_odd_sizes_and_one_channel_work(encoder):
    taps = encoder(image((1, 65, 97, 1)))
    assert all(np.all(np.isfinite(features)) for features in taps.values())


@pytest.mark.parametrize(
    "encoder",
    [pytest.param(x, marks=[SLOW] * (x in LONG | {"hrnet_w18"})) for x in QUICK],
    indirect=True,
)
def test_a_pixel_is_left_of_any_image(encoder):
    for size in [(1, 1), (3, 200), (15, 15)]:
        # TensorFlow reads foreign memory where a map is smaller than a kernel.
        taps, again = encoder(image((1, *size, 1))), encoder(image((1, *size, 1)))
        for tap, features in taps.items():
            assert 0 not in features.shape
            assert np.isfinite(features).all()
            np.testing.assert_array_equal(features, again[tap])


def calibrate(encoder, picture):
    """Give an encoder the statistics of the picture: errors look their size.

    Squeeze-excite gates are forced open, because they average a larger dense map.
    """
    rng = np.random.default_rng(1)
    for layer in encoder.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.momentum = 0.0
            layer.gamma.assign(rng.uniform(0.5, 1.5, layer.gamma.shape))
            layer.beta.assign(rng.normal(0, 0.2, layer.beta.shape))
        if layer.name.endswith(("_gate_2", "se_expand")):
            layer.kernel.assign(np.zeros(layer.kernel.shape))
            layer.bias.assign(np.full(layer.bias.shape, 4.0))
    encoder(picture, training=True)


DENSE = [
    pytest.param(name, marks=[SLOW] * (name in LONG))
    for name in QUICK
    if name not in STRIDED_ONLY
]
# Stride 8 dilates by 2 and by 4, stride 16 by 2 alone.
OUTPUT_STRIDES = [8, pytest.param(16, marks=SLOW)]


@pytest.mark.parametrize("encoder", DENSE, indirect=True)
@pytest.mark.parametrize("output_stride", OUTPUT_STRIDES)
def test_dense_features_subsampled_equal_strided_features(encoder, output_stride):
    picture = image((1, 129, 129, 1))
    calibrate(encoder, picture)
    reference = encoder(picture, training=False)
    dense = encoders.build(encoder.name, GREY, output_stride=output_stride)
    assert [v.path for v in dense.weights] == [v.path for v in encoder.weights]
    dense.set_weights(encoder.get_weights())
    taps = dense(picture, training=False)
    for tap in ("c3", "c4", "c5"):
        step = max(1, STRIDES[tap] // output_stride)
        sampled = np.asarray(taps[tap])[:, ::step, ::step]
        expected = np.asarray(reference[tap])
        rows, columns = expected.shape[1:3]
        error = np.abs(sampled[:, :rows, :columns] - expected).max()
        assert error <= 1e-5 * max(1, np.abs(expected).max()), tap


def test_layer_names_are_given_by_hand(encoder):
    for layer in encoder.layers[2:]:  # behind "image" and "normalize"
        automatic = keras.src.utils.naming.to_snake_case(type(layer).__name__)
        assert not re.fullmatch(rf"{automatic}(_\d+)?", layer.name), layer.name


@pytest.mark.parametrize("name", STRIDED_ONLY)
def test_encoders_without_dense_form_say_so(name):
    with pytest.raises(ValueError, match="output_stride"):
        encoders.build(name, output_stride=16)


def test_a_model_with_taps_is_an_encoder_and_any_other_is_refused():
    tiny = encoders.build("tiny")
    assert encoders.build(tiny) is tiny
    with pytest.raises(ValueError, match="'c1' to 'c5'"):
        encoders.build(keras.Sequential([keras.Input((8, 8, 3))]))


@pytest.mark.parametrize("name", encoders.names())
def test_every_encoder_names_its_paper(name):
    if name != "tiny":  # of no paper
        assert "Reference: " in encoders.ENCODERS[name].__doc__
