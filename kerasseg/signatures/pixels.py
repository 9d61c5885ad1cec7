"""Signatures of models of class maps: from images to class ids."""

import tensorflow as tf

from kerasseg.predict import forward, in_graph

OUTPUTS = {"class_ids": "int32 [N, H, W]", "confidence": "float32 [N, H, W]"}


def functions(model, max_pixels, floats=None):
    """The signatures of a model of class maps, by name.

    Args:
        model: image -> logits [N, H, W, K], or a dict of outputs with "logits".
        max_pixels: larger encoded images are refused.
        floats: function from float images to a dict; None for `of_floats`.

    Returns:
        dict of "serving_default", "float" and, for 1 or 3 channels, "encoded".
    """
    floats = of_floats(model) if floats is None else floats
    found = {"serving_default": of_bytes(model, floats), "float": floats}
    if forward.input_shape(model)[-1] in (1, 3):
        found["encoded"] = of_encoded(model, floats, max_pixels)
    return found


def of_floats(model):
    """Function from float images to class ids and confidence.

    Args:
        model: image -> logits [N, H, W, K], or a dict of outputs with "logits".

    Returns:
        tf.function with one argument, `images` float32 [N, H, W, C], raw values
        0..255. It returns a dict of "class_ids" int32 [N, H, W] and "confidence"
        float32 [N, H, W].
    """

    @tf.function(input_signature=[image_spec(model, tf.float32)])
    def segment_floats(images):
        logits = forward.logits_of(model(images, training=False))
        return {
            "class_ids": forward.to_class_ids(logits),
            "confidence": forward.to_confidence(logits),
        }

    return segment_floats


def of_bytes(model, segment):
    """The same on `images` uint8 [N, H, W, C]; `segment` is from `of_floats`."""

    @tf.function(input_signature=[image_spec(model, tf.uint8)])
    def segment_bytes(images):
        return segment(tf.cast(images, tf.float32))

    return segment_bytes


def image_spec(model, dtype):
    """What a batch of images of a model's size looks like."""
    return tf.TensorSpec([None, *forward.input_shape(model)], dtype, name="images")


def of_encoded(model, segment, max_pixels):
    """The same on `image_bytes` string [N], JPEG or PNG files.

    All images of a request must have one size, because their answers are one tensor.
    Like TensorFlow's decoders it ignores the EXIF orientation of a JPEG.

    Args:
        model: of 1 or 3 channels.
        segment: from `of_floats`.
        max_pixels: images above are refused before they are decoded.
    """
    height, width, channels = forward.input_shape(model)
    decoded = tf.TensorSpec([None, None, channels], tf.uint8)

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, name="image_bytes")])
    def segment_encoded(image_bytes):
        size = _common_size(image_bytes, max_pixels)
        wanted = [
            given if given else size[i] for i, given in enumerate((height, width))
        ]
        problem = ["The model takes only", wanted, "px. Received height, width:", size]
        fits = tf.debugging.Assert(tf.reduce_all(size == tf.stack(wanted)), problem)
        with tf.control_dependencies([fits]):
            files = tf.identity(image_bytes)
        images = tf.map_fn(
            lambda data: in_graph.decode(data, channels),
            files,
            fn_output_signature=decoded,
        )
        images = tf.ensure_shape(images, [None, height, width, channels])
        return segment(tf.cast(images, tf.float32))

    return segment_encoded


def _common_size(image_bytes, max_pixels):
    """Height and width of all images [2], from their headers, or an error."""
    sizes = in_graph.sizes_of(image_bytes, max_pixels)
    same = tf.debugging.Assert(
        tf.reduce_all(sizes == sizes[:1]),
        ["All images of a request must have one size. Received height, width:", sizes],
        summarize=16,
    )
    with tf.control_dependencies([same]):
        return tf.identity(sizes[0])
