"""A closer look at class maps: confidence, ranking and outlines, on some images."""

import numpy as np

from kerasseg.predict.options import arguments
from kerasseg.tasks import outlines
from kerasseg.tasks.task import percent

MOST_BYTES = 2**30  # of the probabilities of an image, held as a whole
POINTS = 100  # of a curve that is kept


def of_class_maps(model, samples, options, classes, ignore_label):
    """The `details` of the scorer of class maps, see `evaluate.details`."""
    from kerasseg import metrics
    from kerasseg.predict import most_probable, probabilities, without_small
    from kerasseg.predict.forward import num_classes

    counts, ranking, num = np.zeros([1, 3]), np.zeros([1, 2]), 0
    lines = outlines.Outlines(len(classes), ignore_label)
    given, ignored = arguments(options, "min_area_px"), {"ignore_label": ignore_label}
    for sample in samples:
        label = np.asarray(sample["label"])
        if label.size * num_classes(model) * 4 > MOST_BYTES:
            continue
        found = probabilities(model, sample["image"], **given)
        counts = counts + metrics.calibration_counts(label, found, **ignored)
        if len(classes) == 2:
            ranking = ranking + metrics.ranking_counts(label, found, **ignored)
        ids, _ = most_probable(found)
        lines.add(label, without_small(ids, options.min_area_px))
        num += 1
    bins = [[n, sure / n, right / n] for n, sure, right in counts.tolist() if n]
    error = float(metrics.calibration_error(counts)) if bins else None
    details = {
        "calibration": {"error": error, "bins": bins, "num_images": num},
        "outlines": lines.result(classes),
    }
    if ranking.any(0).all():  # pixels of both classes
        details["ranking"] = {**_ranking(ranking), "num_images": num}
    return details


def _ranking(counts):
    """Curves of `metrics.ranking_counts`, and the areas below them."""
    from kerasseg import metrics

    false, true = metrics.roc_curve(counts)
    precision, recall = metrics.precision_recall_curve(counts)
    return {
        "roc_auc": float(metrics.roc_auc(counts)),
        "average_precision": float(metrics.average_precision(counts)),
        "roc": _thinned(false, true),
        "precision_recall": _thinned(recall, precision),
    }


def _thinned(x, y):
    """A curve as two lists of few numbers, at even distances along it."""
    way = np.cumsum(np.abs(np.diff(x, prepend=x[0])) + np.abs(np.diff(y, prepend=y[0])))
    places = np.searchsorted(way, np.linspace(0, way[-1], POINTS))
    places = np.unique([0, *places.clip(0, len(x) - 1), len(x) - 1])
    return [np.round(values[places], 4).tolist() for values in (x, y)]


def table(result):
    """Lines of text about what `of_class_maps` has found; none without it."""
    lines = outlines.table(result["outlines"]) if "outlines" in result else []
    error = result.get("calibration", {}).get("error")
    if error is not None:
        lines.append(f"expected calibration error {percent(error, 2)} %")
    if ranking := result.get("ranking"):
        scores = (percent(ranking[x], 2) for x in ("roc_auc", "average_precision"))
        lines.append("ROC AUC {} %, average precision {} %".format(*scores))
    return lines
