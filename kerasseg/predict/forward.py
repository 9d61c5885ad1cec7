"""Images through a model: what prediction, evaluation and export share."""

import functools
import weakref

import keras
import numpy as np
from keras import ops

from kerasseg import machine

# Axes of [N, H, W, C] to reverse, one run of the model each.
FLIPS = {
    False: [()],
    True: [(), (2,)],
    "horizontal": [(), (2,)],
    "both": [(), (2,), (1,), (1, 2)],
}
DETECTIONS = {"boxes", "classes", "scores", "masks", "num"}
STARS = {"logits", "distances"}
LUMA = np.float32([0.299, 0.587, 0.114])  # ITU-R BT.601, as in JPEG and OpenCV

# model -> {answer: compiled function}; an entry goes when its model goes.
_compiled = weakref.WeakKeyDictionary()


def to_probabilities(logits):
    """Softmax of logits [..., K]; sigmoid for K = 1."""
    logits = ops.cast(logits, "float32")
    single = logits.shape[-1] == 1
    return ops.sigmoid(logits) if single else ops.softmax(logits, axis=-1)


def to_class_ids(logits):
    """Class ids int32 [...] of logits [..., K]; with K = 1: where the logit is > 0."""
    if logits.shape[-1] == 1:
        return ops.cast(logits[..., 0] > 0, "int32")
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        # Keras' argmax sorts -0.0 by bit casts: slow, and OpenVINO cannot read them.
        return tf.argmax(logits, axis=-1, output_type="int32")
    return ops.cast(ops.argmax(logits, axis=-1), "int32")


def to_confidence(logits):
    """Probability of the chosen class, float32 [...], of logits [..., K]."""
    probabilities = to_probabilities(logits)
    if logits.shape[-1] == 1:
        return ops.maximum(probabilities[..., 0], 1 - probabilities[..., 0])
    return ops.max(probabilities, axis=-1)


def logits_of(outputs):
    """The logits among a model's outputs: a tensor, or "logits" of a dict."""
    if isinstance(outputs, dict) and "logits" in outputs:
        return outputs["logits"]
    if isinstance(outputs, (dict, list, tuple)):
        found = (
            sorted(outputs) if isinstance(outputs, dict) else f"{len(outputs)} outputs"
        )
        raise ValueError(
            "`model` must return logits [N, H, W, K] or a dict with 'logits'. "
            f"Received: {found}."
        )
    return outputs


def finds_instances(model):
    """Whether a model returns objects, as those of `zoo.names("instance")` do."""
    return _names_of_outputs(model) >= DETECTIONS


def finds_stars(model):
    """Whether a model returns the maps of `zoo.stardist`."""
    return _names_of_outputs(model) >= STARS


def _names_of_outputs(model):
    try:
        output = model.output
    except (AttributeError, ValueError):  # a subclass that has never been called
        return set()
    return set(output) if isinstance(output, dict) else set()


def input_shape(model):
    """(height, width, channels) that the model takes; None where any will do.

    Raises:
        ValueError: if the model takes anything but one image.
    """
    try:
        shape = model.input_shape
    except (AttributeError, ValueError):  # a subclass that has never been called
        return None, None, None
    if not isinstance(shape, tuple) or len(shape) != 4 or isinstance(shape[1], tuple):
        raise ValueError(
            "`model` must take one image tensor [N, H, W, C]. "
            f"Received: input_shape={shape}."
        )
    return shape[1:]


def num_classes(model):
    """Classes that the model tells apart: 2 for one logit; None if it does not say."""
    outputs = getattr(model, "outputs", None)
    if not outputs or finds_instances(model):  # a subclass shows it when it runs
        return None
    logits = outputs[0] if len(outputs) == 1 else logits_of(model.output)
    return max(logits.shape[-1], 2)


def prepare(image, channels=None):
    """An image as models take it: raw values 0..255, float32.

    Args:
        image: [H, W] or [H, W, C]. uint8 and float are taken as 0..255 already,
            uint16 is scaled to it, bool becomes 0 and 255.
        channels: channels the model takes; grey is repeated for 3, RGB weighted for 1.
            None takes what comes.

    Returns:
        float32 [H, W, channels].

    Raises:
        ValueError: if shape, dtype or channels do not fit, or values are not finite.
    """
    check_image(image, channels)
    image = np.asarray(image)
    if image.ndim == 2:
        image = image[..., None]
    scale = {"uint16": 1 / 257, "bool": 255}.get(image.dtype.name)
    finite = image.dtype.kind != "f" or np.isfinite(image).all()
    image = image.astype("float32")
    if not finite:
        raise ValueError("`image` must be finite. Received: NaN or infinity in it.")
    if scale is not None:
        image *= np.float32(scale)
    if channels in (None, image.shape[2]):
        return image
    return np.repeat(image, 3, axis=2) if channels == 3 else (image @ LUMA)[..., None]


