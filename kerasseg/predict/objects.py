"""Objects of images: instance models on images of any size."""

import cv2
import numpy as np
from keras import ops

from kerasseg.detection.pasting import stretch_masks
from kerasseg.instance import star_polygons
from kerasseg.predict import forward, merging

BATCH = 4  # tiles that go through the model together
FITS = ("tile", "resize")
ZOOMS = (0.125, 8.0)
STAR_THRESHOLD = 0.3  # least object probability of a polygon
STAR_MULTIPLE = 32  # of the sides that any encoder halves without a rest


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
):
    """The objects of one image.

    Args:
        model: instance model of one image size, see `zoo.names("instance")`; or of
            `zoo.stardist`, which takes the whole image.
        image: [H, W] or [H, W, C], any size; see `predict.forward.prepare`.
        score_threshold: what scores less is left out. Models have a threshold of their
            own, 0.05 unless they were built with another, StarDist's is 0.3.
        fit: how an image of another size than the model's is shown to it. "tile": as
            large as it is, by tiles of the model's size that overlap, as models are
            trained that saw crops; a smaller image gets black at right and below.
            "resize": the whole image at once, shrunk or enlarged with its proportions.
        overlap_px: overlap of tiles in pixels of the image; None for a quarter of the
            tile, at most 64. An object that fits into it is whole in one of the tiles;
            `predict.merging` says what becomes of those that are cut.
        zoom: pixels of a tile per pixel of the image, 1/8 to 8. Models whose masks have
            a quarter of the resolution draw objects of a few pixels better enlarged;
            they should be trained at that scale.
        min_area_px: objects of fewer pixels are left out.
        max_objects: so many of the best are kept, of one byte a pixel each.

    Returns:
        `Instances`, best first; boxes in pixels of the image, masks at its size, one
        byte a pixel and object.

    Raises:
        ValueError: if the model finds no objects, or image or options do not fit it.

    Example:
        >>> found = instances(model, photo)  # doctest: +SKIP
        >>> found.boxes.shape, found.to_label_map().max()  # doctest: +SKIP
        ((7, 4), 7)
    """
    *size, channels = _check(model, fit, zoom)
    forward.check_image(image, channels)
    limits = {"min_area_px": min_area_px, "max_objects": max_objects}
    if forward.finds_stars(model):
        return _stars(model, image, channels, score_threshold, **limits)
    given = np.shape(image)[:2]
    run = forward.compiled(model, dict)
    options = {"score_threshold": score_threshold}
    if fit == "resize" and given != tuple(size):
        found = _resized(run, forward.prepare(image, channels), size)
        whole = (0, 0, given[1], given[0])
        found = merging.pieces_of(found, whole, given, **options)
        return merging.join(found, given, **limits)
    shown = [max(1, round(side / zoom)) for side in size]
    tiles = _tiles(given, shown, overlap_px)
    found = []
    for first in range(0, len(tiles), BATCH):
        some = tiles[first : first + BATCH]
        parts = [image[y1:y2, x1:x2] for x1, y1, x2, y2 in some]
        parts = [forward.prepare(part, channels) for part in parts]
        parts = [_enlarge(forward.pad(part, shown), size) for part in parts]
        outputs = _arrays(run(np.stack(parts)))
        outputs["boxes"] = outputs["boxes"] * _factors(shown, size)
        for index, tile in enumerate(some):
            one = {name: values[index] for name, values in outputs.items()}
            found += merging.pieces_of(one, tile, given, **options)
    return merging.join(found, given, tiles, **limits)


def _check(model, fit, zoom):
    """The shape of the model's images, if it is an instance model."""
    if not (forward.finds_instances(model) or forward.finds_stars(model)):
        raise ValueError(
            "`model` must return boxes, classes, scores, masks and num, as those of "
            "zoo.names('instance'), or the maps of zoo.stardist. For class maps there "
            "is `predict.class_ids`."
        )
    if fit not in FITS:
        raise ValueError(f"`fit` must be in {FITS}. Received: fit={fit!r}.")
    if not ZOOMS[0] <= zoom <= ZOOMS[1]:
        raise ValueError(f"`zoom` must be in 1/8..8. Received: zoom={zoom}.")
    if zoom != 1 and (fit != "tile" or forward.finds_stars(model)):
        raise ValueError(
            "`zoom` is for fit='tile' and models of one image size; else it must be 1. "
            f"Received: zoom={zoom}, fit={fit!r}, {model.name}."
        )
    return forward.input_shape(model)


def _stars(model, image, channels, score_threshold, min_area_px, max_objects):
    """Polygons of the maps that StarDist returns for a whole image."""
    image = forward.prepare(image, channels)
    size = image.shape[:2]
    batch = forward.extend(image[None], [n + -n % STAR_MULTIPLE for n in size])
    maps = _arrays(forward.compiled(model, dict)(batch))
    grid = batch.shape[1] // maps["logits"].shape[1]
    inner = np.s_[: -(-size[0] // grid), : -(-size[1] // grid)]
    found = star_polygons.decode(
        maps["logits"][0][inner],
        maps["distances"][0][inner],
        grid=grid,
        score_threshold=max(score_threshold, STAR_THRESHOLD),
    )
    found = star_polygons.Polygons(*(values[:max_objects] for values in found))
    found = star_polygons.to_instances(found, size)
    return found.subset(np.count_nonzero(found.masks, axis=(1, 2)) >= min_area_px)


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
    fitted, inner = forward.fit(image, size)
    found = _arrays(run(fitted[None]))
    share = np.array([inner]) / size
    masks = ops.convert_to_numpy(stretch_masks(found["masks"], share))
    boxes = found["boxes"] * _factors(image.shape[:2], inner)
    found = {**found, "masks": masks, "boxes": boxes}
    return {name: values[0] for name, values in found.items()}


def _enlarge(image, size):
    """float32 [height, width, C]: the image, resized bilinearly."""
    if image.shape[:2] == tuple(size):
        return image
    shrinks = size[0] < image.shape[0]
    kind = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    resized = cv2.resize(image, tuple(size[::-1]), interpolation=kind)
    return resized.reshape(*size, image.shape[2])  # OpenCV drops a single channel


def _factors(image_size, shown_size):
    """What boxes of a resized image are multiplied with: float32 [4]."""
    return np.tile(np.divide(image_size, shown_size)[::-1], 2).astype("float32")


def _arrays(outputs):
    return {name: ops.convert_to_numpy(values) for name, values in outputs.items()}
