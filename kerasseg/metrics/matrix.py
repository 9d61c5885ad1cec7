"""The confusion matrix of arrays (numpy, no tensorflow)."""

import numpy as np


def confusion_matrix(labels, predictions, num_classes, *, ignore_label=255):
    """Confusion counts of labels and predicted class ids.

    Args:
        labels: class ids of any shape; the ignore label does not count.
        predictions: predicted class ids of the same shape.
        num_classes: K.
        ignore_label: None if there is none.

    Returns:
        int64 [K, K], rows are labels, columns are predictions.

    Raises:
        ValueError: if the shapes differ or an id is not in 0..K-1.

    Example:
        >>> confusion_matrix([[0, 1, 255]], [[0, 0, 1]], 2).tolist()
        [[1, 0], [1, 0]]
    """
    labels, predictions = np.asarray(labels), np.asarray(predictions)
    if labels.shape != predictions.shape:
        raise ValueError(
            "`labels` must have the shape of the predictions. "
            f"Received: labels {labels.shape}, predictions {predictions.shape}."
        )
    if ignore_label is not None:
        counts = labels != ignore_label
        labels, predictions = labels[counts], predictions[counts]
    for name, ids in (("labels", labels), ("predictions", predictions)):
        low, high = ids.min(initial=0), ids.max(initial=0)
        if low < 0 or high >= num_classes:
            raise ValueError(
                f"`{name}` must be within 0..{num_classes - 1}. "
                f"Received: {low}..{high}."
            )
    # int64: the product would overflow uint8 labels from 17 classes on.
    pairs = labels.astype("int64").ravel() * num_classes + predictions.ravel()
    counts = np.bincount(pairs, minlength=num_classes**2)
    return counts.reshape(num_classes, num_classes)
