"""References: equal by their options, or refused with the options that are right."""

import functools
import itertools
import pathlib

import keras
import numpy as np
import pytest

from kerasseg import encoders, weights, zoo
from kerasseg.names import parameters
from kerasseg.zoo import _references
from tests.parity import seeded

FIXTURES = pathlib.Path(__file__).parents[1] / "files/parity.npz"


@functools.cache
def published(case):
    """State dict of a reference, three classes, by the names in its files."""
    with np.load(FIXTURES) as file:
        lines = str(file[f"{case}/shapes"]).split("\n")
    shapes = {name: tuple(map(int, sizes)) for name, *sizes in map(str.split, lines)}
    return seeded.weights(shapes)


@pytest.mark.parametrize(
    ("case", "builder", "options", "message"),
    [
        ("lraspp", "lraspp", {}, r"lraspp_mobilenet_v3_large'.* dilate_first=False"),
        pytest.param(
            "lraspp",
            "lraspp",
            {"output_stride": 32},
            r"output_stride=32 \(16\)",
            marks=pytest.mark.slow,
        ),
        pytest.param(
            "deeplab_v3_mobilenet_v3",
            "deeplab_v3",
            {"encoder": "mobilenet_v3_large"},
            r"deeplabv3_mobilenet_v3_large'.*output_stride=8 \(16\)",
            marks=pytest.mark.slow,
        ),
        (
            "pan",
            "pan",
            {"encoder": "resnet18"},
            r"smp/PAN.*align_corners=False \(True\)",
        ),
        pytest.param(
            "manet",
            "manet",
            {"encoder": "resnet18"},
            r"mix_positions=False \(True\)",
            marks=pytest.mark.slow,
        ),
        pytest.param(
            "deeplab_v3_smp",
            "deeplab_v3",
            {"encoder": "resnet18", "align_corners": True},
            r"smp/DeepLabV3.* dilate_first=False \(True\)",
            marks=pytest.mark.slow,
        ),
        (
            "deeplab_v3_plus",
            "deeplab_v3_plus",
            {
                "encoder": "resnet18",
                "atrous_rates": (12, 24, 36),
                "decoder_filters": (256,),
                "depthwise_norm": False,
                "refine_aspp": True,
            },
            r"smp/DeepLabV3Plus.* align_corners=False \(True\), dilate_first=False",
        ),
        (
            "unet_milesial_narrow",
            "unet",
            {"base_filters": 4},
            r"input_range=\(-1, 1\) \(\(0, 1\)\), fit='resize' \('pad'\)",
        ),
        (
            "deeplab_v3_plus_efficientnet_b0",
            "deeplab_v3_plus",
            {
                "encoder": "efficientnet_b0",
                "decoder_filters": (256,),
                "atrous_rates": (12, 24, 36),
                "refine_aspp": True,
                "depthwise_norm": False,
                "align_corners": True,
            },
            r"publisher='keras.applications' \('segmentation_models.pytorch'\)",
        ),
        ("fpn", "fpn", {"encoder": "resnet18"}, r"from_reference\('smp/FPN', weights"),
    ],
)
def test_weights_that_fit_by_names_only_are_refused(case, builder, options, message):
    arrays = published(case)
    with pytest.raises(weights.WeightsError, match=message):
        zoo.BUILDERS[builder](3, weights=arrays, **options)
    model = zoo.BUILDERS[builder](3, **options)
    before = model.get_weights()
    with pytest.raises(weights.WeightsError, match=message):
        zoo.load_torch(model, arrays)
    for old, new in zip(before, model.get_weights()):
        np.testing.assert_array_equal(old, new)


@pytest.mark.parametrize(
    ("name", "given", "differing"),
    [
        pytest.param("mmseg/PSPNet", {}, [], marks=pytest.mark.slow),
        ("mmseg/PSPNet", {"output_stride": 16}, ["output_stride=16 (8)"]),
        ("mmseg/UPerNet", {"align_corners": True}, ["align_corners=True (False)"]),
    ],
)
def test_options_that_differ_from_those_of_mmsegmentation_are_found(
    name, given, differing
):
    model = zoo.from_reference(name, 3, options=given)
    reference = zoo.REFERENCES[name].references[name]
    assert _references._differences(name, reference, model) == differing


def test_a_stem_of_another_kind_is_found():
    model = zoo.pspnet(3, "resnet50")
    name = "mmseg/PSPNet"
    found = _references._differences(name, zoo.pspnet.references[name], model)
    assert found == ["deep_stem=False (True)"]


def test_a_refusal_names_the_file(tmp_path):
    np.savez(tmp_path / "fpn.npz", **published("fpn"))
    with pytest.raises(weights.WeightsError, match=r"fpn\.npz: these weights are"):
        zoo.fpn(3, "resnet18", weights=tmp_path / "fpn.npz")


def test_a_model_read_from_a_file_does_not_tell_its_options(tmp_path):
    model = zoo.from_reference("smp/FPN", 3, encoder="resnet18")
    model.save(tmp_path / "model.keras")
    model = keras.models.load_model(tmp_path / "model.keras")
    with pytest.raises(weights.WeightsError, match=r"from a file does not tell"):
        zoo.load_torch(model, published("fpn"))


def test_dilations_that_names_do_not_tell_are_refused():
    arrays = published("deeplab_v3_smp")
    with pytest.raises(weights.WeightsError, match="unknown: 'aspp_rate24_conv"):
        zoo.from_reference(
            "smp/DeepLabV3",
            3,
            encoder="resnet18",
            weights=arrays,
            options={"atrous_rates": (6, 12, 18)},
        )


