"""Objects of images as star-convex polygons, by `zoo.stardist`."""

import numpy as np
from scipy.special import expit

from kerasseg.images import values
from kerasseg.instance import star_polygons
from kerasseg.instance.instances import tell_of_limit
from kerasseg.predict import forward, star_views
from kerasseg.predict.options import StarOptions
from kerasseg.predict.preprocessing import extend, prepare
from kerasseg.predict.strides import multiple

MAPS = {"logits", "distances"}
BORDER = 2  # rows and columns of the maps, as in the authors' program


def stars(
    model,
    image,
    *,
    score_threshold=0.3,
    overlap_threshold=0.4,
    min_area_px=1,
    max_objects=1000,
    vote=False,
    border="edge",
    flips=False,
    percentiles=None,
    value_range=None,
):
    """The objects of one image, by a model of `zoo.stardist`.

    The whole image goes through the model at once.

    Args:
        model: image -> dict of logits and distances, see `zoo.stardist`.
        image: [H, W] or [H, W, C], any size, or what `images.as_array` takes; see
            `predict.preprocessing.prepare`.
        score_threshold: polygons of a lower object probability are left out.
        overlap_threshold: of two polygons whose intersection is more than this share of
            the smaller one, the better one is kept.
        min_area_px: objects of fewer pixels are left out.
        max_objects: only so many, the best ones, with a warning; each takes one byte
            per pixel.
        vote: outlines that all polygons of an object agree on, not the best one's, see
            `instance.star_polygons.voted`: closer ones, in a little more time.
        border: how an image is continued to the size that a model takes. "edge": by its
            last row and column. "mirror": by its mirror image, and no polygon begins in
            the outermost two rows and columns of the maps; what the authors' program
            does.
        flips: average the maps over views of the image: True or "horizontal" for two,
            "both" for four, mirrored either way, "all" for eight, also on their side;
            with a multiple of 2, or 4, rays.
        percentiles: (black, white), percentiles of the image's numbers that become 0
            and 255, instead of those of `value_range`; nothing is clipped. For the
            authors' weights, (1, 99.8). None for images that are shown as they are.
        value_range: as in `predict.probabilities`.

    Returns:
        `Instances` of class 0, best first; boxes in pixels of the image.

    Raises:
        ValueError: if the model returns no such maps, or image or options do not fit.

    Reference: Schmidt et al., 2018, https://arxiv.org/abs/1806.03535
    """
    StarOptions(  # made for its checks only
        score_threshold,
        overlap_threshold,
        min_area_px,
        max_objects,
        vote,
        border,
        flips,
        percentiles,
    )
    if not forward.output_names(model) >= MAPS:
        raise ValueError(
            "`model` must return logits and distances, as zoo.stardist does. "
            f"Received: outputs {sorted(forward.output_names(model))}."
        )
    *wanted, channels = forward.input_shape(model)
    if percentiles is not None:
        image = values.between_percentiles(values.as_array(image), percentiles)
    image = prepare(image, channels, value_range)
    size = image.shape[:2]

    def maps_of(image):
        return _maps(model, image, wanted, border)

    scores, distances, grid = star_views.averaged(maps_of, image, flips)
    found = star_polygons.find(
        scores,
        distances,
        grid=grid,
        score_threshold=score_threshold,
        overlap_threshold=overlap_threshold,
        vote=vote,
    )
    tell_of_limit(len(found.points), max_objects)
    found = star_polygons.Polygons(*(values[:max_objects] for values in found))
    found = star_polygons.to_instances(found, size)
    return found.subset(np.count_nonzero(found.masks, axis=(1, 2)) >= min_area_px)


def _maps(model, image, wanted, border):
    """Object probabilities [h, w], distances [h, w, R] and the grid of one image."""
    size, mirrored = image.shape[:2], border == "mirror"
    mode = "reflect" if mirrored else "edge"
    batch = extend(image[None], wanted, multiple(model), mode)
    maps = forward.to_arrays(forward.compiled(model, dict)(batch))
    if mirrored:
        maps["logits"] = _without_border(maps["logits"])
    grid = -(-batch.shape[1] // maps["logits"].shape[1])
    # The maps without what `extend` added, which is no part of the image.
    inner = np.s_[: -(-size[0] // grid), : -(-size[1] // grid)]
    logits = maps["logits"][0][inner].astype("float32")
    return expit(logits[..., 0]), maps["distances"][0][inner].astype("float32"), grid


def _without_border(logits):
    """Logits [N, h, w, 1] that propose nothing in the outermost rows and columns."""
    inner, kept = (
        np.s_[:, BORDER:-BORDER, BORDER:-BORDER],
        np.full_like(logits, -np.inf),
    )
    kept[inner] = logits[inner]
    return kept
