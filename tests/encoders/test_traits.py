"""Facts that encoders state for decoders and loaders."""

import keras
import pytest

from kerasseg import blocks, encoders
from kerasseg.encoders.traits import Traits


def test_names_say_what_decoders_and_loaders_must_know():
    traits = encoders.traits_of("resnet50")
    assert traits.publisher == "torchvision"
    assert (r"^fc\.", None) in traits.rules
    assert encoders.traits_of("plain").unit is blocks.double_conv
    assert encoders.traits_of("vgg16").convolutional_fc
    assert encoders.traits_of("mit_b2").head_filters == 768


def test_an_unknown_name_is_refused_with_the_nearest():
    with pytest.raises(ValueError, match="Did you mean 'resnet50'"):
        encoders.traits_of("resnet_50")


def test_of_a_model_only_what_does_not_depend_on_how_it_was_built():
    traits = encoders.traits_of(encoders.plain(base_filters=2, depth=2))
    assert traits == Traits()
    traits = encoders.traits_of(encoders.mit_b0())
    assert traits == Traits(rules=encoders.traits_of("mit_b0").rules)


def test_a_model_of_others_has_no_traits():
    image = keras.Input((8, 8, 3))
    assert encoders.traits_of(keras.Model(image, image, name="mine")) == Traits()
