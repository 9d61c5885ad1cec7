"""Folders of segmentation_models.pytorch: its options are ours, or refused."""

import json

import numpy as np
import pytest

from kerasseg import weights, zoo
from kerasseg.zoo._smp import reference_of
from tests.weights.written import safetensors_of
from tests.zoo.test_references import published

# Written by smp 0.6.0, DeepLabV3Plus("mobilenet_v2", classes=3).save_pretrained(...)
CONFIG = {
    "_model_class": "DeepLabV3Plus",
    "activation": None,
    "aux_params": None,
    "classes": 3,
    "decoder_aspp_dropout": 0.5,
    "decoder_aspp_separable": True,
    "decoder_atrous_rates": [12, 24, 36],
    "decoder_channels": 256,
    "encoder_depth": 5,
    "encoder_name": "mobilenet_v2",
    "encoder_output_stride": 16,
    "encoder_weights": None,
    "in_channels": 3,
    "upsampling": 4,
}


def write(folder, arrays=None, **changes):
    folder.mkdir(exist_ok=True)
    (folder / "config.json").write_text(json.dumps({**CONFIG, **changes}))
    safetensors_of(folder / "model.safetensors", arrays or {"a": np.zeros(1)})
    return folder


def test_a_folder_is_the_model_of_its_configuration(tmp_path):
    arrays = published("deeplab_v3_plus_mobilenet_v2")
    model = zoo.from_smp(write(tmp_path, arrays, encoder_output_stride=8))
    assert model.built_with.options["output_stride"] == 8
    kernel = arrays["segmentation_head.0.weight"].transpose(2, 3, 1, 0)
    np.testing.assert_array_equal(model.get_layer("head").kernel, kernel)


# Likewise Unet("efficientnet-b0", decoder_attention_type="scse", ...)
UNET = {
    "_model_class": "Unet",
    "activation": "softmax",
    "aux_params": None,
    "classes": 3,
    "decoder_attention_type": "scse",
    "decoder_channels": [64, 48, 32, 24, 16],
    "decoder_interpolation": "nearest",
    "decoder_use_norm": "batchnorm",
    "encoder_depth": 5,
    "encoder_name": "efficientnet-b0",
    "encoder_weights": None,
    "in_channels": 3,
}


def test_options_have_our_names(tmp_path):
    write(tmp_path)
    (tmp_path / "config.json").write_text(json.dumps(UNET))
    name, arguments = reference_of(tmp_path)
    assert (name, arguments["encoder"]) == ("smp/Unet", "efficientnet_b0")
    assert arguments["options"] == {
        "attention": "scse",
        "decoder_filters": [64, 48, 32, 24, 16],
    }


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"decoder_atrous_rates": [6, 12, 18]},
            r"must be \[12, 24, 36\].*\[6, 12, 18\]",
        ),
        ({"in_channels": 1}, "`in_channels` of DeepLabV3Plus must be 3"),
        ({"aux_params": {"classes": 2}}, "`aux_params` .* must be None"),
        ({"decoder_spell": 1}, "must be known. Received: decoder_spell=1"),
        ({"_model_class": "DPT"}, "must be of one of Unet, .*Received: 'DPT'"),
        ({"encoder_name": None}, "must have the entries"),
    ],
)
def test_what_is_not_computed_here_is_refused(tmp_path, changes, message):
    with pytest.raises(weights.WeightsError, match=message):
        zoo.from_smp(write(tmp_path, **changes))


def test_files_that_are_missing_are_named(tmp_path):
    with pytest.raises(weights.WeightsError, match=r"config\.json: no configuration"):
        zoo.from_smp(tmp_path)
    write(tmp_path)
    (tmp_path / "model.safetensors").unlink()
    with pytest.raises(
        weights.WeightsError, match=r"needs one of .*model\.safetensors"
    ):
        zoo.from_smp(tmp_path)


def test_an_unknown_encoder_is_named(tmp_path):
    with pytest.raises(ValueError, match=r"Unknown encoder.*timm_regnetx_002"):
        zoo.from_smp(write(tmp_path, encoder_name="timm-regnetx_002"))


def test_timms_encoders_are_ours_where_nothing_is_dilated(tmp_path):
    write(tmp_path)
    config = UNET | {"encoder_name": "tu-resnet50d"}
    (tmp_path / "config.json").write_text(json.dumps(config))
    assert reference_of(tmp_path)[1]["encoder"] == "resnet50d"
    (tmp_path / "config.json").write_text(json.dumps(config | {"encoder_name": "tu-a"}))
    with pytest.raises(weights.WeightsError, match=r"resnet50d.* are known.*'tu-a'"):
        reference_of(tmp_path)
    with pytest.raises(
        weights.WeightsError, match=r"other networks than .*DeepLabV3Pl"
    ):
        reference_of(write(tmp_path, encoder_name="tu-resnet50d"))
