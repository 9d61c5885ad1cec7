"""Variables that a forward pass changes, and taking the change back."""

import tensorflow as tf


class State:
    """Variables that change without a gradient: BatchNorm's averages, seeds.

    Args:
        variables: tf.Variables.
        strategy: tf.distribute.Strategy; call the methods in its cross-replica context.
    """

    def __init__(self, variables, strategy):
        self._variables = variables
        self._strategy = strategy

    def copy(self):
        """Their values, per replica."""
        return self._strategy.run(lambda: [tf.identity(v) for v in self._variables])

    def restore(self, values):
        """Give them the values of `copy` again."""
        for variable, value in zip(self._variables, values):
            self._strategy.extended.update(
                variable, lambda v, old: v.assign(old), args=(value,), group=False
            )
