"""Image files into a model, inside a graph: the pixels that `read_image` gives."""

import tensorflow as tf

from kerasseg.images import values
from kerasseg.predict import forward

JPEG, PNG = b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n"
# OpenCV's grey of red, green and blue, in 1 / 32768. The decoders have others.
GREY = (9798, 19235, 3735)


def files_spec():
    """Shape and dtype of a batch of image files."""
    return tf.TensorSpec([None], tf.string, name="image_bytes")


def of_encoded(model, floats, max_pixels, value_range=None):
    """Answers of a function of images for `image_bytes` string [N], JPEG or PNG files.

    All images of a request must have one size, because their answers are one tensor.
    Like TensorFlow's decoders it ignores the EXIF orientation of a JPEG.

    Args:
        model: of 1 or 3 channels.
        floats: from `in_graph.of_floats`.
        max_pixels: images above are refused before they are decoded.
        value_range: as of `decode`.
    """
    height, width, channels = forward.input_shape(model)
    decoded = tf.TensorSpec([None, None, channels], tf.float32)

    @tf.function(input_signature=[files_spec()])
    def of_image_files(image_bytes):
        size = _common_size(image_bytes, max_pixels)
        wanted = [
            given if given else size[i] for i, given in enumerate((height, width))
        ]
        problem = ["The model takes only", wanted, "px. Received height, width:", size]
        fits = tf.debugging.Assert(tf.reduce_all(size == tf.stack(wanted)), problem)
        # No file is decoded before all sizes have been checked.
        with tf.control_dependencies([fits]):
            files = tf.identity(image_bytes)
        images = tf.map_fn(
            lambda data: decode(data, channels, value_range),
            files,
            fn_output_signature=decoded,
        )
        # map_fn loses the static size that a model of fixed size needs.
        return floats(tf.ensure_shape(images, [None, height, width, channels]))

    return of_image_files


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


def decode(data, channels, value_range=None):
    """Pixels of a file in 0..255, the same as `images.scale` of `read_image` gives.

    Args:
        data: string, a JPEG or PNG file.
        channels: 1 or 3.
        value_range: (black, white) of the data that a model was trained on; None for
            what the numbers say. PNG files of 16 bits may hold fewer, and are refused
            where neither tells.

    Returns:
        float32 [H, W, channels].
    """

    def png(dtype):
        pixels = tf.io.decode_png(data, channels=3, dtype=dtype)
        return _scaled(_in_channels(pixels, channels), dtype, value_range)

    def jpeg():
        # TensorFlow's default (2.21) is a faster, less exact transform.
        method = "INTEGER_ACCURATE"
        pixels = tf.io.decode_jpeg(data, channels=3, dct_method=method)
        return _scaled(_in_channels(pixels, channels), "uint8", value_range)

    # After signature, length, name and sides: the bits of a channel.
    is_word = tf.strings.substr(data + b"\0" * 25, 24, 1) == b"\x10"
    # Not tf.io.decode_image, whose result has no static rank: a GIF is a film.
    return tf.cond(
        _starts_with(data, PNG),
        lambda: tf.cond(is_word, lambda: png("uint16"), lambda: png("uint8")),
        jpeg,
    )


def _in_channels(pixels, channels):
    """int32 [H, W, channels] of unsigned RGB; grey of equal ones is what they are."""
    pixels = tf.cast(pixels, tf.int32)
    if channels == 3:
        return pixels
    total = tf.reduce_sum(pixels * tf.constant(GREY), axis=-1, keepdims=True)
    return (total + 16384) // 32768


def _scaled(pixels, dtype, value_range):
    """Pixels in 0..255, or an error where their range is not known or another."""
    found = values.range_of_dtype(dtype, value_range)
    as_float = tf.cast(pixels, tf.float32)
    if found == values.BYTE and dtype == "uint8":
        return as_float
    low, high = tf.reduce_min(as_float), tf.reduce_max(as_float)
    if found is None:
        black, white = values.WORD
        fits = (high >= values.DIM) | (high == 0)
        problem = ["A PNG of 16 bits may hold fewer, and the model knows no range:"]
        problem += ["send 8 bits, or use all 16. Largest number:", high]
    else:
        black, white = found
        slack = values.SLACK * (white - black)
        fits = (low >= black - slack) & (high <= white + slack)
        problem = ["Images must be within the range of the model's data", [*found]]
        problem += ["Received numbers from, to:", low, high]
    with tf.control_dependencies([tf.debugging.Assert(fits, problem)]):
        return (as_float - black) * 255.0 / (white - black)


def _common_size(image_bytes, max_pixels):
    """Height and width of all images [2], from their headers, or an error."""
    sizes = sizes_of(image_bytes, max_pixels)
    same = tf.debugging.Assert(
        tf.reduce_all(sizes == sizes[:1]),
        ["All images of a request must have one size. Received height, width:", sizes],
        summarize=16,  # the default shows three numbers
    )
    # In a graph an Assert holds back only what is made to depend on it.
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
    # The product of two int32 could overflow.
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
