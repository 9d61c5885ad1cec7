"""The confusion matrix of arrays (numpy, no tensorflow)."""

import numbers
import warnings

import numpy as np

FEWEST = 16  # pixels; fewer may look one-hot by chance
MANY = 0.01  # share of ignored pixels above which a mask may be one of 0 and 255


def confusion_matrix(labels, predictions, num_classes, *, ignore_label=255):
    """Confusion counts of labels and predicted class ids.

    Args:
        labels: class ids of any shape; the ignore label does not count. Any type, 8
            bits too, as long as the numbers are whole.
        predictions: predicted class ids of the same shape. Either may have a last axis
            of 1 more.
        num_classes: K.
        ignore_label: None if there is none.

    Returns:
        int64 [K, K], rows are labels, columns are predictions. A warning says where
        labels of two classes hold 0 and 255 alone, of which 255 is ignored.

    Raises:
        ValueError: if the shapes differ or an id is not one of 0..K-1.

    Example:
        >>> confusion_matrix([[0, 1, 255]], [[0, 0, 1]], 2).tolist()
        [[1, 0], [1, 0]]
    """
    if not isinstance(num_classes, numbers.Integral) or num_classes < 1:
        raise ValueError(
            "`num_classes` must be an integer, 1 or more. "
            f"Received: num_classes={num_classes!r}."
        )
    labels, predictions = np.asarray(labels), np.asarray(predictions)
    labels, predictions = (
        one[..., 0] if one.ndim == other.ndim + 1 and one.shape[-1] == 1 else one
        for one, other in ((labels, predictions), (predictions, labels))
    )
    if labels.shape != predictions.shape:
        fixes = {
            1: "Logits become ids by `predictions.argmax(-1)`. ",
            -1: "One-hot labels become ids by `labels.argmax(-1)`. ",
        }
        fix = fixes.get(predictions.ndim - labels.ndim, "")
        raise ValueError(
            f"`labels` must have the shape of the predictions. {fix}"
            f"Received: labels {labels.shape}, predictions {predictions.shape}."
        )
    if _is_one_hot(labels, num_classes):
        raise ValueError(
            "`labels` must be class ids. One-hot labels become ids by `labels.argmax("
            f"-1)`, predictions alike. Received: 0 and 1, shape {labels.shape}."
        )
    if ignore_label is not None:
        counts = labels != ignore_label
        if num_classes == 2 and ignore_label == 255:
            _warn_of_bytes(labels, counts)
        labels, predictions = labels[counts], predictions[counts]
    for name, ids in (("labels", labels), ("predictions", predictions)):
        if ids.dtype.kind not in "biuf" or np.any(ids != np.floor(ids)):
            raise ValueError(
                f"`{name}` must be class ids, whole numbers; probabilities become ids "
                f"by `argmax(-1)` or `> 0.5`. Received: {ids.dtype} of other values."
            )
        low, high = ids.min(initial=0), ids.max(initial=0)
        if low < 0 or high >= num_classes:
            raise ValueError(
                f"`{name}` must be within 0..{num_classes - 1}{_hint(name, high)}. "
                f"Received: {low}..{high}."
            )
    # int64: the product would overflow uint8 labels from 17 classes on.
    pairs = labels.astype("int64").ravel() * num_classes
    pairs += predictions.astype("int64").ravel()
    counts = np.bincount(pairs, minlength=num_classes**2)
    return counts.reshape(num_classes, num_classes)


def _is_one_hot(labels, num_classes):
    """Whether labels are [..., K] with a single 1 in each pixel."""
    if labels.ndim < 2 or labels.shape[-1] != num_classes or num_classes < 2:
        return False
    if labels.size < FEWEST * num_classes or not np.isin(labels, (0, 1)).all():
        return False
    return bool((labels.sum(-1) == 1).all())


def _warn_of_bytes(labels, counts):
    """Warn where labels are perhaps a black and white mask whose white is ignored."""
    ignored = counts.size - np.count_nonzero(counts)
    if ignored > MANY * counts.size and not np.any(labels[counts]):
        warnings.warn(
            f"No pixel is labelled 1; {ignored} of {counts.size} carry the ignore "
            "label 255 and do not count. If 255 is the foreground, write `labels = "
            "(labels > 127).astype('int32')`.",
            stacklevel=3,
        )


def _hint(name, high):
    if name == "labels" and high == 255:
        return (
            ", or the ignore label; a mask of 0 and 255 becomes one by `labels > 127`"
        )
    return ""
