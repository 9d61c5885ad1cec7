"""Flicker of class maps in a film: what changes where nothing moves or comes up."""

import numpy as np

from kerasseg.metrics.matrix import confusion_matrix
from kerasseg.video import motion, visible, warp

CERTAIN = 0.5


def flicker_counts(previous, current, num_classes):
    """Counts of the classes that pixels had, and have in the next frame.

    Optical flow carries the class ids of the first frame to the second. Pixels whose
    colour says that something else is seen now are left out, see `video.visible`.

    Args:
        previous, current: pairs of a frame, uint8 [H, W, 3], and its class ids, [H, W].
        num_classes: K.

    Returns:
        int64 [K, K]: rows are the classes before, columns those after. Add those of
        all pairs of a film: `1 - mean_iou(counts)` is its flicker, 0 where none, one
        less the temporal consistency of Liu et al. Neither what moves with the picture
        counts, nor whether it is right.

    Example:
        >>> frame = np.zeros([64, 64, 3], "uint8")
        >>> left = np.zeros([64, 64], "int32")
        >>> left[:, :32] = 1
        >>> flicker_counts((frame, left), (frame, left), 2).tolist()
        [[2048, 0], [0, 2048]]
        >>> flicker_counts((frame, left), (frame, 1 - left), 2).tolist()
        [[0, 2048], [2048, 0]]

    Reference: Liu et al., 2020, https://arxiv.org/abs/2002.11433
    """
    (frame_before, before), (frame, now) = previous, current
    flow = motion(frame_before, frame)
    carried = warp(np.asarray(before), flow, nearest=True)
    certain = visible(frame_before, frame, flow) >= CERTAIN
    labels = np.where(certain, carried, -1).astype("int32")
    return confusion_matrix(labels, now, num_classes, ignore_label=-1)
