"""Every semantic builder, small enough to be tried by the dozen."""

import keras

from kerasseg import zoo

FEW = (16, 16, 8, 8, 8)
SMALL = {
    "attention_unet": {"base_filters": 4},
    "bisenet_v2": {"decoder_filters": 32},
    "deeplab_v1": {"decoder_filters": 32},
    "encoder_decoder": {"decoder_filters": FEW},
    "fpn": {"decoder_filters": (32, 32)},
    "manet": {"decoder_filters": FEW, "reduction": 2},
    "ocrnet": {"decoder_filters": (32, 16)},
    "res_unet": {"base_filters": 4},
    "segformer": {"decoder_filters": 32},
    "u2net": {"decoder_filters": FEW, "inner_filters": (8, 8, 4, 4, 4)},
    "unet": {"base_filters": 4, "decoder_filters": FEW},
    "unet_3plus": {"base_filters": 4, "decoder_filters": 8},
    "unet_plus_plus": {"decoder_filters": FEW},
    "upernet": {"decoder_filters": 32},
}
CASES = [(name, "tiny") for name in zoo.names("semantic")] + [
    ("attention_unet", "plain"),
    ("res_unet", "residual"),
    ("selfie_segmenter", "mobilenet_v3_selfie"),
    ("unet", "plain"),
]


def build(name, encoder, num_classes=3, **options):
    keras.utils.set_random_seed(1)  # a gate of a few units may be dead at the start
    return zoo.BUILDERS[name](
        num_classes, encoder=encoder, **SMALL.get(name, {}), **options
    )
