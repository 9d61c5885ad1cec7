"""Instances found in one image, and their COCO results (numpy)."""

import warnings
from dataclasses import dataclass

import numpy as np

from kerasseg.instance.masks import masks_to_label_map
from kerasseg.instance.rle import encode_rle


@dataclass(frozen=True)
class Instances:
    """Instances found in one image, best first.

    Attributes:
        boxes: float32 [K, 4], (x1, y1, x2, y2) in pixels of the image.
        classes: int32 [K], 0..C-1; no padding.
        scores: float32 [K] in 0..1.
        masks: bool [K, H, W] at image size.

    Raises:
        ValueError: if the arrays have different K.

    Example:
        >>> masks = np.array([[[1, 1, 0]], [[0, 1, 1]]], bool)
        >>> found = Instances(np.zeros([2, 4]), [0, 1], np.array([0.9, 0.4]), masks)
        >>> len(found), found.to_label_map().tolist()
        (2, [[1, 1, 2]])
    """

    boxes: np.ndarray
    classes: np.ndarray
    scores: np.ndarray
    masks: np.ndarray

    def __post_init__(self):
        num = len(self.boxes)
        lengths = [len(self.classes), len(self.scores), len(self.masks)]
        if lengths != [num] * 3 or np.ndim(self.masks) != 3:
            raise ValueError(
                "`boxes` [K, 4], `classes` [K], `scores` [K] and `masks` [K, H, W] "
                f"must have the same K. Received: {num} boxes, {lengths[0]} classes, "
                f"{lengths[1]} scores, masks {list(np.shape(self.masks))}."
            )

    def __len__(self):
        return len(self.boxes)

    def above(self, score):
        """`Instances` whose score is at least `score`."""
        return self.subset(self.scores >= score)

    def subset(self, keep):
        """`Instances` at `keep`: a bool mask [K], or indices, whose order they get."""
        return Instances(
            self.boxes[keep], self.classes[keep], self.scores[keep], self.masks[keep]
        )

    def at(self, x, y):
        """`Instances` that cover the pixel (x, y), such as a click, best first.

        Example:
            >>> masks = np.array([[[1, 1, 0]], [[0, 1, 1]]], bool)
            >>> found = Instances(np.zeros([2, 4]), np.arange(2), np.ones(2), masks)
            >>> found.at(2, 0).classes.tolist(), len(found.at(9, 0))
            ([1], 0)
        """
        height, width = self.masks.shape[1:]
        inside = 0 <= x < width and 0 <= y < height
        keep = self.masks[:, int(y), int(x)] if inside else np.zeros(len(self), bool)
        return self.subset(keep)

    def followed_by(self, other):
        """These and then those of another, whose scores must not be higher."""
        pairs = ((getattr(self, name), getattr(other, name)) for name in vars(self))
        return Instances(*(np.concatenate(pair) for pair in pairs))

    def to_label_map(self):
        """Label map int32 [H, W]: instance i has id i + 1, the best score in front."""
        if not len(self):
            return np.zeros(self.masks.shape[1:], "int32")
        return masks_to_label_map(self.masks, scores=self.scores)

    def to_coco(self, image_id, *, category_ids=None):
        """Results in the format of COCO's evaluation.

        Args:
            image_id: id of the image in the annotation file.
            category_ids: the file's category id of each class; None for class + 1.

        Returns:
            JSON-able list of dicts with image_id, category_id, bbox (x, y, width,
            height), score and segmentation (a run-length code).
        """
        results = []
        for box, class_id, score, mask in zip(
            self.boxes.tolist(), self.classes.tolist(), self.scores.tolist(), self.masks
        ):
            x1, y1, x2, y2 = box
            category = class_id + 1 if category_ids is None else category_ids[class_id]
            results.append(
                {
                    "image_id": image_id,
                    "category_id": category,
                    "bbox": [x1, y1, x2 - x1, y2 - y1],
                    "score": score,
                    "segmentation": encode_rle(mask),
                }
            )
        return results


def tell_of_limit(num, max_objects):
    """Warn where more objects were found than may be."""
    if num > max_objects:  # without the number, so that it is said once
        warnings.warn(
            f"An image has more objects than max_objects={max_objects}: those that "
            "score least are left out. Give a larger max_objects (--max-objects).",
            stacklevel=3,
        )


def annotate(document, found, *, crowd=None, **entry):
    """Add an image and its instances to a COCO document; ids are counted from 1.

    Args:
        document: dict with lists "images" and "annotations"; changed in place.
        found: `Instances`; category ids are class + 1, and scores are kept.
        crowd: bool [K], which instances are crowds; None for none.
        entry: further fields of the image, such as `file_name`.
    """
    height, width = found.masks.shape[1:]
    number = len(document["images"]) + 1  # pycocotools takes an id of 0 for "no match"
    document["images"].append({"id": number, **entry, "height": height, "width": width})
    crowd = np.zeros(len(found), bool) if crowd is None else crowd
    for result, mask, is_crowd in zip(found.to_coco(number), found.masks, crowd):
        own = {"id": len(document["annotations"]) + 1, "iscrowd": int(is_crowd)}
        area = int(np.count_nonzero(mask))
        document["annotations"].append({**own, "area": area, **result})
