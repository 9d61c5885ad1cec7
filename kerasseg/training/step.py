"""One optimizer update as one compiled function, on one device or several."""

import keras
import tensorflow as tf

from kerasseg import machine
from kerasseg.training import variable_names
from kerasseg.training.averages import MovingAverages
from kerasseg.training.batch_statistics import BatchStatistics
from kerasseg.training.gradients import Gradients
from kerasseg.training.objective import Objective
from kerasseg.training.options import StepOptions, check
from kerasseg.training.state import State


def make_train_step(model, loss, optimizer, *, options=None, strategy=None):
    """Make the function that trains a model on one batch.

    The loss of a batch is the mean of its images' losses, plus `model.losses` (weight
    decay of regularisers). Under the policy mixed_float16 the optimizer is wrapped in
    a keras LossScaleOptimizer.

    Args:
        model: built keras.Model: images -> logits, or a dict of them. Freeze layers
            before this call, not after.
        loss: keras Loss whose `call` returns [N] (or [N, ...], averaged), or a function
            (labels, logits) that does. A keras Loss gets float32 labels, as in `fit`;
            its `reduction` is not used; one with `ignore_class` is divided by the
            pixels of the batch that it counts. Or an `Objective`, for models whose
            losses are no functions of labels and outputs.
        optimizer: keras optimizer for this model.
        options: StepOptions; None takes the defaults.
        strategy: tf.distribute.Strategy; the current one when None. Model and
            optimizer must have been made in its scope.

    Returns:
        TrainStep.

    Raises:
        ValueError: if an argument is out of range, or made in another scope.

    Example:
        >>> layers = [keras.Input((8, 8, 3)), keras.layers.Conv2D(2, 1)]
        >>> model = keras.Sequential(layers)
        >>> loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        >>> step = make_train_step(model, loss, keras.optimizers.SGD(0.1))
        >>> logs = step(tf.zeros([2, 8, 8, 3]), tf.zeros([2, 8, 8], "int32"))
        >>> round(float(logs["loss"]), 3), step.position
        (0.693, 1)
    """
    machine.advise_onednn()
    strategy = strategy or tf.distribute.get_strategy()
    options = options or StepOptions()
    check(model, optimizer, options, strategy)
    return TrainStep(model, loss, optimizer, options, strategy)


