"""ResNet-D: names in timm's files, shortcuts that read every pixel."""

import numpy as np
import pytest

from kerasseg import encoders, weights
from kerasseg.encoders.resnet_d import D_RULES


@pytest.fixture(scope="module")
def model():
    return encoders.resnet50d()


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        ("conv1.0", "stem1_conv"),
        ("conv1.4", "stem2_norm"),
        ("conv1.6", "stem3_conv"),
        ("bn1", "stem3_norm"),
        ("layer2.0.downsample.1", "layer2_0_shortcut_conv"),
        ("layer2.0.downsample.2", "layer2_0_shortcut_norm"),
        ("encoder.layer1.1.conv2", "layer1_1_2_conv"),
        ("encoder.model.conv1.0", "stem1_conv"),  # in smp's networks
    ],
)
def test_names_of_timm_have_their_places(model, theirs, ours):
    if ours.endswith("conv"):
        arrays = {f"{theirs}.weight": np.zeros([1, 1, 1, 1])}
    else:
        parts = "weight", "bias", "running_mean", "running_var"
        arrays = {f"{theirs}.{part}": np.zeros(1) for part in parts}
    wanted = {x for x in weights.named_variables(model) if x.startswith(f"{ours}/")}
    assert {*weights.from_torch(arrays, model, D_RULES)} == wanted


def test_a_shortcut_reads_pixels_that_a_stride_leaves_out(model):
    x = np.zeros((1, 5, 5, 256), "float32")
    x[0, 1, 1], x[0, 4, 4] = 4, 4
    pooled = np.asarray(model.get_layer("layer2_0_shortcut_pool")(x))[0, ..., 0]
    # One of four pixels; in the corner the only one there is.
    np.testing.assert_array_equal(pooled, [[1, 0, 0], [0, 0, 0], [0, 0, 4]])


def test_it_has_no_dense_form():
    with pytest.raises(ValueError, match=r"must be one of \(32,\)"):
        encoders.resnet50d(output_stride=16)
