"""Parameter counts of papers and reference implementations: exact."""

import functools

import pytest

from kerasseg import encoders, zoo
from tests.zoo.counts import trainable, without_values


@pytest.fixture(autouse=True)
def unset():
    """Weights without values: they are only counted."""
    with without_values():
        yield


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


@pytest.fixture(scope="module")
def shared():
    """Function from an encoder's name to one model of it: heads are what counts."""
    return functools.cache(encoders.build)


# segmentation_models.pytorch 0.6.0, 21 classes
@pytest.mark.parametrize("encoder", ["resnet34", "resnet50"])
@pytest.mark.parametrize(
    ("name", "counts"),
    [
        ("unet", (24439269, 32524005)),
        ("unet_plus_plus", (26081509, 48988645)),
        ("manet", (31786533, 147442893)),
        ("linknet", (21772597, 31178437)),
        ("fpn", (23157973, 26118613)),
        ("pspnet", (21530165, 24393173)),
        ("pan", (21481596, 24265596)),
        ("upernet", (29604821, 37289813)),
    ],
)
def test_decoders_equal_segmentation_models_pytorch(name, encoder, counts, shared):
    options = {"lightweight": True} if name == "pspnet" else {}
    if name in ("pspnet", "pan"):  # the shared encoder's; it changes no number
        options["output_stride"] = 32
    model = zoo.BUILDERS[name](21, shared(encoder), **options)
    assert trainable(model) == counts[encoder == "resnet50"]


# Xie et al.: 150 classes, statistics included
@pytest.mark.parametrize(
    ("encoder", "count"),
    [
        ("mit_b0", 3753206),
        ("mit_b1", 13716310),
        ("mit_b2", 27463510),
        ("mit_b3", 47339350),
        ("mit_b4", 64109910),
        ("mit_b5", 84710230),
    ],
)
def test_segformer_has_the_paper_s_parameters(encoder, count):
    assert zoo.segformer(150, encoder).count_params() == count


# VGG16 14,714,688, fc6 3x3x512x1024, fc7 1024x1024, score, biases: "20.5M" in the paper
def test_deeplab_v1_has_the_large_field_of_view_s_parameters():
    assert trainable(zoo.deeplab_v1(21)) == 20505429


# ResNet-101 42,500,160 and four 3x3 scores of 2048 channels
def test_deeplab_v2_is_resnet_and_four_scores(shared):
    model = zoo.deeplab_v2(21, shared("resnet50"), output_stride=32)
    assert trainable(model) == 23508032 + 4 * (9 * 2048 + 1) * 21


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
        ("deeplab_v3", "mobilenet_v3_large", False, 11025477),
        ("deeplab_v3", "mobilenet_v3_large", "c3", 11029328),
    ],
)
def test_dilated_forms_equal_torchvision(builder, encoder, aux, count):
    assert trainable(zoo.BUILDERS[builder](21, encoder, aux=aux)) == count


def test_lraspp_equals_torchvision():
    assert trainable(zoo.lraspp(21)) == 3221538


# Google's file: 110 arrays
def test_the_selfie_segmenter_has_the_numbers_of_the_published_file():
    assert trainable(zoo.selfie_segmenter()) == 106401


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
        ("resnet50d", 25576264 - 2049000),  # timm's, less its classifier
        ("vgg16", 14714688),
        ("vgg19", 20024384),
        ("resnext50_32x4d", 22979904),
        ("wide_resnet50_2", 66834240),
        # Cadene's, which smp's are, less their classifiers
        ("se_resnext50_32x4d", 27559896 - 2049000),
        ("se_resnext101_32x4d", 48955416 - 2049000),
        ("mobilenet_v3_small", 927008),
        ("xception41", 26969560 - 2049000),  # timm's, less its classifier
        ("mit_b0", 3319392),
    ],
)
def test_encoders_have_the_published_parameters(name, count):
    assert trainable(encoders.build(name)) == count


# torchvision, 91 classes with the background; convolutions of a frozen ResNet
def test_mask_rcnn_equals_torchvision():
    model = zoo.mask_rcnn(90, image_size=(64, 64), freeze_norm=True)
    assert trainable(model) == 44401393


# Bolya et al.'s code, 81 classes with the background
@pytest.mark.parametrize(
    ("encoder", "count"), [("resnet50", 31164943), ("resnet101", 50157071)]
)
def test_yolact_equals_the_paper_s_code(encoder, count):
    assert trainable(zoo.yolact(80, encoder, image_size=(64, 64))) == count


# Zhou et al.'s code, without deformable convolutions: boxes only
@pytest.mark.parametrize(
    ("encoder", "count"), [("resnet18", 15820372), ("resnet101", 53435476)]
)
def test_center_mask_without_masks_is_centernet(encoder, count):
    model = zoo.center_mask(80, encoder, image_size=(64, 64))
    heads = model.get_layer("head").layers
    masks = [x for x in heads if x.name.startswith(("shapes", "saliency"))]
    assert trainable(model) - sum(trainable(layer) for layer in masks) == count
