"""Lovász losses: the convex surrogate of the Jaccard index."""

import keras
from keras import ops

from kerasseg.losses._targets import (
    check_class_weights,
    mean_of_classes,
    read_targets,
)
from kerasseg.losses.weighted import SegmentationLoss


@keras.saving.register_keras_serializable("kerasseg")
class Lovasz(SegmentationLoss):
    """Lovász-softmax loss for class ids, Lovász hinge for binary and multilabel.

    The Lovász extension of 1 - IoU, per image, averaged over the classes that its
    labels show (the paper's best variant). The binary form leaves out an image without
    foreground as well, where the authors' code pulls down the one highest logit.
    Every class that an image shows is sorted: on a CPU about 70 ms per class for
    512 x 512 pixels with the gradient, as much as the whole cross-entropy of 21
    classes.

    Args:
        class_weights: one number per class for the mean over classes.
        per_image: False takes the batch for one image, the default of the authors'
            code; every image then has the value of the batch.
        ignore_label: label that is left out, or None.
        reduction: as in `keras.losses.Loss`.
        name: as in `keras.losses.Loss`.

    Reference: Berman et al., 2018, https://arxiv.org/abs/1705.08790
    """

    def __init__(
        self,
        class_weights=None,
        *,
        per_image=True,
        ignore_label=255,
        reduction="sum_over_batch_size",
        name="lovasz",
    ):
        super().__init__(name=name, reduction=reduction, dtype="float32")
        self.class_weights = check_class_weights(class_weights)
        self.per_image = per_image
        self.ignore_label = ignore_label

    def call(self, labels, logits):
        targets = read_targets(labels, logits, self.ignore_label)
        if targets.exclusive:
            errors, truth, valid = _softmax_errors(targets)
        else:
            errors, truth, valid = _hinge_errors(targets)
        rows = [errors, truth, ops.broadcast_to(valid, ops.shape(errors))]
        if targets.weights is not None:
            images, pixels = ops.shape(targets.weights)[:2]
            weights = ops.reshape(targets.weights, (images, 1, pixels))
            rows.append(ops.broadcast_to(weights, ops.shape(errors)))
        if not self.per_image:
            rows = [_join_images(x) for x in rows]
        present = ops.any(rows[1], axis=-1)
        values = mean_of_classes(_extend(*rows), present, self.class_weights)
        return ops.broadcast_to(values, ops.shape(targets.logits)[:1])

    def get_config(self):
        return {
            **super().get_config(),
            "class_weights": self.class_weights,
            "per_image": self.per_image,
            "ignore_label": self.ignore_label,
        }


def _softmax_errors(targets):
    """Errors, truth and validity, [N, K, P] each: 1 - p on true pixels, else p."""
    p = ops.transpose(ops.softmax(targets.logits, axis=-1), (0, 2, 1))
    ids = ops.reshape(ops.arange(targets.num_classes, dtype="int32"), (1, -1, 1))
    valid = ops.expand_dims(targets.valid, 1)
    truth = ops.logical_and(ops.expand_dims(targets.labels, 1) == ids, valid)
    return ops.where(truth, 1 - p, p), truth, valid


def _hinge_errors(targets):
    """Errors, truth and validity, [N, K, P]: 1 - logit if true, else 1 + logit."""
    signs = 2 * targets.labels - 1
    errors = ops.transpose(1 - targets.logits * signs, (0, 2, 1))
    truth = ops.transpose(targets.labels > 0, (0, 2, 1))
    return errors, truth, ops.transpose(targets.valid, (0, 2, 1))


def _join_images(x):
    """[N, K, P] -> [1, K, N * P]."""
    images, classes, pixels = ops.shape(x)
    return ops.reshape(ops.transpose(x, (1, 0, 2)), (1, classes, images * pixels))


def _extend(errors, truth, valid, counts=None):
    """Lovász extension of 1 - IoU, [N, K, P] each: [N, K].

    Args:
        errors, truth, valid: as of `_softmax_errors`.
        counts: weights of pixels, or None.
    """
    images, classes, pixels = ops.shape(errors)
    # Left-out pixels rank behind all others, where they change no weight but their own.
    errors = ops.where(valid, errors, -1e30)
    rows = [ops.stop_gradient(errors), ops.cast(truth, "float32")]
    rows += [] if counts is None else [ops.cast(counts, "float32")]
    rows = [ops.reshape(x, (images * classes, pixels)) for x in rows]
    # One row more, of zeros: a map of no rows, for no images, would not know its shape.
    rows = tuple(ops.pad(x, ((0, 1), (0, 0))) for x in rows)
    # Sorting is nearly all the work, so classes that an image does not show skip it.
    # Weights alone are mapped: XLA cannot compile the gradient of a sort in a loop.
    weights = ops.map(
        lambda row: ops.cond(
            ops.any(row[1] > 0),
            lambda: _weights_of_row(*row),
            lambda: ops.zeros_like(row[0]),
        ),
        rows,
    )
    weights = ops.stop_gradient(weights)[:-1]
    weights = ops.reshape(weights, (images, classes, pixels))
    return ops.sum(ops.relu(errors) * weights, axis=-1)


def _weights_of_row(errors, truth, counts=None):
    """Weights of the errors of one class of one image, [P] each: [P].

    With errors in falling order, error i is weighted by what its pixel adds to 1 - IoU
    when all pixels before it are wrong already. A true pixel takes 1 from the
    intersection; any other lets the union grow from u - 1 to u. Written like this, and
    not as difference of two IoU, nothing cancels in large images. A pixel of weight w
    counts as w pixels of one error.
    """
    _, order = ops.top_k(errors, ops.shape(errors)[0])
    hits = ops.take(truth, order, axis=0)
    if counts is None:
        total = ops.sum(hits)
        found = ops.cumsum(hits)
        union = total + ops.cumsum(1 - hits)
        grown = (total - found) / ops.maximum(union * (union - 1), 1.0)
        weights = ops.where(hits > 0, 1 / union, grown)
    else:
        counts = ops.take(counts, order, axis=0)
        total = ops.sum(hits * counts)
        found = ops.cumsum(hits * counts)
        missed = (1 - hits) * counts
        union = total + ops.cumsum(missed)
        grown = ops.divide_no_nan(total - found, union * (union - missed))
        weights = counts * ops.where(hits > 0, ops.divide_no_nan(1.0, union), grown)
    return ops.scatter(ops.expand_dims(order, -1), weights, ops.shape(errors))