def fit(image, size):
    """The image in a model's size: resized by one factor, black at right and below.

    Args:
        image: float32 [H, W, C], of `prepare`.
        size: (height, width).

    Returns:
        float32 [height, width, C], and (rows, columns) of it that the image fills.
    """
    given = image.shape[:2]
    factor = min(want / have for want, have in zip(size, given))
    inner = tuple(max(1, round(have * factor)) for have in given)
    if inner != given:
        image = ops.image.resize(image, inner, antialias=True)
        image = ops.convert_to_numpy(image)
    return pad(image, size), inner


def pad(image, size):
    """float32 [height, width, C]: the image, black at right and below."""
    missing = [(0, want - have) for want, have in zip(size, image.shape[:2])]
    return np.pad(image, [*missing, (0, 0)])


def check_image(image, channels):
    """Refuse an image that `prepare` cannot fit to a model; reads no pixel."""
    shape, dtype = np.shape(image), getattr(image, "dtype", np.dtype(object))
    depth = 1 if len(shape) == 2 else shape[-1] if len(shape) == 3 else 0
    if not depth or 0 in shape or np.dtype(dtype).kind not in "uifb":
        raise ValueError(
            "`image` must be an array [H, W] or [H, W, C] of numbers. "
            f"Received: shape={shape}, dtype={dtype}."
        )
    if channels not in (None, depth) and (depth, channels) not in ((1, 3), (3, 1)):
        raise ValueError(
            f"`image` must have {channels} channels, as the model's input. "
            f"Received: shape={shape}."
        )


def check_flips(flips):
    """Refuse anything but False, True, "horizontal" and "both"."""
    if flips not in (False, True, "horizontal", "both"):
        raise ValueError(
            "`flips` must be False, True, 'horizontal' or 'both'. "
            f"Received: flips={flips!r}."
        )


def infer(model, images, answer, *, flips=False):
    """`answer` of the model's logits for images of one size, averaged over flips.

    Args:
        model: image -> logits [N, H, W, K], or a dict of outputs with "logits".
        images: N images [H, W] or [H, W, C]; see `prepare`. Smaller than a model of
            fixed size, they are continued by their last row and column, and the answer
            is cut.
        answer: function of logits, such as `to_probabilities`; a module-level one,
            because it is compiled once a model.
        flips: see `check_flips`.

    Returns:
        numpy array [N, H, W, ...].
    """
    check_flips(flips)
    *size, channels = input_shape(model)
    batch = np.stack([prepare(image, channels) for image in images])
    height, width = batch.shape[1:3]
    batch = extend(batch, size)
    run = compiled(model, answer)

    def flipped(axes):
        found = run(np.ascontiguousarray(np.flip(batch, axes)))
        return np.flip(ops.convert_to_numpy(found), axes)

    total = functools.reduce(np.add, map(flipped, FLIPS[flips]))
    if total.shape[1:3] != batch.shape[1:3]:
        raise ValueError(
            f"`model` must return logits at image size, {batch.shape[1:3]}. "
            f"Received: {total.shape[1:3]}."
        )
    total = total[:, :height, :width]
    return total / np.float32(len(FLIPS[flips])) if flips else total


def extend(batch, size):
    """Continue images by their last row and column, to the size that a model takes.

    Args:
        batch: [N, H, W, C].
        size: (height, width), None where any will do.

    Raises:
        ValueError: if the images are larger.
    """
    given = batch.shape[1:3]
    missing = [0 if want is None else want - have for want, have in zip(size, given)]
    if min(missing) < 0:
        raise ValueError(
            f"`model` takes only images of {size[0]} x {size[1]} pixels. Received: "
            f"{given[0]} x {given[1]}. Use tile_px=({size[0]}, {size[1]}), or build it "
            "with input_shape=(None, None, 3)."
        )
    if max(missing) == 0:
        return batch
    return np.pad(
        batch, [(0, 0), *[(0, more) for more in missing], (0, 0)], mode="edge"
    )


def compiled(model, answer):
    """`answer(logits of model(images, training=False))`, compiled once per model.

    Args:
        model: keras.Model.
        answer: function of logits, compared by identity; `dict` for all that a model
            returns, if it is a dict.

    Returns:
        Function of float32 images [N, H, W, C] of any size.
    """
    functions = _compiled.setdefault(model, {})
    if answer not in functions:
        functions[answer] = _compile(model, answer)
    return functions[answer]


def _compile(model, answer):
    # The cache's value must not hold its key, or neither would ever go away.
    alive = weakref.ref(model)

    part = dict if answer is dict else logits_of

    def run(images):
        return answer(part(alive()(images, training=False)))

    if keras.backend.backend() != "tensorflow":
        return lambda images: run(ops.convert_to_tensor(images))
    import tensorflow as tf

    shape = [None, *input_shape(model)]
    run = tf.function(run, input_signature=[tf.TensorSpec(shape, "float32")])
    return _in_pairs(run) if machine.computes_with_onednn() else run


def _in_pairs(run):
    """`run` that shows one image twice.

    For a single one oneDNN takes convolutions, on processors without AVX512, that are
    several times slower; 128 channels of 512 x 512 took minutes.
    """
    import tensorflow as tf

    def run_pair(images):
        if len(images) > 1:
            return run(images)
        both = run(np.repeat(images, 2, axis=0))
        return tf.nest.map_structure(lambda value: value[:1], both)

    return run_pair
