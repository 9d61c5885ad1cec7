"""Losses on the form of regions: their centre lines and their boundaries."""

import math

import keras
from keras import ops

from kerasseg.losses._targets import (
    check_class_weights,
    check_range,
    mean_of_classes,
    read_targets,
)
from kerasseg.losses.weighted import SegmentationLoss


@keras.saving.register_keras_serializable("kerasseg")
class ClDice(SegmentationLoss):
    """1 - centre line Dice: thin structures that are whole, whatever their width.

    The harmonic mean of two shares: of the predicted centre lines that lie on the
    truth, and of the true centre lines that are predicted; a vessel cut in two costs
    as much as the gap is long. It does not see widths, so add it to another:
    `Dice() + 0.5 * ClDice()`. Ignored pixels are background. Classes without a true
    pixel in an image, and class 0 if there are others, are left out of its mean.

    Args:
        iterations: steps of thinning, at least half the width of the widest structure
            in pixels; each costs four poolings of all classes.
        smooth: added to numerators and denominators, in pixels.
        class_weights: one number per class for the mean over classes.
        ignore_label: label that is left out, or None.
        reduction: as in `keras.losses.Loss`.
        name: as in `keras.losses.Loss`.

    Reference: Shit et al., 2021, https://arxiv.org/abs/2003.07311
    """

    def __init__(
        self,
        iterations=5,
        *,
        smooth=1.0,
        class_weights=None,
        ignore_label=255,
        reduction="sum_over_batch_size",
        name="cl_dice",
    ):
        super().__init__(name=name, reduction=reduction, dtype="float32")
        check_range("iterations", iterations, 1, 1000)
        check_range("smooth", smooth, 0, math.inf)
        self.iterations = int(iterations)
        self.smooth = smooth
        self.class_weights = check_class_weights(class_weights)
        self.ignore_label = ignore_label

    def call(self, labels, logits):
        p, truth, weight = _maps(labels, logits, self.ignore_label)
        thin_p, thin_truth = (_skeleton(x, self.iterations) for x in (p, truth))
        precision = _share(thin_p * weight, truth, self.smooth)
        recall = _share(thin_truth * weight, p, self.smooth)
        present = ops.any(truth > 0, axis=(1, 2))
        if p.shape[-1] > 1:
            present = ops.logical_and(present, ops.arange(p.shape[-1]) > 0)
        losses = 1 - _harmonic(precision, recall)
        return mean_of_classes(losses, present, self.class_weights)

    def get_config(self):
        return {
            **super().get_config(),
            "iterations": self.iterations,
            "smooth": self.smooth,
            "class_weights": self.class_weights,
            "ignore_label": self.ignore_label,
        }


@keras.saving.register_keras_serializable("kerasseg")
class Boundary(SegmentationLoss):
    """1 - boundary F1: outlines that lie within a few pixels of the true ones.

    Outlines are what is left of a region, and of its probability, after an erosion; an
    outline counts where it lies within `tolerance_px` of the other. Far from the truth
    it has no slope, so add it to another loss, best late in a training. Ignored pixels
    are outside of every class. Classes without a true pixel in an image are left out
    of its mean.

    Args:
        width_px: width of an outline, odd; the paper's 3 reaches one pixel inwards.
        tolerance_px: side of the square around a pixel that counts as near, odd; 5 is
            two pixels every way.
        class_weights: one number per class for the mean over classes.
        ignore_label: label that is left out, or None.
        reduction: as in `keras.losses.Loss`.
        name: as in `keras.losses.Loss`.

    Reference: Bokhovkin and Burnaev, 2019, https://arxiv.org/abs/1905.07852
    """

    def __init__(
        self,
        width_px=3,
        tolerance_px=5,
        *,
        class_weights=None,
        ignore_label=255,
        reduction="sum_over_batch_size",
        name="boundary",
    ):
        super().__init__(name=name, reduction=reduction, dtype="float32")
        for option, value in (("width_px", width_px), ("tolerance_px", tolerance_px)):
            if not (value == int(value) and value >= 3 and value % 2):
                raise ValueError(
                    f"`{option}` must be an odd number from 3 on. Received: {value}."
                )
        self.width_px, self.tolerance_px = int(width_px), int(tolerance_px)
        self.class_weights = check_class_weights(class_weights)
        self.ignore_label = ignore_label

    def call(self, labels, logits):
        p, truth, weight = _maps(labels, logits, self.ignore_label)
        lines = [_dilated(1 - x, self.width_px) - (1 - x) for x in (p, truth)]
        line, true_line = (x * weight for x in lines)
        near, near_truth = (_dilated(x, self.tolerance_px) for x in lines)
        precision = _share(line, near_truth, 1e-7)
        recall = _share(true_line, near, 1e-7)
        losses = 1 - _harmonic(precision, recall)
        # A class that fills the image has no outline that could be missed.
        present = ops.any(lines[1] > 0, axis=(1, 2))
        return mean_of_classes(losses, present, self.class_weights)

    def get_config(self):
        return {
            **super().get_config(),
            "width_px": self.width_px,
            "tolerance_px": self.tolerance_px,
            "class_weights": self.class_weights,
            "ignore_label": self.ignore_label,
        }


def _maps(labels, logits, ignore_label):
    """Probabilities and truth [N, H, W, K] of each class, 0 where ignored; weights."""
    targets = read_targets(labels, logits, ignore_label)
    shape = ops.shape(logits)
    if targets.exclusive:
        p = ops.softmax(targets.logits, axis=-1)
        truth = ops.one_hot(targets.labels, targets.num_classes)
        valid = ops.expand_dims(ops.cast(targets.valid, "float32"), -1)
    else:
        p, truth = ops.sigmoid(targets.logits), targets.labels
        valid = ops.cast(targets.valid, "float32")
    weight = ops.ones_like(p)
    if targets.weights is not None:
        weights = targets.weights
        weight *= ops.expand_dims(weights, -1) if targets.exclusive else weights
    return tuple(ops.reshape(x, shape) for x in (p * valid, truth * valid, weight))


def _share(lines, regions, smooth):
    """Part of lines [N, H, W, K] that lies on regions: [N, K]."""
    total = ops.sum(lines, axis=(1, 2))
    return (ops.sum(lines * regions, axis=(1, 2)) + smooth) / (total + smooth)


def _harmonic(a, b):
    return 2 * a * b / ops.maximum(a + b, 1e-7)


def _dilated(x, size):
    return ops.max_pool(x, size, strides=1, padding="same")


def _eroded(x):
    """Smallest value of a pixel and its four neighbours."""
    rows, columns = (
        -ops.max_pool(-x, size, strides=1, padding="same") for size in ((3, 1), (1, 3))
    )
    return ops.minimum(rows, columns)


def _skeleton(x, iterations):
    """Soft skeleton: what erosions take away that an opening would not bring back."""
    skeleton = ops.relu(x - _dilated(_eroded(x), 3))
    for _ in range(iterations):
        x = _eroded(x)
        ridge = ops.relu(x - _dilated(_eroded(x), 3))
        skeleton += ops.relu(ridge - skeleton * ridge)
    return skeleton
