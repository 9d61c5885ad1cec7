"""Scores of a model on whole images, and what a number needs beside it.

>>> from kerasseg import evaluate
>>> evaluate.class_maps(model, samples)["mean_iou"]  # doctest: +SKIP
>>> evaluate.instances(instance_model, samples)["mask_ap"]  # doctest: +SKIP
"""

from kerasseg.evaluate.objects import instance_gallery, instances, truth_of
from kerasseg.evaluate.pixels import class_maps, count, extremes, gallery
from kerasseg.evaluate.results import (
    environment,
    instance_table,
    table,
    write_results,
)

__all__ = [
    "class_maps",
    "count",
    "environment",
    "extremes",
    "gallery",
    "instance_gallery",
    "instance_table",
    "instances",
    "table",
    "truth_of",
    "write_results",
]
