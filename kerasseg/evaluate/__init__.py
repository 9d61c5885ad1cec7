"""Scores of a model on whole images, and what a number needs beside it.

>>> from kerasseg import evaluate
>>> evaluate.evaluate(model, samples)["mean_iou"]  # doctest: +SKIP
>>> evaluate.instances(instance_model, samples)["mask_ap"]  # doctest: +SKIP
"""

from kerasseg.evaluate.objects import instance_gallery, instances, truth_of
from kerasseg.evaluate.pixels import count, evaluate, extremes, gallery
from kerasseg.results import environment, instance_table, table, write_results

__all__ = [
    "count",
    "environment",
    "evaluate",
    "extremes",
    "gallery",
    "instance_gallery",
    "instance_table",
    "instances",
    "table",
    "truth_of",
    "write_results",
]