def test_an_encoder_at_another_stride_is_refused():
    arrays = published("linknet")
    encoder = encoders.resnet18(output_stride=8)
    with pytest.raises(weights.WeightsError, match=r"output_stride=8 \(32\)"):
        zoo.linknet(3, encoder, weights=arrays)
    zoo.linknet(3, encoders.resnet18(), weights=arrays)


def test_options_that_are_named_beside_a_reference_are_taken():
    options = {"output_stride": 32}
    arrays = published("pan")
    model = zoo.from_reference(
        "smp/PAN", 3, encoder="resnet18", weights=arrays, options=options
    )
    assert model.built_with.options["output_stride"] == 32
    with pytest.raises(weights.WeightsError, match=r"output_stride=32 \(16\)"):
        zoo.pan(3, "resnet18", output_stride=32, align_corners=True, weights=arrays)


def test_arguments_of_references_are_checked():
    with pytest.raises(ValueError, match=r"Unknown reference.*smp/Unet"):
        zoo.from_reference("smp/unet")
    with pytest.raises(ValueError, match="must be one of resnet18"):
        zoo.from_reference("torchvision/fcn_resnet50", encoder="mit_b0")
    with pytest.raises(ValueError, match="must be one of hrnet_w18"):
        zoo.from_reference("hrnet/ocr", encoder="resnet50")
    with pytest.raises(ValueError, match="dilate_first"):
        zoo.from_reference("smp/PAN", encoder="mobilenet")


def test_a_head_of_other_classes_is_skipped_on_request(caplog):
    arrays = published("linknet")
    with pytest.raises(weights.WeightsError, match="misshapen: 'head/bias"):
        zoo.from_reference("smp/Linknet", 5, encoder="resnet18", weights=arrays)
    model = zoo.from_reference(
        "smp/Linknet",
        5,
        encoder="resnet18",
        weights=arrays,
        skip_mismatch="head",
    )
    assert "other classes: 'head/bias', 'head/kernel'" in caplog.text
    kernel = arrays["encoder.conv1.weight"].transpose(2, 3, 1, 0)
    stem = encoders.of(model).get_layer("stem_conv").kernel
    np.testing.assert_array_equal(stem, kernel)


def test_only_the_head_is_skipped():
    arrays = dict(published("linknet"))
    arrays["encoder.conv1.weight"] = np.zeros((32, 3, 7, 7), "float32")
    with pytest.raises(weights.WeightsError, match="misshapen: 'stem_conv/kernel"):
        zoo.from_reference(
            "smp/Linknet", 5, encoder="resnet18", weights=arrays, skip_mismatch="head"
        )
    with pytest.raises(ValueError, match="skip_mismatch='all'"):
        zoo.load_torch(zoo.linknet(3, "resnet18"), arrays, skip_mismatch="all")


def test_an_encoder_takes_its_part_of_a_whole_model(caplog):
    arrays = published("linknet")
    model = encoders.resnet18(weights=arrays)
    kernel = arrays["encoder.conv1.weight"].transpose(2, 3, 1, 0)
    np.testing.assert_array_equal(model.get_layer("stem_conv").kernel, kernel)
    assert "left out those of other parts: 'decoder.blocks.0.block.0.0" in caplog.text


def test_a_deeper_encoder_is_no_part_of_a_shallow_one():
    arrays = dict(published("linknet"))
    arrays["encoder.layer4.2.conv1.weight"] = np.zeros((512, 512, 3, 3), "float32")
    with pytest.raises(weights.WeightsError, match="unknown: 'layer4_2_1_conv/kernel'"):
        encoders.resnet18(weights=arrays)


@pytest.mark.parametrize(("encoder", "levels"), [("resnet18", 5), ("mit_b0", 4)])
def test_segformer_of_smp_projects_all_levels_that_there_are(encoder, levels):
    model = zoo.from_reference("smp/Segformer", 3, encoder=encoder)
    names = [x.name for x in model.layers if x.name.startswith("project")]
    assert len([x for x in names if not x.endswith("_up")]) == levels
    assert model.get_layer("fuse_conv").kernel.shape == (1, 1, 256 * levels, 256)


def test_the_unet_of_smp_convolves_twice_behind_vgg_only():
    model = zoo.from_reference("smp/Unet", 3, encoder="vgg11_bn")
    assert model.get_layer("center_2_conv").kernel.shape == (3, 3, 512, 512)
    names = [x.name for x in zoo.from_reference("smp/Unet", encoder="tiny").layers]
    assert not [name for name in names if name.startswith("center")]
    with pytest.raises(ValueError, match="`center` needs another encoder than 'plain'"):
        zoo.unet(2, center=True)


@pytest.mark.parametrize("name", zoo.REFERENCES)
def test_a_reference_names_options_that_there_are(name):
    builder = zoo.REFERENCES[name]
    reference = builder.references[name]
    encoder = reference.options.get("encoder") or parameters(builder)["encoder"]
    assert reference.describes(encoder) and {*reference.encoders} <= {*encoders.names()}
    given = [reference.options, *reference.by_encoder.values()]
    assert {*itertools.chain(*given)} <= {*parameters(builder)}
    assert {*reference.by_encoder} <= {*encoders.names()}
    if not reference.own_encoder:
        function = encoders.ENCODERS[encoder]
        assert {*reference.encoder_options} <= {*parameters(function)}
