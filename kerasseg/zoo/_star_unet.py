"""The U-Net of StarDist's authors (CSBDeep), and the names in their files."""

import json
import os
import re
import zipfile

import keras
from keras import layers

from kerasseg import blocks, weights
from kerasseg.layers import MaxPooling2D, Normalize, ResizeLike
from kerasseg.weights import archives
from kerasseg.zoo._references import Reference

FILES = ("weights_best.h5", "weights_last.h5")  # in the folder of a model
MAX_TEXT_BYTES = 2**16  # of config.json and thresholds.json, a page at most
MAX_BYTES = 2**30  # that a zip unpacks to
# What config.json must say where names and shapes of arrays do not.
CONFIG = {
    "n_dim": 2,
    "n_classes": None,
    "backbone": "unet",
    "unet_n_conv_per_depth": 2,
    "unet_kernel_size": [3, 3],
    "unet_pool": [2, 2],
    "unet_expansion": 2,
    "unet_prefix": "",
    "unet_activation": "relu",
    "unet_last_activation": "relu",
    "unet_batch_norm": False,
}
# Options of ours that it says, and the numbers that can be built.
OPTIONS = {
    "n_rays": ("num_rays", 3, 1024),
    "unet_n_filter_base": ("base_filters", 2, 1024),
    "unet_n_depth": ("depth", 1, 6),
    "net_conv_after_unet": ("head_filters", 1, 4096),
}


def star_unet(input_shape, grid, base_filters, depth):
    """U-Net without normalisation, as StarDist's published networks are.

    Args:
        input_shape: (H, W, C), sizes may be None.
        grid: pixels of the image per pixel of the result, 1 or 2.
        base_filters: channels of the first levels; doubled at each pooling.
        depth: poolings behind that of the grid.

    Returns:
        Image (raw pixels 0..255) and features [N, H / grid, W / grid, base_filters].
    """
    image = keras.Input(input_shape, name="image")
    *skips, x = _path(input_shape, grid, base_filters, depth)(image).values()
    for step, skip in enumerate(skips[: -depth - 1 : -1], 1):
        filters = skip.shape[-1]
        x = ResizeLike("nearest", name=f"decoder{step}_up")([x, skip])
        x = layers.Concatenate(name=f"decoder{step}_skip")([x, skip])
        # The second convolution has the channels of the next, finer level.
        after = filters if step == depth else filters // 2
        x = _double_conv(x, filters, after, f"decoder{step}")
    return image, x


