"""Arrays through a model, compiled once for all sizes of images."""

import functools
import weakref

import keras
import numpy as np
from keras import ops

from kerasseg import machine
from kerasseg.names import bounded
from kerasseg.predict import activations, one_image
from kerasseg.predict.options import check_scales
from kerasseg.predict.preprocessing import extend, prepare
from kerasseg.predict.strides import continuation, multiple
from kerasseg.predict.views import VIEWS, check_flips

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

        # The argmax of Keras 3.15 sorts -0.0 by bit casts: slow, and OpenVINO cannot
        # read them.
        return tf.argmax(logits, axis=-1, output_type="int32")
    return ops.cast(ops.argmax(logits, axis=-1), "int32")


def to_confidence(logits):
    """Probability of the chosen class, float32 [...], of logits [..., K]."""
    probabilities = to_probabilities(logits)
    if logits.shape[-1] == 1:
        return ops.maximum(probabilities[..., 0], 1 - probabilities[..., 0])
    return ops.max(probabilities, axis=-1)


def logits_of(outputs):
    """The logits among a model's outputs: a tensor, or "logits" of a dict.

    Of a model that ends in a softmax, or in the sigmoid of one class, as those of
    others do, what goes into that.

    Raises:
        ValueError: if there are none, or each of several classes has a sigmoid.
    """
    if isinstance(outputs, dict) and "logits" in outputs:
        return _before_activation(outputs["logits"])
    if isinstance(outputs, (dict, list, tuple)):
        found = (
            sorted(outputs) if isinstance(outputs, dict) else f"{len(outputs)} outputs"
        )
        raise ValueError(
            "`model` must return logits [N, H, W, K] or a dict with 'logits'. "
            f"Received: {found}."
        )
    return _before_activation(outputs)


def _before_activation(outputs):
    logits, kind = getattr(outputs, "_keras_logits", None), None  # Keras' own note
    if type(outputs).__name__ == "SymbolicTensor":  # TensorFlow, in a graph
        kind = outputs.op.type
        logits = outputs.op.inputs[0] if kind in ("Sigmoid", "Softmax") else None
    if logits is None:
        return outputs
    if kind == "Sigmoid" and outputs.shape[-1] != 1:
        raise ValueError(
            "`model` must tell one class per pixel: logits, or their softmax. "
            f"Received: a sigmoid for each of {outputs.shape[-1]} classes, which may "
            "overlap. Their maps are `model.predict(images) > 0.5`."
        )
    return logits


CHOICES = to_probabilities, to_class_ids


def to_arrays(outputs):
    """A dict of tensors as a dict of NumPy arrays."""
    return {name: ops.convert_to_numpy(values) for name, values in outputs.items()}


def output_names(model):
    """Names of the outputs that a model returns as a dict; else an empty set."""
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
    if not callable(model) and not hasattr(model, "answering"):
        raise ValueError(
            "`model` must be a keras.Model, as kerasseg.zoo.load(name) or "
            "kerasseg.loading.load_keras(path) gives one. "
            f"Received: {bounded(repr(model), 60)}."
        )
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
    if not outputs:  # a subclass shows it when it runs
        return None
    logits = outputs[0] if len(outputs) == 1 else logits_of(model.output)
    return max(logits.shape[-1], 2)


def infer(model, images, answer, *, flips=False, scales=None):
    """`answer` of the model's logits for images of one size, averaged over views.

    Args:
        model: image -> logits [N, H, W, K], or a dict of outputs with "logits".
        images: N images [H, W] or [H, W, C]; see `prepare`. Of other sizes than a
            model takes or halves without a rest, they are continued, see
            `strides.continuation`, and the answer is cut.
        answer: function of logits, such as `to_probabilities`; a module-level one,
            because it is compiled once per model.
        flips: see `check_flips`.
        scales: see `check_scales`; the answer is resized back, bilinearly.

    Returns:
        numpy array [N, H, W, ...].
    """
    check_flips(flips)
    check_scales(scales)
    channels = input_shape(model)[-1]
    batch = np.stack([prepare(image, channels) for image in images])
    size = batch.shape[1:3]
    sizes = [
        tuple(max(round(scale * side), 1) for side in size) for scale in scales or (1,)
    ]
    found = (
        _resized(_flipped(model, _resized(batch, inner), answer, flips), size)
        for inner in sizes
    )
    total = functools.reduce(np.add, found)
    is_engine = hasattr(model, "answering")
    if answer in CHOICES and not is_engine and activations.are_suspicious(total):
        size, mode = input_shape(model)[:2], continuation(model)
        shown = extend(batch[:1], size, multiple(model), mode)
        activations.tell_probabilities(model, shown, logits_of)
    # Of a single view the answer may be class ids, which must stay integers.
    num = len(VIEWS[flips]) * len(sizes)
    return total if num == 1 else total / np.float32(num)


