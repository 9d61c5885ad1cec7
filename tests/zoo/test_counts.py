"""Parameter counts of papers and reference implementations: exact."""

import numpy as np
import pytest

from kerasseg import encoders, zoo


def trainable(model):
    return sum(int(np.prod(weight.shape)) for weight in model.trainable_variables)


@pytest.mark.parametrize(
    ("channels", "num_classes", "count"),
    [(1, 2, 31030658), (3, 1, 31031745), (3, 2, 31031810), (3, 21, 31033045)],
)
def test_unet_to_the_letter_has_the_paper_s_parameters(channels, num_classes, count):
    shape = (None, None, channels)
    model = zoo.unet(num_classes, input_shape=shape, padding="valid", norm=None)
    assert trainable(model) == count


def test_unet_with_batch_norm_trades_biases_for_gammas_and_betas():
    model = zoo.unet(2)
    assert trainable(model) == 31037698
    assert model.count_params() == 31037698 + 11776


# segmentation_models.pytorch 0.6.0, 21 classes
@pytest.mark.parametrize(
    ("encoder", "count"), [("resnet34", 24439269), ("resnet50", 32524005)]
)
def test_unet_on_an_encoder_equals_the_pytorch_reference(encoder, count):
    assert trainable(zoo.unet(21, encoder)) == count


# Shelhamer et al.: VGG16 14,714,688 + fc6 102,764,544 + fc7 16,781,312 + scores ...
@pytest.mark.parametrize(
    ("output_stride", "count"), [(32, 136152917), (16, 134815994), (8, 134489759)]
)
def test_fcn_on_vgg16_has_the_paper_s_parameters(output_stride, count):
    assert trainable(zoo.fcn(21, output_stride=output_stride)) == count


# torchvision 0.28
@pytest.mark.parametrize(
    ("builder", "encoder", "aux", "count"),
    [
        ("fcn", "resnet50", False, 32957013),
        ("fcn", "resnet50", True, 35322218),
        ("fcn", "resnet101", False, 51949141),
        ("fcn", "resnet101", True, 54314346),
        ("deeplab_v3", "resnet50", False, 39638869),
        ("deeplab_v3", "resnet50", True, 42004074),
        ("deeplab_v3", "resnet101", False, 58630997),
        ("deeplab_v3", "resnet101", True, 60996202),
    ],
)
def test_dilated_forms_equal_torchvision(builder, encoder, aux, count):
    assert trainable(zoo.BUILDERS[builder](21, encoder, aux=aux)) == count


@pytest.mark.parametrize("output_stride", [8, 16])
def test_deeplab_v3_plus_on_xception_has_the_paper_s_parameters(output_stride):
    model = zoo.deeplab_v3_plus(21, "xception65", output_stride=output_stride)
    assert model.count_params() == 41258213


def test_deeplab_v3_plus_on_mobilenet_v2_without_decoder():
    model = zoo.deeplab_v3_plus(21, "mobilenet_v2", atrous_rates=(), decoder_filters=())
    assert model.count_params() == 2146645


@pytest.mark.parametrize(
    ("name", "count"),
    [
        ("resnet18", 11176512),
        ("resnet34", 21284672),
        ("resnet50", 23508032),
        ("resnet101", 42500160),
        ("vgg16", 14714688),
    ],
)
def test_encoders_have_the_published_parameters(name, count):
    assert trainable(encoders.build(name)) == count
