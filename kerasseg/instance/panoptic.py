"""Panoptic-DeepLab: targets of centres and offsets, and grouping of pixels (numpy).

Things are countable classes, whose instances are told apart; all others are stuff.

Reference: Cheng et al., 2020, https://arxiv.org/abs/1911.10194
"""

from typing import NamedTuple

import numpy as np
from scipy import ndimage, spatial

from kerasseg.instance.instances import tell_of_limit
from kerasseg.instance.masks import crop_instances


class Panoptic(NamedTuple):
    """Panoptic map of one image.

    ids: int32 [H, W], segment ids 1..S; 0 is void.
    classes: int32 [S], class of each segment: things first, then stuff.
    """

    ids: np.ndarray
    classes: np.ndarray


def panoptic_targets(labels, *, sigma=8.0):
    """Targets of the instance branch of `zoo.panoptic_deeplab` for one image.

    Args:
        labels: integers [H, W], instance ids of things; 0 and below are stuff.
        sigma: standard deviation of the Gaussian at each centre, in pixels; the
            paper's 8.

    Returns:
        dict of float32: centers [H, W, 1], the maximum of the Gaussians; offsets [H, W,
        2], (x, y) from each pixel to the centre of mass of its instance; weights [H, W,
        1], 1 on things, 0 where no offset is trained.

    Raises:
        ValueError: if `labels` is not integers [H, W].

    Example:
        >>> truth = panoptic_targets(np.array([[0, 4, 4, 4]]))
        >>> truth["offsets"][0, :, 0].tolist(), truth["centers"][0, 2, 0].item()
        ([0.0, 1.0, 0.0, -1.0], 1.0)
    """
    crops = list(crop_instances(labels))
    height, width = np.shape(labels)
    centers = np.zeros([height, width], "float32")
    offsets = np.zeros([height, width, 2], "float32")
    weights = np.zeros([height, width, 1], "float32")
    for _, (left, top, _, _), mask in crops:
        rows, columns = np.nonzero(mask)
        place = rows + top, columns + left
        y, x = (values.mean() for values in place)
        offsets[place] = np.stack([x - place[1], y - place[0]], -1)
        weights[place] = 1.0
        # Centred on a pixel, so that there is a peak of 1.
        bells = [
            np.exp(-np.square(np.arange(n) - np.rint(at)) / (2 * sigma**2))
            for n, at in ((height, y), (width, x))
        ]
        np.maximum(centers, np.outer(*bells), out=centers, casting="same_kind")
    return {"centers": centers[..., None], "offsets": offsets, "weights": weights}


def decode(
    logits,
    centers,
    offsets,
    *,
    things,
    threshold=0.1,
    window=7,
    max_objects=200,
    min_stuff_px=0,
):
    """Panoptic map of one image from the outputs of `zoo.panoptic_deeplab`.

    Peaks of the heatmap are centres of instances. Each pixel of a thing class is
    assigned to the centre nearest to where its offset points; the class of an instance
    is the majority of its pixels.

    Args:
        logits: float [H, W, C].
        centers: heatmap, float [H, W, 1].
        offsets: float [H, W, 2], (x, y) in pixels.
        things: class ids that are things.
        threshold: least value of a peak.
        window: side in pixels of the window in which a peak is the maximum (the paper's
            max pooling, 7).
        max_objects: most instances, those of the highest peaks, with a warning where
            there are more; the paper's 200.
        min_stuff_px: stuff classes of fewer pixels become void.

    Returns:
        `Panoptic`. Without any peak, thing pixels are void.

    Example:
        >>> logits = np.eye(3)[[[0, 1, 1, 2]]]  # class 0 is stuff
        >>> centers = np.array([[[0.0], [0.0], [0.9], [0.2]]])
        >>> found = decode(logits, centers, np.zeros([1, 4, 2]), things=[1, 2])
        >>> found.ids.tolist(), found.classes.tolist()
        ([[2, 1, 1, 1]], [1, 0])
    """
    classes = np.argmax(logits, -1)
    num_classes = np.shape(logits)[-1]
    is_thing = np.isin(np.arange(num_classes), list(things))
    ids = np.zeros(classes.shape, "int32")
    segment_classes = []
    peaks = _peaks(np.asarray(centers)[..., 0], threshold, window)
    tell_of_limit(len(peaks), max_objects)
    peaks = peaks[:max_objects]
    rows, columns = np.nonzero(is_thing[classes])
    if len(peaks) and len(rows):
        places = np.stack([columns, rows], -1)
        targets = places + np.asarray(offsets)[rows, columns]
        # A tree, not all pairs: 200 centres and 1024 x 2048 pixels would take 3.4 GB.
        owners = spatial.KDTree(peaks).query(targets)[1]
        votes = np.zeros([len(peaks), num_classes], "int64")
        np.add.at(votes, (owners, classes[rows, columns]), 1)
        used = votes.any(1)  # a centre that no pixel points to is no instance
        ids[rows, columns] = np.cumsum(used)[owners]
        segment_classes += votes[used].argmax(1).tolist()
    areas = np.bincount(classes.ravel(), minlength=num_classes)
    for stuff in np.flatnonzero(~is_thing & (areas > 0) & (areas >= min_stuff_px)):
        segment_classes.append(int(stuff))
        ids[classes == stuff] = len(segment_classes)
    return Panoptic(ids, np.array(segment_classes, "int32"))


def _peaks(heatmap, threshold, window):
    """(x, y) of the peaks, highest first: [K, 2]."""
    highest = ndimage.maximum_filter(heatmap, window, mode="nearest")
    rows, columns = np.nonzero((heatmap == highest) & (heatmap > threshold))
    best = np.argsort(-heatmap[rows, columns], kind="stable")
    return np.stack([columns, rows], -1)[best]
