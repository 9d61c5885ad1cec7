"""Conversions of instance masks: stacks, label maps, and bounding boxes (numpy).

A stack is bool [M, H, W], one mask per instance. A label map is integers [H, W], 0 for
the background; its memory does not depend on the number of instances, but they cannot
overlap.
"""

import numpy as np
from scipy import ndimage


def masks_to_boxes(masks):
    """Bounding boxes of masks.

    Args:
        masks: bool or integers [M, H, W].

    Returns:
        float32 [M, 4], (x1, y1, x2, y2), ends exclusive; zeros for an empty mask.

    Raises:
        ValueError: if `masks` is not [M, H, W].

    Example:
        >>> masks_to_boxes(np.array([[[0, 0, 0], [0, 1, 1]]])).tolist()
        [[1.0, 1.0, 3.0, 2.0]]
    """
    masks = np.asarray(masks)
    if masks.ndim != 3:
        raise ValueError(f"`masks` must be [M, H, W]. Received: shape={masks.shape}.")
    boxes = np.zeros([len(masks), 4], "float32")
    for box, mask in zip(boxes, masks):  # one by one, without a copy of the stack
        rows, columns = (np.flatnonzero(mask.any(axis)) for axis in (1, 0))
        if len(rows):
            box[:] = columns[0], rows[0], columns[-1] + 1, rows[-1] + 1
    return boxes


def label_map_to_boxes(labels):
    """Bounding boxes of the instances of a label map, without a stack of masks.

    Args:
        labels: integers [H, W]; 0 and below are background.

    Returns:
        Ids int64 [M] in ascending order, and boxes float32 [M, 4].

    Raises:
        ValueError: if `labels` is not integers [H, W].

    Example:
        >>> ids, boxes = label_map_to_boxes(np.array([[7, 0, 0], [7, 0, 3]]))
        >>> ids.tolist(), boxes.tolist()
        ([3, 7], [[2.0, 1.0, 3.0, 2.0], [0.0, 0.0, 1.0, 2.0]])
    """
    ids, _, slices = _find_instances(labels)
    boxes = [[x.start, y.start, x.stop, y.stop] for y, x in slices]
    return ids, np.array(boxes, "float32").reshape(-1, 4)


def label_map_to_masks(labels):
    """Stack of the masks of a label map.

    It takes M * H * W bytes; for large images with hundreds of instances use
    `crop_instances`.

    Args:
        labels: as in `label_map_to_boxes`.

    Returns:
        Ids int64 [M] in ascending order, and masks bool [M, H, W].

    Example:
        >>> label_map_to_masks(np.array([[7, 0, 3]]))[1].tolist()
        [[[False, False, True]], [[True, False, False]]]
    """
    ids, numbers, slices = _find_instances(labels)
    masks = np.zeros([len(ids), *numbers.shape], bool)
    for index, place in enumerate(slices):
        masks[index][place] = numbers[place] == index + 1
    return ids, masks


def crop_instances(labels):
    """Iterate over the instances of a label map, each mask cropped to its box.

    Args:
        labels: as in `label_map_to_boxes`.

    Yields:
        (id, (x1, y1, x2, y2) as ints, mask bool [y2 - y1, x2 - x1]), ids ascending.

    Example:
        >>> [mask.shape for _, _, mask in crop_instances(np.array([[7, 7, 3]]))]
        [(1, 1), (1, 2)]
    """
    ids, numbers, slices = _find_instances(labels)
    for index, (number, (y, x)) in enumerate(zip(ids, slices), 1):
        yield int(number), (x.start, y.start, x.stop, y.stop), numbers[y, x] == index


def masks_to_label_map(masks, *, scores=None):
    """Label map of masks; where masks overlap, the one of highest score is in front.

    Args:
        masks: sequence of bool or integers [H, W], or a stack [M, H, W].
        scores: M numbers. None, or equal scores: the first mask is in front.

    Returns:
        int32 [H, W]; mask i becomes id i + 1, 0 is background. The id of a mask that is
        empty or hidden by others does not occur.

    Raises:
        ValueError: if there is no mask (the size is unknown then), if sizes differ, or
            if there is not one score per mask.

    Example:
        >>> masks_to_label_map([[[1, 1, 0]], [[0, 1, 1]]], scores=[0.3, 0.9]).tolist()
        [[1, 2, 2]]
    """
    order = np.arange(len(masks))
    if scores is not None:
        if len(scores) != len(masks):
            raise ValueError(
                "`scores` must hold one number per mask. "
                f"Received: {len(scores)} scores, {len(masks)} masks."
            )
        order = np.argsort(-np.asarray(scores, "float64"), kind="stable")
    shapes = {np.shape(mask) for mask in masks}
    if len(shapes) != 1 or len(next(iter(shapes))) != 2:
        raise ValueError(
            "`masks` must be one or more masks [H, W] of the same size. "
            f"Received: {len(masks)} masks of shapes {sorted(shapes)[:3]}."
        )
    labels = np.zeros(shapes.pop(), "int32")
    for index in order[::-1]:  # those in front are written last
        labels[np.asarray(masks[index]) != 0] = index + 1
    return labels


def _find_instances(labels):
    """Ids int64 [M], the map with ids replaced by 1..M, and the M bounding slices."""
    labels = np.asarray(labels)
    if labels.ndim != 2 or labels.dtype.kind not in "iu":
        raise ValueError(
            "`labels` must be integers [H, W]. "
            f"Received: shape={labels.shape}, dtype={labels.dtype}."
        )
    # Ids may be large, such as 24-bit colours; time and memory of `find_objects` grow
    # with the largest id, so they are replaced by consecutive numbers first.
    inside = labels > 0
    ids, ranks = np.unique(labels[inside], return_inverse=True)
    numbers = np.zeros(labels.shape, "int32")
    numbers[inside] = ranks + 1
    return ids.astype("int64"), numbers, ndimage.find_objects(numbers)
