"""What an instance segmenter found in one image (numpy)."""

from dataclasses import dataclass

import numpy as np

from kerasseg.instance.masks import masks_to_label_map
from kerasseg.instance.rle import encode_rle


@dataclass(frozen=True)
class Instances:
    """Objects of one image, best first.

    Attributes:
        boxes: float32 [K, 4], (x1, y1, x2, y2) in pixels of the image.
        classes: int32 [K], 0..C-1; no padding.
        scores: float32 [K] in 0..1.
        masks: bool [K, H, W] at image size.
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
        """Those that score at least so much."""
        return self.subset(self.scores >= score)

    def subset(self, keep):
        """Those that bool [K] or indices say, in their order."""
        return Instances(
            self.boxes[keep], self.classes[keep], self.scores[keep], self.masks[keep]
        )

    def to_label_map(self):
        """Label map int32 [H, W]: instance i is i + 1, the best score in front."""
        if not len(self):
            return np.zeros(self.masks.shape[1:], "int32")
        return masks_to_label_map(self.masks, scores=self.scores)

    def to_coco(self, image_id, *, category_ids=None):
        """Results as COCO's evaluation and its JSON take them.

        Args:
            image_id: of the image in the annotation file.
            category_ids: the file's id of each class; None: class + 1.

        Returns:
            List of dicts of image_id, category_id, bbox (x, y, width, height), score
            and segmentation (a run-length code).
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


def annotate(document, found, *, crowd=None, **entry):
    """Add an image and its objects to a COCO document; ids go on from 1.

    Args:
        document: dict with lists "images" and "annotations"; changed in place.
        found: `Instances`; category ids are class + 1, and scores stay.
        crowd: bool [K]; None if there is none.
        entry: what else is said of the image, such as its file name.
    """
    height, width = found.masks.shape[1:]
    number = len(document["images"]) + 1  # pycocotools takes an id of 0 for "no match"
    document["images"].append({"id": number, **entry, "height": height, "width": width})
    crowd = np.zeros(len(found), bool) if crowd is None else crowd
    for result, mask, is_crowd in zip(found.to_coco(number), found.masks, crowd):
        own = {"id": len(document["annotations"]) + 1, "iscrowd": int(is_crowd)}
        area = int(np.count_nonzero(mask))
        document["annotations"].append({**own, "area": area, **result})
