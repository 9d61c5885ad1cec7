"""Scores as functions of a confusion matrix.

A matrix holds counts [K, K], rows are labels, columns are predictions. They may be
weighted or normalised, but not negative, and label maps are refused. Lists and NumPy
arrays are computed in float64 and give NumPy results; tensors of the running Keras
backend are computed in float32 and give tensors, also inside a compiled function.
A score that would be 0 / 0 is NaN, and means leave NaN classes out.
"""

import math

import numpy as np
from keras import ops

from kerasseg.images.mask_kinds import COUNTED, check_counts


def iou_per_class(matrix):
    """Intersection over union of each class.

    Args:
        matrix: confusion counts [K, K], rows are labels, columns are predictions.

    Returns:
        [K], in 0..1; NaN for classes absent from labels and predictions.

    Raises:
        ValueError: if `matrix` is not square.

    Example:
        >>> iou_per_class([[3, 1], [0, 4]]).tolist()
        [0.75, 0.8]
    """
    np_, hits, labelled, predicted = _counts(matrix)
    return _divide(np_, hits, labelled + predicted - hits)


def mean_iou(matrix):
    """Mean intersection over union of the classes that occur.

    Args:
        matrix: confusion counts [K, K], rows are labels, columns are predictions.

    Returns:
        Scalar in 0..1. Classes absent from labels and predictions are left out; NaN
        if all are.

    Raises:
        ValueError: if `matrix` is not square.

    Example:
        >>> float(mean_iou([[3, 1], [0, 4]]))
        0.775

    Reference: Everingham et al., 2010, https://doi.org/10.1007/s11263-009-0275-4
    """
    return _mean(iou_per_class(matrix))


def dice_per_class(matrix):
    """Dice coefficient (F1) of each class.

    Args:
        matrix: confusion counts [K, K], rows are labels, columns are predictions.

    Returns:
        [K], in 0..1; NaN for classes absent from labels and predictions.

    Raises:
        ValueError: if `matrix` is not square.
    """
    np_, hits, labelled, predicted = _counts(matrix)
    return _divide(np_, 2 * hits, labelled + predicted)


def mean_dice(matrix):
    """Mean Dice coefficient of the classes that occur; arguments as in `mean_iou`."""
    return _mean(dice_per_class(matrix))


def precision_per_class(matrix):
    """Share of the pixels predicted as a class that are right: [K].

    NaN for classes that were never predicted.
    """
    np_, hits, _, predicted = _counts(matrix)
    return _divide(np_, hits, predicted)


def recall_per_class(matrix):
    """Share of the pixels of a class that were found (its accuracy): [K].

    NaN for classes absent from the labels.
    """
    np_, hits, labelled, _ = _counts(matrix)
    return _divide(np_, hits, labelled)


def pixel_accuracy(matrix):
    """Share of all pixels that are right: a scalar, NaN without pixels."""
    np_, hits, labelled, _ = _counts(matrix)
    return _divide(np_, np_.sum(hits), np_.sum(labelled))


def mean_accuracy(matrix):
    """Mean recall of the classes that the labels show.

    Reference: Long et al., 2015, https://arxiv.org/abs/1411.4038
    """
    return _mean(recall_per_class(matrix))


def frequency_weighted_iou(matrix):
    """Mean IoU with each class weighted by its share of the labels.

    Reference: Long et al., 2015, https://arxiv.org/abs/1411.4038
    """
    np_, hits, labelled, predicted = _counts(matrix)
    union = labelled + predicted - hits
    # Classes without a pixel weigh 0 below: any finite number does.
    iou = hits / np_.where(union > 0, union, 1.0)
    return _divide(np_, np_.sum(labelled * iou), np_.sum(labelled))


def summary(matrix, class_names):
    """All scores of a matrix, ready for JSON.

    Args:
        matrix: confusion counts [K, K], an array; rows are labels.
        class_names: K different names.

    Returns:
        dict of floats "mean_iou", "mean_dice", "pixel_accuracy", "mean_accuracy",
        "frequency_weighted_iou", and "classes": name -> dict of "iou", "dice",
        "precision", "recall" and "pixels" (labelled ones). None stands for NaN.

    Raises:
        ValueError: if `matrix` is not square, or the names do not match it.

    Example:
        >>> summary([[3, 1], [0, 4]], ["sky", "ground"])["classes"]["sky"]["iou"]
        0.75
    """
    matrix = np.asarray(matrix)
    names = [str(name) for name in class_names]
    columns = {
        "iou": iou_per_class(matrix),
        "dice": dice_per_class(matrix),
        "precision": precision_per_class(matrix),
        "recall": recall_per_class(matrix),
    }
    if len(names) != len(matrix) or len(set(names)) != len(names):
        raise ValueError(
            f"`class_names` must be {len(matrix)} different names, one per class. "
            f"Received: class_names={names}."
        )
    totals = {
        "mean_iou": mean_iou(matrix),
        "mean_dice": mean_dice(matrix),
        "pixel_accuracy": pixel_accuracy(matrix),
        "mean_accuracy": mean_accuracy(matrix),
        "frequency_weighted_iou": frequency_weighted_iou(matrix),
    }
    classes = {
        name: {
            **{key: _plain(values[k]) for key, values in columns.items()},
            "pixels": int(matrix[k].sum()),
        }
        for k, name in enumerate(names)
    }
    return {**{key: _plain(value) for key, value in totals.items()}, "classes": classes}


def _counts(matrix):
    """The array module, and hits, labelled and predicted pixels of each class [K]."""
    if isinstance(matrix, (list, tuple, np.ndarray)):
        np_, matrix = np, np.asarray(matrix)
    else:
        np_ = ops
    shape = tuple(matrix.shape)
    if len(shape) != 2 or shape[0] != shape[1]:
        raise ValueError(
            "`matrix` must be square, [K, K], rows labels and columns predictions: "
            f"{COUNTED}. Received: shape {shape}."
        )
    if np_ is np:
        check_counts(matrix)
        matrix = matrix.astype("float64")
    else:
        matrix = ops.cast(matrix, "float32")
    return np_, np_.diagonal(matrix), np_.sum(matrix, axis=1), np_.sum(matrix, axis=0)


def _divide(np_, part, whole):
    # `where` computes both sides, and 1 keeps 0 / 0 out. Weighted or normalised counts
    # may be below 1.
    return np_.where(whole > 0, part / np_.where(whole > 0, whole, 1.0), math.nan)


def mean_of_known(part, whole):
    """Mean of part / whole [..., K] over the last axis, where whole is above 0.

    Args:
        part, whole: float tensors.

    Returns:
        [...], NaN where no whole is above 0.
    """
    known = ops.cast(whole > 0, "float32")
    shares = known * part / ops.where(whole > 0, whole, 1.0)
    return _divide(ops, ops.sum(shares, axis=-1), ops.sum(known, axis=-1))


def _mean(scores):
    """Mean of the scores that are not NaN."""
    np_ = np if isinstance(scores, np.ndarray) else ops
    known = scores == scores  # NaN is not equal to itself
    total = np_.sum(np_.where(known, scores, 0.0))
    count = np_.sum(np_.where(known, 1.0, 0.0))
    return _divide(np_, total, count)


def _plain(value):
    return None if math.isnan(value) else float(value)
