"""Names of published files find the variables of our models."""

import functools
import re

import keras
import numpy as np
import pytest

from kerasseg import encoders, weights, zoo
from kerasseg.zoo._references import rules_for

BLOCK = {
    "layer_norm_1": ("norm1", "norm"),
    "attention.self.query": ("query", "linear"),
    "attention.self.key": ("key", "linear"),
    "attention.self.value": ("value", "linear"),
    "attention.output.dense": ("project", "linear"),
    "layer_norm_2": ("norm2", "norm"),
    "mlp.dense1": ("mlp1", "linear"),
    "mlp.dwconv.dwconv": ("mlp_depthwise", "depthwise"),
    "mlp.dense2": ("mlp2", "linear"),
}
REDUCED = {
    "attention.self.sr": ("reduce", "conv"),
    "attention.self.layer_norm": ("reduce_norm", "norm"),
}
HEAD = {
    **{f"linear_c.{i}.proj": (f"project{i + 2}", "linear") for i in range(4)},
    "linear_fuse": ("fuse_conv", "conv"),
    "batch_norm": ("fuse_norm", "norm"),
    "classifier": ("head", "conv"),
}


RENAMED = (
    (r"encoder\.patch_embeddings\.(\d)", r"stages.\1.patch_embeddings"),
    (r"encoder\.layer_norm\.(\d)", r"stages.\1.layer_norm"),
    (r"encoder\.block\.(\d)\.(\d)", r"stages.\1.blocks.\2"),
    ("layer_norm_1", "layernorm_before"),
    ("layer_norm_2", "layernorm_after"),
    (r"self\.query", "q_proj"),
    (r"self\.key", "k_proj"),
    (r"self\.value", "v_proj"),
    (r"output\.dense", "o_proj"),
    (r"self\.sr", "sequence_reduction.sequence_reduction"),
    (r"self\.layer_norm", "sequence_reduction.layer_norm"),
    (r"mlp\.dense", "mlp.fc"),
    (r"linear_c\.", "linear_projections."),
)


def renamed(name):
    """A name of transformers 4 as transformers 5 writes it."""
    for pattern, replacement in RENAMED:
        name = re.sub(pattern, replacement, name)
    return name


def hugging_face_modules():
    """Module names of SegFormer-B0 as Hugging Face writes them -> (ours, kind)."""
    modules = {f"decode_head.{name}": entry for name, entry in HEAD.items()}
    for stage in range(4):
        start, ours = "segformer.encoder", f"stage{stage + 1}"
        embed = f"{start}.patch_embeddings.{stage}"
        modules[f"{embed}.proj"] = (f"{ours}_embed", "conv")
        modules[f"{embed}.layer_norm"] = (f"{ours}_embed_norm", "norm")
        modules[f"{start}.layer_norm.{stage}"] = (f"{ours}_norm", "norm")
        for index in range(2):
            parts = {**BLOCK, **(REDUCED if stage < 3 else {})}
            for name, (part, kind) in parts.items():
                theirs = f"{start}.block.{stage}.{index}.{name}"
                modules[theirs] = (f"{ours}_{index}_{part}", kind)
    return modules


def torch_arrays(modules, variables, rng):
    """A state dict whose arrays fit our variables, and what they should become."""
    arrays, expected = {}, {}
    axes = {"linear": (1, 0), "conv": (3, 2, 0, 1), "depthwise": (2, 3, 0, 1)}
    kinds = {"gamma": "weight", "beta": "bias", "kernel": "weight", "bias": "bias"}
    kinds |= {"moving_mean": "running_mean", "moving_variance": "running_var"}
    for theirs, (ours, kind) in modules.items():
        for path, variable in variables.items():
            layer, _, part = path.rpartition("/")
            if layer == ours:
                value = rng.normal(size=variable.shape).astype("float32")
                expected[path] = value
                if part == "kernel":
                    value = value.transpose(axes[kind])
                arrays[f"{theirs}.{kinds[part]}"] = value
    return arrays, expected


@pytest.mark.parametrize("version", [4, 5])
def test_segformer_files_of_hugging_face_load(rng, version):
    model = zoo.segformer(3, "mit_b0")
    variables = weights.named_variables(model)
    arrays, expected = torch_arrays(hugging_face_modules(), variables, rng)
    if version == 5:
        arrays = {renamed(name): array for name, array in arrays.items()}
    zoo.load_torch(model, arrays)
    for path, variable in variables.items():
        np.testing.assert_array_equal(variable, expected[path])


def test_keys_and_values_in_one_matrix_are_divided(rng):
    model = encoders.mit_b0()
    matrix = rng.normal(size=(64, 32)).astype("float32")
    name = "block1.0.attn.kv.weight"
    rules = encoders.mit_b0.traits.rules
    arrays = weights.from_torch({name: matrix}, model, rules)
    np.testing.assert_array_equal(arrays["stage1_0_key/kernel"], matrix[:32].T)
    np.testing.assert_array_equal(arrays["stage1_0_value/kernel"], matrix[32:].T)


@functools.cache
def built(name):
    return zoo.BUILDERS[name](3, "tiny")


OCR = "ocr_distri_head.object_context_block"