class TrainStep:
    """A compiled training step, and all the state that it changes.

    Made by `make_train_step`. Call it with (images, labels): arrays, tensors, or values
    of a dataset distributed by the strategy. One trace serves all batches of one shape.

    Attributes:
        model: the model that it trains.
        optimizer: as given, or wrapped for mixed_float16.
        strategy: tf.distribute.Strategy it runs on.
        options: StepOptions.
        variables: dict name -> variable, everything that a checkpoint must hold. The
            names do not depend on what else the process has built.
    """

    def __init__(self, model, loss, optimizer, options, strategy):
        self.model = model
        self.options = options
        self.strategy = strategy
        self._num_replicas = strategy.num_replicas_in_sync
        self._weights = list(model.trainable_variables)
        with strategy.scope():
            self.optimizer = _loss_scaled(optimizer, model)
            # Now, not in the first step: a checkpoint is loaded before that.
            if not self.optimizer.built:
                self.optimizer.build(self._weights)
            self._statistics = BatchStatistics(model)
            self._position = tf.Variable(0, dtype="int64", trainable=False)
            seed_generator = None
            if isinstance(loss, Objective):
                seed_generator = keras.random.SeedGenerator(loss.seed)
        followed = [*self._weights, *self._statistics.weights]
        followed = followed if options.averages else []
        self._averages = MovingAverages(
            followed, options.ema_decay, strategy, begin=options.swa_begin
        )
        # The name is part of the format of checkpoints.
        seeds = {"draws": seed_generator.state} if seed_generator else {}
        self.variables = {
            "step": self._position,
            **seeds,
            **variable_names.of_model(model),
            **variable_names.of_optimizer(self.optimizer, self._weights, model),
            **variable_names.of_weights(
                followed, model, self._averages.values, "average"
            ),
        }
        trained = {id(weight) for weight in self._weights}
        state = [v.value for v in model.variables if id(v) not in trained]
        state += [seed.value for seed in seeds.values()]
        self._state = State(state, strategy)
        self._gradients = Gradients(
            model,
            loss,
            self.optimizer,
            options,
            strategy,
            state=(self._statistics, self._state),
            seed_generator=seed_generator,
        )
        self._function = tf.function(
            self._run,
            autograph=False,
            reduce_retracing=True,
            jit_compile=options.jit_compile or None,
        )

    @property
    def position(self):
        """The global step: number of batches trained on so far, int."""
        return int(self._position.numpy())

    def __call__(self, images, labels):
        """Train on one batch.

        Args:
            images: [N, H, W, C], raw 0..255.
            labels: [N, H, W] class ids, or other targets of the loss, dicts too.

        Returns:
            dict of scalar tensors: "loss", "grad_norm" (before clipping),
            "learning_rate", "images" (N over all devices) and "failed": True when the
            loss or the gradient was not finite, and therefore nothing has changed
            (BatchNorm statistics and dropout seeds included); the terms of an
            objective. Reading a value waits for the device: read them one step late.
        """
        if self._averages.in_use:
            raise RuntimeError(
                "The model holds its averaged weights now: train outside of "
                "`with step.averaged_weights():`."
            )
        if self._num_replicas > 1:
            images, labels = self._split((images, labels))
        return self._function(images, labels)

    def averaged_weights(self):
        """Context in which the model holds the averages of its weights.

        Without `ema_decay` or `swa_begin` nothing happens.
        """
        return self._averages.swapped_in()

    def _split(self, batch):
        """Divide a batch of arrays among the replicas; leave a distributed one."""
        leaves = tf.nest.flatten(batch)
        if any(isinstance(leaf, tf.distribute.DistributedValues) for leaf in leaves):
            return batch
        replicas, size = self._num_replicas, len(leaves[0])
        if size % replicas:
            raise ValueError(
                f"The batch must divide among {replicas} replicas. "
                f"Received: {size} images."
            )

        def part(context):
            first = context.replica_id_in_sync_group * size // replicas
            last = first + size // replicas
            return tf.nest.map_structure(lambda x: tf.constant(x[first:last]), batch)

        return self.strategy.experimental_distribute_values_from_function(part)

    def _run(self, images, labels):
        """Trace one step; runs in the cross-replica context of the strategy."""
        strategy = self.strategy
        with strategy.scope():
            # The forward pass changes BatchNorm statistics and dropout seeds at once;
            # a step that is not finite takes them back from these copies.
            state = self._state.copy()
            logs = self._gradients(images, labels)
            gradients = logs.pop("gradients")
            if self._num_replicas > 1 and self._statistics.weights:
                # Workers that keep statistics of their own would validate differently,
                # and one would stop when the others go on.
                strategy.run(self._statistics.share)
            logs["learning_rate"] = tf.convert_to_tensor(self.optimizer.learning_rate)
            usable = tf.math.is_finite(logs["loss"]) & self._can_apply(logs)
            tf.cond(
                usable, lambda: self._update(gradients), lambda: self._restore(state)
            )
        return {**logs, "failed": ~usable}

    def _can_apply(self, logs):
        """Whether the optimizer may see this gradient."""
        finite = tf.math.is_finite(logs["grad_norm"])
        if isinstance(self.optimizer, keras.optimizers.LossScaleOptimizer):
            # It answers an overflow by a smaller scale; at 1 there is none to blame.
            finite |= tf.cast(self.optimizer.scale_loss(1.0), "float32") > 1.0
        return finite

    def _update(self, gradients):
        with machine.gradients_are_forgotten():
            self.strategy.run(self._apply, (gradients,))
        self._averages.update(self._position)
        self._position.assign_add(1)
        return tf.constant(True)

    def _apply(self, gradients):
        # The optimizer sums over the replicas too. It cannot be told not to, and the
        # sum is needed earlier: the norm must be that of the whole gradient.
        if self._num_replicas > 1:
            gradients = [g / self._num_replicas for g in gradients]
        self.optimizer.apply(gradients, self._weights)

    def _restore(self, state):
        self._state.restore(state)
        if self.options.skip_non_finite:
            self._position.assign_add(1)
        return tf.constant(False)


def _loss_scaled(optimizer, model):
    """Wrap the optimizer when some layer computes in float16.

    Gradients below 6e-8, the smallest float16, would be 0 without a loss scale.
    """
    scaled = isinstance(optimizer, keras.optimizers.LossScaleOptimizer)
    float16 = any(x.compute_dtype == "float16" for x in [model, *model.layers])
    if float16 and not scaled:
        return keras.optimizers.LossScaleOptimizer(optimizer)
    return optimizer
