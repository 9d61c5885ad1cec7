"""Losses on the overlap of regions: Dice, Jaccard and Tversky, one formula."""

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
class Dice(SegmentationLoss):
    """1 - Dice coefficient of probabilities and labels, averaged over classes.

    Dice is (2 TP + smooth) / (P + T + smooth), with TP the probability mass on the
    true pixels, P all probability mass and T the number of true pixels, over the valid
    pixels of one image. Classes without a true pixel in an image are left out of its
    mean: for a binary model an image without foreground has loss 0 and says nothing
    about false positives, so add a `CrossEntropy` by `Weighted`.

    Args:
        class_weights: one number per class for the mean over classes; weight 0 leaves a
            class out.
        smooth: added to numerator and denominator; 1 is common in the literature,
            where absent classes are kept.
        per_image: False sums TP, P and T over the batch (batch-wise Dice), so that the
            classes absent from an image do not matter; every image then has the value
            of the batch.
        squared: sum p^2 instead of p into P, as V-Net does.
        ignore_label: label that is left out, or None.
        reduction: as in `keras.losses.Loss`.
        name: as in `keras.losses.Loss`.

    Reference: Milletari et al., 2016 (V-Net, squared), https://arxiv.org/abs/1606.04797;
    Drozdzal et al., 2016 (not squared), https://arxiv.org/abs/1608.04117
    """

    def __init__(
        self,
        class_weights=None,
        smooth=0.0,
        *,
        per_image=True,
        squared=False,
        ignore_label=255,
        reduction="sum_over_batch_size",
        name="dice",
    ):
        super().__init__(name=name, reduction=reduction, dtype="float32")
        check_range("smooth", smooth, 0, math.inf)
        self.class_weights = check_class_weights(class_weights)
        self.smooth = smooth
        self.per_image = per_image
        self.squared = squared
        self.ignore_label = ignore_label

    def call(self, labels, logits):
        targets = read_targets(labels, logits, self.ignore_label)
        sums = _region_sums(targets, self.per_image, self.squared)
        # The usual smoothing term stands beside 2 TP, ours beside TP.
        losses = _overlap_losses(*sums, 0.5, 0.5, self.smooth / 2)
        values = mean_of_classes(losses, sums[2] > 0, self.class_weights)
        return ops.broadcast_to(values, ops.shape(targets.logits)[:1])

    def get_config(self):
        return {
            **super().get_config(),
            "class_weights": self.class_weights,
            "smooth": self.smooth,
            "per_image": self.per_image,
            "squared": self.squared,
            "ignore_label": self.ignore_label,
        }


@keras.saving.register_keras_serializable("kerasseg")
class Jaccard(SegmentationLoss):
    """1 - Jaccard index (soft IoU) of probabilities and labels, averaged over classes.

    (TP + smooth) / (P + T - TP + smooth); TP, P, T, absent classes and arguments as in
    `Dice`.

    Args:
        class_weights: one number per class for the mean over classes.
        smooth: added to numerator and denominator.
        per_image: as in `Dice`.
        ignore_label: label that is left out, or None.
        reduction: as in `keras.losses.Loss`.
        name: as in `keras.losses.Loss`.

    Reference: Rahman and Wang, 2016, https://doi.org/10.1007/978-3-319-50835-1_22
    """

    def __init__(
        self,
        class_weights=None,
        smooth=0.0,
        *,
        per_image=True,
        ignore_label=255,
        reduction="sum_over_batch_size",
        name="jaccard",
    ):
        super().__init__(name=name, reduction=reduction, dtype="float32")
        check_range("smooth", smooth, 0, math.inf)
        self.class_weights = check_class_weights(class_weights)
        self.smooth = smooth
        self.per_image = per_image
        self.ignore_label = ignore_label

    def call(self, labels, logits):
        targets = read_targets(labels, logits, self.ignore_label)
        sums = _region_sums(targets, self.per_image)
        losses = _overlap_losses(*sums, 1.0, 1.0, self.smooth)
        values = mean_of_classes(losses, sums[2] > 0, self.class_weights)
        return ops.broadcast_to(values, ops.shape(targets.logits)[:1])

    def get_config(self):
        return {
            **super().get_config(),
            "class_weights": self.class_weights,
            "smooth": self.smooth,
            "per_image": self.per_image,
            "ignore_label": self.ignore_label,
        }