def _resized(batch, size):
    """Images [N, *size, C]; shrinking does not alias."""
    if batch.shape[1:3] == tuple(size):
        return batch
    found = ops.image.resize(batch, size, interpolation="bilinear", antialias=True)
    return ops.convert_to_numpy(found)


def _flipped(model, batch, answer, flips):
    """Sum of the answers for a batch and its views."""
    wanted = input_shape(model)[:2]
    for layer in getattr(model, "layers", ()):
        if hasattr(layer, "check_size"):  # kerasseg.layers.LeastSize
            layer.check_size(batch.shape[1:3])
    run = compiled(model, answer)

    def seen(view):
        # Mirrored before it is continued: all views are then alike.
        laid = view.of(batch)
        shown = extend(laid, wanted, multiple(model), continuation(model))
        found = ops.convert_to_numpy(run(np.ascontiguousarray(shown)))
        if found.shape[1:3] != shown.shape[1:3]:
            raise ValueError(
                "`model` must return logits at image size, "
                f"{shown.shape[1:3]}. Received: {found.shape[1:3]}. A U-Net does with "
                "padding='same'."
            )
        height, width = laid.shape[1:3]
        return view.undo(found[:, :height, :width])

    return functools.reduce(np.add, map(seen, VIEWS[flips]))


def compiled(model, answer):
    """`answer(logits of model(images, training=False))`, compiled once per model.

    Args:
        model: keras.Model.
        answer: function of logits, compared by identity; `dict` for all that a model
            returns, if it is a dict.

    Returns:
        Function of float32 images [N, H, W, C] of any size.

    Raises:
        RuntimeError: in a fork of a process that has used TensorFlow.
    """
    machine.check_process()
    if hasattr(model, "answering"):  # an `engines.Engine`
        return model.answering(answer)
    functions = _compiled.setdefault(model, {})
    if answer not in functions:
        functions[answer] = _compile(model, answer)
    return functions[answer]


def of_size(model, images, **sizes):
    """All that a model returns, built anew for other sizes with the same weights.

    Args:
        model: keras.Model of a builder that has the options `sizes`.
        images: float32 [N, H, W, C].

    Returns:
        dict of arrays.

    Raises:
        ValueError: if the model does not tell how it was built, as one that was read
            from a file, or its builder has no such options.
    """
    built = getattr(model, "built_with", None)
    if hasattr(model, "answering"):
        raise ValueError(
            "Only TensorFlow builds a model anew for each size, as fit='800x1333' "
            f"needs it. Received: engine {model.engine!r}."
        )
    if built is None or not {*sizes} <= {*built.options}:
        raise ValueError(
            f"`model` must come from a builder with the options {', '.join(sizes)}, as "
            f"zoo.mask_rcnn, and not from a file. Received: model {model.name!r}."
        )
    functions = _compiled.setdefault(model, {})
    if functions.get("sizes") != sizes:  # the last one is kept, not all
        functions["sizes"] = sizes
        functions["of_size"] = built.function(**{**built.options, **sizes})
    functions["of_size"].set_weights(model.get_weights())  # it may have been trained
    # Not compiled, which takes longer than a run: photos have many sizes.
    return to_arrays(functions["of_size"](images, training=False))


def _compile(model, answer):
    # The cache's value must not hold its key, or neither would ever go away.
    alive = weakref.ref(model)

    part = dict if answer is dict else logits_of

    def run(images):
        return answer(part(activations.call(alive(), images)))

    if keras.backend.backend() != "tensorflow":
        return lambda images: run(ops.convert_to_tensor(images))
    import tensorflow as tf

    # One signature for all sizes: otherwise each size would be traced by itself.
    shape = [None, *input_shape(model)]
    # As Keras' `predict`; with AutoGraph, errors would begin with its own stack.
    signature = [tf.TensorSpec(shape, "float32")]
    run = tf.function(run, input_signature=signature, autograph=False)
    return one_image.apart(run) if machine.is_slow_for_one_image() else run
