"""Normalisation of images (fixed numbers) and of features (batch statistics)."""

import warnings

import keras
import numpy as np
from keras import ops

from kerasseg import machine
from kerasseg.layers import folding

STEP = 4  # pixels between those that are looked at


@keras.saving.register_keras_serializable("kerasseg")
class Normalize(keras.layers.Layer):
    """Maps raw pixels to what an encoder expects: (x - mean) / std per channel.

    Computes in float32 and only then casts to the compute dtype, because bfloat16
    would already round the quotients' ingredients.

    Args:
        mean: number, or one number per channel, in the units of the pixels (0..255).
            Images of another channel count are shifted by the average.
        std: likewise, positive.
    """

    def __init__(self, mean=0.0, std=255.0, **kwargs):
        super().__init__(autocast=False, **kwargs)
        self.mean = mean
        self.std = std

    def call(self, image, training=False):
        if training:
            machine.look_at(_warn_of_unit_range, image[:, ::STEP, ::STEP])
        mean, std = (
            ops.convert_to_tensor(value, dtype="float32")
            if np.size(value) in (1, image.shape[-1])
            else float(np.mean(value))
            for value in (self.mean, self.std)
        )
        return ops.cast((ops.cast(image, "float32") - mean) / std, self.compute_dtype)

    def compute_output_spec(self, image, training=False):
        return keras.KerasTensor(image.shape, dtype=self.compute_dtype)

    def get_config(self):
        return {**super().get_config(), "mean": self.mean, "std": self.std}


def _warn_of_unit_range(images):
    """Warn of floats in 0..1 or -1..1, whose fractions tell that they are not dark."""
    if np.abs(images).max(initial=0) <= 1.01 and (images != np.round(images)).any():
        warnings.warn(
            "Images to train on are within -1..1, but models take 0..255, and get it "
            "from predict and evaluate: multiply by 255, or "
            "`kerasseg.images.scale(images, (black, white))`.",
            stacklevel=2,
        )


@keras.saving.register_keras_serializable("kerasseg")
class BatchNormalization(keras.layers.BatchNormalization):
    """Keras' batch normalisation, computed by TensorFlow's fused kernel.

    Same variables, configuration and results (to rounding, 2e-6) as the layer of
    Keras, which computes moments and scaling as a chain of element-wise ops, and
    casts bfloat16 features to float32 on the way. Falls back to that layer for other
    backends, ranks and options.

    The kernel returns the unbiased variance of the batch; Keras, like the paper's
    training formula, averages the biased one, so the factor n / (n - 1) is undone.

    Reference: Ioffe & Szegedy, 2015, https://arxiv.org/abs/1502.03167
    """

    def call(self, inputs, training=None, mask=None):
        if not self._can_fuse(inputs, mask):
            return super().call(inputs, training=training, mask=mask)
        import tensorflow as tf

        # As in Keras, a frozen layer uses its moving statistics in training, too.
        batch_statistics = bool(training and self.trainable)
        # For one image the oneDNN of TensorFlow 2.21 computes the kernel, once fused
        # into the convolution before, 16 times as long as for two
        # (benchmarks/README.md).
        float32 = keras.backend.standardize_dtype(inputs.dtype) == "float32"
        if not batch_statistics and float32 and machine.computes_with_onednn():
            scale = tf.math.rsqrt(self.moving_variance + self.epsilon)
            scale = scale * self.gamma if self.scale else scale
            offset = -self.moving_mean * scale
            offset = offset + self.beta if self.center else offset
            return folding.scale_and_shift(inputs, scale, offset)
        channels = inputs.shape[-1]
        outputs, mean, variance, *_ = tf.raw_ops.FusedBatchNormV3(
            x=inputs,
            scale=self.gamma if self.scale else tf.ones([channels]),
            offset=self.beta if self.center else tf.zeros([channels]),
            # The kernel takes no statistics in training: it wants empty arrays then.
            mean=tf.zeros([0]) if batch_statistics else self.moving_mean,
            variance=tf.zeros([0]) if batch_statistics else self.moving_variance,
            epsilon=self.epsilon,
            is_training=batch_statistics,
        )
        if batch_statistics:
            count = tf.cast(tf.size(inputs) // channels, tf.float32)
            # The kernel divides by n - 1, and by 1 where there is a single value.
            biased = variance * tf.maximum(count - 1.0, 1.0) / count
            self._move(self.moving_mean, mean)
            self._move(self.moving_variance, biased)
        return outputs

    def _can_fuse(self, inputs, mask):
        return (
            keras.backend.backend() == "tensorflow"
            and len(inputs.shape) == 4
            and self.axis in (-1, 3)
            and mask is None
            and not self.renorm
            and not self.synchronized
            and keras.backend.standardize_dtype(inputs.dtype)
            in ("float32", "bfloat16", "float16")
        )

    def _move(self, average, value):
        average.assign(average * self.momentum + value * (1.0 - self.momentum))


def synchronize(model):
    """Let every BatchNormalization of a model average over all replicas.

    Costs three reductions per layer and the fused kernel, and matters where a device
    holds few images: detection, large crops. Call it before the first training step.

    Args:
        model: keras.Model; changed in place, nested models too.
    """
    for layer in model.layers:
        if isinstance(layer, keras.Model):
            synchronize(layer)
        elif isinstance(layer, keras.layers.BatchNormalization):
            layer.synchronized = True
