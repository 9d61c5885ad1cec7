"""Metrics: everything read from one confusion matrix.

Two doors to the same numbers: Keras metrics for `compile` (`MeanIoU(num_classes)`),
and functions of a matrix (`mean_iou(matrix)`) for arrays. `superpixel` scores label
maps against annotators' segments and is there without loading Keras.
"""

from typing import TYPE_CHECKING

from kerasseg.metrics import superpixel

if TYPE_CHECKING:  # what `__getattr__` below loads on first use
    from kerasseg.metrics.confusion import (
        ClassIoU,
        ConfusionMatrix,
        FrequencyWeightedIoU,
        MeanAccuracy,
        MeanDice,
        MeanIoU,
        PixelAccuracy,
    )
    from kerasseg.metrics.scores import (
        dice_per_class,
        frequency_weighted_iou,
        iou_per_class,
        mean_accuracy,
        mean_dice,
        mean_iou,
        pixel_accuracy,
        precision_per_class,
        recall_per_class,
        summary,
    )

__all__ = [
    "ClassIoU",
    "ConfusionMatrix",
    "FrequencyWeightedIoU",
    "MeanAccuracy",
    "MeanDice",
    "MeanIoU",
    "PixelAccuracy",
    "dice_per_class",
    "frequency_weighted_iou",
    "iou_per_class",
    "mean_accuracy",
    "mean_dice",
    "mean_iou",
    "pixel_accuracy",
    "precision_per_class",
    "recall_per_class",
    "summary",
    "superpixel",
]


def __getattr__(name):
    if name in __all__:
        from kerasseg.metrics import confusion, scores

        return getattr(scores if hasattr(scores, name) else confusion, name)
    raise AttributeError(f"module 'kerasseg.metrics' has no attribute {name!r}")
