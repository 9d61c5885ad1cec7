"""Atrous convolution, faster than TensorFlow's where kernels exceed the map."""

import keras
from keras import ops

from kerasseg import machine


@keras.saving.register_keras_serializable("kerasseg")
class AtrousConv2D(keras.layers.Conv2D):
    """Dilated convolution; arguments, weights and results are those of `Conv2D`.

    TensorFlow cuts the padded map into dilation^2 pieces, many times its size where it
    is small. So the outer rows and columns of the kernel are left out where they meet
    nothing but padding (a map no larger than the dilation), and oneDNN, which knows
    dilated convolutions and their gradients, gets them as they are.
    """

    def convolution_op(self, inputs, kernel):
        odd = all(taps % 2 for taps in self.kernel_size)
        if self.padding != "same" or self.data_format != "channels_last" or not odd:
            return super().convolution_op(inputs, kernel)
        used, dilation = [], []
        for length, taps, rate in zip(
            inputs.shape[1:3], self.kernel_size, self.dilation_rate
        ):
            margin = taps // 2
            reach = margin if length is None else min(margin, (length - 1) // rate)
            used.append(slice(margin - reach, margin + reach + 1))
            dilation.append(rate if reach else 1)  # one tap: nothing to dilate
        kernel = kernel[tuple(used)]
        if self.groups == 1 and _onednn():
            import tensorflow as tf

            inputs = tf.convert_to_tensor(inputs)
            return tf.nn.conv2d(inputs, kernel, 1, "SAME", dilations=dilation)
        return ops.conv(inputs, kernel, padding="same", dilation_rate=dilation)


def _onednn():
    backend = keras.backend.backend()
    return backend == "tensorflow" and machine.computes_with_onednn()