@pytest.mark.parametrize(
    ("name", "theirs", "ours"),
    [
        ("ocrnet", "model.conv3x3_ocr.0.bias", "pixels_conv/bias"),
        ("ocrnet", "aux_head.3.bias", "aux_head_score/bias"),
        ("ocrnet", f"{OCR}.f_pixel.2.weight", "query2_conv/kernel"),
        ("ocrnet", f"{OCR}.f_object.3.0.running_var", "key2_norm/moving_variance"),
        ("ocrnet", f"{OCR}.f_up.1.0.weight", "context1_norm/gamma"),
        ("ocrnet", "ocr_distri_head.conv_bn_dropout.0.weight", "fuse_conv/kernel"),
        (
            "u2net",
            "stage4d.rebnconv1d.bn_s1.running_mean",
            "decoder4_1d_norm/moving_mean",
        ),
        ("u2net", "side5.bias", "side5_score/bias"),
        ("u2net", "outconv.bias", "head/bias"),
        ("upernet", "decode_head.psp_modules.2.1.conv.weight", "psp_bins3_conv/kernel"),
        ("upernet", "decode_head.bottleneck.batch_norm.weight", "psp_norm/gamma"),
        ("upernet", "decode_head.lateral_convs.2.bn.weight", "lateral4_norm/gamma"),
        ("upernet", "decode_head.fpn_bottleneck.conv.weight", "fuse_conv/kernel"),
        ("upernet", "decode_head.classifier.bias", "head/bias"),
        ("pspnet", "decode_head.psp_modules.3.1.bn.weight", "psp_bins6_norm/gamma"),
        ("pspnet", "decode_head.bottleneck.conv.weight", "head_conv/kernel"),
        ("fcn", "decode_head.convs.0.bn.running_var", "head_norm/moving_variance"),
        ("fcn", "decode_head.conv_seg.bias", "head_score/bias"),
        (
            "deeplab_v3_plus",
            "decode_head.sep_bottleneck.1.pointwise_conv.conv.weight",
            "decoder2_pointwise_conv/kernel",
        ),
        (
            "deeplab_v3_plus",
            "decode_head.c1_bottleneck.bn.weight",
            "decoder_low_norm/gamma",
        ),
        (
            "deeplab_v3",
            "decode_head.image_pool.1.bn.weight",
            "aspp_image_norm/gamma",
        ),
        ("deeplab_v3", "classifier.0.convs.4.1.weight", "aspp_image_conv/kernel"),
        ("mask_rcnn", "backbone.fpn.inner_blocks.0.bias", "lateral2/bias"),
        ("mask_rcnn", "backbone.fpn.layer_blocks.3.0.bias", "output5/bias"),
        ("mask_rcnn", "rpn.head.conv.weight", "rpn_conv/kernel"),
        ("mask_rcnn", "rpn.head.conv.0.0.bias", "rpn_conv/bias"),
        ("mask_rcnn", "roi_heads.box_head.fc7.bias", "box_dense2/bias"),
        ("mask_rcnn", "roi_heads.mask_head.mask_fcn4.bias", "mask4_conv/bias"),
        ("mask_rcnn", "roi_heads.mask_head.3.0.bias", "mask4_conv/bias"),
        ("mask_rcnn", "roi_heads.mask_predictor.conv5_mask.bias", "mask_up/bias"),
    ],
)
def test_names_of_published_files_are_those_of_our_layers(name, theirs, ours):
    model = built(name)
    shape = (3, 3, 1, 1) if ours.endswith("kernel") else (3,)
    arrays = {theirs: np.zeros(shape)}
    if "norm" in ours:  # a vector called weight beside it tells a normalisation
        arrays[f"{theirs.rpartition('.')[0]}.weight"] = np.zeros(3)
    references = zoo.BUILDERS[name].references.values()
    rules = [rule for reference in references for rule in reference.rules]
    found = weights.from_torch(arrays, model, rules)
    assert ours in found
    assert {*found} <= {*weights.named_variables(model)} | {"aspp_image_conv/kernel"}


def test_a_state_dict_that_does_not_fit_is_listed_and_changes_nothing(rng):
    model = zoo.lraspp(3, "tiny")
    before = model.get_weights()
    with pytest.raises(weights.WeightsError, match=r"unknown: 'neck\.weight'; missing"):
        zoo.load_torch(model, {"neck.weight": np.zeros((2, 2), "float32")})
    for old, new in zip(before, model.get_weights()):
        np.testing.assert_array_equal(old, new)


def test_a_model_of_no_builder_is_refused():
    image = keras.Input((8, 8, 3))
    with pytest.raises(ValueError, match="Received: model 'mine'"):
        zoo.load_torch(keras.Model(image, image, name="mine"), {})


@pytest.mark.parametrize("version", [4, 5])
def test_classifiers_of_hugging_face_are_encoders(rng, version, caplog):
    model = encoders.mit_b0()
    modules = {
        name: entry
        for name, entry in hugging_face_modules().items()
        if not name.startswith("decode_head")
    }
    arrays, expected = torch_arrays(modules, weights.named_variables(model), rng)
    arrays |= {"classifier.weight": np.zeros((9, 256)), "classifier.bias": np.zeros(9)}
    if version == 5:
        arrays = {renamed(name): array for name, array in arrays.items()}
    zoo.load_torch(model, arrays)
    assert "left out those of other parts: 'classifier.bias', 'classi" in caplog.text
    for path, variable in weights.named_variables(model).items():
        np.testing.assert_array_equal(variable, expected[path])


def test_auxiliary_heads_of_a_file_may_be_left_out():
    model = zoo.fcn(3, "tiny")
    arrays = {
        "aux_classifier.0.weight": np.zeros((64, 256, 3, 3), "float32"),
        "aux_classifier.1.weight": np.zeros(64, "float32"),
    }
    rules = rules_for(zoo.fcn.references, model, arrays)
    assert not weights.from_torch(arrays, model, rules)
