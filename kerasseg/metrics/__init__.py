"""Metrics: scores of class maps, superpixels and instances.

The scores of a confusion matrix come as Keras metrics for `compile`,
`MeanIoU(num_classes)`, and as functions of a matrix for arrays, `mean_iou(matrix)`.
Outlines need more than a matrix: `boundary_f`. `superpixel` scores label maps against
annotators' segments, `instances` label maps of instances, `panoptic` maps of things and
stuff, `coco_scores` detected instances.

Where others count otherwise:

| | here | the other way | who does |
|---|---|---|---|
| IoU, Dice | of all pixels: `MeanIoU` | mean of images: `ImageIoU` | medicine |
| classes of a pixel | the largest logit | each alone: `MultilabelIoU` | scikit-learn |
| boundary F | of all images: `boundary_f` | of an object: `davis_boundary_f` | DAVIS |
| | many to one, within 2 px | one to one: `bsds_boundary_counts` | BSDS |
| outlines | share within 2 px | distances: `hd95`, `assd`, `surface_dice` | medicine |
| thin things | their pixels | their centre lines: `cl_dice` | vessels |
| bands | all pixels | near outlines: `boundary_iou_counts` | LVIS, COCO |
| probabilities | of the largest logit | `calibration_error`, `roc_auc` | medicine |
| films | each frame alone | changes between frames: `flicker_counts` | video |
| weights | none | `sample_weight`, in `weighted_metrics` | Keras |
"""

from kerasseg.metrics import instances, panoptic, superpixel
from kerasseg.metrics.boundary import boundary_counts, boundary_f
from kerasseg.metrics.boundary_benchmarks import (
    bsds_boundary_counts,
    bsds_boundary_scores,
    davis_boundary_f,
)
from kerasseg.metrics.coco import coco_scores
from kerasseg.metrics.confidence import (
    average_precision,
    calibration_counts,
    calibration_error,
    precision_recall_curve,
    ranking_counts,
    roc_auc,
    roc_curve,
)
from kerasseg.metrics.confusion import (
    ClassIoU,
    ConfusionMatrix,
    FrequencyWeightedIoU,
    MeanAccuracy,
    MeanDice,
    MeanIoU,
    PixelAccuracy,
)
from kerasseg.metrics.flicker import flicker_counts
from kerasseg.metrics.matrix import confusion_matrix
from kerasseg.metrics.multilabel import (
    MultilabelConfusionMatrix,
    MultilabelDice,
    MultilabelIoU,
    multilabel_confusion_matrix,
)
from kerasseg.metrics.per_image import ImageDice, ImageIoU
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
from kerasseg.metrics.structure import boundary_iou_counts, centerline_counts, cl_dice
from kerasseg.metrics.surface import assd, hd95, surface_dice, surface_distances

__all__ = [
    "ClassIoU",
    "ConfusionMatrix",
    "FrequencyWeightedIoU",
    "ImageDice",
    "ImageIoU",
    "MeanAccuracy",
    "MeanDice",
    "MeanIoU",
    "MultilabelConfusionMatrix",
    "MultilabelDice",
    "MultilabelIoU",
    "PixelAccuracy",
    "assd",
    "average_precision",
    "boundary_counts",
    "boundary_f",
    "boundary_iou_counts",
    "bsds_boundary_counts",
    "bsds_boundary_scores",
    "calibration_counts",
    "calibration_error",
    "centerline_counts",
    "cl_dice",
    "coco_scores",
    "confusion_matrix",
    "davis_boundary_f",
    "dice_per_class",
    "flicker_counts",
    "frequency_weighted_iou",
    "hd95",
    "instances",
    "iou_per_class",
    "mean_accuracy",
    "mean_dice",
    "mean_iou",
    "multilabel_confusion_matrix",
    "panoptic",
    "pixel_accuracy",
    "precision_per_class",
    "precision_recall_curve",
    "ranking_counts",
    "recall_per_class",
    "roc_auc",
    "roc_curve",
    "summary",
    "superpixel",
    "surface_dice",
    "surface_distances",
]
