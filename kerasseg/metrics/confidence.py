"""Scores of probabilities: calibration, and how well they rank pixels (ROC, PR)."""

import numpy as np

# As Guo et al., 2017: other numbers give other errors, so a table needs one number.
NUM_BINS = 15
MOST_LOGIT = 20.0  # float32 tells 1 - 6e-8 from 1, a logit of 16.6


def calibration_counts(label, probabilities, *, num_bins=NUM_BINS, ignore_label=255):
    """Pixels by the confidence of their prediction, the largest probability.

    Args:
        label: class ids [H, W] or [N, H, W].
        probabilities: float [..., K], or [...] or [..., 1] of class 1 of two.
        num_bins: B, of equal width in 0..1.
        ignore_label: None if there is none.

    Returns:
        float64 [B, 3]: pixels, sum of their confidences, how many are right. Counts of
        several images can be added.

    Raises:
        ValueError: if the sizes differ, or values are no probabilities.
    """
    label, probabilities = _checked(label, probabilities)
    if probabilities.shape[-1] == 1:
        probabilities = np.concatenate([1 - probabilities, probabilities], -1)
    known = slice(None) if ignore_label is None else label != ignore_label
    label, probabilities = label[known].ravel(), probabilities[known]
    probabilities = probabilities.reshape(-1, probabilities.shape[-1])
    confidence = probabilities.max(-1)
    right = probabilities.argmax(-1) == label
    # A confidence of exactly 1 belongs to the last bin.
    bins = np.minimum((confidence * num_bins).astype("int64"), num_bins - 1)
    columns = None, confidence, right
    return np.stack([np.bincount(bins, x, num_bins) for x in columns], -1)


def calibration_error(counts):
    """Expected calibration error: how far confidence and accuracy lie apart.

    Args:
        counts: sum of `calibration_counts`, [B, 3].

    Returns:
        float in 0..1, the mean over pixels of the gaps of their bins; NaN without any.

    Example:
        >>> probabilities = np.array([[[0.1, 0.9], [0.1, 0.9]]])
        >>> counts = calibration_counts(np.array([[1, 0]]), probabilities)
        >>> round(float(calibration_error(counts)), 4)
        0.4

    Reference: Guo et al., 2017, https://arxiv.org/abs/1706.04599
    """
    pixels, confidence, right = np.asarray(counts, "float64").T
    return np.sum(np.abs(confidence - right)) / pixels.sum() if pixels.any() else np.nan


def ranking_counts(label, probabilities, *, num_bins=20_000, ignore_label=255):
    """Pixels of two classes by their probability of class 1.

    Args:
        label: 0 or 1, [H, W] or [N, H, W].
        probabilities: float, likewise, or [..., 1], or [..., 2].
        num_bins: B, of equal width in the logit log(p / (1 - p)), -20..20, so that
            probabilities near 0 and 1 are told apart; those within one count as equal.
        ignore_label: None if there is none.

    Returns:
        int64 [B, 2]: pixels of class 0 and of class 1. Counts of several images can be
        added.

    Raises:
        ValueError: if the sizes differ, values are no probabilities, or there are
            other classes.
    """
    label, probabilities = _checked(label, probabilities)
    if probabilities.shape[-1] > 2:
        raise ValueError(
            "`probabilities` must be of two classes, [..., 1] or [..., 2]. Received: "
            f"{probabilities.shape}."
        )
    scores = probabilities[..., -1]
    known = slice(None) if ignore_label is None else label != ignore_label
    label, scores = label[known].ravel(), scores[known].ravel()
    if label.size and not 0 <= label.min() <= label.max() <= 1:
        raise ValueError(
            f"`label` must be 0 or 1. Received: {np.unique(label)[:8].tolist()}."
        )
    # Bins instead of a sort of all pixels: counts of any number of images add up. With
    # 20,000 of them, .002 wide, the areas below the curves are right to about 1e-4.
    with np.errstate(divide="ignore"):
        logits = np.log(scores.clip(0, 1)) - np.log1p(-scores.clip(0, 1))
    bins = (logits.clip(-MOST_LOGIT, MOST_LOGIT) / MOST_LOGIT + 1) / 2 * num_bins
    bins = np.minimum(bins.astype("int64"), num_bins - 1)
    classes = (bins[label == k] for k in (0, 1))
    return np.stack([np.bincount(x, minlength=num_bins) for x in classes], -1)


def roc_curve(counts):
    """False and true positive rates at falling thresholds, from (0, 0) to (1, 1).

    Args:
        counts: sum of `ranking_counts`, [B, 2].

    Returns:
        Two arrays float64 [B + 1]; NaN where a class has no pixels.
    """
    negative, positive = _cumulated(counts)
    with np.errstate(invalid="ignore"):
        return negative / negative[-1], positive / positive[-1]


def roc_auc(counts):
    """Area under the ROC curve: how often class 1 scores above class 0.

    Args:
        counts: sum of `ranking_counts`, [B, 2].

    Returns:
        float in 0..1, 0.5 for chance; NaN where a class has no pixels.

    Example:
        >>> counts = ranking_counts(np.array([[0, 1, 1]]), np.array([[0.2, 0.1, 0.9]]))
        >>> float(roc_auc(counts))
        0.5
    """
    false, true = roc_curve(counts)
    # The trapezoidal rule: pixels of one bin count as ties, half right.
    return np.sum(np.diff(false) * (true[1:] + true[:-1]) / 2)


def precision_recall_curve(counts):
    """Precision and recall of class 1 at falling thresholds.

    Args:
        counts: sum of `ranking_counts`, [B, 2].

    Returns:
        Two arrays float64 [B]; NaN without pixels of class 1, and precision 1 where
        nothing is above the threshold.
    """
    negative, positive = (x[1:] for x in _cumulated(counts))
    found = negative + positive
    # Above the highest score nothing is found, and nothing found wrongly.
    precision = np.where(found > 0, positive / np.maximum(found, 1), 1.0)
    with np.errstate(invalid="ignore"):
        return precision, positive / positive[-1]


def average_precision(counts):
    """Area under the precision-recall curve, as a sum of steps (scikit-learn's AP).

    Args:
        counts: sum of `ranking_counts`, [B, 2].

    Returns:
        float in 0..1; NaN without pixels of class 1.
    """
    precision, recall = precision_recall_curve(counts)
    # Steps, not trapezoids: lines between points of this curve are too optimistic
    # (Davis and Goadrich, 2006).
    return np.sum(np.diff(recall, prepend=0.0) * precision)


def _cumulated(counts):
    """Pixels of each class from the highest score on, 0 before the first."""
    counts = np.asarray(counts, "float64")[::-1]
    return np.concatenate([np.zeros([1, 2]), np.cumsum(counts, 0)]).T


def _checked(label, probabilities):
    label, probabilities = np.asarray(label), np.asarray(probabilities, "float64")
    if probabilities.shape == label.shape:
        probabilities = probabilities[..., None]
    if probabilities.shape[:-1] != label.shape or label.dtype.kind not in "iu":
        raise ValueError(
            "`label` must be integers [...] and `probabilities` [..., K] beside it. "
            f"Received: {label.dtype} {label.shape} and {probabilities.shape}."
        )
    inside = probabilities.size == 0 or (
        probabilities.min() >= -1e-6 and probabilities.max() <= 1 + 1e-6
    )
    if not inside:  # NaN is not, either
        raise ValueError(
            "`probabilities` must be in 0..1; logits become so by softmax or sigmoid. "
            f"Received: {probabilities.min():.3g} to {probabilities.max():.3g}."
        )
    return label, np.clip(probabilities, 0.0, 1.0)
