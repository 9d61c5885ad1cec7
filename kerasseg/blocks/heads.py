"""Heads: from features to class scores to logits."""

from keras import initializers, layers

from kerasseg.blocks.convolution import conv, conv_norm_act
from kerasseg.layers import ResizeLike


def fcn_head(
    x,
    num_classes,
    *,
    num_convs=1,
    concat_input=False,
    dropout=0.1,
    name="head",
):
    """Score classes: 3x3 to a quarter of the channels, dropout, 1x1 (torchvision).

    Args:
        x: features [N, H, W, C].
        num_classes: channels of the scores.
        num_convs: 3x3 convolutions one behind the other, at least one.
        concat_input: join their result with `x` once more by another 3x3
            (mmsegmentation).
        dropout: rate in front of the scores.
        name: prefix; layers `{name}_conv`, `{name}2_conv`, `{name}_fuse_conv`,
            `{name}_score`.

    Returns:
        Scores [N, H, W, num_classes].

    Raises:
        ValueError: if `num_convs` is below 1.
    """
    if num_convs < 1:
        raise ValueError(
            f"`num_convs` must be at least 1. Received: num_convs={num_convs}."
        )
    inputs, filters = x, x.shape[-1] // 4
    for index in range(num_convs):
        step = f"{name}{index + 1}" if index else name
        x = conv_norm_act(x, filters, name=step)
    if concat_input:
        x = layers.Concatenate(name=f"{name}_concat")([inputs, x])
        x = conv_norm_act(x, filters, name=f"{name}_fuse")
    x = layers.Dropout(dropout, name=f"{name}_dropout")(x)
    return conv(x, num_classes, 1, name=f"{name}_score")


def logits(scores, image=None, *, align_corners=False, name="logits"):
    """Class scores -> float32 logits whatever the precision policy.

    Args:
        scores: [N, h, w, K] in the compute dtype.
        image: the model's input [N, H, W, C] to resize to; None keeps the size.
        align_corners: see `kerasseg.layers.ResizeLike`.
        name: the layer's name, and the key of the output where there are several.

    Returns:
        float32 logits [N, H, W, K].
    """
    if image is None:
        # No activation, only a cast: under mixed precision scores have 16 bits.
        return layers.Activation("linear", dtype="float32", name=name)(scores)
    resize = ResizeLike(align_corners=align_corners, dtype="float32", name=name)
    return resize([scores, image])


def aux_sides(taps, aux):
    """Features for auxiliary heads: of no tap (False), of "c4" (True), of a named tap.

    Returns:
        dict for `side_logits`.

    Raises:
        ValueError: if there is no such tap.
    """
    if not aux:
        return {}
    name = "c4" if aux is True else aux
    if name not in taps:
        raise ValueError(
            f"`aux` must be False, True or a tap of {sorted(taps)}. "
            f"Received: aux={aux!r}."
        )
    return {"aux": taps[name]}


def side_logits(outputs, sides, num_classes, image, *, head="fcn"):
    """Logits of auxiliary heads beside the main ones.

    Args:
        outputs: the main logits.
        sides: dict from output name ("aux") to features.
        num_classes: channels of the logits.
        image: the model's input to resize to.
        head: "fcn" (see `fcn_head`) or "score", one 1x1 convolution.

    Returns:
        `outputs` alone where there are no sides, else a dict, "logits" first.
    """
    if not sides:
        return outputs
    answer = {"logits": outputs}
    for name, x in sides.items():
        if head == "fcn":
            scores = fcn_head(x, num_classes, name=f"{name}_head")
        else:
            # Side outputs of a decoder have few channels already: scored as they are.
            scores = conv(x, num_classes, 1, name=f"{name}_head_score")
        answer[name] = logits(scores, image, name=name)
    return answer


def score_conv(x, filters, kernel_size=1, *, bias=0.0, name):
    """Convolution whose weights start near 0: the last one of a detector's head.

    All positions then start at the same score and at their own anchor; he_normal would
    scatter the first boxes over several octaves.

    Args:
        x: features [N, H, W, C].
        bias: of all filters at the start.
        name: the layer's name.
    """
    return layers.Conv2D(
        filters,
        kernel_size,
        padding="same",
        kernel_initializer=initializers.RandomNormal(stddev=0.01),  # Faster R-CNN's
        bias_initializer=initializers.Constant(bias),
        name=name,
    )(x)


def rows(x, *shape, name):
    """Reshape predictions [N, H, W, A * k] to float32 [N, H * W * A, *shape]."""
    return layers.Reshape((-1, *shape), dtype="float32", name=name)(x)
