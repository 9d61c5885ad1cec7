"""Folders that `save_pretrained` of segmentation_models.pytorch writes."""

import json
import pathlib

from kerasseg.encoders import resnet
from kerasseg.weights import WeightsError

FILES = ("model.safetensors", "pytorch_model.bin")
# Its words for options of ours, by architecture there.
FILTERS = {"decoder_channels": "decoder_filters"}
STRIDE = {"encoder_output_stride": "output_stride"}
GATED = {**FILTERS, "decoder_attention_type": "attention"}
OPTIONS = {
    "Unet": GATED,
    "UnetPlusPlus": GATED,
    "MAnet": {**FILTERS, "decoder_pab_channels": "attention_filters"},
    "Linknet": {},
    "FPN": {},
    "PSPNet": {},
    "PAN": {**FILTERS, **STRIDE},
    "DeepLabV3": STRIDE,
    "DeepLabV3Plus": STRIDE,
    "UPerNet": FILTERS,
    "Segformer": {"decoder_segmentation_channels": "decoder_filters"},
}
# What our references compute: its defaults.
COMPUTED = {
    "in_channels": 3,
    "encoder_depth": 5,
    "decoder_use_norm": "batchnorm",
    "decoder_use_batchnorm": True,  # up to smp 0.4
    "decoder_interpolation": "nearest",
    "aux_params": None,
}
RATES = {"decoder_channels": 256, "decoder_atrous_rates": [12, 24, 36]}
OTHERWISE = {
    "FPN": {
        "decoder_pyramid_channels": 256,
        "decoder_segmentation_channels": 128,
        "decoder_merge_policy": "add",
        "upsampling": 4,
    },
    "PSPNet": {"encoder_depth": 3, "psp_out_channels": 512, "upsampling": 8},
    "PAN": {"decoder_interpolation": "bilinear", "upsampling": 4},
    "DeepLabV3": {**RATES, "decoder_aspp_separable": False, "upsampling": None},
    "DeepLabV3Plus": {**RATES, "decoder_aspp_separable": True, "upsampling": 4},
    "UPerNet": {"upsampling": 4},
    "Segformer": {"upsampling": 4},
}
# Models here return logits, and dropout does nothing when they predict.
WITHOUT_EFFECT = {"encoder_weights", "activation", "decoder_dropout", "psp_dropout"}
WITHOUT_EFFECT |= {"decoder_aspp_dropout", "psp_use_batchnorm"}
NAMED = {"_model_class", "encoder_name", "classes"}
# Encoders of timm, "tu-resnet50d" there: those that are ours, at stride 32 only.
TIMM = {*resnet.DEPTHS, "resnet50d"}
DENSE = {"PAN", "PSPNet", "DeepLabV3", "DeepLabV3Plus"}


def reference_of(folder):
    """Arguments of `zoo.from_reference` for a folder with config.json and weights.

    Args:
        folder: path.

    Returns:
        (name of the reference, dict of the other arguments).

    Raises:
        WeightsError: if a file is missing or no configuration, or has an option of
            which the reference computes another value.
    """
    folder = pathlib.Path(folder)
    config = _read(folder / "config.json")
    weights = [folder / name for name in FILES if (folder / name).is_file()]
    if not weights:
        raise WeightsError(f"needs one of {FILES}, and has none.", str(folder))
    theirs = config["_model_class"]
    renamed = OPTIONS[theirs]
    computed = {**COMPUTED, **OTHERWISE.get(theirs, {})}
    options = {}
    for key, value in config.items():
        if key in renamed:
            options[renamed[key]] = value
        elif key in computed:
            if value != computed[key]:
                raise WeightsError(
                    f"`{key}` of {theirs} must be {computed[key]!r}, all that is "
                    f"computed here. Received: {value!r}.",
                    str(folder),
                )
        elif key not in WITHOUT_EFFECT | NAMED:
            raise WeightsError(
                f"options of {theirs} must be known. Received: {key}={value!r}. Give "
                f"the file to kerasseg.zoo.from_reference('smp/{theirs}') if it is of "
                "no effect.",
                str(folder),
            )
    return f"smp/{theirs}", {
        "num_classes": config["classes"],
        "encoder": _encoder(config["encoder_name"], theirs, folder),
        "weights": weights[0],
        "options": options,
    }


def _encoder(name, architecture, folder):
    """Our name of an encoder there."""
    timm = name.removeprefix("tu-")
    if timm == name:
        return name.replace("-", "_")
    if timm not in TIMM or architecture in DENSE:
        raise WeightsError(
            f"of timm's encoders {', '.join(sorted(TIMM))} are known, for other "
            f"networks than {', '.join(sorted(DENSE))}. Received: {name!r} of "
            f"{architecture}.",
            str(folder),
        )
    return timm


def _read(path):
    """The configuration, with the three entries that every one has."""
    try:
        config = json.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise WeightsError(f"no configuration ({error}).", str(path)) from error
    known = isinstance(config, dict) and {*config} >= NAMED
    if not known or not isinstance(config["encoder_name"], str):
        raise WeightsError(f"must have the entries {sorted(NAMED)}.", str(path))
    if config["_model_class"] not in OPTIONS:
        raise WeightsError(
            f"must be of one of {', '.join(OPTIONS)}. "
            f"Received: {config['_model_class']!r}.",
            str(path),
        )
    return config
