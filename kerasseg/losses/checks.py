"""Mistakes in labels and logits that their values show, told before they cost a run.

Values are looked at where they are known: in eager calls, and of labels in the first
steps of a graph, as `fit` makes it, that XLA does not compile.
Facts that cannot be meant otherwise are errors; what is only likely is a warning, which
Python shows once per place.
"""

import functools
import warnings

import numpy as np

from kerasseg import machine

SAMPLE = 4096  # pixels of logits that are looked at
FEWEST = 16  # pixels; of fewer, chance alone makes logits look like probabilities
ACTIVATIONS = ("Sigmoid", "Softmax")  # as TensorFlow calls the operations


def known(x):
    """The value of an array or an eager tensor, None for one of a graph."""
    if isinstance(x, (np.ndarray, list, tuple)):
        return np.asarray(x)
    if type(x).__name__ in ("EagerTensor", "ArrayImpl"):
        return np.asarray(x)
    return None


def check_values(labels, logits, ignore_label, *, scores=False):
    """Look at labels and logits of one call.

    Args:
        labels: [N, H, W] or [N, H, W, 1] class ids, or 0 and 1 in [N, H, W, K].
        logits: [N, H, W, K].
        ignore_label: label that is left out, or None.
        scores: whether logits are only compared with each other and with 0, so that
            outputs of softmax do no harm; graphs are not looked at then.

    Raises:
        ValueError: if labels are no whole numbers, or logits are probabilities.
    """
    num_classes = np.shape(logits)[-1] if np.ndim(logits) else 0
    rank = np.ndim(logits)
    messages = []
    if not scores and known(labels) is None and rank:
        look = functools.partial(_look_at_labels, rank, num_classes, ignore_label)
        machine.look_at(look, labels)
    if not scores or num_classes == 1 or np.shape(labels) != np.shape(logits):
        messages.append(check_labels(labels, rank, num_classes, ignore_label))
    if not scores or num_classes == 1:
        multilabel = num_classes > 1 and np.shape(labels) == np.shape(logits)
        messages.append(check_logits(logits, multilabel))
    for message in filter(None, messages):
        warnings.warn(message, stacklevel=3)  # where the loss or metric is called


def _look_at_labels(rank, num_classes, ignore_label, labels):
    if message := check_labels(labels, rank, num_classes, ignore_label):
        warnings.warn(message, stacklevel=2)


def check_labels(labels, rank, num_classes, ignore_label):
    """The warning that the values of labels deserve, or None.

    Args:
        labels: see `check_values`.
        rank: number of axes of the logits.
        num_classes: K, channels of the logits.
        ignore_label: label that is left out, or None.

    Raises:
        ValueError: if there are numbers between the whole ones.
    """
    labels = known(labels)
    if labels is None or not labels.size or not num_classes:
        return None
    if labels.dtype.kind not in "biuf":
        raise ValueError(
            "Labels must be class ids, whole numbers. "
            f"Received: an array of {labels.dtype}."
        )
    if labels.dtype.kind == "f":
        _check_whole(labels)
    channels = labels.shape[-1] if labels.ndim == rank else 1
    if channels > 1:
        return check_ids(labels, 2, ignore_label) or _one_hot(labels)
    return check_ids(labels, max(num_classes, 2), ignore_label)


def _check_whole(labels):
    strange = labels[labels != np.floor(labels)]  # NaN is not equal to itself
    if not strange.size:
        return
    if num := np.isnan(strange).sum():
        fix = "NaN becomes a label by `labels = numpy.nan_to_num(labels, nan=255)`"
        received = f"{num} of {labels.size} that are NaN"
    else:
        threshold = 0.5 if labels.max() <= 1 else 127
        fix = (
            "A mask that was scaled or resized as a picture is made whole by "
            f"`labels = (labels > {threshold}).astype('int32')`"
        )
        received = f"{strange[0]:.4g} among {labels.min():.4g}..{labels.max():.4g}"
    raise ValueError(
        "Labels must be whole numbers: class ids, or 0 and 1. "
        f"{fix}. Received: {received}."
    )


