"""Weighted sum of losses."""

import keras


@keras.saving.register_keras_serializable("kerasseg")
class Weighted(keras.losses.Loss):
    """Weighted sum of losses on the same labels and logits.

    Args:
        losses: list of (weight, loss) pairs; each loss gives one value per image, as
            all of this package do, `Weighted` included. Their own `reduction` is not
            used.
        reduction: as in `keras.losses.Loss`.
        name: as in `keras.losses.Loss`.

    Example:
        >>> from kerasseg.losses import CrossEntropy, Dice
        >>> loss = Weighted([(1.0, CrossEntropy()), (0.5, Dice())])
    """

    def __init__(self, losses, *, reduction="sum_over_batch_size", name="weighted"):
        super().__init__(name=name, reduction=reduction, dtype="float32")
        if not losses or not all(
            isinstance(pair, (tuple, list))
            and len(pair) == 2
            and isinstance(pair[1], keras.losses.Loss)
            for pair in losses
        ):
            raise ValueError(
                "`losses` must be (weight, loss) pairs: [(1.0, CrossEntropy()), ...]. "
                f"Received: losses={losses}."
            )
        self.losses = [(float(weight), loss) for weight, loss in losses]

    def call(self, labels, logits):
        total = 0.0
        for weight, loss in self.losses:
            values = loss.call(labels, logits)
            if len(values.shape) != 1:
                raise ValueError(
                    "A loss in `Weighted` must return one value per image, [N]. "
                    f"Received: shape {tuple(values.shape)} from {loss.name!r}."
                )
            total += weight * values
        return total

    def get_config(self):
        pairs = [
            [weight, keras.saving.serialize_keras_object(loss)]
            for weight, loss in self.losses
        ]
        return {**super().get_config(), "losses": pairs}

    @classmethod
    def from_config(cls, config):
        pairs = [
            (weight, keras.saving.deserialize_keras_object(loss))
            for weight, loss in config["losses"]
        ]
        return cls(**{**config, "losses": pairs})
