"""Random scale, crop, flip, rotation and elastic deformation."""

import math
import numbers

import tensorflow as tf

from kerasseg.augment.checks import check_number, checked_size
from kerasseg.augment.focus import corner_over, focus_point
from kerasseg.augment.mirroring import mirror_objects
from kerasseg.augment.resampling import (
    crop_grid,
    crop_image,
    elastic_shift,
    sample_nearest,
    warp_field,
    warp_grid,
    warp_image,
)
from kerasseg.augment.tensors import as_dtype, fold_in
from kerasseg.names import look_up

IGNORE_LABEL = 255
FLIPS = {  # may rows, may columns be reversed
    "horizontal": (False, True),
    "vertical": (True, False),
    "both": (True, True),
}
LOST = ("boxes", "areas")  # of the annotation file: they no longer hold
OUTSIDE = {"zero": False, "reflect": True}  # is the image mirrored there


def geometry(
    *,
    size,
    scale=(1.0, 1.0),
    flip=None,
    rotation=0.0,
    shear=0.0,
    perspective=0.0,
    elastic=0.0,
    focus=0.0,
    exact=0.0,
    outside="zero",
    ignore_label=IGNORE_LABEL,
):
    """Random scale, crop, flip, rotation, perspective and elastic in one resampling.

    Images are sampled bilinearly; labels, masks and instances at the nearest pixel. The
    crop lies anywhere in a larger image; a smaller image lies anywhere in the crop.
    When there is nothing to change, the image is returned bit for bit.

    Shrinking does not alias: the bilinear filter widens by 1 / scale. With warps
    (rotation, shear, perspective, elastic) and `outside="reflect"` the image is shrunk
    first and then sampled more densely (2 to 3 times as slow).

    Args:
        size: (height, width) of the result in pixels.
        scale: (low, high) of the magnification, drawn log-uniformly, so that halving is
            as likely as doubling. 1 keeps objects as large as they are.
        flip: None, "horizontal" (left to right), "vertical" or "both"; each with
            probability 1 / 2.
        rotation: largest angle in degrees, either way.
        shear: largest angle in degrees, up to 30, by which rows and columns lean, each
            by its own.
        perspective: up to 0.5: the corners of a crop are shown up to 1 / (1 - p) times
            as large, or 1 / (1 + p), as those of a plane seen at an angle.
        elastic: standard deviation, in pixels of the result, of the displacements of
            3 x 3 control points, bicubic between them (U-Net: 10). 0 is off.
        focus: share of the crops, 0..1, that are laid over a pixel of a class drawn
            from those of the image but the first, or over a pixel of an object, so that
            rare things are seen more often. The others lie anywhere. A crop that is
            warped stays in the image, too, where the pixel can be seen so.
        exact: share of the crops, 0..1, that are cut out as they are, at most mirrored.
            Resampling blurs an image a little, and a model that has seen nothing else
            draws outlines of sharp ones too narrow (nuclei: by a third of a pixel).
        outside: the image beyond its border, "zero" or "reflect" (its mirror image).
        ignore_label: the label beyond the border in either case. With "zero" there are
            no masks and instances; with "reflect" those of the mirror image, as objects
            of their own that follow those of the image (one that touches the border is
            one with its mirror image): `classes` and `crowd` grow, and objects that
            cannot be seen are gone.

    `boxes` and `areas` of a sample no longer hold and are left out.

    Returns:
        Function (sample, seed) -> sample.

    Raises:
        ValueError: if an option is out of its range.

    References: Ronneberger et al., 2015, https://arxiv.org/abs/1505.04597 (elastic);
        Isensee et al., 2021, https://doi.org/10.1038/s41592-020-01008-z (focus, exact)
    """
    size = checked_size(size)
    low, high = _checked_scale(scale, exact)
    _check_numbers(rotation, shear, perspective, elastic, focus)
    kind = "value of `flip`"
    may_flip = (False, False) if flip is None else look_up(flip, FLIPS, kind)
    mirrored = look_up(outside, OUTSIDE, "value of `outside`")
    is_warp = max(rotation, shear, perspective, elastic) > 0 or mirrored

    def transform(sample, seed):
        image = tf.convert_to_tensor(sample["image"])
        shape = tf.shape(image)[:2]
        # Scale, two of the corner, two flips, angle: always six numbers, so that one
        # option more does not change what the others draw.
        uniform = tf.unstack(tf.random.stateless_uniform([6], seed, alg="philox"))
        # 0 where neither size, angle nor shape change, else 1.
        moves = tf.cast(_lot(seed, 4) >= exact, tf.float32) if exact else 1.0
        factor = (low * (high / low) ** uniform[0]) ** moves
        # In pixels of the magnified image; whole ones, so that scale 1 does not blur.
        room = factor * tf.cast(shape, tf.float32) - size
        flips = [may and u < 0.5 for may, u in zip(may_flip, uniform[3:5])]
        warp = (rotation * (2 * uniform[5] - 1), shear, perspective, elastic)
        field = _field(size, *warp, moves, seed) if is_warp else None
        share = tf.stack(uniform[1:3])
        corner = tf.round(share * room)
        if focus:
            point, known = focus_point(sample, ignore_label, fold_in(seed, 2))
            point = factor * tf.where(flips, tf.cast(shape, tf.float32) - point, point)
            over = corner_over(point, share, room, size, field)
            corner = tf.where(known & (_lot(seed, 3) < focus), over, corner)
        place = (size, factor, corner, flips)
        grid, moved = _sample(image, place, field, low < 1, mirrored)
        kept = {k: x for k, x in sample.items() if k not in LOST}
        kept["image"] = as_dtype(moved, image.dtype)
        return kept | _move_labels(sample, grid, mirrored, ignore_label)

    return transform


