"""Scores of every image by itself, and their mean."""

import keras
from keras import ops

from kerasseg.losses.checks import check_values
from kerasseg.losses.weighted import split_weights
from kerasseg.metrics import scores
from kerasseg.metrics._counts import ClassMetric, class_ids_of, read


class _ImageScore(ClassMetric):
    """Mean over images of a score of their own confusion matrices.

    Args:
        num_classes: channels of the logits; 1 for a binary model.
        ignore_label: label that is left out, or None.
        name: as in `keras.metrics.Metric`.
    """

    _direction = "up"

    def __init__(self, num_classes, *, ignore_label=255, name=None):
        super().__init__(num_classes, ignore_label, name)
        common = {"shape": (), "initializer": "zeros", "aggregation": "sum"}
        self._total = self.add_variable(name="total", **common)
        self._images = self.add_variable(name="images", **common)

    def update_state(self, labels, logits, sample_weight=None):
        """Add the images of a batch; arguments as in `ConfusionMatrix`."""
        check_values(labels, logits, self.ignore_label, scores=True)
        labels, logits, size = read(labels, logits, self.num_classes)
        valid = (labels >= 0) & (labels < size)
        if self.ignore_label is not None:
            valid = valid & (labels != self.ignore_label)
        weights = ops.cast(valid, "float32")
        of_images = ops.ones_like(weights[:, 0, 0])
        if sample_weight is not None:
            given, of_pixels = split_weights(sample_weight, logits, per_image=True)
            of_images = of_images if given is None else of_images * given
            weights = weights if of_pixels is None else weights * of_pixels
        truth = ops.one_hot(ops.where(valid, labels, 0), size)
        truth = truth * ops.expand_dims(weights, -1)
        found = ops.one_hot(class_ids_of(logits), size)
        hits = ops.sum(truth * found, axis=(1, 2))  # [N, K]
        labelled = ops.sum(truth, axis=(1, 2))
        predicted = ops.sum(found * ops.expand_dims(weights, -1), axis=(1, 2))
        values = self._score(hits, labelled, predicted)  # [N], NaN without pixels
        there = values == values
        of_images = ops.where(there, of_images, 0.0)
        self._total.assign_add(ops.sum(ops.where(there, values, 0.0) * of_images))
        self._images.assign_add(ops.sum(of_images))

    def result(self):
        return scores.mean_of_known(self._total[None], self._images[None])


@keras.saving.register_keras_serializable("kerasseg")
class ImageIoU(_ImageScore):
    """Mean over images of the mean IoU of their classes; arguments as in `MeanIoU`.

    Small images weigh as much as large ones; classes that an image neither shows nor is
    predicted to show are left out of its mean, and images without valid pixels.
    """

    def __init__(self, num_classes, *, ignore_label=255, name="image_iou"):
        super().__init__(num_classes, ignore_label=ignore_label, name=name)

    def _score(self, hits, labelled, predicted):
        return scores.mean_of_known(hits, labelled + predicted - hits)


@keras.saving.register_keras_serializable("kerasseg")
class ImageDice(_ImageScore):
    """Mean over images of the mean Dice of their classes, see `ImageIoU`.

    The usual Dice of medical images.
    """

    def __init__(self, num_classes, *, ignore_label=255, name="image_dice"):
        super().__init__(num_classes, ignore_label=ignore_label, name=name)

    def _score(self, hits, labelled, predicted):
        return scores.mean_of_known(2 * hits, labelled + predicted)
