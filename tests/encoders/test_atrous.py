"""Dense forms of models that were written without one."""

import keras
import numpy as np
import pytest
from keras import layers

from kerasseg.encoders.atrous import dilate


def mobilenet():
    """Its padding is one-sided: the old features are last in their cells."""
    model = keras.applications.MobileNetV2(
        (None, None, 3), alpha=0.35, include_top=False, weights=None
    )
    names = ("block_12_add", "block_16_project_BN")
    return model.input, [model.get_layer(name).output for name in names], True


def residual():
    """Symmetric padding, strided 1x1 shortcuts, a gate forced open."""
    x = image = keras.Input((None, None, 3))
    taps = []
    for filters in (4, 4, 8, 8, 16):
        y = layers.ZeroPadding2D(2)(x)
        y = layers.Conv2D(filters, 5, strides=2, padding="valid")(y)
        y = layers.BatchNormalization()(y)
        y = layers.DepthwiseConv2D(3, padding="same", activation="relu")(y)
        gate = layers.GlobalAveragePooling2D(keepdims=True)(y)
        gate = layers.Conv2D(filters, 1, kernel_initializer="zeros")(gate)
        y = layers.Multiply()([y, layers.Activation("sigmoid")(gate)])
        x = layers.Add()([y, layers.Conv2D(filters, 1, strides=2)(x)])
        taps.append(x)
    return image, taps[3:], False


@pytest.mark.parametrize("build", [mobilenet, residual])
def test_dilated_features_subsampled_equal_strided_ones(
    build, calibrate, picture, relative_error
):
    inputs, taps, last = build()
    model = calibrate(keras.Model(inputs, taps))
    image = picture(64, 96)
    expected = model(image)
    for output_stride in (16, 8):
        dense = dilate(model, output_stride)(image)
        for stride, new, old in zip((16, 32), dense, expected):
            step = max(1, stride // output_stride)
            start = step - 1 if last else 0
            assert new.shape[1] == 64 // min(stride, output_stride)
            assert relative_error(new[:, start::step, start::step], old) <= 1e-5


def test_a_pooling_that_gives_up_its_stride_looks_at_the_same_windows(picture):
    inputs = keras.Input((None, None, 3))
    x = layers.Conv2D(4, 3, strides=2, padding="same")(inputs)
    model = keras.Model(inputs, layers.AveragePooling2D(2)(x))
    image = picture(16, 24) / 255
    dense = dilate(model, 2)(image)
    assert dense.shape == (1, 8, 12, 4)
    assert np.abs(dense[:, ::2, ::2] - model(image)).max() <= 1e-6


def test_a_second_pooling_cannot_be_dilated():
    inputs = keras.Input((None, None, 3))
    x = layers.MaxPooling2D(2, name="pool1")(layers.Conv2D(2, 3, strides=2)(inputs))
    model = keras.Model(inputs, layers.MaxPooling2D(2, name="pool2")(x))
    with pytest.raises(ValueError, match="cannot dilate the pooling 'pool2'"):
        dilate(model, 2)


def test_a_nested_model_is_refused_by_name():
    inner = keras.Sequential(
        [keras.Input((8, 8, 3)), layers.Conv2D(2, 2, 2)], name="stem"
    )
    inputs = keras.Input((8, 8, 3))
    with pytest.raises(ValueError, match="Received: 'stem' of type Sequential"):
        dilate(keras.Model(inputs, inner(inputs)), 8)


def test_the_dilated_model_has_weights_of_its_own():
    inputs = keras.Input((None, None, 3))
    model = keras.Model(inputs, layers.Conv2D(2, 3, strides=2, name="conv")(inputs))
    dense = dilate(model, 2)
    dense.get_layer("conv").bias.assign([1, 1])
    assert not np.any(model.get_layer("conv").bias)
