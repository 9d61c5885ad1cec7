"""Mix Transformer (MiT), the encoder of SegFormer, without position encoding."""

import keras
import numpy as np
from keras import layers

from kerasseg import blocks
from kerasseg.encoders.atrous import check_output_stride
from kerasseg.encoders.pretrained import load
from kerasseg.encoders.resnet import MEAN, STD
from kerasseg.encoders.traits import encoder
from kerasseg.layers import DotAttention, Normalize, PadSmall

# Of the four stages: attention heads; the factor by which keys and values are fewer.
HEADS, REDUCTIONS = (1, 2, 5, 8), (8, 4, 2, 1)
WIDE = (64, 128, 320, 512)
# (channels, blocks) of the four stages
VARIANTS = {
    "mit_b0": ((32, 64, 160, 256), (2, 2, 2, 2)),
    "mit_b1": (WIDE, (2, 2, 2, 2)),
    "mit_b2": (WIDE, (3, 4, 6, 3)),
    "mit_b3": (WIDE, (3, 4, 18, 3)),
    "mit_b4": (WIDE, (3, 8, 27, 3)),
    "mit_b5": (WIDE, (3, 6, 40, 3)),
}
# The authors' names, "backbone.block1.0.attn.q.weight", and those of Hugging Face,
# which count stages from 0: "segformer.encoder.block.0.0.attention.self.query.weight",
# and from transformers 5 on "segformer.stages.0.blocks.0.attention.q_proj.weight".
AUTHORS = {
    r"norm(\d)": r"norm\1",
    r"attn\.q": "query",
    r"attn\.sr": "reduce",
    r"attn\.norm": "reduce_norm",
    r"attn\.proj": "project",
    r"mlp\.fc(\d)": r"mlp\1",
    r"mlp\.dwconv\.dwconv": "mlp_depthwise",
}
HUGGING_FACE = {
    r"layer_norm_(\d)": r"norm\1",
    r"attention\.self\.(query|key|value)": r"\1",
    r"attention\.self\.sr": "reduce",
    r"attention\.self\.layer_norm": "reduce_norm",
    r"attention\.output\.dense": "project",
    r"mlp\.dense(\d)": r"mlp\1",
    r"mlp\.dwconv\.dwconv": "mlp_depthwise",
}
TRANSFORMERS_5 = {
    r"layernorm_before": "norm1",
    r"layernorm_after": "norm2",
    r"attention\.q_proj": "query",
    r"attention\.k_proj": "key",
    r"attention\.v_proj": "value",
    r"attention\.o_proj": "project",
    r"attention\.sequence_reduction\.sequence_reduction": "reduce",
    r"attention\.sequence_reduction\.layer_norm": "reduce_norm",
    r"mlp\.fc(\d)": r"mlp\1",
    r"mlp\.dwconv\.dwconv": "mlp_depthwise",
}


def _rules():
    rules = []
    for stage in (1, 2, 3, 4):
        start, ours = r"^(?:backbone\.|encoder\.)?", f"stage{stage}"
        rules += [
            (rf"{start}patch_embed{stage}\.proj\.", f"{ours}_embed."),
            (rf"{start}patch_embed{stage}\.norm\.", f"{ours}_embed_norm."),
            (rf"{start}norm{stage}\.", f"{ours}_norm."),
            (
                rf"{start}block{stage}\.(\d+)\.attn\.kv\.",
                (rf"{ours}_\1_key.", rf"{ours}_\1_value."),
            ),
        ]
        for theirs, name in AUTHORS.items():
            name = name.replace(r"\1", r"\2")
            pattern = rf"{start}block{stage}\.(\d+)\.{theirs}\."
            rules.append((pattern, rf"{ours}_\1_{name}."))
        start = r"^(?:segformer\.)?encoder\."
        rules += [
            (rf"{start}patch_embeddings\.{stage - 1}\.proj\.", f"{ours}_embed."),
            (
                rf"{start}patch_embeddings\.{stage - 1}\.layer_norm\.",
                f"{ours}_embed_norm.",
            ),
            (rf"{start}layer_norm\.{stage - 1}\.", f"{ours}_norm."),
        ]
        for theirs, name in HUGGING_FACE.items():
            name = name.replace(r"\1", r"\2")
            pattern = rf"{start}block\.{stage - 1}\.(\d+)\.{theirs}\."
            rules.append((pattern, rf"{ours}_\1_{name}."))
        start = rf"^(?:segformer\.)?stages\.{stage - 1}\."
        rules += [
            (rf"{start}patch_embeddings\.proj\.", f"{ours}_embed."),
            (rf"{start}patch_embeddings\.layer_norm\.", f"{ours}_embed_norm."),
            (rf"{start}layer_norm\.", f"{ours}_norm."),
        ]
        for theirs, name in TRANSFORMERS_5.items():
            name = name.replace(r"\1", r"\2")
            pattern = rf"{start}blocks\.(\d+)\.{theirs}\."
            rules.append((pattern, rf"{ours}_\1_{name}."))
    return tuple(rules)


RULES = _rules()


@encoder(rules=RULES, head_filters=256, dense=False)
def mit_b0(input_shape=(None, None, 3), *, weights=None, output_stride=32):
    """Mix Transformer B0 (3,319,392 parameters).

    Args:
        input_shape: (H, W, C), sizes may be None, of at least 32 pixels; raw RGB
            0..255.
        weights: None or a path (names of the authors or of Hugging Face); the scores of
            a classifier are left out, and the log says so.
        output_stride: 32 only: attention has no kernel to dilate.

    Returns:
        keras.Model: image -> {"c2": 32, "c3": 64, "c4": 160, "c5": 256 channels} at
        strides 4, 8, 16, 32; the wider variants have 64, 128, 320, 512.

    Reference: Xie et al., 2021, https://arxiv.org/abs/2105.15203
    """
    return _mit("mit_b0", input_shape, weights, output_stride)


