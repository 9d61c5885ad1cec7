"""Panoptic maps of images, by `zoo.panoptic_deeplab`."""

import numpy as np

from kerasseg.instance import panoptic as grouping
from kerasseg.predict import forward
from kerasseg.predict.options import PanopticOptions
from kerasseg.predict.preprocessing import extend, prepare
from kerasseg.predict.strides import multiple

MAPS = {"logits", "centers", "offsets"}


def panoptic(
    model,
    image,
    *,
    score_threshold=0.1,
    min_area_px=1,
    max_objects=200,
    things=None,
    value_range=None,
):
    """Objects and regions of one image, by a model of `zoo.panoptic_deeplab`.

    The whole image goes through the model at once.

    Args:
        model: image -> dict of logits, centers and offsets.
        image: [H, W] or [H, W, C], any size, or what `images.as_array` takes; see
            `predict.preprocessing.prepare`.
        score_threshold: least height of a peak of the centres.
        min_area_px: objects and regions of fewer pixels become void.
        max_objects: only so many, of the highest peaks.
        things: ids of the classes whose objects are told apart; None for all but 0, the
            background.
        value_range: as in `predict.probabilities`.

    Returns:
        `instance.panoptic.Panoptic`: ids int32 [H, W] of segments 1..S, 0 for void, and
        classes int32 [S].

    Raises:
        ValueError: if the model returns no such maps, or image or options do not fit.

    Reference: Cheng et al., 2020, https://arxiv.org/abs/1911.10194
    """
    # Made for its checks only.
    PanopticOptions(score_threshold, min_area_px, max_objects, things)
    if not forward.output_names(model) >= MAPS:
        raise ValueError(
            "`model` must return logits, centers and offsets, as "
            "zoo.panoptic_deeplab does. "
            f"Received: outputs {sorted(forward.output_names(model))}."
        )
    *wanted, channels = forward.input_shape(model)
    image = prepare(image, channels, value_range)
    height, width = image.shape[:2]
    batch = extend(image[None], wanted, multiple(model))
    maps = forward.to_arrays(forward.compiled(model, dict)(batch))
    maps = {name: values[0, :height, :width] for name, values in maps.items()}
    num_classes = maps["logits"].shape[-1]
    if things is not None and max(things, default=0) >= num_classes:
        raise ValueError(
            f"`things` must be ids of classes, 0..{num_classes - 1}. "
            f"Received: things={things}."
        )
    found = grouping.decode(
        maps["logits"],
        maps["centers"],
        maps["offsets"],
        things=range(1, num_classes) if things is None else things,
        threshold=score_threshold,
        max_objects=max_objects,
    )
    return _without_small(found, min_area_px)


def _without_small(found, min_area_px):
    """The segments of at least so many pixels, numbered anew."""
    areas = np.bincount(found.ids.ravel(), minlength=len(found.classes) + 1)[1:]
    kept = areas >= min_area_px
    numbers = np.concatenate([[0], np.where(kept, np.cumsum(kept), 0)])
    return grouping.Panoptic(numbers[found.ids].astype("int32"), found.classes[kept])
