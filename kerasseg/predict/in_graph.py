"""Image files inside a graph: their sizes from the header, and their pixels."""

import tensorflow as tf

JPEG, PNG = b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n"


def sizes_of(image_bytes, max_pixels):
    """Height and width of each file, from its header.

    Args:
        image_bytes: string [N], JPEG or PNG files.
        max_pixels: larger ones are refused, before they are decoded.

    Returns:
        int32 [N, 2]. Files that are neither, and an empty list, raise an
        InvalidArgumentError that says so when they are served.
    """
    num = tf.shape(image_bytes)[0]
    some = tf.debugging.Assert(num > 0, ["`image_bytes` must hold an image."])
    with tf.control_dependencies([some]):
        numbers = tf.range(num)
    return tf.map_fn(
        lambda pair: _size(pair[0], pair[1], max_pixels),
        (image_bytes, numbers),
        fn_output_signature=tf.TensorSpec([2], tf.int32),
    )


def decode(data, channels):
    """uint8 [H, W, channels], the same pixels as other decoders give."""

    def jpeg():
        # TensorFlow's default is a faster, less exact transform.
        method = "INTEGER_ACCURATE"
        return tf.io.decode_jpeg(data, channels=channels, dct_method=method)

    def png():
        return tf.io.decode_png(data, channels=channels)

    return tf.cond(_starts_with(data, PNG), png, jpeg)


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
