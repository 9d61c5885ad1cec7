"""Arguments that all builders and encoders share, answered before anything is built."""

import keras
import numpy as np
import pytest

from kerasseg import encoders, zoo

every_builder = pytest.mark.parametrize("name", zoo.names())
every_encoder = pytest.mark.parametrize("name", encoders.names())
COUNTS = ["resnet34", 0, -1, True, 2.0, None, "3"]


def own_encoder(stride=32):
    x = image = keras.Input((None, None, 3))
    taps = {}
    for level in range(1, 6):
        step = 2 if 2**level <= stride else 1
        x = keras.layers.Conv2D(8, 3, step, padding="same")(x)
        taps[f"c{level}"] = x
    return keras.Model(image, taps, name="mine")


@every_builder
@pytest.mark.parametrize("count", COUNTS)
def test_a_number_of_classes_is_a_whole_number_from_one_on(name, count):
    with pytest.raises(ValueError, match=r"`num_(classes|rays)` must be a whole.*=\W?"):
        zoo.BUILDERS[name](count)


def test_an_encoder_in_the_place_of_classes_is_told_its_place():
    with pytest.raises(ValueError, match=r"unet\(2, encoder='resnet34'\)"):
        zoo.unet("resnet34")


@pytest.mark.parametrize(
    "given, written",
    [
        ({"classes": 3}, r"no argument 'classes'.* Write num_classes=3\."),
        ({"backbone_name": "tiny"}, r"Write encoder='tiny'\."),
        ({"encoder_name": "tiny"}, r"Write encoder='tiny'\."),
        ({"in_channels": 4}, r"Write input_shape=\(None, None, 4\)\."),
        ({"decoder_channels": (8, 4)}, r"Write decoder_filters=\(8, 4\)\."),
        ({"activation": "softmax"}, "return logits.*predict.probabilities"),
        ({"num_class": 3}, "Did you mean 'num_classes'"),
        ({"zebra": 3}, r"unet\(\) has no argument 'zebra'. Received: zebra=3.$"),
    ],
)
def test_words_of_other_libraries_are_answered_by_ours(given, written):
    with pytest.raises(TypeError, match=written):
        zoo.unet(**given)


@every_builder
@pytest.mark.parametrize("encoder", [None, 3, encoders.tiny])
def test_an_encoder_is_a_name_or_a_model(name, encoder):
    with pytest.raises(ValueError, match="`encoder` must be the name of an encoder"):
        zoo.BUILDERS[name](encoder=encoder)


def test_a_function_in_place_of_an_encoder_is_named_as_here():
    with pytest.raises(ValueError, match=r"Write encoder='hrnet_w18'\."):
        zoo.unet(2, encoder=encoders.hrnet_w18)
    with pytest.raises(ValueError, match=r"encoders\.names\(\)") as caught:
        zoo.unet(2, encoder=keras.applications.ResNet50)
    assert "Write" not in str(caught.value)


@every_builder
@pytest.mark.parametrize("weights", ["ImageNet", "imagenet", True, False, 3])
def test_weights_of_a_whole_model_are_a_path(name, weights):
    with pytest.raises(ValueError, match="`weights` must be None or a path"):
        zoo.BUILDERS[name](weights=weights)


@every_builder
@pytest.mark.parametrize("weights", ["ImageNet", True, 3])
def test_weights_of_the_encoder_are_imagenet_or_a_path(name, weights):
    with pytest.raises(ValueError, match="Write encoder_weights='imagenet'"):
        zoo.BUILDERS[name](encoder_weights=weights)


@every_encoder
@pytest.mark.parametrize("weights", ["ImageNet", True])
def test_weights_of_an_encoder_are_imagenet_or_a_path(name, weights):
    with pytest.raises(ValueError, match="Write weights='imagenet'"):
        encoders.ENCODERS[name](weights=weights)


@every_encoder
@pytest.mark.parametrize("shape", [(64, 64), (64, 64, None), 64, (0, 64, 3), "64"])
def test_an_input_shape_has_height_width_and_channels(name, shape):
    with pytest.raises(ValueError, match="`input_shape` must be"):
        encoders.ENCODERS[name](shape)


def test_numbers_of_numpy_are_taken_wherever_an_int_is(tmp_path):
    three, two = np.int64(3), np.int32(2)
    model = zoo.unet(
        two,
        "tiny",
        input_shape=(None, None, three),
        decoder_filters=tuple(np.array([8, 8, 4, 4, 4])),
    )
    assert model.output_shape == (None, None, None, 2)
    model.save(tmp_path / "model.keras")
    assert zoo.unet(two, base_filters=two).output_shape[-1] == 2
    size = np.array([64, 64])
    for shape in (tuple(size), size.tolist()):
        found = zoo.center_mask(two, "tiny", image_size=shape, filters=np.uint8(8))
        assert found.input_shape == (None, 64, 64, 3)
    assert encoders.tiny(output_stride=np.int64(8))(np.zeros((1, 64, 64, 3)))[
        "c5"
    ].shape == (1, 8, 8, 40)


def test_weights_for_an_own_encoder_are_refused_with_the_way_to_load_them():
    with pytest.raises(ValueError, match=r"kerasseg\.weights\.load\(encoder, path\)"):
        zoo.unet(2, own_encoder(), encoder_weights="imagenet")
    with pytest.raises(ValueError, match=r"Received: '/no/file\.h5'"):
        zoo.unet(2, own_encoder(), encoder_weights="/no/file.h5")


def test_an_own_encoder_must_have_the_output_stride_that_is_asked_for():
    with pytest.raises(ValueError, match=r"stride 32\. Pass output_stride=32"):
        zoo.deeplab_v3_plus(2, own_encoder(), output_stride=8)
    for stride in (8, 32):
        model = zoo.deeplab_v3_plus(2, own_encoder(stride), output_stride=stride)
        assert model.output_shape[-1] == 2
    zoo.unet(2, own_encoder(8))  # asks for none


def test_channels_that_come_first_are_told():
    with pytest.warns(UserWarning, match=r"is \(64, 48, 3\) meant"):
        zoo.unet(2, base_filters=1, input_shape=(3, 64, 48))


@pytest.mark.parametrize("wrong", [0, 2.5, "8", (16, -8), True])
def test_filters_that_are_no_whole_numbers_are_refused_at_the_door(wrong):
    with pytest.raises(ValueError, match=r"`base_filters` must be whole numbers"):
        zoo.unet(2, base_filters=wrong)
    with pytest.raises(ValueError, match=r"`atrous_rates` must be whole numbers"):
        zoo.deeplab_v3(2, "tiny", encoder_weights=None, atrous_rates=wrong)
