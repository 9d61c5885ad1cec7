"""Objectives that are no function of labels and outputs alone."""

import dataclasses
from collections.abc import Callable


@dataclasses.dataclass(frozen=True)
class Objective:
    """A function of a model and a batch to minimise, in place of a loss.

    Instance models need it: their outputs are detections, while their losses are those
    of the raw predictions before them. `kerasseg.zoo` describes the functions.

    Attributes:
        function: (model, images, truth, *, seed) -> dict of scalar terms, each a mean
            over the images that it is given. It calls the parts of the model with
            training=True; the sum of the terms is minimised, and each is logged as
            "loss_" and its name. If it has an argument `divide`, it makes means over
            objects by this function (sum, count) -> mean, always in the same order:
            slices and replicas then divide by the objects of the whole batch.
        seed: seed of the random numbers of the function. It gets a keras SeedGenerator,
            which is part of every checkpoint: a resumed run draws the same numbers.

    Example:
        >>> def error(model, images, truth, *, seed):
        ...     outputs = model(images, training=True)
        ...     return {"squared": keras.ops.mean((outputs - truth) ** 2)}
        >>> Objective(error).seed
        0
    """

    function: Callable
    seed: int = 0
