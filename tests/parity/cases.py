"""Pairs to compare: our builder's (or encoder's) options beside the reference's.

Read on both sides, so it imports neither Keras nor PyTorch. References are
segmentation_models_pytorch ("smp"), torchvision and timm, whose defaults are meant
where nothing is said; smp resizes with corners aligned.
"""

SIZE = (64, 96)
# Batch statistics of few positions would magnify rounding from stage to stage.
WIDE = (129, 193)
STAGES = {"layer1": "c2", "layer2": "c3", "layer3": "c4", "layer4": "c5"}
SMALL = {"0": "c1", "1": "c2", "3": "c3", "8": "c4", "12": "c5"}
ODD = {"1": "c2", "3": "c3", "5": "c4", "7": "c5"}
CORNERS = {"align_corners": True}


def _smp(builder, theirs, ours=None, encoder="resnet18", size=SIZE, **options):
    reference = ("smp", theirs, {"encoder_name": encoder, **options})
    return builder, {"encoder": encoder, **(ours or {})}, reference, size


SCSE = {"decoder_attention_type": "scse"}
FINE = {"decoder_channels": (64, 48, 32, 24, 16)}
CASES = {
    "unet": _smp("unet", "Unet"),
    "unet_scse": _smp("unet", "Unet", {"attention": "scse"}, **SCSE),
    "unet_plus_plus": _smp("unet_plus_plus", "UnetPlusPlus"),
    "unet_plus_plus_scse": _smp(
        "unet_plus_plus",
        "UnetPlusPlus",
        {"attention": "scse", "decoder_filters": (64, 48, 32, 24, 16)},
        **SCSE,
        **FINE,
    ),
    "manet": _smp("manet", "MAnet"),
    "linknet": _smp("linknet", "Linknet"),
    "fpn": _smp("fpn", "FPN", CORNERS),
    "pspnet_light": _smp("pspnet", "PSPNet", {"light": True, **CORNERS}),
    "pan": _smp(
        "pan",
        "PAN",
        {"output_stride": 32, **CORNERS},
        encoder_output_stride=32,
        size=(256, 256),  # it halves the deepest features three times more
    ),
    "upernet": _smp("upernet", "UPerNet", CORNERS),
    "upernet_mit_b0": _smp("upernet", "UPerNet", CORNERS, "mit_b0"),
    "segformer": _smp("segformer", "Segformer", CORNERS, "mit_b0"),
    "unet_resnet50": _smp("unet", "Unet", encoder="resnet50"),
    "fcn": (
        "fcn",
        {"encoder": "resnet50", "aux": True},
        ("torchvision", "fcn_resnet50", {"aux_loss": True}),
        (65, 97),
    ),
    "deeplab_v3": (
        "deeplab_v3",
        {"encoder": "resnet50", "aux": True},
        ("torchvision", "deeplabv3_resnet50", {"aux_loss": True}),
        # Averages of two images alike would lie so close together that normalising
        # them magnifies rounding: the second is darker.
        (65, 97, 0.3),
    ),
    "lraspp": (
        "lraspp",
        {"output_stride": 32},
        ("torchvision", "lraspp_mobilenet_v3_large", {}),
        (65, 97),
    ),
    "hrnet_w18": (
        "hrnet_w18",
        {"interpolation": "nearest"},
        ("timm", "hrnet_w18", {}),
        SIZE,
    ),
    "resnext50_32x4d": (
        "resnext50_32x4d",
        {},
        ("classifier", "resnext50_32x4d", STAGES),
        WIDE,
    ),
    "wide_resnet50_2": (
        "wide_resnet50_2",
        {},
        ("classifier", "wide_resnet50_2", STAGES),
        WIDE,
    ),
    "mobilenet_v3_small": (
        "mobilenet_v3_small",
        {},
        ("classifier", "mobilenet_v3_small", SMALL),
        (65, 97),
    ),
    "convnext_tiny": (
        "convnext_tiny",
        {},
        ("classifier", "convnext_tiny", ODD),
        SIZE,
    ),
}
# The others differ from these only in what is compared elsewhere, or are large.
FIXTURES = (
    "unet_scse",
    "unet_plus_plus",
    "manet",
    "linknet",
    "fpn",
    "pspnet_light",
    "pan",
    "upernet",
    "segformer",
    "lraspp",
)
TOLERANCE = 1e-4  # of the largest value
# Random weights magnify rounding from stage to stage: in PyTorch itself, float32 is
# 1.0e-4 and 1.1e-4 away from float64 at the deepest features of these two.
TOLERANCES = {"resnext50_32x4d": 3e-4, "wide_resnet50_2": 3e-4}