def _path(input_shape, grid, base_filters, depth):
    """Contracting path: image -> taps from "c0" on."""
    x = image = keras.Input(input_shape, name="image")
    x = Normalize(0.0, 255.0, name="normalize")(x)
    filters = [base_filters * 2**level for level in range(depth + 1)]
    # A grid is reached by a level of its own, of as many channels as the next.
    filters = [base_filters] * (grid - 1) + filters
    taps = {}
    for level, count in enumerate(filters):
        if level:
            x = MaxPooling2D(2, name=f"level{level}_pool")(x)
        last = level == len(filters) - 1
        x = _double_conv(x, count, count // 2 if last else count, f"level{level}")
        taps[f"c{level}"] = x
    return keras.Model(image, taps, name="star_path")


def _double_conv(x, first, second, name):
    x = blocks.conv_norm_act(x, first, norm=None, name=f"{name}_1")
    return blocks.conv_norm_act(x, second, norm=None, name=f"{name}_2")


def rules(arrays):
    """Renaming rules of the arrays of a StarDist, see `weights.from_torch`.

    Two layers have only Keras' numbers for names, which depend on what their process
    had built before: they are told by their order.
    """
    numbered = {re.match(r"conv2d(?:_(\d+))?/", name) for name in arrays}
    numbers = sorted({int(found[1] or -1) for found in numbered if found})
    grid = len(numbers) // 2  # levels in front of CSBDeep's own
    levels = (re.match(r"down_level_(\d)_no_0/", name) for name in arrays)
    depth = sum(found is not None for found in levels) // 2  # kernel and bias
    names = {
        f"conv2d_{number}" if number >= 0 else "conv2d": f"level0_{i}_conv"
        for i, number in enumerate(numbers, 1)
    }
    for level in range(depth):
        for i in range(2):
            names[f"down_level_{level}_no_{i}"] = f"level{level + grid}_{i + 1}_conv"
        for i, theirs in enumerate((0, 2), 1):
            ours = f"decoder{depth - level}_{i}_conv"
            names[f"up_level_{level}_no_{theirs}"] = ours
    for i, theirs in enumerate((0, 2), 1):
        names[f"middle_{theirs}"] = f"level{depth + grid}_{i}_conv"
    names |= {"features": "features_conv", "prob": "probability_head"}
    names["dist"] = "distances_head"
    return tuple(
        (rf"^{theirs}/(?:.*/)?(kernel|bias)(?::0)?$", rf"{ours}/\1")
        for theirs, ours in names.items()
    )


def read(path):
    """Weights of a StarDist, and what lies beside them.

    Args:
        path: of the folder of a model, of a file of weights in it, or of a zip as
            published.

    Returns:
        (path of the weights, dict of options of `zoo.stardist` that config.json says,
        dict of `score_threshold` and `overlap_threshold` of thresholds.json).

    Raises:
        WeightsError: if there are no weights, or config.json is of another network.
    """
    if os.path.isdir(path):
        path = _weights_in(path)
    config = _json(path, "config.json")
    differing = [
        f"{name}={config[name]!r} ({value!r})"
        for name, value in CONFIG.items()
        if config.get(name, value) != value
    ]
    differing += [
        f"{name}={config[name]!r} ({low} to {high})"
        for name, (_, low, high) in OPTIONS.items()
        if name in config and not _is_count(config[name], low, high)
    ]
    if not _is_count(channels := config.get("n_channel_in", 1), 1, 1024):
        differing.append(f"n_channel_in={channels!r} (1 to 1024)")
    if (sides := config.get("grid", [2, 2])) not in ([1, 1], [2, 2]):
        differing.append(f"grid={sides!r} ([1, 1] or [2, 2])")
    if differing:
        raise weights.WeightsError(
            f"this StarDist computes something else: {', '.join(differing)}; in "
            "brackets what can be read.",
            path,
        )
    options = {x: config[name] for name, (x, *_) in OPTIONS.items() if name in config}
    options |= {"grid": sides[0]} if "grid" in config else {}
    options |= (
        {"input_shape": (None, None, channels)} if "n_channel_in" in config else {}
    )
    ours = {"prob": "score_threshold", "nms": "overlap_threshold"}
    thresholds = _json(path, "thresholds.json")
    return (
        path,
        options,
        {ours[name]: x for name, x in thresholds.items() if name in ours},
    )


def _weights_in(folder):
    for name in FILES:
        if os.path.isfile(path := os.path.join(folder, name)):
            return path
    raise weights.WeightsError(f"needs one of {FILES}, and has none.", folder)


def _is_count(value, low, high):
    return type(value) is int and low <= value <= high


def _json(path, name):
    """The object in a small file of a zip, or beside a file; {} if there is none."""
    data = None
    if zipfile.is_zipfile(path):
        data = archives.member_of(path, name, MAX_BYTES, MAX_TEXT_BYTES)
    elif os.path.isfile(beside := os.path.join(os.path.dirname(path), name)):
        with open(beside, "rb") as file:
            data = file.read(MAX_TEXT_BYTES)
    try:
        found = json.loads(data or b"{}")
    except (ValueError, RecursionError) as error:
        raise weights.WeightsError(f"{name} is not readable: {error}.", path) from None
    return found if isinstance(found, dict) else {}


PREDICT = {"percentiles": (1, 99.8), "border": "mirror"}
REFERENCES = {
    f"stardist/{name}": Reference(
        rules,
        {
            "as_published": True,
            "grid": 2,
            "input_shape": (None, None, channels),
        },
        num_classes=32,
        own_encoder=True,
        predict=PREDICT,
        read=read,
    )
    for name, channels in (
        ("2D_versatile_fluo", 1),
        ("2D_versatile_he", 3),
        ("2D_paper_dsb2018", 1),
    )
}
