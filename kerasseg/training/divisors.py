"""Counts of objects by which an objective divides, over slices and replicas."""

import inspect

import tensorflow as tf


def takes_divide(function):
    """Whether an objective makes its means over objects by an argument `divide`."""
    return "divide" in inspect.signature(function).parameters


class Counted:
    """A `divide` that only notes the counts, in the order of the calls."""

    def __init__(self):
        self.counts = []

    def __call__(self, total, count):
        # No gradient through a count: it weighs the loss, and must not become a way to
        # lower it.
        self.counts.append(tf.stop_gradient(tf.cast(count, "float32")))
        return total


class Divisors:
    """A `divide` by counts of the whole batch.

    Args:
        share: images of this part of the batch / images of the batch. Terms are
            multiplied by it afterwards, which must not happen to these means.
        totals: float32 [T], counts of the whole batch in the order of the calls; None
            adds those of the replicas up.
    """

    def __init__(self, share, totals=None):
        self._share = share
        self._totals = totals
        self._position = 0

    def __call__(self, total, count):
        if self._totals is None:
            whole = sum_of_replicas(tf.stop_gradient(tf.cast(count, "float32")))
        else:
            whole = self._totals[self._position]
            self._position += 1
        return total / (tf.maximum(whole, 1.0) * self._share)


def sum_of_replicas(value):
    """Sum over replicas, in their context."""
    context = tf.distribute.get_replica_context()
    # A reduction over one replica would still cost a collective operation.
    if context.num_replicas_in_sync == 1:
        return value
    return context.all_reduce(tf.distribute.ReduceOp.SUM, value)
