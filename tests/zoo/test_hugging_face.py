"""Folders of transformers: encoder, classes and options are told, others refused."""

import json

import numpy as np
import pytest

from kerasseg import weights, zoo
from tests.weights.written import safetensors_of

# Written by transformers 5.24, SegformerForSemanticSegmentation.save_pretrained, less
# what has no effect; files sort numbers as texts.
SEGFORMER = {
    "architectures": ["SegformerForSemanticSegmentation"],
    "decoder_hidden_size": 768,
    "depths": [3, 4, 6, 3],
    "hidden_act": "gelu",
    "hidden_sizes": [64, 128, 320, 512],
    "id2label": {
        "0": "sky",
        "1": "road",
        **{str(n): f"c{n}" for n in (10, *range(2, 10))},
    },
    "layer_norm_eps": 1e-06,
    "mlp_ratios": [4, 4, 4, 4],
    "model_type": "segformer",
    "num_attention_heads": [1, 2, 5, 8],
    "num_channels": 3,
    "sr_ratios": [8, 4, 2, 1],
}
UPERNET = {
    "architectures": ["UperNetForSemanticSegmentation"],
    "backbone_config": {
        "depths": [3, 3, 27, 3],
        "hidden_sizes": [128, 256, 512, 1024],
        "model_type": "convnext",
        "out_features": ["stage1", "stage2", "stage3", "stage4"],
        "patch_size": 4,
    },
    "hidden_size": 512,
    "model_type": "upernet",
    "pool_scales": [1, 2, 3, 6],
}


def write(folder, config, **changes):
    (folder / "config.json").write_text(json.dumps({**config, **changes}))
    safetensors_of(folder / "model.safetensors", {"a": np.zeros(1)})
    return folder


def test_a_segformer_is_of_its_encoder_and_classes(tmp_path):
    entry = zoo.entry_of(write(tmp_path, SEGFORMER))
    assert (entry.reference, entry.encoder) == ("huggingface/segformer", "mit_b2")
    assert entry.classes == ("sky", "road", *(f"c{n}" for n in range(2, 11)))
    assert entry.options == {"decoder_filters": 768, "num_classes": 11}
    assert entry.local == str(tmp_path / "model.safetensors")


def test_an_upernet_without_names_has_two_classes(tmp_path):
    entry = zoo.entry_of(write(tmp_path, UPERNET))
    assert (entry.reference, entry.encoder) == ("huggingface/upernet", "convnext_base")
    assert entry.classes == ("0", "1") and entry.options["num_classes"] == 2


def test_one_logit_tells_its_class_from_the_background(tmp_path):
    entry = zoo.entry_of(write(tmp_path, SEGFORMER, id2label={"0": "crack"}))
    assert entry.classes == ("background", "crack")
    assert entry.options["num_classes"] == 1


@pytest.mark.parametrize(
    ("config", "changes", "message"),
    [
        (SEGFORMER, {"architectures": ["MaskFormer"]}, "of one of .*'MaskFormer'"),
        (SEGFORMER, {"depths": [1, 1, 1, 1]}, r"must be one of mit_b0.*\[1, 1, 1, 1\]"),
        (SEGFORMER, {"hidden_act": "relu"}, "`hidden_act` must be 'gelu'.*'relu'"),
        (SEGFORMER, {"id2label": {"1": "a"}}, "`id2label` must name the classes"),
        (SEGFORMER, {"id2label": []}, "`id2label` must name the classes"),
        (UPERNET, {"backbone_config": None}, "must say its backbone"),
        (UPERNET, {"backbone_config": {"model_type": "swin"}}, "must be 'convnext'"),
        (UPERNET, {"pool_scales": [1, 2]}, r"`pool_scales` must be \[1, 2, 3, 6\]"),
    ],
)
def test_what_is_not_computed_here_is_refused(tmp_path, config, changes, message):
    with pytest.raises(weights.WeightsError, match=message):
        zoo.load(write(tmp_path, config, **changes))


def test_images_must_be_prepared_as_here(tmp_path):
    write(tmp_path, SEGFORMER)
    path = tmp_path / "preprocessor_config.json"
    path.write_text('{"image_mean": [0.5, 0.5, 0.5]}')
    with pytest.raises(weights.WeightsError, match=r"`image_mean` must be \[0\.485"):
        zoo.load(tmp_path)
    path.write_text("{")
    with pytest.raises(weights.WeightsError, match="is no configuration"):
        zoo.load(tmp_path)


def test_files_that_are_missing_are_named(tmp_path):
    write(tmp_path, SEGFORMER)
    (tmp_path / "model.safetensors").unlink()
    with pytest.raises(weights.WeightsError, match=r"needs one of .*index\.json"):
        zoo.load(tmp_path)
