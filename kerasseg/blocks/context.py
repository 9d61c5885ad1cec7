"""Context: features of the surroundings of each position, near and far."""

from keras import layers

from kerasseg.blocks.convolution import conv_norm_act, separable_conv
from kerasseg.layers import AdaptiveAveragePooling, ResizeLike


def aspp(x, filters=256, *, rates, separable=False, dropout=0.5, name="aspp"):
    """Atrous spatial pyramid pooling: 1x1, atrous 3x3 and image pooling side by side.

    Args:
        x: features [N, H, W, C].
        filters: channels of each branch and of the result.
        rates: dilations of the 3x3 branches; () leaves 1x1 and image pooling.
        separable: depthwise separable 3x3 branches (DeepLabv3+).
        dropout: rate after the projection; the default is torchvision's.

    Returns:
        Features [N, H, W, filters].

    Reference: Chen et al., 2017, https://arxiv.org/abs/1706.05587
    """
    branches = [conv_norm_act(x, filters, 1, name=f"{name}_point")]
    for rate in rates:
        build = separable_conv if separable else conv_norm_act
        branches.append(build(x, filters, dilation=rate, name=f"{name}_rate{rate}"))
    pooled = layers.GlobalAveragePooling2D(keepdims=True, name=f"{name}_pool")(x)
    pooled = conv_norm_act(pooled, filters, 1, name=f"{name}_image")
    branches.append(ResizeLike(name=f"{name}_image_up")([pooled, x]))
    # 1x1, rates, image pooling: the order of torchvision's projection weights.
    x = layers.Concatenate(name=f"{name}_concat")(branches)
    x = conv_norm_act(x, filters, 1, name=f"{name}_project")
    return layers.Dropout(dropout, name=f"{name}_dropout")(x) if dropout else x


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