@encoder(rules=RULES, head_filters=256, dense=False)
def mit_b1(input_shape=(None, None, 3), *, weights=None, output_stride=32):
    """Mix Transformer B1; arguments and taps as for `mit_b0`.

    Reference: Xie et al., 2021, https://arxiv.org/abs/2105.15203
    """
    return _mit("mit_b1", input_shape, weights, output_stride)


@encoder(rules=RULES, head_filters=768, dense=False)
def mit_b2(input_shape=(None, None, 3), *, weights=None, output_stride=32):
    """Mix Transformer B2; arguments and taps as for `mit_b0`.

    Reference: Xie et al., 2021, https://arxiv.org/abs/2105.15203
    """
    return _mit("mit_b2", input_shape, weights, output_stride)


@encoder(rules=RULES, head_filters=768, dense=False)
def mit_b3(input_shape=(None, None, 3), *, weights=None, output_stride=32):
    """Mix Transformer B3; arguments and taps as for `mit_b0`.

    Reference: Xie et al., 2021, https://arxiv.org/abs/2105.15203
    """
    return _mit("mit_b3", input_shape, weights, output_stride)


@encoder(rules=RULES, head_filters=768, dense=False)
def mit_b4(input_shape=(None, None, 3), *, weights=None, output_stride=32):
    """Mix Transformer B4; arguments and taps as for `mit_b0`.

    Reference: Xie et al., 2021, https://arxiv.org/abs/2105.15203
    """
    return _mit("mit_b4", input_shape, weights, output_stride)


@encoder(rules=RULES, head_filters=768, dense=False)
def mit_b5(input_shape=(None, None, 3), *, weights=None, output_stride=32):
    """Mix Transformer B5; arguments and taps as for `mit_b0`.

    Reference: Xie et al., 2021, https://arxiv.org/abs/2105.15203
    """
    return _mit("mit_b5", input_shape, weights, output_stride)


def _mit(name, input_shape, weights, output_stride):
    check_output_stride(output_stride, name, choices=(32,))
    widths, depths = VARIANTS[name]
    image = keras.Input(input_shape, name="image")
    x = Normalize(MEAN, STD, name="normalize")(image)
    # Stochastic depth: the rate rises with the depth, to 0.1 as the authors set it.
    drop_rates = iter(np.linspace(0, 0.1, sum(depths)).tolist())
    taps = {}
    for stage, (filters, depth) in enumerate(zip(widths, depths), 1):
        prefix = f"stage{stage}"
        # Patches overlap: kernels are larger than strides (section 3.1 of the paper).
        kernel_size, strides = (7, 4) if stage == 1 else (3, 2)
        x = blocks.conv(
            x, filters, kernel_size, strides=strides, name=f"{prefix}_embed"
        )
        # The authors give 1e-6 to all but these and the reductions, PyTorch's default.
        x = _norm(x, 1e-5, f"{prefix}_embed_norm")
        for index in range(depth):
            x = _block(
                x,
                heads=HEADS[stage - 1],
                reduction=REDUCTIONS[stage - 1],
                drop_rate=next(drop_rates),
                name=f"{prefix}_{index}",
            )
        x = _norm(x, 1e-6, f"{prefix}_norm")
        taps[f"c{stage + 1}"] = x
    return load(keras.Model(image, taps, name=name), weights, rules=RULES)


def _norm(x, epsilon, name):
    return layers.LayerNormalization(epsilon=epsilon, name=name)(x)


def _dense(x, filters, name):
    start = keras.initializers.TruncatedNormal(stddev=0.02)  # as the authors
    return layers.Dense(filters, kernel_initializer=start, name=name)(x)


def _block(x, *, heads, reduction, drop_rate, name):
    """Attention, then a 1x1, depthwise 3x3, 1x1; each added to its input."""
    y = _norm(x, 1e-6, f"{name}_norm1")
    y = _attention(y, heads, reduction, name)
    x = _add(x, y, drop_rate, f"{name}_attention_add")
    y = _norm(x, 1e-6, f"{name}_norm2")
    y = _dense(y, 4 * x.shape[-1], f"{name}_mlp1")
    y = layers.DepthwiseConv2D(3, padding="same", name=f"{name}_mlp_depthwise")(y)
    y = layers.Activation("gelu", name=f"{name}_mlp_gelu")(y)
    y = _dense(y, x.shape[-1], f"{name}_mlp2")
    return _add(x, y, drop_rate, f"{name}_mlp_add")


def _attention(x, heads, reduction, name):
    """Keys and values come from a map that a strided convolution made smaller."""
    filters, source = x.shape[-1], x
    if reduction > 1:
        source = PadSmall(reduction, name=f"{name}_pad")(x)
        # "valid" as in PyTorch: rows and columns that fill no window are dropped.
        source = blocks.conv(
            source,
            filters,
            reduction,
            strides=reduction,
            padding="valid",
            name=f"{name}_reduce",
        )
        source = _norm(source, 1e-5, f"{name}_reduce_norm")
    query = _dense(x, filters, f"{name}_query")
    key = _dense(source, filters, f"{name}_key")
    value = _dense(source, filters, f"{name}_value")
    x = DotAttention(heads, name=f"{name}_attention")([query, key, value])
    return _dense(x, filters, f"{name}_project")


def _add(x, y, drop_rate, name):
    """Add `y`, dropped for random images in training (stochastic depth)."""
    if drop_rate:
        one_per_image = (None, 1, 1, 1)
        y = layers.Dropout(drop_rate, one_per_image, name=f"{name}_drop")(y)
    return layers.Add(name=name)([x, y])
