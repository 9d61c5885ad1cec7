"""Class ids and probabilities of whole images and large images.

>>> import keras, numpy as np
>>> x = keras.Input([None, None, 3])
>>> model = keras.Model(x, keras.layers.Conv2D(2, 1)(x))
>>> class_ids(model, np.zeros([5, 7], "uint8")).shape
(5, 7)
"""

import numbers
import os

import cv2
import numpy as np
from PIL import Image

from kerasseg import crf, names
from kerasseg.images.values import DataRange, as_array, range_of, rescale, scale
from kerasseg.predict import forward, tiles
from kerasseg.predict.options import (
    ClassMapOptions,
    check_scales,
    check_tile,
)
from kerasseg.predict.preprocessing import check_image
from kerasseg.predict.views import check_flips


def probabilities(
    model,
    image,
    *,
    tile_px=None,
    overlap_px=None,
    flips=False,
    scales=None,
    refine=None,
    value_range=None,
):
    """Class probabilities of one image.

    Args:
        model: image -> logits [N, H, W, K], or a dict of outputs with "logits".
        image: [H, W] or [H, W, C], any size, or what `images.as_array` takes (PIL
            images, tensors, files); see `predict.preprocessing.prepare`.
        tile_px: run on tiles of this size (or (height, width)), blended where they
            overlap, to bound memory; None runs on the whole image.
        overlap_px: overlap of tiles; None for a quarter of the tile, at most 64.
        flips: average over views of the image: True or "horizontal" for it and its
            mirror image, "both" for four, also upside down, "all" for eight, also on
            their side.
        scales: average over the image at these factors of its size, such as (0.75, 1,
            1.25), each one flipped as `flips` says; None for 1 alone.
        refine: "crf" for `crf.dense_crf` as it is, or a function of image and
            probabilities, such as `functools.partial(crf.dense_crf, iterations=10)`;
            works on the whole image, with tiles too.
        value_range: numbers of the image that are black and white; None for what its
            dtype and numbers say, see `images.values`.

    Returns:
        float32 [H, W, K]: softmax, or sigmoid for K = 1.

    Raises:
        ValueError: if the image does not fit the model or the refinement.
    """
    # Made for its checks only.
    ClassMapOptions(tile_px, overlap_px, flips, scales, refine)
    views = {"flips": flips, "scales": scales}
    image = as_array(image)
    check_image(image, forward.input_shape(model)[-1])
    if tile_px is None or refine is not None:
        image = scale(image, value_range)
    if tile_px is None:
        answer = forward.to_probabilities
        found = forward.infer(model, [image], answer, **views)[0]
    else:
        parts = _stripes(model, image, (tile_px, overlap_px), views, value_range)
        found = np.concatenate([stripe for _, stripe in parts])
    return _refined(refine, image, found)


def class_ids(
    model,
    image,
    *,
    tile_px=None,
    overlap_px=None,
    flips=False,
    scales=None,
    refine=None,
    min_area_px=1,
    value_range=None,
):
    """The most probable class of each pixel.

    Args:
        model, image, tile_px, overlap_px, flips, scales, refine, value_range: as in
            `probabilities`.
        min_area_px: smaller regions become class 0, see `without_small`.

    Returns:
        int32 [H, W]. With one logit: 1 where its probability is above 0.5.
    """
    sizes, views = (tile_px, overlap_px), {"flips": flips, "scales": scales}
    more = {**views, "value_range": value_range}
    if refine is not None:
        more |= {"tile_px": tile_px, "overlap_px": overlap_px, "refine": refine}
        found = most_probable(probabilities(model, image, **more))[0]
    elif tile_px is not None:
        parts = _stripes(model, image, sizes, views, value_range)
        # By stripes: probabilities of the whole image would take K times the memory.
        found = np.concatenate([most_probable(stripe)[0] for _, stripe in parts])
    else:
        found = class_ids_of_batch(model, [image], **more)[0]
    return without_small(found, min_area_px)


def class_ids_of_batch(model, images, *, flips=False, scales=None, value_range=None):
    """The most probable class of each pixel of several images.

    Args:
        model, flips, scales, value_range: as in `probabilities`. Without a
            `value_range`, one is found for all images, which refuses those that
            contradict it.
        images: N images [H, W] or [H, W, C], or what `images.as_array` takes. Those of
            one size go through the model together.

    Returns:
        int32 [N, H, W]; a list of int32 [H, W] where sizes differ.
    """
    channels = forward.input_shape(model)[-1]
    if _is_one(images, channels):
        raise ValueError(
            "`images` must be several images, [N, H, W, C] or a list. Received: one; "
            "`class_ids(model, image)` takes it."
        )
    images = [as_array(image) for image in images]
    if not images:
        return []
    for image in images:
        check_image(image, channels)
    if len({image.shape[:2] for image in images}) > 1:
        found = [None] * len(images)
        one = DataRange(value_range)
        images = [one.scale(image) for image in images]
        # By sizes: images of one size go through the model together.
        for size in {image.shape[:2] for image in images}:
            places = [i for i, image in enumerate(images) if image.shape[:2] == size]
            group = [images[i] for i in places]
            maps = class_ids_of_batch(model, group, flips=flips, scales=scales)
            for i, class_map in zip(places, maps):
                found[i] = class_map
        return found
    one = DataRange(value_range)
    images = [one.scale(image) for image in images]
    if not flips and scales is None:
        # The short way: classes are chosen inside the compiled function.
        return forward.infer(model, images, forward.to_class_ids)
    answer, views = forward.to_probabilities, {"flips": flips, "scales": scales}
    return most_probable(forward.infer(model, images, answer, **views))[0]


