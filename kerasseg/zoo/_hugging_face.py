"""Folders that `save_pretrained` of Hugging Face's transformers writes."""

import json

from kerasseg.encoders import convnext, mix_transformer
from kerasseg.names import bounded
from kerasseg.weights import WeightsError

FILES = ("model.safetensors", "model.safetensors.index.json", "pytorch_model.bin")
# What our references compute: its defaults, and those of its published networks.
SEGFORMER = {
    "num_channels": 3,
    "num_encoder_blocks": 4,
    "num_attention_heads": [1, 2, 5, 8],
    "sr_ratios": [8, 4, 2, 1],
    "patch_sizes": [7, 3, 3, 3],
    "strides": [4, 2, 2, 2],
    "mlp_ratios": [4, 4, 4, 4],
    "hidden_act": "gelu",
    "layer_norm_eps": 1e-6,
}
CONVNEXT = {
    "model_type": "convnext",
    "num_channels": 3,
    "patch_size": 4,
    "hidden_act": "gelu",
    "layer_norm_eps": 1e-12,
    "out_features": ["stage1", "stage2", "stage3", "stage4"],
}
# Class there -> our reference, its encoders, its words for their options, and for ours.
NETWORKS = {
    "SegformerForSemanticSegmentation": (
        "huggingface/segformer",
        mix_transformer.VARIANTS,
        SEGFORMER,
        {"decoder_hidden_size": "decoder_filters"},
    ),
    "UperNetForSemanticSegmentation": (
        "huggingface/upernet",
        convnext.VARIANTS,
        CONVNEXT,
        {"hidden_size": "decoder_filters"},
    ),
}
OTHERWISE = {"pool_scales": [1, 2, 3, 6]}
# Of images, as our encoders normalise them.
PREPARED = {
    "do_rescale": True,
    "rescale_factor": 1 / 255,
    "do_normalize": True,
    "image_mean": [0.485, 0.456, 0.406],
    "image_std": [0.229, 0.224, 0.225],
}


def reference_of(folder, config):
    """Arguments of `zoo.from_reference` for a folder, and names of its classes.

    Args:
        folder: pathlib.Path.
        config: content of its config.json, with "architectures".

    Returns:
        (name of the reference, dict of the other arguments, tuple of names).

    Raises:
        WeightsError: if it is of another network, has an option of which the reference
            computes another value, or no weights.
    """
    theirs = config["architectures"]
    theirs = theirs[0] if isinstance(theirs, list) and theirs else theirs
    if theirs not in NETWORKS:
        raise WeightsError(
            f"must be of one of {', '.join(NETWORKS)}. Received: {theirs!r}.",
            str(folder),
        )
    name, variants, computed, renamed = NETWORKS[theirs]
    backbone = config.get("backbone_config", config)
    if not isinstance(backbone, dict):
        raise WeightsError("its config.json must say its backbone.", str(folder))
    _check(backbone, computed, folder)
    _check(config, OTHERWISE, folder)
    _check(read_json(folder / "preprocessor_config.json"), PREPARED, folder)
    weights = [folder / file for file in FILES if (folder / file).is_file()]
    if not weights:
        raise WeightsError(f"needs one of {FILES}, and has none.", str(folder))
    classes = _classes(config.get("id2label", {"0": "0", "1": "1"}), folder)
    given = {
        "num_classes": len(classes),
        "encoder": _encoder(backbone, variants, folder),
        "weights": weights[0],
        "options": {ours: config[x] for x, ours in renamed.items() if x in config},
    }
    # One logit tells its class from all else.
    return name, given, classes if len(classes) > 1 else ("background", *classes)


def read_json(path):
    """The object in a small file; an empty one if there is no such file.

    Raises:
        WeightsError: if it is damaged.
    """
    try:
        config = json.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, RecursionError) as error:
        raise WeightsError(f"is no configuration ({error}).", str(path)) from error
    return config if isinstance(config, dict) else {}


def _classes(names, folder):
    """Names in the order of their numbers; as texts, "10" may come before "2"."""
    named = isinstance(names, dict) and {*names} == {*map(str, range(len(names)))}
    if not named or not names:
        raise WeightsError(
            "`id2label` must name the classes from 0 on. Received: "
            f"{bounded(names, 200)}.",
            str(folder),
        )
    return tuple(str(names[str(index)]) for index in range(len(names)))


def _encoder(backbone, variants, folder):
    sizes = [backbone.get("hidden_sizes"), backbone.get("depths")]
    found = [x for x, known in variants.items() if [list(y) for y in known] == sizes]
    if not found:
        raise WeightsError(
            f"its encoder must be one of {', '.join(variants)}. Received: "
            f"hidden_sizes={sizes[0]!r}, depths={sizes[1]!r}.",
            str(folder),
        )
    return found[0]


def _check(config, computed, folder):
    for key, value in computed.items():
        if key in config and config[key] != value:
            raise WeightsError(
                f"`{key}` must be {value!r}, all that is computed here. Received: "
                f"{config[key]!r}.",
                str(folder),
            )
