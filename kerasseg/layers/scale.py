"""A trained factor per channel."""

import keras


@keras.saving.register_keras_serializable("kerasseg")
class ChannelScale(keras.layers.Layer):
    """Multiplies each channel by a weight of its own (LayerScale).

    Args:
        initial: the factors at the start; small ones let a deep residual network begin
            as the identity.

    Reference: Touvron et al., 2021, https://arxiv.org/abs/2103.17239
    """

    def __init__(self, initial=1.0, **kwargs):
        super().__init__(**kwargs)
        self.initial = initial

    def build(self, shape):
        constant = keras.initializers.Constant(self.initial)
        self.factors = self.add_weight(
            shape=(shape[-1],), initializer=constant, name="factors"
        )

    def call(self, x):
        return x * self.factors

    def get_config(self):
        return {**super().get_config(), "initial": self.initial}
