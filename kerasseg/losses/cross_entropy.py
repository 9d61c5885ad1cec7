"""Losses that are a mean over pixels: cross-entropy, focal, hardest pixels."""

import math

import keras
from keras import ops

from kerasseg import names
from kerasseg.losses._targets import (
    check_class_weights,
    check_range,
    class_weight_of_entries,
    masked_mean,
    read_targets,
)
from kerasseg.losses.weighted import SegmentationLoss

DIVISORS = {"pixels": "pixels", "weights": "weights"}


@keras.saving.register_keras_serializable("kerasseg")
class CrossEntropy(SegmentationLoss):
    """Cross-entropy of each pixel, averaged over the valid pixels of an image.

    Softmax for class ids, sigmoid for binary and multilabel; see the package for
    shapes and ignored pixels. Multilabel averages over pixels and classes.

    Args:
        class_weights: one number per class, or a dict {class: number}; binary:
            (background, foreground). They multiply the pixels of a class.
        label_smoothing: share of the target, 0..1, spread evenly over all classes
            (Szegedy et al., 2016, https://arxiv.org/abs/1512.00567).
        divisor: "pixels", the number of valid pixels, as in Keras, or "weights", the
            sum of their class weights, as in PyTorch, which undoes the weight wherever
            an image shows one class only.
        per_image: False takes one mean over the valid pixels of the batch, as PyTorch,
            instead of the mean of those of its images.
        ignore_label: label that is left out, or None.
        reduction: as in `keras.losses.Loss`.
        name: as in `keras.losses.Loss`.

    Example:
        >>> loss = CrossEntropy()
        >>> f"{float(loss([[[0, 255]]], [[[[0.0, 0.0], [9.0, 0.0]]]])):.4f}"
        '0.6931'
    """

    linear = True

    def __init__(
        self,
        class_weights=None,
        label_smoothing=0.0,
        *,
        divisor="pixels",
        per_image=True,
        ignore_label=255,
        reduction="sum_over_batch_size",
        name="cross_entropy",
    ):
        super().__init__(name=name, reduction=reduction, dtype="float32")
        check_range("label_smoothing", label_smoothing, 0, 1)
        self.class_weights = check_class_weights(class_weights)
        self.label_smoothing = label_smoothing
        self.divisor = names.look_up(divisor, DIVISORS, "divisor")
        self.per_image = per_image
        self.ignore_label = ignore_label

    def call(self, labels, logits):
        targets = read_targets(labels, logits, self.ignore_label)
        losses = _cross_entropy(targets, self.label_smoothing)
        return masked_mean(
            losses,
            targets,
            self.class_weights,
            per_image=self.per_image,
            divisor=self.divisor,
        )

    def get_config(self):
        return {
            **super().get_config(),
            "class_weights": self.class_weights,
            "label_smoothing": self.label_smoothing,
            "divisor": self.divisor,
            "per_image": self.per_image,
            "ignore_label": self.ignore_label,
        }


@keras.saving.register_keras_serializable("kerasseg")
class Focal(SegmentationLoss):
    """Focal loss: cross-entropy times (1 - p)^gamma, p the probability of the truth.

    The mean runs over valid pixels; the paper divides by the number of anchors that
    match an object, which pixels do not have. `gamma=0` is the cross-entropy.

    Args:
        gamma: how fast easy pixels fade, >= 0.
        alpha: weight of the foreground in 0..1, background gets 1 - alpha, for binary
            and multilabel; the paper takes 0.25. None weighs both alike. For class
            ids use `class_weights`.
        class_weights, per_image: as in `CrossEntropy`.
        ignore_label: label that is left out, or None.
        reduction: as in `keras.losses.Loss`.
        name: as in `keras.losses.Loss`.

    Reference: Lin et al., 2017, https://arxiv.org/abs/1708.02002
    """

    linear = True

    def __init__(
        self,
        gamma=2.0,
        alpha=None,
        *,
        class_weights=None,
        per_image=True,
        ignore_label=255,
        reduction="sum_over_batch_size",
        name="focal",
    ):
        super().__init__(name=name, reduction=reduction, dtype="float32")
        check_range("gamma", gamma, 0, math.inf)
        if alpha is not None:
            check_range("alpha", alpha, 0, 1)
        self.gamma = gamma
        self.alpha = alpha
        self.class_weights = check_class_weights(class_weights)
        self.per_image = per_image
        self.ignore_label = ignore_label

    def call(self, labels, logits):
        targets = read_targets(labels, logits, self.ignore_label)
        losses = _cross_entropy(targets)
        if self.gamma > 0:
            # -expm1(-x) is 1 - p without cancellation. The floor keeps the slope of
            # the power finite at 0 for gamma < 1.
            losses *= ops.power(ops.maximum(-ops.expm1(-losses), 1e-7), self.gamma)
        if self.alpha is not None:
            losses *= self._balance(targets)
        return masked_mean(
            losses, targets, self.class_weights, per_image=self.per_image
        )

    def _balance(self, targets):
        if targets.exclusive:
            raise ValueError(
                "`alpha` weighs foreground against background, so it needs binary or "
                "multilabel labels; use `class_weights` for class ids. "
                f"Received: alpha={self.alpha}, {targets.num_classes} classes."
            )
        return 1 - self.alpha + (2 * self.alpha - 1) * targets.labels

    def get_config(self):
        return {
            **super().get_config(),
            "gamma": self.gamma,
            "alpha": self.alpha,
            "class_weights": self.class_weights,
            "per_image": self.per_image,
            "ignore_label": self.ignore_label,
        }


