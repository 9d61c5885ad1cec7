"""Averages of the weights of a model over its training: exponential, or plain (SWA)."""

import contextlib

import tensorflow as tf


class MovingAverages:
    """Averages of weights, and the exchange of the one for the other.

    Args:
        weights: list of keras.Variable to follow; [] averages nothing.
        decay: decay after many updates, see `update`; not used with `begin`.
        strategy: tf.distribute.Strategy of the weights.
        begin: number of updates after which a plain mean over all further ones begins;
            None for an exponential average.

    Attributes:
        weights: as given.
        values: list of tf.Variable, the averages, as long as `weights`.
        in_use: whether the model holds its averages now.
    """

    def __init__(self, weights, decay, strategy, *, begin=None):
        self.weights = list(weights)
        self.in_use = False
        self._decay = decay
        self._begin = begin
        self._strategy = strategy
        with strategy.scope():
            self.values = [
                tf.Variable(weight.numpy(), trainable=False) for weight in self.weights
            ]

    def update(self, num_updates):
        """Move the averages towards the weights; called while a step is traced.

        Args:
            num_updates: int scalar t, updates done before this one. The decay rises
                with it, min(decay, (1 + t) / (10 + t)), as in TensorFlow's
                ExponentialMovingAverage: otherwise the random initial weights would
                stay in the average for the first 1 / (1 - decay) steps. With `begin`
                the averages are the weights until then.
        """
        if not self.values:
            return
        fraction = self._fraction(tf.cast(num_updates, "float32"))
        for average, weight in zip(self.values, self.weights):
            self._strategy.extended.update(
                average, _move, args=(weight.value, fraction), group=False
            )

    def _fraction(self, t):
        """Share of update t in the averages."""
        if self._begin is not None:
            return 1.0 / tf.maximum(t - self._begin + 1, 1.0)
        # The rule of TensorFlow 1's ExponentialMovingAverage: a young average must
        # not be half the random start.
        return 1.0 - tf.minimum(self._decay, (1 + t) / (10 + t))

    @contextlib.contextmanager
    def swapped_in(self):
        """Let the weights hold their averages inside the block."""
        if not self.values or self.in_use:
            yield
            return
        # Copies, not swapped variables: compiled functions hold the variables they were
        # traced with.
        own = [weight.numpy() for weight in self.weights]
        self.in_use = True
        try:
            for weight, average in zip(self.weights, self.values):
                weight.assign(average.numpy())
            yield
        finally:
            for weight, value in zip(self.weights, own):
                weight.assign(value)
            self.in_use = False


def _move(average, weight, fraction):
    fraction = tf.cast(fraction, average.dtype)
    return average.assign_sub(fraction * (average - weight))
