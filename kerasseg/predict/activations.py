"""Foreign models: how they are called, and outputs that are no logits."""

import inspect
import math
import warnings
import weakref

import numpy as np
from keras import ops

_looked_at = weakref.WeakSet()


def call(model, images):
    """Outputs of a model at inference; some models do not take `training`."""
    parameters = inspect.signature(getattr(model, "call", model)).parameters.values()
    if any(p.name == "training" or p.kind is p.VAR_KEYWORD for p in parameters):
        return model(images, training=False)
    return model(images)


def are_suspicious(answers):
    """Whether answers are such as probabilities, taken for logits, give.

    Args:
        answers: class ids [N, H, W], or probabilities [N, H, W, K].
    """
    if answers.dtype.kind == "i":
        return answers.min() == answers.max() == 1  # of one class: all are above 0
    if answers.shape[-1] == 1:
        return answers.min() >= 0.5
    return answers.max() <= 1.001 * math.e / (math.e + answers.shape[-1] - 1)


def tell_probabilities(model, images, logits_of):
    """Warn, once per model, where its logits are probabilities.

    Values tell what the graph does not: a sigmoid before the last resizing.

    Args:
        model: keras.Model.
        images: float32 [N, H, W, C].
        logits_of: function of what the model returns.
    """
    if model in _looked_at:
        return
    _looked_at.add(model)
    logits = ops.convert_to_numpy(logits_of(call(model, images)))
    if logits.min() < 0 or logits.max() > 1 or np.ptp(logits) == 0:
        return
    if logits.shape[-1] > 1 and np.abs(logits.sum(-1) - 1).max() > 1e-3:
        return
    warnings.warn(
        f"Outputs of model {model.name!r} lie in 0..1, as probabilities do, and are "
        "taken for logits. Let it end in logits or in its sigmoid or softmax: resize "
        "before that.",
        stacklevel=3,
    )
