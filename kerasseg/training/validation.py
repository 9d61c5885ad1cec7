"""The scoring of a model between epochs."""

import dataclasses
import math
from collections.abc import Callable


@dataclasses.dataclass(frozen=True)
class Validation:
    """The scoring of a model after every epoch of `fit`, and the metric to watch.

    Attributes:
        validate: function () -> dict of numbers, called with the averaged weights in
            the model; None where there was nothing to score.
        monitor: key of the metric by which the best weights are kept; larger is better.
            While it is None, those of the lowest training loss of an epoch are.
        patience: stop after so many epochs without a better `monitor`; None goes on.

    Raises:
        ValueError: if `patience` is below 1.

    Example:
        >>> validation = Validation(lambda: {"mean_iou": 0.5}, patience=3)
        >>> validation.monitored(validation.validate())
        0.5
    """

    validate: Callable
    monitor: str = "mean_iou"
    patience: int | None = None

    def __post_init__(self):
        if self.patience is not None and self.patience < 1:
            raise ValueError(
                f"`patience` must be at least 1, or None. Received: {self.patience}."
            )

    def monitored(self, metrics):
        """The monitored metric among those that `validate` reported: float, or None.

        Raises:
            ValueError: if it is not there.
        """
        if self.monitor not in metrics:
            raise ValueError(
                f"`validate` must report the monitored metric {self.monitor!r}. "
                f"Received: {', '.join(map(str, metrics))}."
            )
        value = metrics[self.monitor]
        # None is a score that does not exist, of a validation without objects.
        return None if value is None else float(value)

    def is_out_of_patience(self, stale_epochs):
        """Whether so many epochs without a better metric end the run."""
        return stale_epochs >= (self.patience or math.inf)
