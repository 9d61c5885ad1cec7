"""Calibration of class maps: whether pixels of 90 % confidence are right in 90 %."""

import numpy as np

from kerasseg.predict.options import arguments

MOST_BYTES = 2**30  # of the probabilities of an image, held as a whole


def of_class_maps(model, samples, options, ignore_label):
    """The `calibration` of the scorer of class maps, see `evaluate.calibration`."""
    from kerasseg import metrics
    from kerasseg.predict import probabilities
    from kerasseg.predict.forward import num_classes

    counts, num = np.zeros([1, 3]), 0
    given = arguments(options, "min_area_px")
    for sample in samples:
        label = sample["label"]
        if np.size(label) * num_classes(model) * 4 > MOST_BYTES:
            continue
        found = probabilities(model, sample["image"], **given)
        counts = counts + metrics.calibration_counts(
            label, found, ignore_label=ignore_label
        )
        num += 1
    bins = [[n, sure / n, right / n] for n, sure, right in counts.tolist() if n]
    error = float(metrics.calibration_error(counts)) if bins else None
    return {"error": error, "bins": bins, "num_images": num}
