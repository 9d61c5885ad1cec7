"""Statistics of BatchNorm that move once per update, however a batch is divided."""

import keras
import tensorflow as tf


class BatchStatistics:
    """The moving averages that a step changes without a gradient.

    Slices of a batch, and replicas, each move the averages by their own mean and
    variance. Here every slice begins at the averages of the step before, and in the end
    they are what one batch of all images would have made of them: the mean of the
    means, and for variances also the variance of the means between the parts. Inside a
    network, features are still normalised part by part.

    Args:
        model: keras.Model.
    """

    def __init__(self, model):
        self.weights = _statistics(model)
        places = {id(weight): i for i, weight in enumerate(self.weights)}
        # Positions of mean and variance, and the share that a batch has in them.
        self._pairs = [
            (
                places[id(layer.moving_mean)],
                places[id(layer.moving_variance)],
                1 - layer.momentum,
            )
            for layer in _layers(model)
            if isinstance(layer, keras.layers.BatchNormalization)
            and id(layer.moving_mean) in places
            and layer.momentum < 1
        ]

    def read(self):
        """Their values on this replica."""
        return [tf.identity(weight.value) for weight in self.weights]

    def write(self, values):
        """Assign values on this replica."""
        for weight, value in zip(self.weights, values):
            weight.assign(value)

    def begin_sums(self):
        """Sums over no slice yet: of values, and of squared deviations of means."""
        values = [tf.zeros(weight.shape, weight.dtype) for weight in self.weights]
        return values, [tf.zeros_like(values[mean]) for mean, *_ in self._pairs]

    def add(self, sums, before):
        """Add the averages that a slice has left to sums, and take them back.

        Args:
            sums: of `begin_sums`.
            before: values of `read`, before any slice.
        """
        values, squares = sums
        left = self.read()
        self.write(before)
        squares = [
            square + tf.square(left[mean] - before[mean])
            for square, (mean, *_) in zip(squares, self._pairs)
        ]
        return [a + b for a, b in zip(values, left)], squares

    def of_slices(self, sums, before, num):
        """Averages after `num` slices as after one batch of them."""
        values, squares = sums
        values = [value / num for value in values]
        moved = [values[mean] - before[mean] for mean, *_ in self._pairs]
        between = [s / num - tf.square(m) for s, m in zip(squares, moved)]
        return self._with_variance_between(values, between)

    def share(self):
        """Give all replicas the averages of one batch over them; in replica context."""
        context = tf.distribute.get_replica_context()

        def mean(values):
            return context.all_reduce(tf.distribute.ReduceOp.MEAN, values)

        own = self.read()
        values = mean(own)
        between = [tf.square(own[i] - values[i]) for i, *_ in self._pairs]
        between = mean(between) if between else []
        self.write(self._with_variance_between(values, between))

    def _with_variance_between(self, values, between):
        # The means differ by their share of what the means of the parts differ by.
        values = list(values)
        for (_, variance, share), square in zip(self._pairs, between):
            values[variance] += tf.maximum(square, 0.0) / share
        return values


def _layers(model):
    """All layers, those inside other layers too."""
    return [layer for layer in model._flatten_layers() if layer is not model]


def _statistics(model):
    """Weights that training changes without a gradient: the averages of BatchNorm."""
    found = []
    for layer in model.layers:
        if isinstance(layer, keras.Model):
            found += _statistics(layer)
        elif layer.trainable:
            # Integers are the seeds of dropout.
            found += [w for w in layer.non_trainable_weights if "float" in w.dtype]
    return found
