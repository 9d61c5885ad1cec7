"""Networks of mmsegmentation: names of their files, which Hugging Face took over.

Their ResNets are of the kind "V1c", of three 3x3 convolutions in front. Published are
ResNet-50 and -101.
"""

from kerasseg.weights import Reordered
from kerasseg.zoo._references import Reference

AUXILIARY = {r"auxiliary_head\.convs\.0": "aux_head"}


def reference(parts, options=None, *, score="head_score"):
    """Reference of a network of mmsegmentation on a ResNet.

    Args:
        parts: see `rules`.
        options: of the builder, where they are not its defaults.
        score: see `rules`.
    """
    return Reference(
        rules(parts, score=score),
        {"encoder": "resnet50", **(options or {})},
        {"deep_stem": True},
        encoders=("resnet50", "resnet101"),
    )


def rules(parts, *, score="head_score"):
    """Rules for a decoding head and the auxiliary one.

    Args:
        parts: dict of pattern of a convolution with its normalisation, within the
            decoding head, to its name here, or to a `weights.Reordered` of it.
        score: name of the last convolution.

    Returns:
        Tuple of rules for `kerasseg.weights.from_torch`.
    """
    parts = {rf"decode_head\.{there}": here for there, here in parts.items()}
    named = {"conv": "conv", "norm": "(?:bn|batch_norm)"}
    return (
        *(
            (rf"^{there}\.{theirs}\.", _ours(here, kind))
            for there, here in {**parts, **AUXILIARY}.items()
            for kind, theirs in named.items()
        ),
        (r"^decode_head\.(?:conv_seg|classifier)\.", f"{score}."),
        (r"^auxiliary_head\.(?:conv_seg|classifier)\.", "aux_head_score."),
    )


def aspp_parts(rates, *, separable=False):
    """Parts of an `aspp`: image pooling comes first there, and 3x3 joins the branches.

    Args:
        rates: dilations of the branches, which are numbered there.
        separable: whether the branches are.
    """
    parts = {r"image_pool\.1": "aspp_image", r"aspp_modules\.0": "aspp_point"}
    for index, rate in enumerate(rates, 1):
        there, here = rf"aspp_modules\.{index}", f"aspp_rate{rate}"
        kinds = ("depthwise", "pointwise") if separable else ()
        parts |= {rf"{there}\.{kind}_conv": f"{here}_{kind}" for kind in kinds}
        parts |= {} if separable else {there: here}
    order = (*range(1, len(rates) + 2), 0)
    return {**parts, "bottleneck": Reordered("aspp_project", order)}


def _ours(name, kind):
    if isinstance(name, Reordered):
        return name._replace(name=f"{name.name}_{kind}.")
    return f"{name}_{kind}."
