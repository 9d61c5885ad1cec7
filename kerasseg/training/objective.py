"""What a step minimises where no loss of (labels, outputs) can say it."""

import dataclasses
from collections.abc import Callable


@dataclasses.dataclass(frozen=True)
class Objective:
    """A function of the losses of a model, in place of a loss.

    Instance models need it: they find boxes in inference, and are trained on what lies
    before. `kerasseg.zoo` describes their functions.

    Attributes:
        function: (model, images, truth, *, seed) -> dict of scalar terms, each a mean
            over the images that it is given. It calls the parts of the model with
            training=True; the sum of the terms is minimised, and each is logged as
            "loss_" and its name.
        seed: of what the function draws by chance. It gets a keras SeedGenerator, which
            is part of the state of the training: a resumed run draws the same.

    Example:
        >>> def error(model, images, truth, *, seed):
        ...     outputs = model(images, training=True)
        ...     return {"squared": keras.ops.mean((outputs - truth) ** 2)}
        >>> Objective(error).seed
        0
    """

    function: Callable
    seed: int = 0
