"""Resizing by TensorFlow whose values are the same in other runtimes and under XLA.

`tf.image.resize` alone is not enough, measured with TensorFlow 2.21. Nearest pixels:
ONNX Runtime and OpenVINO round positions in another order, and take other pixels where
a position falls between two (96 columns to 97); XLA has no gradient. Bilinear: XLA is
wrong by as much as the values themselves where (H - 1) / (h - 1) is whole, as of 33 and
65 rows, because it lays the corners on each other; and with `align_corners` at pixels
that lie on a pixel of the source.
"""

import tensorflow as tf

from kerasseg import machine


def pick_nearest(x, size, training=False):
    """Pick the nearest pixels, those of `tf.image.resize`.

    Args:
        x: [N, h, w, C].
        size: int32 [2], H and W.
        training: whether the gradient matters more than other runtimes.

    Returns:
        [N, H, W, C] in the dtype of `x`.
    """
    compiled = machine.traces_for_xla()
    if training and not compiled:  # its gradient takes a fifth of the time
        return tf.image.resize(x, size, "nearest")
    rows, columns = (_nearest(tf.shape(x)[axis], size[axis - 1]) for axis in (1, 2))

    def pick(x):
        return tf.gather(tf.gather(x, rows, axis=1), columns, axis=2)

    if not compiled:
        return pick(x)

    @tf.custom_gradient
    def pick_for_xla(x):
        return pick(x), lambda gradient: _sum_copies(gradient, rows, columns, x)

    # Not everywhere: TensorFlow 2.21 keeps such a gradient, and with it the graph that
    # it was traced in, until the process ends.
    return pick_for_xla(x)


def interpolate(x, size, align_corners):
    """Interpolate bilinearly, as `tf.image.resize` or as TensorFlow 1's op.

    Args:
        x: [N, h, w, C].
        size: int32 [2], H and W.
        align_corners: see `kerasseg.layers.ResizeLike`.

    Returns:
        float32 [N, H, W, C].
    """
    if not machine.traces_for_xla():
        if align_corners:  # an option that `tf.image.resize` has no more
            return tf.raw_ops.ResizeBilinear(images=x, size=size, align_corners=True)
        return tf.image.resize(x, size)
    # As `tf.image.resize`, which answers in float32 whatever it is given.
    x = tf.cast(x, "float32")
    for axis, length in ((1, size[0]), (2, size[1])):
        x = _interpolate_axis(x, length, axis, align_corners)
    return x


def _nearest(source, length):
    """Index int32 [length] into `source` pixels; both are scalar tensors."""
    n, m = tf.cast(source, "float32"), tf.cast(length, "float32")
    scale = n / m
    # OpenVINO multiplies by 1 / m, which may round otherwise and move a centre over the
    # edge of a pixel (64 rows to 65). What is left of n, exact since both halves of the
    # scale times m are, corrects that, and is too small to change a right quotient.
    high = tf.floor(scale * 4096.0) / 4096.0
    scale += (n - high * m - (scale - high) * m) / m
    at = tf.cast((tf.range(length, dtype="float32") + 0.5) * scale, "int32")
    return tf.minimum(at, source - 1)


def _sum_copies(gradient, rows, columns, x):
    """Sum the gradients [N, H, W, C] of all copies of each pixel of x [N, h, w, C]."""
    n, height, width, channels = tf.unstack(tf.shape(x))
    at = (tf.range(n)[:, None] * height + rows)[..., None] * width + columns
    summed = tf.math.unsorted_segment_sum(
        tf.reshape(gradient, (-1, channels)), tf.reshape(at, (-1,)), n * height * width
    )
    return tf.reshape(summed, tf.shape(x))


def _interpolate_axis(x, length, axis, align_corners):
    source = tf.shape(x)[axis]
    at = tf.range(length, dtype="float32")
    if align_corners:
        at *= tf.cast(source - 1, "float32") / tf.cast(length - 1, "float32")
        at = tf.where(length > 1, at, 0.0)
    else:
        scale = tf.cast(source, "float32") / tf.cast(length, "float32")
        at = tf.maximum((at + 0.5) * scale - 0.5, 0.0)
    low = tf.minimum(tf.cast(at, "int32"), source - 1)
    weight = at - tf.cast(low, "float32")
    weight = tf.reshape(weight, [-1 if i == axis else 1 for i in range(4)])
    near = tf.gather(x, low, axis=axis)
    far = tf.gather(x, tf.minimum(low + 1, source - 1), axis=axis)
    return near + (far - near) * weight