def _is_one(images, channels):
    """Whether what should be several images is a single one."""
    if isinstance(images, (str, os.PathLike, bytes, Image.Image)):
        return True
    shape = getattr(images, "shape", ())
    return (len(shape) == 3 and shape[-1] == channels) or hasattr(images, "read")


def without_small(class_ids, min_area_px):
    """Class ids in which 4-connected regions of few pixels have become class 0.

    Args:
        class_ids: int32 [H, W].
        min_area_px: regions of a class above 0 with fewer pixels go.

    Returns:
        int32 [H, W].

    Example:
        >>> without_small(np.array([[1, 1, 0, 2], [0, 0, 0, 0]]), 2).tolist()
        [[1, 1, 0, 0], [0, 0, 0, 0]]
    """
    if min_area_px <= 1:
        return class_ids
    kept = np.array(class_ids)
    for mask, areas, regions in _regions(kept):
        kept[mask & (areas[regions] < min_area_px)] = 0
    return kept


def largest_region_px(class_ids):
    """Pixels of the largest 4-connected region of a class above 0; 0 without any.

    Args:
        class_ids: int32 [H, W].
    """
    found = _regions(np.asarray(class_ids))
    return max((int(areas[1:].max()) for _, areas, _ in found), default=0)


def _regions(class_ids):
    """(mask, areas, ids) of the regions of each class above 0 that occurs."""
    for class_id in np.flatnonzero(np.bincount(class_ids.ravel())[1:]) + 1:
        mask = class_ids == class_id
        _, ids, stats, _ = cv2.connectedComponentsWithStats(
            mask.astype("uint8"), connectivity=4
        )
        yield mask, stats[:, cv2.CC_STAT_AREA], ids


def predict_tiled(
    model,
    image,
    *,
    tile_px=512,
    overlap_px=None,
    flips=False,
    scales=None,
    out=None,
    value_range=None,
):
    """Class ids and confidence of an image of any size in bounded memory.

    Memory holds one row of tiles. With `image` and `out` memory-mapped
    (`np.lib.format.open_memmap`), an image larger than memory is no problem.

    Args:
        model, tile_px, overlap_px, flips, scales, value_range: as in `probabilities`.
        image: [H, W] or [H, W, C], also memory-mapped; read tile by tile, after one
            pass for its range unless it is uint8.
        out: dict of arrays [H, W] to write to, "class_ids" and "confidence", one or
            both; None makes them.

    Returns:
        `out`: "class_ids" int32 and "confidence" float32, the probability of the
        chosen class. Equal to the whole image's under the condition in
        `predict.tiles.stripes` (probabilities within 1e-6, class ids but for ties).
    """
    image = as_array(image)
    size = image.shape[:2]
    if out is None:
        out = {"class_ids": np.empty(size, "i4"), "confidence": np.empty(size, "f4")}
    names.check_options(out, ("class_ids", "confidence"), "`out`")
    for name, array in out.items():
        if array.shape != size:
            raise ValueError(
                f"`out[{name!r}]` must have the size of the image, {size}. "
                f"Received: shape={array.shape}."
            )
    views = {"flips": flips, "scales": scales}
    options = (tile_px, overlap_px), views, value_range
    for top, stripe in _stripes(model, image, *options):
        for name, values in zip(("class_ids", "confidence"), most_probable(stripe)):
            if name in out:
                out[name][top : top + len(stripe)] = values
    return out


def _stripes(model, image, sizes, views, value_range):
    """(top, probabilities [h, W, K]) from the top of the image to its bottom."""
    check_tile(sizes[0])
    check_flips(views["flips"])
    check_scales(views["scales"])
    image, (tile_px, overlap_px) = as_array(image), sizes
    check_image(image, forward.input_shape(model)[-1])
    one_side = isinstance(tile_px, numbers.Integral)
    tile_px = (tile_px, tile_px) if one_side else tuple(tile_px)
    if overlap_px is None:
        # A quarter of the tile computes each pixel 1.8 times on average; large tiles
        # need no more than 64 px of context.
        overlap_px = min(64, min(tile_px) // 4)
    if not 0 <= overlap_px < min(tile_px):
        raise ValueError(
            "`tile_px` must be above `overlap_px`, and both positive. "
            f"Received: tile_px={tile_px}, overlap_px={overlap_px}."
        )

    # The range of the whole image: a dark tile does not tell it.
    found = range_of(image, value_range)

    def infer(top, bottom, left, right):
        part = rescale(image[top:bottom, left:right], found)
        answer = forward.to_probabilities
        return forward.infer(model, [part], answer, **views)[0]

    size = np.shape(image)[:2]
    return tiles.stripes(infer, size, tile_px=tile_px, overlap_px=overlap_px)


def _refined(refine, image, found):
    """Refined probabilities; "crf" stands for `crf.dense_crf` as it is."""
    if refine is None:
        return found
    return (crf.dense_crf if refine == "crf" else refine)(image, found)


def most_probable(probabilities):
    """Class ids int32 and confidence float32, [...], of probabilities [..., K]."""
    if probabilities.shape[-1] == 1:
        above = probabilities[..., 0]
        # Above, not at one half: what a logit of exactly 0 means, everywhere in this
        # library.
        return (above > 0.5).astype("int32"), np.maximum(above, 1 - above)
    return probabilities.argmax(-1).astype("int32"), probabilities.max(-1)
