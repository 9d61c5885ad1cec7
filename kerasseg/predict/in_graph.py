"""Images and image files into a model, inside a graph: for SavedModels and others."""

import tensorflow as tf

from kerasseg.images.values import check_range
from kerasseg.predict import forward
from kerasseg.predict.activations import call
from kerasseg.predict.strides import continuation, multiple

BYTE = (0, 255)  # the numbers that models take
JPEG, PNG = b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n"


def functions(model, answer, max_pixels):
    """Signatures of a model that takes images of any size, or of one.

    Args:
        model: keras.Model, image -> outputs.
        answer: function of its outputs to a dict of tensors.
        max_pixels: larger encoded images are refused before they are decoded.

    Returns:
        dict of TensorFlow functions: "serving_default" of `images` uint8 [N, H, W, C],
        "float" of `images` float32, the same values 0..255, and, for 1 or 3 channels,
        "encoded" of `image_bytes` string [N], JPEG or PNG files of one size.
    """
    floats = of_floats(model, answer)
    found = {"serving_default": of_bytes(model, floats), "float": floats}
    if forward.input_shape(model)[-1] in (1, 3):
        found["encoded"] = of_encoded(model, floats, max_pixels)
    return found


def of_floats(model, answer):
    """`answer` of the outputs for `images` float32 [N, H, W, C], raw values 0..255."""

    @tf.function(input_signature=[image_spec(model, tf.float32)])
    def of_float_images(images):
        return extended(model, of_model_size(model, images), answer)

    return of_float_images


def extended(model, images, answer):
    """`answer` of a model's outputs for images that are continued as predictions do.

    See `preprocessing.extend`. What is added is cut off the answer's maps.

    Args:
        model: keras.Model, image -> outputs.
        images: float32 [N, H, W, C].
        answer: function of outputs to a dict of tensors.
    """
    wanted = forward.input_shape(model)[:2]
    static, given = images.shape[1:3], tf.unstack(tf.shape(images)[1:3])
    given = [n or given[i] for i, n in enumerate(static)]
    step = multiple(model)
    # By sums of positive numbers: ONNX divides negative ones otherwise.
    sides = [want or (n + step - 1) // step * step for want, n in zip(wanted, given)]
    if step == 1 or (all(static) and sides == given):
        return answer(call(model, images))
    for axis, (side, n) in enumerate(zip(sides, given), 1):
        # By a gather: `tf.pad` does neither repeat the last row nor mirror more than
        # there is, and other runtimes lack more.
        places = _continued(tf.range(side), n, continuation(model))
        images = tf.gather(images, places, axis=axis)
    images = tf.ensure_shape(images, [None, *wanted, images.shape[-1]])

    def cut(values):
        if values.shape.rank < 3:
            return values
        # Maps may be smaller than images: StarDist's have a grid.
        found = tf.unstack(tf.shape(values)[1:3])
        rows, columns = (
            (n * m + side - 1) // side for n, m, side in zip(given, found, sides)
        )
        return values[:, :rows, :columns]

    return tf.nest.map_structure(cut, answer(call(model, images)))


def _continued(places, num, mode):
    """Rows, of so many, that stand at these places, as numpy.pad has it."""
    if mode == "edge":
        return tf.minimum(places, num - 1)
    there_and_back = tf.maximum(2 * (num - 1), 1)
    places = places % there_and_back
    return tf.minimum(places, there_and_back - places)


def of_model_size(model, images):
    """`images`; others than a model of fixed size takes are an error that says it."""
    shape = forward.input_shape(model)
    if shape[:2] == (None, None):
        return images
    # The shape that the signature states would let the optimizer drop the check.
    unknown = tf.raw_ops.PlaceholderWithDefault(input=images, shape=[None] * 4)
    given = tf.shape(unknown)[1:]
    wanted = tf.stack([n or given[i] for i, n in enumerate(shape)])
    problem = ["The model takes only images of height, width, channels:", wanted]
    problem += ["Received:", given]
    fits = tf.debugging.Assert(tf.reduce_all(given == wanted), problem)
    with tf.control_dependencies([fits]):
        return tf.ensure_shape(tf.identity(unknown), images.shape)


def of_bytes(model, floats):
    """The same for `images` uint8 [N, H, W, C]; `floats` is from `of_floats`."""

    @tf.function(input_signature=[image_spec(model, tf.uint8)])
    def of_byte_images(images):
        return floats(tf.cast(images, tf.float32))

    return of_byte_images


def image_spec(model, dtype):
    """Shape and dtype of a batch of images of a model's size."""
    return tf.TensorSpec([None, *forward.input_shape(model)], dtype, name="images")


def files_spec():
    """Shape and dtype of a batch of image files."""
    return tf.TensorSpec([None], tf.string, name="image_bytes")


def of_data(floats, value_range):
    """The same for `images` float32 [N, H, W, C] in numbers of another range."""
    black, white = check_range(value_range)

    @tf.function(input_signature=floats.input_signature)
    def of_data_images(images):
        return floats((images - black) * 255.0 / (white - black))

    return of_data_images


def program(model, answer, value_range=None, *, size=None, dtype=None):
    """One function for other runtimes, which know fewer operations than TensorFlow.

    Args:
        model: keras.Model, image -> outputs.
        answer: function of float32 images [N, H, W, C], raw values 0..255, to a dict of
            tensors.
        value_range: see `of_data`; None for 0..255.
        size: height and width of the images, None where any will do; None for those of
            the model.
        dtype: of the images; None for uint8, or float32 in numbers of another range.

    Returns:
        TensorFlow function of `images` [N, H, W, C].
    """
    black, white = check_range(value_range or BYTE)
    is_byte = (black, white) == BYTE
    dtype = dtype or (tf.uint8 if is_byte else tf.float32)
    height, width, channels = forward.input_shape(model)
    shape = [None, *(size or (height, width)), channels]
    spec = tf.TensorSpec(shape, dtype, name="images")

    @tf.function(input_signature=[spec])
    def of_images(images):
        images = tf.cast(images, tf.float32)
        if not is_byte:
            images = (images - black) * 255.0 / (white - black)
        return answer(images)

    return of_images


def raw(model, value_range=None):
    """`program` of all that a model returns; a single tensor is "logits"."""

    def named(outputs):
        return outputs if isinstance(outputs, dict) else {"logits": outputs}

    def answer(images):
        return extended(model, images, named)

    return program(model, answer, value_range)


def of_encoded(model, floats, max_pixels):
    """The same for `image_bytes` string [N], JPEG or PNG files.

    All images of a request must have one size, because their answers are one tensor.
    Like TensorFlow's decoders it ignores the EXIF orientation of a JPEG.

    Args:
        model: of 1 or 3 channels.
        floats: from `of_floats`.
        max_pixels: images above are refused before they are decoded.
    """
    height, width, channels = forward.input_shape(model)
    decoded = tf.TensorSpec([None, None, channels], tf.uint8)

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
            lambda data: decode(data, channels), files, fn_output_signature=decoded
        )
        # map_fn loses the static size that a model of fixed size needs.
        images = tf.ensure_shape(images, [None, height, width, channels])
        return floats(tf.cast(images, tf.float32))

    return of_image_files


