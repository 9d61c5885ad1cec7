"""Scores of thin structures and narrow bands: centre lines and boundary regions."""

import cv2
import numpy as np

from kerasseg.metrics.boundary import class_maps


def centerline_counts(label, class_ids, num_classes, *, ignore_label=255):
    """Counts of the centre-line pixels of each class, inside the other mask and all.

    Args:
        label: class ids [H, W] or [H, W, 1].
        class_ids: predicted class ids, likewise.
        num_classes: K.
        ignore_label: None if there is none; such pixels are in no mask.

    Returns:
        int64 [K, 4] for `cl_dice`: predicted centre-line pixels in the labelled mask,
        all predicted ones, labelled ones in the predicted mask, all labelled ones.
        Counts of several images can be added.

    Raises:
        ValueError: if sizes differ, or ids are no whole numbers.
    """
    from skimage.morphology import skeletonize

    label, class_ids, known = _compared(label, class_ids, ignore_label)
    counts = np.zeros([num_classes, 4], "int64")
    for k in range(num_classes):
        right, found = (label == k) & known, (class_ids == k) & known
        lines = [skeletonize(found), skeletonize(right)]
        for column, (line, mask) in enumerate(zip(lines, (right, found))):
            counts[k, 2 * column] = np.count_nonzero(line & mask)
            counts[k, 2 * column + 1] = np.count_nonzero(line)
    return counts


def cl_dice(counts):
    """Centre-line Dice of each class: whether tubes are found whole, thick or thin.

    Args:
        counts: sum of `centerline_counts`, [K, 4]. The paper's score is of one image.

    Returns:
        float64 [K] in 0..1; NaN for classes in neither map.

    Reference: Shit et al., 2021, https://arxiv.org/abs/2003.07311
    """
    inside, predicted, covered, labelled = np.asarray(counts, "float64").T
    precision = inside / np.maximum(predicted, 1)
    sensitivity = covered / np.maximum(labelled, 1)
    total = np.maximum(precision + sensitivity, 1e-12)
    score = 2 * precision * sensitivity / total
    return np.where(predicted + labelled > 0, score, np.nan)


def boundary_iou_counts(label, class_ids, num_classes, *, width=0.02, ignore_label=255):
    """Pixels of the inner boundary bands of each class: in both maps, in either.

    The band of a mask are its pixels within `width` of its outline, to which the
    border of the image belongs.

    Args:
        label: class ids [H, W] or [H, W, 1].
        class_ids: predicted class ids, likewise.
        num_classes: K.
        width: of the band, as a part of the image's diagonal; the paper's 0.02, and
            0.015 for photographs of high resolution. At least one pixel.
        ignore_label: None if there is none; such pixels are in no mask.

    Returns:
        int64 [K, 2]; the first by the second is boundary IoU. Counts of several images
        can be added, the paper's score is of one object.

    Raises:
        ValueError: if sizes differ, or ids are no whole numbers.

    Example:
        >>> label = np.zeros([50, 50], "int32")
        >>> label[10:30, 10:30] = 1
        >>> boundary_iou_counts(label, label, 2)[1].tolist()
        [76, 76]

    Reference: Cheng et al., 2021, https://arxiv.org/abs/2103.16562
    """
    label, class_ids, known = _compared(label, class_ids, ignore_label)
    # A share of the diagonal, 2 % as the paper's authors: 16 px at 640 x 480.
    steps = max(round(width * np.hypot(*label.shape)), 1)
    counts = np.zeros([num_classes, 2], "int64")
    for k in range(num_classes):
        right, found = (_band((x == k) & known, steps) for x in (label, class_ids))
        counts[k] = np.count_nonzero(right & found), np.count_nonzero(right | found)
    return counts


def _band(mask, steps):
    """Pixels of a mask that `steps` erosions take away."""
    # The border of the image is an outline, too, as in the authors' code.
    padded = np.pad(mask, 1).astype("uint8")
    inner = cv2.erode(padded, np.ones([3, 3], "uint8"), iterations=steps)
    return mask & (inner[1:-1, 1:-1] == 0)


def _compared(label, class_ids, ignore_label):
    """Two class maps of one size, and which pixels count."""
    label, class_ids = class_maps(label, class_ids)
    # No class id is below 0, so -1 leaves no pixel out.
    return label, class_ids, label != (-1 if ignore_label is None else ignore_label)
