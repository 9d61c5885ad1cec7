"""Learning rates over a run: linear warm-up, then cosine, polynomial or constant."""

import math

import keras
from keras import ops

from kerasseg import names

_DECAYS = {
    "cosine": lambda left, power: 0.5 - 0.5 * ops.cos(math.pi * left),
    "poly": lambda left, power: ops.power(left, power),
    "constant": lambda left, power: ops.ones_like(left),
}


@keras.saving.register_keras_serializable("kerasseg")
class LearningRate(keras.optimizers.schedules.LearningRateSchedule):
    """Learning rate of update number 0, 1, 2, ...; made by `learning_rate`."""

    def __init__(self, kind, peak, steps, warmup_steps=0, power=0.9, final=0.0):
        names.look_up(kind, _DECAYS, "learning rate schedule")
        if not (peak > 0 and 0 <= final <= peak):
            raise ValueError(
                "`peak` must be positive and `final` between 0 and `peak`. "
                f"Received: peak={peak}, final={final}."
            )
        if not 0 <= warmup_steps < steps:
            raise ValueError(
                "`steps` must be positive and `warmup_steps` below `steps`. "
                f"Received: steps={steps}, warmup_steps={warmup_steps}."
            )
        self.kind = kind
        self.peak = peak
        self.steps = steps
        self.warmup_steps = warmup_steps
        self.power = power
        self.final = final

    def __call__(self, step):
        step = ops.cast(step, "float32")
        decay_steps = self.steps - self.warmup_steps
        # Below 0 in the warm-up, above 1 after the last step.
        done = ops.clip((step - self.warmup_steps) / decay_steps, 0.0, 1.0)
        fraction = _DECAYS[self.kind](1.0 - done, self.power)
        rate = self.final + (self.peak - self.final) * fraction
        if not self.warmup_steps:
            return rate
        # Starts at peak / warmup_steps: a rate of 0 would waste the first update.
        rising = self.peak * (step + 1.0) / self.warmup_steps
        return ops.where(step < self.warmup_steps, rising, rate)

    def get_config(self):
        """Return the arguments of `learning_rate`."""
        return {
            "kind": self.kind,
            "peak": self.peak,
            "steps": self.steps,
            "warmup_steps": self.warmup_steps,
            "power": self.power,
            "final": self.final,
        }


def learning_rate(kind, *, peak, steps, warmup_steps=0, power=0.9, final=0.0):
    """Learning rate schedule: linear warm-up to `peak`, then decay to `final`.

    Args:
        kind: "cosine", "poly" or "constant" (stays at `peak`).
        peak: learning rate after the warm-up.
        steps: updates of the whole run, warm-up included.
        warmup_steps: updates in which the rate rises linearly to `peak`.
        power: exponent of "poly".
        final: learning rate from update `steps` on; "constant" ignores it.

    Returns:
        Serialisable keras LearningRateSchedule for any optimizer.

    Raises:
        ValueError: unknown kind, or numbers out of range.

    Example:
        >>> rate = learning_rate("poly", peak=0.1, steps=100, power=1.0)
        >>> round(float(rate(75)), 4)
        0.025

    Reference: cosine: Loshchilov and Hutter, 2017, https://arxiv.org/abs/1608.03983;
    poly: Chen et al., 2017, https://arxiv.org/abs/1606.00915
    """
    return LearningRate(kind, peak, steps, warmup_steps, power, final)
