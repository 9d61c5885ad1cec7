"""Objects of images: models of one image size on images of any size."""

import cv2
import numpy as np
from keras import ops

from kerasseg.detection.pasting import stretch_masks
from kerasseg.images.values import as_array, range_of, rescale
from kerasseg.predict import forward, merging
from kerasseg.predict.options import InstanceOptions
from kerasseg.predict.preprocessing import (
    check_image,
    fit_sides,
    fit_size,
    pad,
    prepare,
)

BATCH = 4  # tiles that go through the model together
DETECTIONS = {"boxes", "classes", "scores", "masks", "num"}


def instances(
    model,
    image,
    *,
    score_threshold=0.3,
    fit="tile",
    overlap_px=None,
    zoom=1.0,
    min_area_px=1,
    max_objects=1000,
    value_range=None,
):
    """The objects of one image.

    Args:
        model: instance model of one image size, see `zoo.names("instance")`.
        image: [H, W] or [H, W, C], any size, or what `images.as_array` takes; see
            `predict.preprocessing.prepare`.
        score_threshold: objects that score less are left out. Models have a threshold
            of their own, 0.05 unless they were built with another.
        fit: how an image of another size than the model's is shown to it. "tile": as
            large as it is, by tiles of the model's size that overlap, as models are
            trained that saw crops; a smaller image gets black at right and below.
            "resize": the whole image at once, shrunk or enlarged with its proportions.
            "stretch": likewise, but to the model's size whatever its proportions, as
            YOLACT does.
            "800x1333": likewise, but the shorter side becomes 800 pixels, unless the
            longer one then exceeds 1333; by the same weights in a model that is built
            anew for each size (some seconds). What torchvision does, for a Mask R-CNN
            of `zoo.from_reference`.
        overlap_px: overlap of tiles in pixels of the image; None for a quarter of the
            tile, at most 64. An object that fits into it is whole in one of the tiles;
            `predict.merging` says what becomes of those that are cut.
        zoom: pixels of a tile per pixel of the image, 1/8 to 8. Models whose masks have
            a quarter of the resolution draw objects of a few pixels better enlarged;
            they should be trained at that scale.
        min_area_px: objects of fewer pixels are left out.
        max_objects: only so many, the best ones, with a warning; each takes one byte
            per pixel.
        value_range: numbers of the image that are black and white; None for what its
            dtype and numbers say, see `images.values`.

    Returns:
        `Instances`, best first; boxes in pixels of the image, masks at its size.

    Raises:
        ValueError: if the model finds no objects, or image or options do not fit it.

    Example:
        >>> found = instances(model, photo)  # doctest: +SKIP
        >>> found.boxes.shape, found.to_label_map().max()  # doctest: +SKIP
        ((7, 4), 7)
    """
    options = InstanceOptions(
        score_threshold, fit, overlap_px, zoom, min_area_px, max_objects, value_range
    )
    parts, *place = _parts(model, image, options, options.score_threshold)
    return _merged(parts, *place, options, tell=True)


def instances_of_all_scores(model, image, options):
    """Objects of one image for scores that rank them, such as average precision.

    Args:
        model, image: as in `instances`.
        options: `InstanceOptions`.

    Returns:
        `Instances`, best first. Those that reach the threshold of the options are
        exactly those that `instances` finds: parts of lower scores, which would be
        merged with theirs, make objects of lower scores only.
    """
    parts, *place = _parts(model, image, options, 0.0)
    limit = options.score_threshold
    above = [part for part in parts if part.score >= limit]
    above = _merged(above, *place, options)
    every = _merged(parts, *place, options)
    return above.followed_by(every.subset(every.scores < limit))


def _merged(parts, tiles, image_size, options, tell=False):
    return merging.merge(
        parts,
        image_size,
        tiles,
        min_area_px=options.min_area_px,
        max_objects=options.max_objects,
        tell=tell,
    )


