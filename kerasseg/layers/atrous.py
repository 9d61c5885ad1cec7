"""Atrous convolutions, faster than TensorFlow's where kernels exceed the map."""

import keras
from keras import ops

from kerasseg import machine


@keras.saving.register_keras_serializable("kerasseg")
class AtrousConv2D(keras.layers.Conv2D):
    """Dilated convolution; arguments, weights and results are those of `Conv2D`.

    TensorFlow cuts the padded map into dilation^2 pieces, many times its size where it
    is small. So the outer rows and columns of the kernel are left out where they meet
    nothing but padding (a map no larger than the dilation), and oneDNN, which knows
    dilated convolutions and their gradients, gets them as they are. So do files of
    other runtimes.
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
        if self.groups == 1 and _is_known_as_it_is():
            import tensorflow as tf

            inputs = tf.convert_to_tensor(inputs)
            return tf.nn.conv2d(inputs, kernel, 1, "SAME", dilations=dilation)
        return ops.conv(inputs, kernel, padding="same", dilation_rate=dilation)


@keras.saving.register_keras_serializable("kerasseg")
class AtrousDepthwiseConv2D(keras.layers.DepthwiseConv2D):
    """Dilated depthwise convolution; in all that of `DepthwiseConv2D`.

    Files of other runtimes get it as one operation instead of TensorFlow's pieces.
    TensorFlow cannot compute that operation everywhere, nor its gradients anywhere.
    """

    def call(self, inputs):
        is_plain = self.strides == (1, 1) and self.data_format == "channels_last"
        if not (machine.converts() and is_plain):
            return super().call(inputs)
        import tensorflow as tf

        outputs = tf.raw_ops.DepthwiseConv2dNative(
            input=inputs,
            filter=tf.convert_to_tensor(self.kernel),
            strides=[1, 1, 1, 1],
            padding=self.padding.upper(),
            dilations=[1, *self.dilation_rate, 1],
        )
        outputs = outputs + self.bias if self.use_bias else outputs
        return self.activation(outputs)


def _is_known_as_it_is():
    onednn = keras.backend.backend() == "tensorflow" and machine.computes_with_onednn()
    return onednn or machine.converts()
