"""Context: features of the surroundings of each position, near and far."""

import functools

from keras import layers

from kerasseg.blocks.convolution import conv_norm_act, separable_conv
from kerasseg.layers import AdaptiveAveragePooling, ResizeLike


def aspp(
    x,
    filters=256,
    *,
    rates,
    separable=False,
    depthwise_norm=True,
    project_kernel_size=1,
    dropout=0.5,
    name="aspp",
):
    """Atrous spatial pyramid pooling: 1x1, atrous 3x3 and image pooling side by side.

    Args:
        x: features [N, H, W, C].
        filters: channels of each branch and of the result.
        rates: dilations of the 3x3 branches; () leaves 1x1 and image pooling.
        separable: depthwise separable 3x3 branches (DeepLabv3+).
        depthwise_norm: of these, see `separable_conv`.
        project_kernel_size: of the convolution that joins the branches; 3 in
            mmsegmentation.
        dropout: rate after the projection; the default is torchvision's.

    Returns:
        Features [N, H, W, filters].

    Reference: Chen et al., 2017, https://arxiv.org/abs/1706.05587
    """
    build = conv_norm_act
    if separable:
        build = functools.partial(separable_conv, depthwise_norm=depthwise_norm)
    branches = [conv_norm_act(x, filters, 1, name=f"{name}_point")]
    for rate in rates:
        branches.append(build(x, filters, dilation=rate, name=f"{name}_rate{rate}"))
    pooled = layers.GlobalAveragePooling2D(keepdims=True, name=f"{name}_pool")(x)
    pooled = conv_norm_act(pooled, filters, 1, name=f"{name}_image")
    branches.append(ResizeLike(name=f"{name}_image_up")([pooled, x]))
    # 1x1, rates, image pooling: the order of torchvision's projection weights.
    x = layers.Concatenate(name=f"{name}_concat")(branches)
    x = conv_norm_act(x, filters, project_kernel_size, name=f"{name}_project")
    return layers.Dropout(dropout, name=f"{name}_dropout")(x) if dropout else x


def aspp_rules(start, *, rates, separable=False):
    """Rules for the `aspp` of torchvision and segmentation_models.pytorch.

    Args:
        start: pattern of the module's name there.
        rates: dilations of the branches, which are numbered there.
        separable: whether the branches are.

    Returns:
        List of rules for `kerasseg.weights.from_torch`.
    """
    parts = {r"convs\.0\.0": "point_conv", r"convs\.0\.1": "point_norm"}
    for index, rate in enumerate(rates, 1):
        there, here = rf"convs\.{index}", f"rate{rate}"
        if separable:
            parts[rf"{there}\.0\.0"] = f"{here}_depthwise_conv"
            parts[rf"{there}\.0\.1"] = f"{here}_pointwise_conv"
            parts[rf"{there}\.1"] = f"{here}_pointwise_norm"
        else:
            parts |= {rf"{there}\.0": f"{here}_conv", rf"{there}\.1": f"{here}_norm"}
    parts |= {r"convs\.4\.1": "image_conv", r"convs\.4\.2": "image_norm"}
    parts |= {r"project\.0": "project_conv", r"project\.1": "project_norm"}
    return [(rf"^{start}\.{there}\.", f"aspp_{here}.") for there, here in parts.items()]


def pyramid_pooling(
    x, filters, *, bins=(1, 2, 3, 6), norm="batch", align_corners=False, name="pyramid"
):
    """Pool to bins x bins averages, 1x1 convolution, back to the size of `x`.

    Args:
        x: features [N, H, W, C].
        filters: channels of each branch.
        bins: averages per side, one branch each.
        norm: see `normalize`.
        align_corners: see `kerasseg.layers.ResizeLike`.
        name: prefix; layers `{name}_bins6_conv`, ...

    Returns:
        List of features [N, H, W, filters], one per branch.

    Reference: Zhao et al., 2017, https://arxiv.org/abs/1612.01105
    """
    branches = []
    for size in bins:
        branch = f"{name}_bins{size}"
        # Bins may overlap where the map does not divide, as those of PyTorch.
        pooled = AdaptiveAveragePooling(size, name=f"{branch}_pool")(x)
        pooled = conv_norm_act(pooled, filters, 1, norm=norm, name=branch)
        up = ResizeLike(align_corners=align_corners, name=f"{branch}_up")
        branches.append(up([pooled, x]))
    return branches
