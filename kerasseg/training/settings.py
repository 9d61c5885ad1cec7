"""The options of a training step, and what they refuse."""

import dataclasses


@dataclasses.dataclass(frozen=True)
class Settings:
    """The checked numbers of a `TrainStep`; see `make_train_step`."""

    loss_weights: dict
    accumulate: int
    clip_norm: float | None
    ema_decay: float | None
    jit_compile: bool
    skip_non_finite: bool
    num_replicas: int

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
        if self.jit_compile and self.num_replicas > 1:
            raise ValueError(
                "`jit_compile` works on one device only. "
                f"Received: a strategy of {self.num_replicas} replicas."
            )


def check(model, optimizer, strategy):
    """Refuse what would train wrongly or fail late."""
    if not model.built or not model.trainable_variables:
        raise ValueError(
            "The model must be built and have trainable weights. "
            f"Received: {model.name!r}, built={model.built}."
        )
    inner = getattr(optimizer, "inner_optimizer", optimizer)
    if inner.gradient_accumulation_steps:
        raise ValueError(
            "Use `accumulate` here, not the optimizer's `gradient_accumulation_steps`. "
            f"Received: {inner.gradient_accumulation_steps}."
        )
    clips = inner.clipnorm, inner.global_clipnorm, inner.clipvalue
    if strategy.num_replicas_in_sync > 1 and any(clips):
        raise ValueError(
            "Optimizers clip the gradients of each replica; use `clip_norm` here. "
            f"Received: {inner.name} with clipnorm, global_clipnorm, clipvalue={clips}."
        )
    for variable in [model.trainable_variables[0], optimizer.variables[0]]:
        if not strategy.extended.variable_created_in_scope(variable.value):
            raise ValueError(
                "Make model and optimizer inside `with strategy.scope():`. "
                f"Received: {variable.path}, made outside of it."
            )
