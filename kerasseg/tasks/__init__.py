"""Tasks: one object for each kind of model, asked by everything above.

The modules here import TensorFlow only inside of functions, because the command line
reads the options of all tasks.

    >>> from kerasseg import tasks
    >>> sorted(tasks.TASKS)
    ['instance', 'panoptic', 'semantic', 'stars']
"""

from kerasseg.images.values import scale
from kerasseg.names import look_up
from kerasseg.predict.options import ENGINES, percentiles_given, range_given
from kerasseg.tasks import differences, instance, panoptic, semantic, stars
from kerasseg.tasks.task import Task

# Models that do not say their task are tried in this order: the outputs of stars and
# panoptic include "logits", which is all that semantic asks for.
TASKS = {
    module.TASK.name: module.TASK for module in (instance, stars, panoptic, semantic)
}

__all__ = ["ENGINES", "TASKS", "Task", "named", "of", "of_results", "predict", "video"]


def named(name):
    """The `Task` of a name, as builders say it in their attribute `task`."""
    return look_up(name, TASKS, "task")


def of(model):
    """The `Task` of a model.

    Args:
        model: keras.Model. Those of `kerasseg.zoo` say their task themselves; others
            are told apart by the names of their outputs.

    Example:
        >>> import keras
        >>> image = keras.Input([None, None, 3])
        >>> of(keras.Model(image, keras.layers.Conv2D(2, 1)(image))).name
        'semantic'
    """
    from kerasseg.predict.forward import output_names

    name = getattr(model, "task", None)
    if name in TASKS:
        return TASKS[name]
    outputs = output_names(model)
    found = (task for task in TASKS.values() if task.matches(outputs))
    return next(found, semantic.TASK)


def predict(model, image, options=None):
    """Predict one image by a model of any task.

    Args:
        model: keras.Model, see `of`.
        image: [H, W] or [H, W, C], any size, or what `images.as_array` takes; see
            `predict.preprocessing.prepare`.
        options: prediction options of the task, or a dict of them; see
            `predict.options`. None takes those that come with published weights
            (`zoo.load`), or the defaults.

    Returns:
        Class ids int32 [H, W], `Instances` or `instance.panoptic.Panoptic`.
    """
    task = of(model)
    if options is None:
        options = getattr(model, "predict_options", None)
    options = task.make_options(options)
    if percentiles_given(options) is None:  # which do not depend on the range
        image = scale(image, range_given(options))
    return task.predict(model, image, options)


def video(
    model, source, out, *, class_names=None, palette=None, options=None, clip=None
):
    """Predict a clip by a model of any task: a clip of overlays, and a table.

    Args:
        model: keras.Model, see `of`.
        source: path of a clip, or the number of a camera.
        out: folder; gets NAME.webm and NAME.csv, with a row of counts and areas of
            classes for each frame, see `video.process` and `predict.tables`.
        class_names: names by class id, without the background for models of objects;
            None for numbers.
        palette: uint8 [K, 3], their colours; None for `viz.palette`.
        options: as in `predict`.
        clip: `video.ClipOptions`, such as `ClipOptions(smooth=0.5)`; None for none.

    Returns:
        dict, see `video.process`.

    Raises:
        ImageError: if the source has no frames.
        ValueError: if an option does not fit the model.
    """
    if options is None:
        options = getattr(model, "predict_options", None)
    look = {"class_names": class_names, "palette": palette}
    return of(model).video(model, source, out, **look, options=options, clip=clip)


def of_results(results):
    """The `Task` of a results.json; those written before tasks had names, too."""
    name = results.get("task", "instance" if "mask_ap" in results else "semantic")
    return named(name)
