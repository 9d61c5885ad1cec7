"""Whether a model's probabilities say how often it is right."""

import numpy as np

from kerasseg import tasks
from kerasseg.evaluate.scoring import Scaled

MOST_IMAGES = 32  # of many thousand pixels each: more images change little


def calibration(model, samples, options=None, *, limit=MOST_IMAGES, without=()):
    """Reliability of a model of class maps on whole images at their original size.

    Args:
        model, samples, options: as for `score`.
        limit: most images, taken at even distances; None for all.
        without: names of samples to leave out, such as those that `score` lists.

    Returns:
        dict, ready for JSON: "error", the expected calibration error in 0..1 (None
        without a pixel that counts), "bins" (lists of pixels, mean confidence and
        accuracy, those with pixels only, see `metrics.calibration_counts`) and
        "num_images". Images whose probabilities would take more than 1 GB are left out.
        None for models of other tasks.

    Reference: Guo et al., 2017, https://arxiv.org/abs/1706.04599
    """
    task = tasks.of(model)
    options = task.make_options(options)
    scorer = task.scorer(model, samples, options)
    if not hasattr(scorer, "calibration"):
        return None
    without = {*without}
    places = [i for i, name in enumerate(samples.names) if name not in without]
    if limit is not None and len(places) > limit:
        chosen = np.linspace(0, len(places) - 1, limit).round().astype(int)
        places = [places[i] for i in chosen]
    scaled = Scaled(samples, options)
    return scorer.calibration(scaled[place] for place in places)