@keras.saving.register_keras_serializable("kerasseg")
class TopK(SegmentationLoss):
    """Cross-entropy of the hardest pixels of each image (online hard example mining).

    Hardest means least probable truth. Where several pixels tie at the border, they
    share the remaining places evenly, so that the order of pixels does not matter.

    Args:
        fraction: share of the valid pixels that counts, in 0..1; rounded, and at
            least one pixel.
        threshold: pixels whose truth is less probable than this, in 0..1, count too,
            beyond `fraction`. None for no threshold.
        class_weights: as in `CrossEntropy`; applied after the pixels are chosen, as
            are weights of pixels.
        ignore_label: label that is left out, or None.
        reduction: as in `keras.losses.Loss`.
        name: as in `keras.losses.Loss`.

    Reference: Shrivastava et al., 2016, https://arxiv.org/abs/1604.03540; for pixels
    Wu et al., 2016, https://arxiv.org/abs/1605.06885
    """

    linear = True

    def __init__(
        self,
        fraction=0.25,
        threshold=None,
        *,
        class_weights=None,
        ignore_label=255,
        reduction="sum_over_batch_size",
        name="top_k",
    ):
        super().__init__(name=name, reduction=reduction, dtype="float32")
        check_range("fraction", fraction, 0, 1)
        if threshold is not None:
            # Not 0, which has no logarithm to compare losses with.
            check_range("threshold", threshold, 1e-30, 1)
        self.fraction = fraction
        self.threshold = threshold
        self.class_weights = check_class_weights(class_weights)
        self.ignore_label = ignore_label

    def call(self, labels, logits):
        targets = read_targets(labels, logits, self.ignore_label)
        losses = _cross_entropy(targets)
        share, count = self._choose(targets.valid, ops.stop_gradient(losses))
        for weights in (
            class_weight_of_entries(self.class_weights, targets),
            targets.weights,
        ):
            if weights is not None:
                losses *= weights
        axes = tuple(range(1, len(losses.shape)))
        chosen = ops.where(share > 0, losses * share, 0.0)
        return ops.sum(chosen, axis=axes) / count

    def _choose(self, valid, losses):
        """Share 0..1 of each entry, and their sum [N]."""
        images, *size = ops.shape(losses)
        entries = math.prod(size)
        # Cross-entropy is never negative, so left-out pixels rank last.
        losses = ops.where(valid, losses, -1.0)
        flat = ops.reshape(losses, (images, entries))
        count = ops.round(
            self.fraction * ops.sum(ops.cast(flat >= 0, "float32"), axis=1)
        )
        if self.threshold is not None:
            hard = flat > -math.log(self.threshold)
            count = ops.maximum(count, ops.sum(ops.cast(hard, "float32"), axis=1))
        count = ops.maximum(count, 1.0)  # [N]
        place = ops.expand_dims(entries - ops.cast(count, "int32"), -1)
        border = ops.take_along_axis(ops.sort(flat, axis=1), place, axis=1)  # [N, 1]
        border = ops.reshape(border, (images,) + (1,) * len(size))
        above = ops.cast(losses > border, "float32")
        tied = ops.cast(ops.logical_and(losses == border, valid), "float32")
        axes = tuple(range(1, len(losses.shape)))
        left = ops.reshape(count, ops.shape(border)) - ops.sum(
            above, axis=axes, keepdims=True
        )
        rivals = ops.maximum(ops.sum(tied, axis=axes, keepdims=True), 1.0)
        return above + tied * (left / rivals), count

    def get_config(self):
        return {
            **super().get_config(),
            "fraction": self.fraction,
            "threshold": self.threshold,
            "class_weights": self.class_weights,
            "ignore_label": self.ignore_label,
        }


def _cross_entropy(targets, label_smoothing=0.0):
    """Cross-entropy of each label, [N, P] or [N, P, K]."""
    labels, logits = targets.labels, targets.logits
    if not targets.exclusive:
        labels = labels * (1 - label_smoothing) + label_smoothing / 2
        return ops.binary_crossentropy(labels, logits, from_logits=True)
    if label_smoothing:
        smooth = ops.one_hot(labels, targets.num_classes) * (1 - label_smoothing)
        smooth += label_smoothing / targets.num_classes
        return ops.categorical_crossentropy(smooth, logits, from_logits=True)
    # Labels as ids: a one-hot copy would be as large as the logits.
    return ops.sparse_categorical_crossentropy(labels, logits, from_logits=True)
