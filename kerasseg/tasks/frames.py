"""Frames of clips through a model of any task."""

from kerasseg.predict.options import bands_given, range_given


def drawer(task, model, options, *, class_names=None, palette=None, memories=()):
    """Function that draws what a model finds in a frame, and counts it.

    Args:
        task: of the model.
        model, class_names, palette: as in `Task.video`.
        memories: functions (frame, probabilities) -> probabilities, in their order,
            see `video.ClipOptions`.
        options: instance of the task's options.

    Returns:
        Function of a frame uint8 [H, W, 3] to a picture uint8 [h, w, 3] and a dict,
        the row of images.csv of `predict.tables`, for `video.process`.

    Raises:
        ValueError: if an option does not fit the task.
    """
    from kerasseg import viz
    from kerasseg.images.values import scale

    if task.drawer is None:
        raise ValueError(f"There are no pictures of task {task.name!r} for clips.")
    find = _finder(task, model, options, memories)
    if class_names is None:
        num = task.num_classes(model) or 0
        class_names = [f"class {i}" for i in range(task.first_class, num)] or None
    draw = task.drawer(class_names, palette, options)

    def answer(frame):
        image = scale(frame, range_given(options))
        found = find(image)
        picture = viz.select_bands(frame, bands_given(options))
        picture, rows = draw(picture, found)
        return picture, rows.image

    return answer


def _finder(task, model, options, memories):
    """Function from a frame to what the model finds in it, with a memory or without."""
    if not memories:
        return lambda frame: task.predict(model, frame, options)
    if task.name != "semantic":
        raise ValueError(
            "`smooth` and `follow` are for models with a class for each pixel. "
            f"Received: task {task.name!r}."
        )
    from kerasseg.predict import most_probable, probabilities, without_small
    from kerasseg.predict.options import arguments

    def find(frame):
        shares = probabilities(model, frame, **arguments(options, "min_area_px"))
        for memory in memories:
            shares = memory(frame, shares)
        return without_small(most_probable(shares)[0], options.min_area_px)

    return find
