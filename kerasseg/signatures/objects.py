"""Signatures of instance models: from images to boxes, classes, scores and masks."""

import tensorflow as tf

from kerasseg.detection.pasting import stretch_masks
from kerasseg.predict import forward, in_graph
from kerasseg.signatures.pixels import image_spec

OUTPUTS = {
    "boxes": "float32 [N, K, 4], (x1, y1, x2, y2) in pixels of the image",
    "classes": "int32 [N, K], -1 for padding",
    "scores": "float32 [N, K], best first",
    "masks": "float32 [N, K, h, w] in 0..1, to be resized to the image",
    "num": "int32 [N], how many were found",
    "sizes": "int32 [N, 2], height and width of the images (encoded only)",
}


def functions(model, max_pixels):
    """The signatures of an instance model, by name.

    Args:
        model: image -> dict of boxes, classes, scores, masks and num; of 3 channels.
        max_pixels: larger encoded images are refused.

    Returns:
        dict of "serving_default", "float" and "encoded".
    """
    floats = _of_floats(model)

    @tf.function(input_signature=[image_spec(model, tf.uint8)])
    def find_in_bytes(images):
        return floats(tf.cast(images, tf.float32))

    return {
        "serving_default": find_in_bytes,
        "float": floats,
        "encoded": _of_encoded(model, floats, max_pixels),
    }


def _of_floats(model):
    @tf.function(input_signature=[image_spec(model, tf.float32)])
    def find_in_floats(images):
        return dict(model(images, training=False))

    return find_in_floats


def _of_encoded(model, find, max_pixels):
    """The same on JPEG and PNG files of any sizes, which are resized inside."""
    height, width, channels = forward.input_shape(model)
    fitted = tf.TensorSpec([height, width, channels], tf.float32)
    inner = tf.TensorSpec([2], tf.int32)

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, name="image_bytes")])
    def find_in_encoded(image_bytes):
        sizes = in_graph.sizes_of(image_bytes, max_pixels)
        with tf.control_dependencies([sizes]):  # nothing is decoded unchecked
            files = tf.identity(image_bytes)
        images, inners = tf.map_fn(
            lambda data: _fit(in_graph.decode(data, channels), (height, width)),
            files,
            fn_output_signature=(fitted, inner),
        )
        found = find(images)
        factors = tf.cast(sizes, tf.float32) / tf.cast(inners, tf.float32)
        factors = tf.reverse(factors, [-1])  # (x, y)
        shares = tf.cast(inners, tf.float32) / tf.constant([height, width], tf.float32)
        return {
            **found,
            "boxes": found["boxes"] * tf.tile(factors, [1, 2])[:, None],
            "masks": stretch_masks(found["masks"], shares),
            "sizes": sizes,
        }

    return find_in_encoded


def _fit(image, size):
    """`predict.forward.fit` of an image whose size is known only when it is served."""
    given = tf.cast(tf.shape(image)[:2], tf.float64)
    factor = tf.reduce_min(tf.constant(size, tf.float64) / given)
    inner = tf.maximum(tf.cast(tf.round(given * factor), tf.int32), 1)
    image = tf.image.resize(tf.cast(image, tf.float32), inner, antialias=True)
    missing = tf.constant(size) - inner
    image = tf.pad(image, [[0, missing[0]], [0, missing[1]], [0, 0]])
    return tf.ensure_shape(image, [*size, image.shape[-1]]), inner
