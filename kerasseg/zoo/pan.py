"""PAN: a pyramid of attention over the deepest features, gates on the way up."""

import keras
from keras import layers

from kerasseg import blocks, encoders
from kerasseg.encoders.atrous import check_output_stride
from kerasseg.layers import MaxPooling2D, ResizeLike
from kerasseg.zoo._builder import builder
from kerasseg.zoo._references import Reference

# segmentation_models.pytorch
PARTS = {
    r"fpa\.branch1\.1": "fpa_image",
    r"fpa\.mid\.0": "fpa_point",
    r"fpa\.down1\.1": "fpa_down1",
    r"fpa\.down2\.1": "fpa_down2",
    r"fpa\.down3\.1": "fpa_down3",
    r"fpa\.down3\.2": "fpa_lateral3",
    r"fpa\.conv2": "fpa_lateral2",
    r"fpa\.conv1": "fpa_lateral1",
    r"gau(\d)\.conv1\.1": r"gau\1_gate",
    r"gau(\d)\.conv2": r"gau\1_skip",
}
RULES = (
    *((rf"^decoder\.{a}\.conv\.", f"{b}_conv.") for a, b in PARTS.items()),
    *((rf"^decoder\.{a}\.bn\.", f"{b}_norm.") for a, b in PARTS.items()),
    (r"^segmentation_head\.0\.", "head."),
)
REFERENCES = {
    "smp/PAN": Reference(
        RULES, {"encoder": "resnet34", "align_corners": True}, {"dilate_first": True}
    )
}


@builder(references=REFERENCES)
def pan(
    num_classes=21,
    encoder="resnet50",
    *,
    encoder_weights=None,
    input_shape=(None, None, 3),
    output_stride=16,
    decoder_filters=32,
    align_corners=False,
    weights=None,
):
    """Pyramid attention network, as in segmentation_models.pytorch.

    Args:
        num_classes: channels of the logits; 1 is one binary logit.
        encoder: name in `kerasseg.encoders`, or a keras.Model with taps.
        encoder_weights: None, "imagenet" or a path.
        input_shape: (H, W, C), sizes may be None; raw RGB 0..255.
        output_stride: 8, 16 or 32.
        decoder_filters: channels of the decoder.
        align_corners: resize with coinciding corner pixels, as
            segmentation_models.pytorch.
        weights: None or a path to weights of the whole model.

    Returns:
        keras.Model: image [N, H, W, C] -> float32 logits [N, H, W, num_classes].

    Raises:
        ValueError: for an unknown encoder or output stride.

    Reference: Li et al., 2018, https://arxiv.org/abs/1805.10180
    """
    check_output_stride(output_stride, "pan")
    image = keras.Input(input_shape, name="image")
    taps = encoders.build(
        encoder, input_shape, weights=encoder_weights, output_stride=output_stride
    )(image)
    x = _pyramid_attention(taps["c5"], decoder_filters, align_corners)
    for level in (3, 2, 1):
        x = _gated_up(x, taps[f"c{level + 1}"], align_corners, name=f"gau{level}")
    scores = blocks.conv(x, num_classes, name="head")
    outputs = blocks.logits(scores, image, align_corners=align_corners)
    return keras.Model(image, outputs, name="pan")


def _conv(x, filters, kernel_size, *, activation="relu", name):
    """The reference has a bias even where a normalisation follows."""
    x = blocks.conv(x, filters, kernel_size, name=f"{name}_conv")
    x = blocks.normalize(x, name=f"{name}_norm")
    return blocks.activate(x, activation, name=name)


def _average(x, name):
    return layers.GlobalAveragePooling2D(keepdims=True, name=f"{name}_pool")(x)


def _pyramid_attention(x, filters, align_corners):
    """One attention map from kernels of 7, 5 and 3 at halved sizes."""

    def resize(x, like, name):
        return ResizeLike(align_corners=align_corners, name=name)([x, like])

    pooled = _conv(_average(x, "fpa_image"), filters, 1, name="fpa_image")
    point = _conv(x, filters, 1, name="fpa_point")
    # One channel each: the pyramid says where to look, not what is there.
    laterals, y = [point], x
    for level, kernel_size in ((1, 7), (2, 5), (3, 3)):
        # Odd rows and columns are left out, as in the reference.
        pool = MaxPooling2D(2, name=f"fpa_pool{level}")
        y = _conv(pool(y), 1, kernel_size, name=f"fpa_down{level}")
        laterals.append(_conv(y, 1, kernel_size, name=f"fpa_lateral{level}"))
    y = laterals.pop()
    for level in (2, 1):
        y = resize(y, laterals[level], f"fpa_up{level}")
        y = layers.Add(name=f"fpa_add{level}")([y, laterals[level]])
    y = resize(y, point, "fpa_up")
    y = layers.Multiply(name="fpa_attend")([point, y])
    return layers.Add(name="fpa_add")([y, resize(pooled, y, "fpa_image_up")])


def _gated_up(x, skip, align_corners, *, name):
    """Averages of the coarse features say which channels of the skip to add."""
    filters = x.shape[-1]
    skip = _conv(skip, filters, 3, name=f"{name}_skip")
    gate = _conv(
        _average(x, name), filters, 1, activation="sigmoid", name=f"{name}_gate"
    )
    skip = layers.Multiply(name=f"{name}_gated")([skip, gate])
    x = ResizeLike(align_corners=align_corners, name=f"{name}_up")([x, skip])
    return layers.Add(name=f"{name}_add")([x, skip])
