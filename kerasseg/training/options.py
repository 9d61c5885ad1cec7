"""Options of a training step, and the combinations that it refuses."""

import dataclasses
from collections.abc import Mapping


@dataclasses.dataclass(frozen=True)
class StepOptions:
    """Options of `make_train_step`; all of them are off by default.

    Attributes:
        loss_weights: dict output name -> weight; "logits" counts 1.0, others 0.4.
        accumulate: slices of a batch that run one after the other, in the memory of
            one, for one update. The images on a device must divide by it. The update,
            and the averages of BatchNorm, are those of the whole batch; within the
            network, BatchNorm normalises each slice by its own mean and variance, as
            it does each replica's images unless it is synchronised. Objectives with
            `divide` run once more before, to count the objects of the whole batch.
        clip_norm: largest global norm of the gradient, over all devices.
        ema_decay: keep exponential moving averages of the weights and of the
            statistics of BatchNorm, with decay min(ema_decay, (1 + t) / (10 + t)) at
            update t.
        swa_begin: number of updates after which the plain mean over all further ones
            begins (SWA, Izmailov et al., 2018, https://arxiv.org/abs/1803.05407, which
            averages once per epoch); instead of `ema_decay`. The statistics of
            BatchNorm are averaged as well, not computed anew.
        jit_compile: compile with XLA; one device only.
        skip_non_finite: count a step whose loss or gradient is not finite as done, so
            that `fit` goes on after it; it changes nothing else either way.

    Raises:
        ValueError: if a number is out of its range.

    Example:
        >>> StepOptions(clip_norm=10.0, ema_decay=0.999).accumulate
        1
    """

    loss_weights: Mapping | None = None
    accumulate: int = 1
    clip_norm: float | None = None
    ema_decay: float | None = None
    swa_begin: int | None = None
    jit_compile: bool = False
    skip_non_finite: bool = False

    def __post_init__(self):
        if self.accumulate < 1:
            raise ValueError(
                f"`accumulate` must be at least 1. Received: {self.accumulate}."
            )
        if self.clip_norm is not None and not self.clip_norm > 0:
            raise ValueError(
                f"`clip_norm` must be above 0, or None. Received: {self.clip_norm}."
            )
        if self.ema_decay is not None and not 0 < self.ema_decay < 1:
            raise ValueError(
                "`ema_decay` must be between 0 and 1, or None. "
                f"Received: {self.ema_decay}."
            )
        if self.swa_begin is not None and not self.swa_begin >= 0:
            raise ValueError(
                f"`swa_begin` must be 0 or more, or None. Received: {self.swa_begin}."
            )
        if None not in (self.ema_decay, self.swa_begin):
            raise ValueError(
                "`ema_decay` and `swa_begin` average weights in two ways: give one. "
                f"Received: {self.ema_decay} and {self.swa_begin}."
            )

    @property
    def averages(self):
        """Whether weights are averaged."""
        return (self.ema_decay, self.swa_begin) != (None, None)


def check(model, optimizer, options, strategy):
    """Refuse combinations that would train wrongly or fail late."""
    num_replicas = strategy.num_replicas_in_sync
    if options.jit_compile and num_replicas > 1:
        raise ValueError(
            "`jit_compile` works on one device only. "
            f"Received: a strategy of {num_replicas} replicas."
        )
    if not model.built or not model.trainable_variables:
        raise ValueError(
            "The model must be built and have trainable weights. "
            f"Received: {model.name!r}, built={model.built}."
        )
    inner = getattr(optimizer, "inner_optimizer", optimizer)
    # Keras' own accumulation (3.15) knows nothing of parts and their divisors.
    if inner.gradient_accumulation_steps:
        raise ValueError(
            "Use `accumulate` here, not the optimizer's `gradient_accumulation_steps`. "
            f"Received: {inner.gradient_accumulation_steps}."
        )
    clips = inner.clipnorm, inner.global_clipnorm, inner.clipvalue
    if num_replicas > 1 and any(clips):
        raise ValueError(
            "Optimizers clip the gradients of each replica; use `clip_norm` here. "
            f"Received: {inner.name} with clipnorm, global_clipnorm, clipvalue={clips}."
        )
    # The first of each tells for all: they are made together.
    for variable in [model.trainable_variables[0], optimizer.variables[0]]:
        if not strategy.extended.variable_created_in_scope(variable.value):
            raise ValueError(
                "Make model and optimizer inside `with strategy.scope():`. "
                f"Received: {variable.path}, made outside of it."
            )
