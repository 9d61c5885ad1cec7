"""What a SavedModel offers: TensorFlow functions from images to class ids."""

import tensorflow as tf

from kerasseg import inference

JPEG, PNG = b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n"


def of_floats(model):
    """Function from float images to class ids and confidence.

    Args:
        model: image -> logits [N, H, W, K], or a dict of outputs with "logits".

    Returns:
        tf.function with one argument, `images` float32 [N, H, W, C], raw values
        0..255. It returns a dict of "class_ids" int32 [N, H, W] and "confidence"
        float32 [N, H, W].
    """

    @tf.function(input_signature=[_image_spec(model, tf.float32)])
    def segment_floats(images):
        logits = inference.logits_of(model(images, training=False))
        return {
            "class_ids": inference.to_class_ids(logits),
            "confidence": inference.to_confidence(logits),
        }

    return segment_floats


def of_bytes(model, segment):
    """The same on `images` uint8 [N, H, W, C]; `segment` is from `of_floats`."""

    @tf.function(input_signature=[_image_spec(model, tf.uint8)])
    def segment_bytes(images):
        return segment(tf.cast(images, tf.float32))

    return segment_bytes


def _image_spec(model, dtype):
    return tf.TensorSpec([None, *inference.input_shape(model)], dtype, name="images")


def of_encoded(model, segment, max_pixels):
    """The same on `image_bytes` string [N], JPEG or PNG files.

    All images of a request must have one size, because their answers are one tensor.
    Like TensorFlow's decoders it ignores the EXIF orientation of a JPEG.

    Args:
        model: of 1 or 3 channels.
        segment: from `of_floats`.
        max_pixels: images above are refused before they are decoded.
    """
    height, width, channels = inference.input_shape(model)
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
            lambda data: _decode(data, channels), files, fn_output_signature=decoded
        )
        images = tf.ensure_shape(images, [None, height, width, channels])
        return segment(tf.cast(images, tf.float32))

    return segment_encoded


def _common_size(image_bytes, max_pixels):
    """Height and width of all images [2], from their headers, or an error."""
    num = tf.shape(image_bytes)[0]
    some = tf.debugging.Assert(num > 0, ["`image_bytes` must hold an image."])
    with tf.control_dependencies([some]):
        numbers = tf.range(num)
    sizes = tf.map_fn(
        lambda pair: _size(pair[0], pair[1], max_pixels),
        (image_bytes, numbers),
        fn_output_signature=tf.TensorSpec([2], tf.int32),
    )
    same = tf.debugging.Assert(
        tf.reduce_all(sizes == sizes[:1]),
        ["All images of a request must have one size. Received height, width:", sizes],
        summarize=16,
    )
    with tf.control_dependencies([same]):
        return tf.identity(sizes[0])


def _size(data, number, max_pixels):
    """Height and width in the header of file `number`: int32 [2]."""
    is_png = _starts_with(data, PNG)
    problem = ["`image_bytes` must be JPEG or PNG files. File", number, "is neither."]
    known = is_png | _starts_with(data, JPEG)
    with tf.control_dependencies([tf.debugging.Assert(known, problem)]):
        data = tf.identity(data)
    size = tf.cond(
        is_png,
        lambda: _png_size(data),
        lambda: tf.image.extract_jpeg_shape(data)[:2],
    )
    pixels = tf.reduce_prod(tf.cast(size, tf.float64))
    fits = (tf.reduce_min(size) > 0) & (pixels <= max_pixels)
    problem = [f"An image must have 1..{max_pixels} pixels. Received height, width:"]
    problem += [size, "in file", number]
    with tf.control_dependencies([tf.debugging.Assert(fits, problem)]):
        return tf.identity(size)


def _starts_with(data, mark):
    # Longer than any mark, so that substr never runs over the end.
    return tf.strings.substr(data + b"\0" * len(mark), 0, len(mark)) == mark


def _png_size(data):
    # Signature, length and name of the first chunk, then width and height.
    header = tf.strings.substr(data + b"\0" * 24, 16, 8)
    return tf.io.decode_raw(header, tf.int32, little_endian=False)[::-1]


def _decode(data, channels):
    """uint8 [H, W, channels], the same pixels as other decoders give."""

    def jpeg():
        # TensorFlow's default is a faster, less exact transform.
        method = "INTEGER_ACCURATE"
        return tf.io.decode_jpeg(data, channels=channels, dct_method=method)

    def png():
        return tf.io.decode_png(data, channels=channels)

    return tf.cond(_starts_with(data, PNG), png, jpeg)
