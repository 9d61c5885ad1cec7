"""The least size of images that a network without padding leaves something of."""

import keras


@keras.saving.register_keras_serializable("kerasseg")
class LeastSize(keras.layers.Layer):
    """Passes images on; smaller ones are an error that says so.

    That of a TensorFlow graph for images of unknown size is an InvalidArgumentError,
    all others are ValueErrors. (Keras would give maps without a pixel.)

    Args:
        pixels: rows and columns at least.
    """

    def __init__(self, pixels, **kwargs):
        super().__init__(**kwargs)
        self.pixels = pixels

    def call(self, x):
        sides = x.shape[1:3]
        self.check_size(sides)
        if None not in sides or keras.backend.backend() != "tensorflow":
            return x
        import tensorflow as tf

        given = tf.shape(x)[1:3]
        enough = tf.reduce_all(given >= self.pixels)
        # Of a graph for any size, only the values at run time can be checked.
        fits = tf.debugging.Assert(enough, [self._message("height, width:"), given])
        with tf.control_dependencies([fits]):
            return tf.identity(x)

    def compute_output_spec(self, x):
        self.check_size(x.shape[1:3])
        return keras.KerasTensor(x.shape, dtype=self.compute_dtype)

    def check_size(self, sides):
        """Refuse (height, width) below `pixels`; None where they are unknown."""
        if any(side is not None and side < self.pixels for side in sides):
            raise ValueError(self._message(f"{sides[0]} x {sides[1]}."))

    def _message(self, received):
        return (
            "Convolutions without padding need images of at least "
            f"{self.pixels} x {self.pixels} pixels: enlarge or mirror them, or build "
            f"the model with padding='same'. Received: {received}"
        )

    def get_config(self):
        return {**super().get_config(), "pixels": self.pixels}