def _parts(model, image, options, score_threshold):
    """Objects of each tile, the tiles, and the size of the image."""
    *size, channels = _check(model)
    image = as_array(image)
    check_image(image, channels)
    given, found_range = image.shape[:2], range_of(image, options.value_range)
    run = forward.compiled(model, dict)
    limit = {"score_threshold": score_threshold}
    if options.sides_px or (options.fit != "tile" and given != tuple(size)):
        image = prepare(rescale(image, found_range), channels)
        if options.sides_px:
            found = _by_sides(model, image, options.sides_px)
        elif options.fit == "stretch":
            shown = ops.convert_to_numpy(ops.image.resize(image, size))
            found = _stretched(forward.to_arrays(run(shown[None])), image, size, size)
        else:
            found = _resized(run, image, size)
        whole = (0, 0, given[1], given[0])
        return merging.objects_in_tile(found, whole, given, **limit), (), given
    shown = [max(1, round(side / options.zoom)) for side in size]
    tiles, parts = _tiles(given, shown, options.overlap_px), []
    for first in range(0, len(tiles), BATCH):
        some = tiles[first : first + BATCH]
        # Slices end at the border of the image, `pad` fills the rest of a tile.
        crops = [image[y1:y2, x1:x2] for x1, y1, x2, y2 in some]
        crops = [rescale(crop, found_range) for crop in crops]
        crops = [pad(prepare(crop, channels), shown) for crop in crops]
        crops = [_enlarge(crop, size) for crop in crops]
        outputs = forward.to_arrays(run(np.stack(crops)))
        outputs["boxes"] = outputs["boxes"] * _factors(shown, size)
        for index, tile in enumerate(some):
            one = {name: values[index] for name, values in outputs.items()}
            parts += merging.objects_in_tile(one, tile, given, **limit)
    return parts, tiles, given


def _check(model):
    """The shape of the model's images, if it is an instance model."""
    if not forward.output_names(model) >= DETECTIONS:
        raise ValueError(
            "`model` must return boxes, classes, scores, masks and num, as those of "
            "zoo.names('instance'). For class maps there is `predict.class_ids`, and "
            "`tasks.predict` takes any model. "
            f"Received: outputs {sorted(forward.output_names(model))}."
        )
    return forward.input_shape(model)


def _tiles(given, size, overlap_px):
    """Rectangles (x1, y1, x2, y2) of the model's size, row by row."""
    if overlap_px is None:
        overlap_px = min(64, min(size) // 4)
    if not 0 <= overlap_px < min(size):
        raise ValueError(
            f"`overlap_px` must be in 0..{min(size) - 1}. Received: {overlap_px}."
        )
    rows, columns = (_starts(*pair, overlap_px) for pair in zip(given, size))
    return [(x, y, x + size[1], y + size[0]) for y in rows for x in columns]


def _starts(length, tile, overlap):
    """Where tiles of one size begin, evenly spread from border to border."""
    more = max(length - tile, 0)
    return (
        np.linspace(0, more, -(-more // (tile - overlap)) + 1)
        .round()
        .astype(int)
        .tolist()
    )


def _resized(run, image, size):
    """Objects of a resized image; boxes in its own pixels, masks that span it."""
    fitted, inner = fit_size(image, size)
    return _stretched(forward.to_arrays(run(fitted[None])), image, size, inner)


def _by_sides(model, image, sides):
    """As `_resized`, by a model of the size that the image gets."""
    fill = next((x.mean for x in _layers(model) if x.name == "normalize"), 0.0)
    fitted, inner = fit_sides(image, sides, fill)
    size = fitted.shape[:2]
    found = forward.of_size(model, fitted[None], image_size=size, content_size=inner)
    return _stretched(found, image, size, inner)


def _layers(model):
    return model._flatten_layers(include_self=False, recursive=True)


def _stretched(found, image, size, inner):
    share = np.array([inner]) / size
    masks = ops.convert_to_numpy(stretch_masks(found["masks"], share))
    boxes = found["boxes"] * _factors(image.shape[:2], inner)
    found = {**found, "masks": masks, "boxes": boxes}
    return {name: values[0] for name, values in found.items()}


def _enlarge(image, size):
    """float32 [height, width, C]: the image, enlarged bilinearly or shrunk by areas."""
    if image.shape[:2] == tuple(size):
        return image
    # OpenCV's bilinear interpolation does not antialias when it shrinks.
    shrinks = size[0] < image.shape[0]
    kind = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    resized = cv2.resize(image, tuple(size[::-1]), interpolation=kind)
    return resized.reshape(*size, image.shape[2])  # OpenCV drops a single channel


def _factors(image_size, shown_size):
    """Factors of the boxes of a resized image: float32 [4]."""
    return np.tile(np.divide(image_size, shown_size)[::-1], 2).astype("float32")