def fit_size(image, size):
    """`preprocessing.fit_size` of an image whose size is known only in the graph."""
    # float64 and tf.round (half to even) round as Python does there.
    given = tf.cast(tf.shape(image)[:2], tf.float64)
    factor = tf.reduce_min(tf.constant(size, tf.float64) / given)
    inner = tf.maximum(tf.cast(tf.round(given * factor), tf.int32), 1)
    image = tf.image.resize(tf.cast(image, tf.float32), inner, antialias=True)
    missing = tf.constant(size) - inner
    image = tf.pad(image, [[0, missing[0]], [0, missing[1]], [0, 0]])
    return tf.ensure_shape(image, [*size, image.shape[-1]]), inner


def fit_batch(images, size):
    """`fit_size` of images [N, H, W, C] of one size, by operations of all runtimes.

    Returns:
        float32 [N, height, width, C], and int32 [2], what of them the images fill.
    """
    given = tf.shape(images)[1:3]
    sides, wanted = tf.cast(given, tf.float32), tf.constant(size, tf.float32)
    # Products first: they are whole, and the side that fills the size stays exact.
    height, width = tf.unstack(sides)
    inner = tf.minimum(
        wanted, tf.stack([height * size[1] / width, width * size[0] / height])
    )
    inner = tf.maximum(tf.cast(tf.round(inner), tf.int32), 1)
    rows, columns = (_hats(size[i], inner[i], given[i]) for i in (0, 1))
    n, channels = tf.shape(images)[0], images.shape[-1]
    x = tf.reshape(images, [n, given[0], given[1] * channels])
    x = tf.reshape(tf.matmul(rows, x), [n, size[0], given[1], channels])
    return tf.matmul(columns, x), inner


def _hats(length, inner, given):
    """Weights [length, given] that resize to `inner` pixels, antialiased; 0 beyond."""
    step = tf.cast(given, tf.float32) / tf.cast(inner, tf.float32)
    at = (tf.range(length, dtype=tf.float32) + 0.5) * step
    far = tf.abs(tf.range(tf.cast(given, tf.float32)) + 0.5 - at[:, None])
    weights = tf.maximum(1.0 - far / tf.maximum(step, 1.0), 0.0)
    total = tf.reduce_sum(weights, axis=1, keepdims=True)
    inside = tf.cast(tf.range(length) < inner, tf.float32)[:, None]
    return inside * weights / tf.maximum(total, 1e-6)


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
        # TensorFlow's default (2.21) is a faster, less exact transform.
        method = "INTEGER_ACCURATE"
        return tf.io.decode_jpeg(data, channels=channels, dct_method=method)

    def png():
        return tf.io.decode_png(data, channels=channels)

    # Not tf.io.decode_image, whose result has no static rank: a GIF is a film.
    return tf.cond(_starts_with(data, PNG), png, jpeg)


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