def _one_hot(labels):
    pixels = labels.reshape(-1, labels.shape[-1])[:: _stride(labels)]
    if len(pixels) < FEWEST or not np.all(pixels.sum(-1) == 1):
        return None
    if not np.all((pixels == 0) | (pixels == 1)):
        return None
    return (
        f"Labels [N, H, W, {labels.shape[-1]}] are scored as multilabel, each class on "
        "its own, but every pixel here has exactly one class. If they are one-hot, "
        "give class ids: `labels = labels.argmax(-1)`."
    )


def check_ids(labels, size, ignore_label):
    """The warning about labels of two classes saved as 0 and 255, or of no class."""
    # Compared as they come: to widen 8 bits would cost more than the comparisons.
    outside = (labels < 0) | (labels >= size)
    if ignore_label is not None:
        ignored = labels == ignore_label
        outside &= ~ignored
    if outside.any():
        strange = labels[outside]
        fix = f"map them to 0..{size - 1}, or give them as `ignore_label`"
        if size == 2 and labels.max() > 127:
            fix = "a mask of 0 and 255 becomes one of 0 and 1 by `labels = (labels > "
            fix += "127).astype('int32')`"
        return (
            f"Labels must be class ids 0..{size - 1}, or the ignore label "
            f"{ignore_label}; others are left out of losses and scores: {fix}. "
            f"Received: {strange.size} of {labels.size} labels in "
            f"{strange.min():g}..{strange.max():g}."
        )
    likely = size == 2 and ignore_label == 255 and labels.size >= FEWEST
    if likely and not (labels == 1).any() and ignored.any() and not ignored.all():
        return (
            "Labels hold 0 and 255 but no 1, and 255 is the ignore label: nothing here "
            "is foreground. If 255 is the foreground, write "
            "`labels = (labels > 127).astype('int32')`."
        )
    return None


def check_logits(logits, multilabel=False):
    """Raise for softmax; return a warning for what looks like sigmoid."""
    refuse_probabilities(logits)
    logits = known(logits)
    if logits is None or logits.ndim < 2 or logits.dtype.kind != "f":
        return None
    pixels = logits.reshape(-1, logits.shape[-1])[:: _stride(logits)]
    if len(pixels) < FEWEST or pixels.min() < 0 or pixels.max() > 1:
        return None
    if logits.shape[-1] > 1 and not multilabel:
        sums = pixels.sum(-1, dtype="float32")
        if np.all(np.abs(sums - 1) < 1e-3) and np.ptp(pixels) > 0:
            raise ValueError(_message("softmax"))
    elif np.unique(pixels).size > 1:
        return (
            "All logits lie in 0..1, as if they were probabilities. " + _FIX % "sigmoid"
        )
    return None


_FIX = (
    "Losses and metrics take logits: build the last layer without `activation='%s'`, "
    "or give a foreign model's probabilities as `logits = keras.ops.log(p) - "
    "keras.ops.log1p(-p)` (softmax: `keras.ops.log(p)`)."
)


def _message(name):
    return f"{_FIX % name} Received: outputs of {name}."


def refuse_probabilities(logits, names=("sigmoid", "softmax")):
    """Raise a ValueError if a tensor is the output of a sigmoid or softmax.

    A fact of the graph, so it costs nothing and is known while tracing, too.
    """
    name = _activation(logits)
    if name in names:
        raise ValueError(_message(name))


def _activation(logits):
    """Name of the activation that a tensor comes from, or None."""
    if type(logits).__name__ == "SymbolicTensor":  # TensorFlow, in a graph
        kind = logits.op.type
        return kind.lower() if kind in ACTIVATIONS else None
    if getattr(logits, "_keras_logits", None) is None:
        return None
    # Keras' backend keeps the logits beside the probabilities of both.
    values = known(logits)
    sums = 1 if values is None else values.sum(-1)
    adds_up = logits.shape[-1] > 1 and np.allclose(sums, 1, atol=1e-3)
    return "softmax" if adds_up else "sigmoid"


def _stride(x):
    """Step through the pixels of [N, ..., K] that leaves about SAMPLE of them."""
    return max(1, x.size // x.shape[-1] // SAMPLE)
