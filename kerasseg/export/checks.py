"""Written files, opened by their runtimes and compared with the model on noise."""

import keras
import numpy as np

from kerasseg.predict import forward, runtimes

SIZES = ((64, 96), (65, 97))  # the second is odd at every halving
LARGER = (0, 192, 384)  # of images, for U-Nets with unpadded convolutions
# Of numbers in 0..1 or relative to the largest, and of equal class ids, of which noise
# has some near ties. OpenVINO rounds to 1e-4 of the largest logit.
TOLERANCES = {"float32": (1e-3, 0.99), "float16": (0.05, 0.95)}


class ExportError(RuntimeError):
    """A written file does not open in its runtime, or answers otherwise."""


def check(model, function, path, format, differences, precision="float32"):
    """Compare a file with the function that it holds, at two sizes, one of them odd.

    Models of a fixed size are compared at that size. Files of int8 must run; what they
    lose is for real pictures to say.

    Args:
        model: keras.Model.
        function: TensorFlow function of images, see `predict.in_graph.program`.
        path: the file.
        format: of `runtimes.RUNTIMES`.
        differences: of the model's task.
        precision: "float32", "float16" or "int8".

    Returns:
        Whether there was a runtime to open it.

    Raises:
        ExportError: names the runtime, the output, the size and the difference.
    """
    runtime = runtimes.RUNTIMES[format]
    if not runtime.is_there():
        return False
    try:
        program = runtimes.open_file(path, format)
    except Exception as error:  # runtimes raise what they like
        reason = f"{runtime.title} cannot open it: {error}"
        raise refusal(model, format, reason) from error
    (spec,) = function.input_signature
    for size in _sizes(model, spec.shape):
        images = noise(size, spec)
        expected = forward.to_arrays(function(images))
        try:
            found = program.run(images)
        except Exception as error:
            reason = f"{runtime.title} cannot run it at {size[0]}x{size[1]}: {error}"
            raise refusal(model, format, reason) from error
        if problem := _problem(expected, found, differences, precision):
            reason = f"{problem} at {size[0]}x{size[1]} px."
            raise refusal(model, format, reason)
    return True


def refusal(model, format, reason):
    """The error of a file that was not written, with a way out."""
    if mixed := {x.compute_dtype for x in model.layers} - {"float32"}:
        reason = (
            f"it computes with {', '.join(sorted(mixed))}: build it under the dtype "
            f"policy 'float32', and copy the weights ({reason:.200})."
        )
    every = (*runtimes.RUNTIMES, "saved_model")
    others = " or ".join(repr(x) for x in every if x != format)
    return ExportError(
        f"{model.name!r} cannot be written as {format!r}: {str(reason)[:600]} Nothing "
        f"was left behind. Try format={others}."
    )


def noise(size, spec):
    """Random images [1, H, W, C] as a tf.TensorSpec of images says, numbers 0..255."""
    shape = (1, *size, spec.shape[-1])
    return np.random.default_rng(0).integers(0, 256, shape).astype(spec.dtype.name)


def _sizes(model, shape):
    height, width = shape[1:3]
    sizes = [(height or h, width or w) for h, w in SIZES]
    for more in () if height and width else LARGER:
        larger = [(height or h + more, width or w + more) for h, w in SIZES]
        if all(_is_answered(model, size) for size in larger):
            return larger
    return sorted(set(sizes))


def _is_answered(model, size):
    """Whether something is left of images of a size by unpadded convolutions."""
    height, width, channels = forward.input_shape(model)
    image = keras.KerasTensor((1, height or size[0], width or size[1], channels))
    try:
        outputs = keras.tree.flatten(model.compute_output_spec(image))
    except ValueError:
        return False
    return all(n is None or n > 0 for x in outputs for n in x.shape)


def _problem(expected, found, differences, precision):
    """The reason why the outputs of a file are refused, or None."""
    if missing := sorted(set(expected) - set(found)):
        return f"it has outputs {sorted(found)}, not {missing}"
    for name, right in expected.items():
        if right.shape != found[name].shape:
            return f"{name!r} has shape {found[name].shape}, not {right.shape}"
        if right.dtype != found[name].dtype:
            return f"{name!r} is {found[name].dtype}, not {right.dtype}"
    if precision not in TOLERANCES:
        return None
    most, least = TOLERANCES[precision]
    one = differences(expected, found)
    if not one["error"] <= most:  # NaN, too
        error = f"{one['error']:.2g} ({most} is allowed)"
        return f"its numbers differ from the model's by {error}"
    # Near ties of scores may change the places of objects.
    if one["agreement"] < least and "num" not in expected:
        share = 100 * one["agreement"]
        return f"only {share:.2f} % of its answers are the model's"
    return None