@keras.saving.register_keras_serializable("kerasseg")
class Tversky(SegmentationLoss):
    """1 - Tversky index: Dice with separate weights of false positives and negatives.

    (TP + smooth) / (TP + alpha FP + beta FN + smooth). alpha = beta = 0.5 is `Dice`,
    alpha = beta = 1 is `Jaccard`; beta > alpha favours recall. Absent classes as in
    `Dice`.

    Args:
        alpha: weight of false positives, >= 0.
        beta: weight of false negatives, >= 0; the paper's best pair is 0.3, 0.7.
        class_weights: one number per class for the mean over classes.
        smooth: added to numerator and denominator.
        per_image: as in `Dice`.
        ignore_label: label that is left out, or None.
        reduction: as in `keras.losses.Loss`.
        name: as in `keras.losses.Loss`.

    Reference: Salehi et al., 2017, https://arxiv.org/abs/1706.05721
    """

    def __init__(
        self,
        alpha=0.3,
        beta=0.7,
        *,
        class_weights=None,
        smooth=0.0,
        per_image=True,
        ignore_label=255,
        reduction="sum_over_batch_size",
        name="tversky",
    ):
        super().__init__(name=name, reduction=reduction, dtype="float32")
        check_range("alpha", alpha, 0, math.inf)
        check_range("beta", beta, 0, math.inf)
        check_range("smooth", smooth, 0, math.inf)
        self.alpha = alpha
        self.beta = beta
        self.class_weights = check_class_weights(class_weights)
        self.smooth = smooth
        self.per_image = per_image
        self.ignore_label = ignore_label

    def call(self, labels, logits):
        targets = read_targets(labels, logits, self.ignore_label)
        sums = _region_sums(targets, self.per_image)
        losses = _overlap_losses(*sums, self.alpha, self.beta, self.smooth)
        values = mean_of_classes(losses, sums[2] > 0, self.class_weights)
        return ops.broadcast_to(values, ops.shape(targets.logits)[:1])

    def get_config(self):
        return {
            **super().get_config(),
            "alpha": self.alpha,
            "beta": self.beta,
            "class_weights": self.class_weights,
            "smooth": self.smooth,
            "per_image": self.per_image,
            "ignore_label": self.ignore_label,
        }


def _region_sums(targets, per_image, squared=False):
    """Overlap, predicted mass and labelled pixels of each class, [N or 1, K] each."""
    of_images = _image_sums(targets, squared)
    if per_image:
        return of_images
    return tuple(ops.sum(x, axis=0, keepdims=True) for x in of_images)


def _image_sums(targets, squared):
    labels, valid = targets.labels, ops.cast(targets.valid, "float32")
    if targets.weights is not None:  # a pixel counts as often as its weight says
        valid = valid * targets.weights
    if not targets.exclusive:
        p, labels = ops.sigmoid(targets.logits), labels * valid
        predicted = ops.sum((p * p if squared else p) * valid, axis=1)
        return ops.sum(p * labels, axis=1), predicted, ops.sum(labels, axis=1)
    p = ops.softmax(targets.logits, axis=-1)  # [N, P, K]
    truth = ops.where(targets.valid, labels, -1)  # -1 gives a row of zeros
    truth = ops.one_hot(truth, targets.num_classes)
    if targets.weights is not None:
        truth = truth * ops.expand_dims(targets.weights, -1)
    # One product gives a soft confusion matrix with overlap and mass in it, and its
    # gradient is one product too. CPU ms for 512 x 512 x 21 with the gradient: 106,
    # against 155 by sums of p times one-hot labels, 143 by segment sums, 117 by
    # gathering p at the labels. TF32 products on a GPU shift the loss by 1e-7.
    matrix = ops.matmul(ops.transpose(truth, (0, 2, 1)), p)
    overlap = ops.diagonal(matrix, axis1=1, axis2=2)
    if squared:
        predicted = ops.matmul(ops.expand_dims(valid, 1), p * p)[:, 0]
    else:
        predicted = ops.sum(matrix, axis=1)
    return overlap, predicted, ops.sum(truth, axis=1)


def _overlap_losses(overlap, predicted, labelled, alpha, beta, smooth):
    """1 - Tversky index from sums [N, K]."""
    errors = alpha * (predicted - overlap) + beta * (labelled - overlap)
    # The floor is for beta = 0, where nothing predicted leaves 0 / 0.
    return 1 - (overlap + smooth) / ops.maximum(overlap + errors + smooth, 1e-7)
