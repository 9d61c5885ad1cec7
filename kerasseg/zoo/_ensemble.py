"""Several models as one, by the mean of their probabilities."""

import math

import keras
from keras import ops

TASKS = ("semantic", "stars", "panoptic")


def ensemble(models):
    """One model that averages what several say of each pixel.

    A plain keras.Model: it predicts, is scored and is exported as one of them, and
    takes the time of all.

    Args:
        models: keras.Models of one task, "semantic", "stars" or "panoptic", with the
            same inputs and outputs; those of `zoo` say their task.

    Returns:
        keras.Model: image -> outputs as theirs. Of "logits", the softmax (sigmoid for
        one channel) is the mean of their probabilities; distances, centres and offsets
        are means. Auxiliary outputs of semantic models are left out.

    Raises:
        ValueError: if there is none, or they differ in task, channels or classes.

    Example:
        >>> from kerasseg import zoo
        >>> both = ensemble([zoo.unet(3, "tiny"), zoo.fcn(3, "tiny")])
        >>> both.task, both.output_shape[-1]
        ('semantic', 3)
    """
    models = list(models)
    task = _check(models)
    image = keras.Input(models[0].input_shape[1:], name="image")
    # Models of one architecture have one name, and layers of a model need their own.
    found = [
        keras.Model(model.input, _outputs(model, task), name=f"member{index}")(image)
        for index, model in enumerate(models)
    ]
    outputs = {
        name: _mean_logits(maps) if name == "logits" else ops.mean(ops.stack(maps), 0)
        for name, maps in ((name, [one[name] for one in found]) for name in found[0])
    }
    model = keras.Model(
        image, outputs["logits"] if task == "semantic" else outputs, name="ensemble"
    )
    model.task = task
    return model


def _outputs(model, task):
    """Outputs as a dict without auxiliary ones."""
    outputs = model.output
    if not isinstance(outputs, dict):
        return {"logits": outputs}
    return {"logits": outputs["logits"]} if task == "semantic" else outputs


def _mean_logits(maps):
    """Logits of the mean of the probabilities, exact for probabilities near 0 and 1."""
    x = ops.cast(ops.stack(maps), "float32")  # [M, N, H, W, K]
    if x.shape[-1] == 1:
        yes, no = ops.log_sigmoid(x), ops.log_sigmoid(-x)
        return ops.logsumexp(yes, axis=0) - ops.logsumexp(no, axis=0)
    logs = ops.log_softmax(x, axis=-1)
    return ops.logsumexp(logs, axis=0) - math.log(len(maps))


def _check(models):
    """The task of all; refuses models that cannot be averaged."""
    if not models:
        raise ValueError("`models` must hold a model. Received: none.")
    kinds = {getattr(model, "task", None) for model in models}
    if len(kinds) > 1 or not kinds & {*TASKS}:
        raise ValueError(
            f"`models` must be of one task of {TASKS}, whose outputs are maps. "
            f"Received: {', '.join(map(str, kinds))}."
        )
    (task,) = kinds
    inputs = {model.input_shape[1:] for model in models}
    shapes = {_shapes(_outputs(model, task)) for model in models}
    if len(inputs) > 1 or len(shapes) > 1:
        raise ValueError(
            "`models` must take images and give maps of the same shapes. Received: "
            f"inputs {sorted(map(str, inputs))}, outputs {sorted(map(str, shapes))}."
        )
    return task


def _shapes(outputs):
    return tuple((name, outputs[name].shape) for name in sorted(outputs))
