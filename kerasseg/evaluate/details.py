"""A closer look at some images, for which scores of all take too long."""

import numpy as np

from kerasseg import tasks
from kerasseg.evaluate.scoring import Scaled

MOST_IMAGES = 32  # of many thousand pixels each: more images change little


def details(model, samples, options=None, *, limit=MOST_IMAGES, without=()):
    """Confidence, ranking and outlines of class maps at their original size.

    Args:
        model, samples, options: as for `score`.
        limit: most images, taken at even distances; None for all.
        without: names of samples to leave out, such as those that `score` lists.

    Returns:
        dict, ready for JSON, empty for models of other tasks. Images whose
        probabilities would take more than 1 GB are left out, "num_images" tells how
        many there were.
        "calibration": "error", the expected calibration error in 0..1 (None without a
        pixel that counts) and "bins" (lists of pixels, mean confidence and accuracy,
        those with pixels only, see `metrics.calibration_counts`).
        "outlines": boundary IoU, centre-line Dice and distances by class, see
        `tasks.outlines`.
        "ranking", of two classes where pixels of both occur: "roc_auc",
        "average_precision", and the curves "roc" (false and true positive rates) and
        "precision_recall" (recall and precision), two lists each.

    References: Guo et al., 2017, https://arxiv.org/abs/1706.04599 (calibration)
    """
    task = tasks.of(model)
    options = task.make_options(options)
    scorer = task.scorer(model, samples, options)
    if not hasattr(scorer, "details"):
        return {}
    without = {*without}
    places = [i for i, name in enumerate(samples.names) if name not in without]
    if limit is not None and len(places) > limit:
        chosen = np.linspace(0, len(places) - 1, limit).round().astype(int)
        places = [places[i] for i in chosen]
    scaled = Scaled(samples, options)
    return scorer.details(scaled[place] for place in places)
