"""Pairs to compare: our references (or encoders) beside the originals.

Read on both sides, so it imports neither Keras nor PyTorch. References are
segmentation_models_pytorch ("smp"), torchvision, timm, transformers and mmsegmentation
("mmseg"), whose defaults are meant where nothing is said, and networks rebuilt from
their papers ("rebuilt"); smp resizes with corners aligned.
"""

from typing import NamedTuple

SIZE = (64, 96)
ODD_SIZE = (65, 97)
# Batch statistics of few positions would magnify rounding from stage to stage.
WIDE = (129, 193)
# Averages of two images alike would lie so close together that normalising them
# magnifies rounding: the second is darker.
DARKER = (65, 97, 0.3)
STAGES = {"layer1": "c2", "layer2": "c3", "layer3": "c4", "layer4": "c5"}
SMALL = {"0": "c1", "1": "c2", "3": "c3", "8": "c4", "12": "c5"}
ODD = {"1": "c2", "3": "c3", "5": "c4", "7": "c5"}


class Case(NamedTuple):
    """Model, its reference, and the image on which they are compared.

    Attributes:
        ours: name of a reference (`zoo.REFERENCES`) or of an encoder.
        options: of `zoo.from_reference`, or of the encoder's function.
        theirs: kind, name and options for `reference.build`.
        size: (height, width), and how dark the second image is.
    """

    ours: str
    options: dict
    theirs: tuple
    size: tuple = SIZE


def _smp(name, encoder="resnet18", size=SIZE, ours=None, **theirs):
    options = {
        "encoder": encoder.replace("-", "_"),
        **({"options": ours} if ours else {}),
    }
    return Case(
        f"smp/{name}", options, ("smp", name, {"encoder_name": encoder, **theirs}), size
    )


def _torchvision(name, size=ODD_SIZE, **options):
    ours = {"options": {"aux": options["aux_loss"]}} if options else {}
    return Case(f"torchvision/{name}", ours, ("torchvision", name, options), size)


def _segformer(reference, **names):
    theirs = ("transformers", "SegformerForSemanticSegmentation", names)
    return Case(reference, {}, theirs, ODD_SIZE)


def _mmseg(name, head):
    return Case(
        f"mmseg/{name}", {"options": {"aux": True}}, ("mmseg", head, {}), DARKER
    )


def _classifier(name, levels, size):
    return Case(name, {}, ("classifier", name, levels), size)


TOP = ("rpn_pre_nms_top_n_test", "rpn_post_nms_top_n_test")


def _detector(name, size, sides):
    """Two images one by one; `sides` is what torchvision's transformation is told."""
    options = {"min_size": sides[0], "max_size": sides[1]}
    # Fewer proposals than there: its rules in Python take minutes.
    options |= dict.fromkeys(TOP, 200)
    ours = {"options": {"num_proposals": 200}}
    return Case(f"torchvision/{name}", ours, ("detection", name, options), size)


