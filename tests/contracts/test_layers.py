"""Promises of every layer of the package."""

import keras
import pytest

from kerasseg import layers

LAYERS = [
    layers.AdaptiveAveragePooling(3),
    layers.AtrousConv2D(4, 3, dilation_rate=2, padding="same"),
    layers.AtrousDepthwiseConv2D(3, dilation_rate=2, padding="same"),
    layers.AveragePooling2D(2),
    layers.BatchNormalization(momentum=0.8, epsilon=1e-4),
    layers.ChannelScale(0.5),
    layers.CropLike("start"),
    layers.DotAttention(2, 0.5, joint=True),
    layers.LeastSize(188),
    layers.MaxPooling2D(2),
    layers.Normalize((1.0, 2.0, 3.0), 4.0),
    layers.PadSmall(4),
    layers.PositionSoftmax(),
    layers.ReadChannelsFirst(),
    layers.ResizeLike("bilinear", align_corners=True),
    layers.ResizeTo(4, 6),
    layers.Unpool(),
]


def test_these_contracts_cover_every_layer():
    classes = {name for name in layers.__all__ if name[0].isupper()}
    assert {type(layer).__name__ for layer in LAYERS} == classes


@pytest.mark.parametrize("layer", LAYERS, ids=lambda layer: type(layer).__name__)
def test_options_survive_serialisation(layer):
    config = keras.saving.serialize_keras_object(layer)
    assert config["registered_name"] == f"kerasseg>{type(layer).__name__}"
    again = keras.saving.deserialize_keras_object(config)
    assert again.get_config() == layer.get_config()
