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

DEPTH = 3  # poolings behind that of the grid
MAX_TEXT_BYTES = 2**16  # of config.json and thresholds.json, a page at most
MAX_BYTES = 2**30  # that a zip unpacks to
# What config.json must say where names and shapes of arrays do not.
CONFIG = {
    "n_dim": 2,
    "n_classes": None,
    "unet_n_depth": DEPTH,
    "unet_n_conv_per_depth": 2,
    "unet_kernel_size": [3, 3],
    "unet_pool": [2, 2],
    "unet_activation": "relu",
    "unet_last_activation": "relu",
    "unet_batch_norm": False,
}


def star_unet(input_shape, grid, base_filters):
    """U-Net without normalisation, as StarDist's published networks are.

    Args:
        input_shape: (H, W, C), sizes may be None.
        grid: pixels of the image per pixel of the result, 1 or 2.
        base_filters: channels of the first levels; doubled at each of three poolings.

    Returns:
        Image (raw pixels 0..255) and features [N, H / grid, W / grid, base_filters].
    """
    image = keras.Input(input_shape, name="image")
    *skips, x = _path(input_shape, grid, base_filters)(image).values()
    for step, skip in enumerate(skips[: -DEPTH - 1 : -1], 1):
        filters = skip.shape[-1]
        x = ResizeLike("nearest", name=f"decoder{step}_up")([x, skip])
        x = layers.Concatenate(name=f"decoder{step}_skip")([x, skip])
        # The second convolution has the channels of the next, finer level.
        after = filters if step == DEPTH else filters // 2
        x = _double_conv(x, filters, after, f"decoder{step}")
    return image, x


def _path(input_shape, grid, base_filters):
    """Contracting path: image -> taps from "c0" on."""
    x = image = keras.Input(input_shape, name="image")
    x = Normalize(0.0, 255.0, name="normalize")(x)
    filters = [base_filters * 2**level for level in range(DEPTH + 1)]
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
    names = {
        f"conv2d_{number}" if number >= 0 else "conv2d": f"level0_{i}_conv"
        for i, number in enumerate(numbers, 1)
    }
    for level in range(DEPTH):
        for i in range(2):
            names[f"down_level_{level}_no_{i}"] = f"level{level + grid}_{i + 1}_conv"
        for i, theirs in enumerate((0, 2), 1):
            ours = f"decoder{DEPTH - level}_{i}_conv"
            names[f"up_level_{level}_no_{theirs}"] = ours
    for i, theirs in enumerate((0, 2), 1):
        names[f"middle_{theirs}"] = f"level{DEPTH + grid}_{i}_conv"
    names |= {"features": "features_conv", "prob": "probability_head"}
    names["dist"] = "distances_head"
    return tuple(
        (rf"^{theirs}/(?:.*/)?(kernel|bias)(?::0)?$", rf"{ours}/\1")
        for theirs, ours in names.items()
    )


def read_options(path):
    """Options of prediction that lie beside StarDist's weights.

    Args:
        path: of a zip as published, or of a `weights_best.h5` in its folder.

    Returns:
        dict of `score_threshold` and `overlap_threshold`; empty where the file says
        none.

    Raises:
        WeightsError: if config.json is of another network.
    """
    config = _json(path, "config.json")
    differing = [
        f"{name}={config[name]!r} ({value!r})"
        for name, value in CONFIG.items()
        if config.get(name, value) != value
    ]
    sides = config.get("grid", [2, 2])
    if sides not in ([1, 1], [2, 2]):
        differing.append(f"grid={sides!r} ([2, 2])")
    if differing:
        raise weights.WeightsError(
            f"this StarDist computes something else: {', '.join(differing)}; in "
            "brackets what can be read.",
            path,
        )
    ours = {"prob": "score_threshold", "nms": "overlap_threshold"}
    thresholds = _json(path, "thresholds.json")
    return {ours[name]: x for name, x in thresholds.items() if name in ours}


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
        read_options=read_options,
    )
    for name, channels in (
        ("2D_versatile_fluo", 1),
        ("2D_versatile_he", 3),
        ("2D_paper_dsb2018", 1),
    )
}