UPERNET = ("transformers", "UperNetForSemanticSegmentation", {})
SCSE = {"decoder_attention_type": "scse"}
OURS_SCSE = {"attention": "scse"}
FINE = (64, 48, 32, 24, 16)
CASES = {
    "unet": _smp("Unet"),
    "unet_scse": _smp("Unet", ours=OURS_SCSE, **SCSE),
    "unet_plus_plus": _smp("UnetPlusPlus"),
    "unet_plus_plus_scse": _smp(
        "UnetPlusPlus",
        ours={**OURS_SCSE, "decoder_filters": FINE},
        decoder_channels=FINE,
        **SCSE,
    ),
    "manet": _smp("MAnet"),
    "manet_resnet50": _smp("MAnet", "resnet50", (160, 224, 0.3)),
    "linknet": _smp("Linknet"),
    "fpn": _smp("FPN"),
    "pspnet_light": _smp("PSPNet"),
    # Its deepest features are halved three times more, and 9 x 13 leaves rests.
    "pan": _smp("PAN", size=(144, 208)),
    "pan_mit_b0": _smp(
        "PAN", "mit_b0", (256, 256), {"output_stride": 32}, encoder_output_stride=32
    ),
    "pan_resnet50": _smp("PAN", "resnet50", (144, 208, 0.3)),
    "pan_stride_32": _smp(
        "PAN",
        size=(256, 256),
        ours={"output_stride": 32},
        encoder_output_stride=32,
    ),
    "upernet": _smp("UPerNet"),
    "upernet_mit_b0": _smp("UPerNet", "mit_b0"),
    "segformer": _smp("Segformer", "mit_b0"),
    "segformer_resnet18": _smp("Segformer"),
    "segformer_mobilenet_v2": _smp("Segformer", "mobilenet_v2"),
    "unet_resnet50": _smp("Unet", "resnet50"),
    "unet_mobilenet_v2": _smp("Unet", "mobilenet_v2"),
    "deeplab_v3_plus_mobilenet_v2": _smp(
        "DeepLabV3Plus", "mobilenet_v2", (64, 96, 0.3)
    ),
    "unet_efficientnet_b0": _smp("Unet", "efficientnet-b0"),
    "deeplab_v3_plus_efficientnet_b0": _smp(
        "DeepLabV3Plus", "efficientnet-b0", (64, 96, 0.3)
    ),
    # At stride 8, where two levels are dilated.
    "deeplab_v3_efficientnet_b0": _smp("DeepLabV3", "efficientnet-b0", (64, 96, 0.3)),
    "deeplab_v3_mobilenet_v2": _smp("DeepLabV3", "mobilenet_v2", (64, 96, 0.3)),
    "pan_efficientnet_b1": _smp("PAN", "efficientnet-b1", (144, 208)),
    # Each pads by the sides of its images in ImageNet.
    **{f"fpn_efficientnet_b{n}": _smp("FPN", f"efficientnet-b{n}") for n in (1, 2, 3)},
    **{f"fpn_efficientnet_b{n}": _smp("FPN", f"efficientnet-b{n}") for n in (4, 5, 6)},
    "fpn_efficientnet_b7": _smp("FPN", "efficientnet-b7", (128, 192)),
    "linknet_densenet121": _smp("Linknet", "densenet121", (128, 192, 0.3)),
    "fpn_densenet169": _smp("FPN", "densenet169", (128, 192, 0.3)),
    "fpn_densenet201": _smp("FPN", "densenet201", (128, 192, 0.3)),
    "unet_vgg16_bn": _smp("Unet", "vgg16_bn"),
    "unet_plus_plus_vgg11_bn": _smp("UnetPlusPlus", "vgg11_bn"),
    "linknet_vgg16": _smp("Linknet", "vgg16"),
    "fpn_vgg19": _smp("FPN", "vgg19"),
    **{f"fpn_vgg{n}_bn": _smp("FPN", f"vgg{n}_bn") for n in (11, 13, 16, 19)},
    "fpn_se_resnext50": _smp("FPN", "se_resnext50_32x4d", (128, 192, 0.3)),
    "deeplab_v3_plus_se_resnext50": _smp(
        "DeepLabV3Plus", "se_resnext50_32x4d", (128, 192, 0.3)
    ),
    "fcn": _torchvision("fcn_resnet50", aux_loss=True),
    "deeplab_v3": _torchvision("deeplabv3_resnet50", DARKER, aux_loss=True),
    # Averages of a dark and a light image, as above.
    "deeplab_v3_smp": _smp("DeepLabV3", size=(64, 96, 0.3)),
    "deeplab_v3_smp_stride_16": _smp(
        "DeepLabV3",
        "resnet34",
        (128, 192, 0.3),
        {"output_stride": 16},
        encoder_output_stride=16,
    ),
    "deeplab_v3_plus": _smp("DeepLabV3Plus", size=(64, 96, 0.3)),
    "deeplab_v3_plus_resnet50": _smp("DeepLabV3Plus", "resnet50", (128, 192, 0.3)),
    "deeplab_v3_plus_stride_8": _smp(
        "DeepLabV3Plus",
        "resnet34",
        (64, 96, 0.3),
        {"output_stride": 8},
        encoder_output_stride=8,
    ),
    "deeplab_v3_mobilenet_v3": _torchvision(
        "deeplabv3_mobilenet_v3_large", (129, 193, 0.3)
    ),
    "fcn_resnet101": _torchvision("fcn_resnet101", aux_loss=True),
    "deeplab_v3_resnet101": _torchvision("deeplabv3_resnet101", DARKER, aux_loss=True),
    "segformer_transformers_5": _segformer("huggingface/segformer"),
    "segformer_transformers_4": _segformer("huggingface/segformer", names="4"),
    "segformer_nvlabs": _segformer("nvlabs/segformer", names="nvlabs"),
    "mit_b0": Case(
        "mit_b0", {}, ("transformers", "SegformerForImageClassification", {}), ODD_SIZE
    ),
    "fcn_mmseg": _mmseg("FCN", "FCNHead"),
    "pspnet_mmseg": _mmseg("PSPNet", "PSPHead"),
    "deeplab_v3_mmseg": _mmseg("DeepLabV3", "ASPPHead"),
    "deeplab_v3_plus_mmseg": Case(
        "mmseg/DeepLabV3Plus",
        {},
        ("mmseg", "DepthwiseSeparableASPPHead", {"aux": False}),
        DARKER,
    ),
    "upernet_mmseg": _mmseg("UPerNet", "UPerHead"),
    "unet_milesial": Case("milesial/UNet", {}, ("rebuilt", "UNet", {}), ODD_SIZE),
    "unet_milesial_narrow": Case(
        "milesial/UNet",
        {"options": {"base_filters": 4}},
        ("rebuilt", "UNet", {"width": 4}),
        ODD_SIZE,
    ),
    "upernet_convnext": Case("huggingface/upernet", {}, UPERNET, SIZE),
    "upernet_convnext_odd": Case("huggingface/upernet", {}, UPERNET, (75, 117)),
    "convnext_tiny_transformers": Case(
        "convnext_tiny", {}, ("transformers", "ConvNextForImageClassification", {})
    ),
    "u2net": Case("u2net/U2NET", {}, ("rebuilt", "U2NET", {}), WIDE),
    "ocrnet": Case(
        "hrnet/ocr",
        {"encoder": "hrnet_w18", "options": {"aux": True}},
        ("rebuilt", "OCR", {"width": 18}),
        WIDE,
    ),
    "lraspp": _torchvision("lraspp_mobilenet_v3_large"),
    "hrnet_w18": Case(
        "hrnet_w18", {"interpolation": "nearest"}, ("timm", "hrnet_w18", {})
    ),
    "resnet50d": Case("resnet50d", {}, ("timm", "resnet50d", STAGES), WIDE),
    "resnext50_32x4d": _classifier("resnext50_32x4d", STAGES, WIDE),
    "wide_resnet50_2": _classifier("wide_resnet50_2", STAGES, WIDE),
    "mobilenet_v3_small": _classifier("mobilenet_v3_small", SMALL, ODD_SIZE),
    "convnext_tiny": _classifier("convnext_tiny", ODD, SIZE),
    "convnext_tiny_odd": _classifier("convnext_tiny", ODD, (75, 117)),
}
V1, V2 = "maskrcnn_resnet50_fpn", "maskrcnn_resnet50_fpn_v2"
DETECTORS = {
    "mask_rcnn_coco": _detector(f"{V1}_coco", (224, 320), (224, 320)),
    "mask_rcnn": _detector(V1, (150, 211), (230, 320)),
    "mask_rcnn_v2": _detector(V2, (200, 330), (192, 256)),
}
# Their encoders; three classes, and the size for which they are published.
YOLACT = {"yolact": "resnet50", "yolact_resnet101": "resnet101"}
YOLACT_SIZE = (550, 550)
# StarDist: channels of its first level, those behind its U-Net, of images, and epochs.
# The first is too small to be one of those that are published.
STARS = {
    "2D_versatile_fluo": (4, 16, 1, 24),
    "2D_versatile_he": (32, 128, 3, 4),
    "2D_paper_dsb2018": (32, 128, 1, 4),
}
# Of a user's own, with other numbers than any that is published.
OWN_STARDIST = {
    "grid": (1, 1),
    "n_rays": 8,
    "n_channel_in": 2,
    "unet_n_depth": 2,
    "unet_n_filter_base": 4,
    "net_conv_after_unet": 6,
}
# The others differ from these only in what is compared elsewhere, or are large.
FIXTURES = (
    "unet_milesial_narrow",
    "unet_scse",
    "unet_plus_plus",
    "manet",
    "linknet",
    "fpn",
    "pspnet_light",
    "pan",
    "upernet",
    "segformer",
    "deeplab_v3_smp",
    "deeplab_v3_plus",
    "deeplab_v3_plus_mobilenet_v2",
    "deeplab_v3_plus_efficientnet_b0",
    "deeplab_v3_mobilenet_v3",
    "lraspp",
)
TOLERANCE = 1e-4  # of the largest value
# Random weights magnify rounding from stage to stage: this far is PyTorch's own float32
# from its float64 at the deepest outputs of these (twice, where both sides round).
TOLERANCES = {
    "resnet50d": 2e-4,  # 0.7e-4
    "resnext50_32x4d": 3e-4,  # 1.0e-4
    "wide_resnet50_2": 3e-4,  # 1.1e-4
    "manet_resnet50": 3e-4,  # 1.6e-4
    "deeplab_v3_plus_resnet50": 3e-4,  # 1.5e-4
    "pspnet_mmseg": 2e-4,  # 0.6e-4
    "deeplab_v3_mmseg": 2e-4,  # 0.9e-4
    "deeplab_v3_plus_mmseg": 3e-4,  # 1.6e-4
    "upernet_mmseg": 2e-4,  # 0.8e-4
    "fcn_resnet101": 5e-4,  # 3.3e-4
    "deeplab_v3_resnet101": 5e-4,  # 4.6e-4
    "u2net": 5e-4,  # 4.6e-4
    "ocrnet": 2e-4,  # 0.8e-4
}