def _field(size, rotation, shear, perspective, elastic, moves, seed):
    """The `warp_field` of a crop; all but the rotation, in degrees, is drawn here."""
    drawn = {}
    if shear or perspective:
        lots = tf.random.stateless_uniform([4], fold_in(seed, 5), -1, alg="philox")
        drawn["shears"] = tf.unstack(moves * math.radians(shear) * lots[:2])
        drawn["tilts"] = tf.unstack(moves * perspective / 2 * lots[2:])
    if elastic:
        drawn["shift"] = moves * elastic_shift(size, elastic, fold_in(seed, 1))
    return warp_field(size, angle=moves * rotation * math.pi / 180, **drawn)


def _sample(image, place, field, shrinks, mirrored):
    """The sampling grid of a crop, warped if there is a field, and the image on it."""
    shape, factor = tf.shape(image)[:2], place[1]
    if field is None:
        return crop_grid(shape, *place), crop_image(image, *place)
    grid = warp_grid(shape, *place, field=field)
    return grid, warp_image(image, grid, factor if shrinks else None, mirrored)


def _lot(seed, number):
    """A number of 0..1, of its own for each `number`."""
    return tf.random.stateless_uniform([], fold_in(seed, number), alg="philox")


def _check_numbers(rotation, shear, perspective, elastic, focus):
    check_number("rotation", rotation, 180)
    check_number("shear", shear, 30)
    check_number("perspective", perspective, 0.5)
    check_number("elastic", elastic, 1e3)
    check_number("focus", focus, 1)


def _move_labels(sample, grid, mirrored, ignore_label):
    """Label, masks and instances of a sample on a grid, by key."""
    if "weights" in sample:
        raise ValueError(
            "`geometry` does not move weights of pixels: put `border_weights` after "
            "it. Received: a sample with `weights`."
        )
    moved, fills = {}, {"label": ignore_label, "masks": False, "instances": 0}
    if mirrored and {"masks", "instances"} & sample.keys():
        moved, fills = mirror_objects(sample, grid), {"label": ignore_label}
    for key, fill in fills.items():
        if key in sample:
            values = tf.convert_to_tensor(sample[key])
            moved[key] = sample_nearest(values, grid, fill)
    return moved


def _checked_scale(scale, exact):
    is_pair = isinstance(scale, (tuple, list)) and len(scale) == 2
    is_pair = is_pair and all(isinstance(x, numbers.Real) for x in scale)
    if not is_pair or not 0.01 <= scale[0] <= scale[1] <= 100:
        raise ValueError(
            "`scale` must be (low, high) with 0.01 <= low <= high <= 100. "
            f"Received: scale={scale!r}."
        )
    check_number("exact", exact, 1)
    if exact and not scale[0] <= 1 <= scale[1]:
        raise ValueError(
            "`exact` needs a `scale` that holds 1, the size at which images are "
            f"predicted. Received: exact={exact}, scale={scale!r}."
        )
    return float(scale[0]), float(scale[1])
