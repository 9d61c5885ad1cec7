"""Superpixels on images: boundaries and mean colours."""

import cv2
import numpy as np

from kerasseg.viz.overlays import check_same_size, display


def boundaries(image, labels, *, color=(255, 220, 0), width_px=1):
    """Draw the boundaries between regions on an image.

    Args:
        image: [H, W] or [H, W, C], any dtype; see `display`.
        labels: integers [H, W]; -1 (unreached) is a region like others.
        color: RGB of the lines, 0..255.
        width_px: width of the lines. 1 marks the pixels whose right or lower neighbour
            is in another region.

    Returns:
        uint8 [H, W, 3].

    Raises:
        ValueError: if sizes differ, or `width_px` is below 1.

    Example:
        >>> boundaries(np.zeros([1, 4]), np.array([[0, 0, 1, 1]]))[0, :, 0].tolist()
        [0, 255, 0, 0]
    """
    picture, labels = display(image), _integers(labels)
    check_same_size(picture, labels, "labels")
    if width_px < 1:
        raise ValueError(f"`width_px` must be 1 or more. Received: {width_px}.")
    edge = np.zeros(labels.shape, "uint8")
    # Half as many pixels as where both sides of a border are drawn.
    edge[:, :-1] = labels[:, :-1] != labels[:, 1:]
    edge[:-1] |= labels[:-1] != labels[1:]
    if width_px > 1:
        edge = cv2.dilate(edge, np.ones([width_px, width_px], "uint8"))
    picture[edge > 0] = color
    return picture


def mean_colors(image, labels):
    """Fill each region with its mean colour.

    Args:
        image: [H, W] or [H, W, C], any dtype; see `display`.
        labels: integers [H, W]; pixels below 0 (unreached) become white.

    Returns:
        uint8 [H, W, 3].

    Example:
        >>> mean_colors(np.array([[0, 100, 7]], "uint8"), [[0, 0, 1]])[0, :, 0].tolist()
        [50, 50, 7]
    """
    picture, labels = display(image), _integers(labels)
    check_same_size(picture, labels, "labels")
    known = labels >= 0
    _, owner = np.unique(labels[known], return_inverse=True)
    sums = [np.bincount(owner, channel) for channel in picture[known].T]
    means = np.stack(sums, 1) / np.maximum(np.bincount(owner), 1)[:, None]
    colors = np.full_like(picture, 255)
    colors[known] = np.round(means).astype("uint8")[owner]
    return colors


def _integers(labels):
    labels = np.asarray(labels)
    if labels.ndim != 2 or labels.dtype.kind not in "iub":
        raise ValueError(
            "`labels` must be integers [H, W]. "
            f"Received: shape={labels.shape}, dtype={labels.dtype}."
        )
    return labels
