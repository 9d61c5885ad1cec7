"""Images into a model, inside a graph: for SavedModels and others."""

import tensorflow as tf

from kerasseg.images.values import check_range, range_of_dtype
from kerasseg.predict import forward
from kerasseg.predict.activations import call
from kerasseg.predict.encoded import of_encoded
from kerasseg.predict.strides import continuation, multiple

BYTE = (0, 255)  # the numbers that models take


def functions(model, answer, max_pixels, value_range=None):
    """Signatures of a model that takes images of any size, or of one.

    Args:
        model: keras.Model, image -> outputs.
        answer: function of its outputs to a dict of tensors.
        max_pixels: larger encoded images are refused before they are decoded.
        value_range: (black, white) of the data that the model was trained on; None for
            0..255.

    Returns:
        dict of TensorFlow functions: "serving_default" of `images` uint8 [N, H, W, C],
        "float" of `images` float32, values 0..255, and, for 1 or 3 channels, "encoded"
        of `image_bytes` string [N], JPEG or PNG files of one size.
    """
    floats = of_floats(model, answer)
    found = {"serving_default": of_bytes(model, floats, value_range), "float": floats}
    if forward.input_shape(model)[-1] in (1, 3):
        found["encoded"] = of_encoded(model, floats, max_pixels, value_range)
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


def of_bytes(model, floats, value_range=None):
    """The same for `images` uint8 [N, H, W, C]; `floats` is from `of_floats`.

    They are 0..255 whatever the range of the data is, unless that is within 0..255.
    """
    found = range_of_dtype("uint8", value_range)

    @tf.function(input_signature=[image_spec(model, tf.uint8)])
    def of_byte_images(images):
        return floats(_scaled(tf.cast(images, tf.float32), found))

    return of_byte_images


def image_spec(model, dtype):
    """Shape and dtype of a batch of images of a model's size."""
    return tf.TensorSpec([None, *forward.input_shape(model)], dtype, name="images")


def of_data(floats, value_range):
    """The same for `images` float32 [N, H, W, C] in numbers of another range."""
    found = check_range(value_range)

    @tf.function(input_signature=floats.input_signature)
    def of_data_images(images):
        return floats(_scaled(images, found))

    return of_data_images


def _scaled(images, value_range):
    """Numbers of a range in 0..255."""
    black, white = value_range
    if (black, white) == BYTE:
        return images
    return (images - black) * 255.0 / (white - black)


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
    found = check_range(value_range or BYTE)
    dtype = dtype or (tf.uint8 if found == BYTE else tf.float32)
    height, width, channels = forward.input_shape(model)
    shape = [None, *(size or (height, width)), channels]
    spec = tf.TensorSpec(shape, dtype, name="images")

    @tf.function(input_signature=[spec])
    def of_images(images):
        return answer(_scaled(tf.cast(images, tf.float32), found))

    return of_images


def raw(model, value_range=None):
    """`program` of all that a model returns; a single tensor is "logits"."""

    def named(outputs):
        return outputs if isinstance(outputs, dict) else {"logits": outputs}

    def answer(images):
        return extended(model, images, named)

    return program(model, answer, value_range)


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
