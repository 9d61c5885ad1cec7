"""Use of a trained run: evaluate, predict."""

import contextlib
import dataclasses
import functools
import json
import os
import pathlib

from kerasseg import files, machine, recipes, video
from kerasseg.names import check_options
from kerasseg.runs import members, seen
from kerasseg.runs.folder import load, palette_of, read
from kerasseg.weights import catalog

EVALUATIONS = pathlib.Path("evaluations")
FOLDER = {"dataset": "folder", "train": "train", "val": "val"}


def published(weights, *, accept_licence=False):
    """`Entry` of `weights.catalog`, or of a folder that another library saved.

    Args:
        weights: name, or path of a folder, see `zoo.entry_of`.
        accept_licence: as for `zoo.load`.
    """
    # Names are answered without TensorFlow, wrong ones at once.
    if weights in catalog.entries() or not os.path.isdir(weights):
        return catalog.entry(weights, accept_licence=accept_licence)
    from kerasseg import zoo

    return zoo.entry_of(weights)


def evaluate(
    run,
    *,
    root=None,
    split="val",
    options=None,
    out=None,
    samples=None,
    training=None,
    on_error="raise",
):
    """Measure the best weights of a run and write results.json and pictures.

    Args:
        run: run folder, or a list of several, whose probabilities are averaged, or an
            `Entry` of `weights.catalog`.
        root: folder of the data set; None for the one it was trained on.
        split: "train", "val", or a split's own name.
        options: dict of prediction options, instead of those of the recipe, and
            "engine", see `predict.engine`.
        out: folder of the results; None for the run folder, which keeps the results of
            the split that it was validated on: others go into evaluations/SPLIT there,
            and into evaluations/NAME where there is no single run.
        samples: Samples to use instead of those of `root` and `split`, such as
            `read_samples` gives.
        training: JSON-able facts about the training to write down; None for those that
            are in the run's results.json.
        on_error: as in `evaluate.score`.

    Returns:
        dict: what `evaluate.write_results` wrote, and "table", the result as text.
        Sentences in "doubts" say which runs were trained on some of the images.

    Raises:
        ValueError: for an option that the model's task does not know.
    """
    # Imported where it is used: the command line asks this module before TensorFlow is
    # needed.
    from kerasseg import evaluate as scoring
    from kerasseg import viz
    from kerasseg.images import write_image
    from kerasseg.training.history import History

    model, recipe, facts = load_chosen(run, options)
    if samples is None:
        samples = _samples(recipe, facts, root, split)
    options = _options(recipe, options)
    result = scoring.score(model, samples, options, on_error=on_error)
    failed = [one["name"] for one in result.get("failed", ())]
    result |= scoring.details(model, samples, options, without=failed)
    if training := training or _training_of(run):
        result["training"] = training
    result |= seen.doubts(run, samples, root, split)
    # Published weights have no folder that could be written to, and no history.
    is_run = isinstance(run, (str, pathlib.Path))
    out = pathlib.Path(out or _place(run if is_run else None, recipe, facts, split))
    out.mkdir(parents=True, exist_ok=True)
    seeds = _seeds(run)
    written = scoring.write_results(
        out / "results.json", result, split=split, seeds=seeds
    )
    picture = scoring.gallery(model, samples, result, options=options)
    write_image(out / "samples.png", picture)
    if "matrix" in result:
        files.replace(
            out / "confusion.png",
            functools.partial(viz.confusion, result["matrix"], samples.classes),
            # A picture that is lost with the power can be drawn again.
            durable=False,
        )
    _write_rows(out / "samples.csv", result["samples"])
    rows = History(pathlib.Path(run) / "history.jsonl").rows() if is_run else []
    if rows:
        monitor = recipes.task_of(recipe).monitor
        draw = functools.partial(viz.curves, rows, scores=[monitor])
        files.replace(out / "curves.png", draw, durable=False)
    return {**written, "table": scoring.table(result)}


def _place(run, recipe, facts, split):
    """Folder of results that nobody has named."""
    if run is None:
        return EVALUATIONS / facts["name"]
    # Reports, folds and --unlabelled take results.json for the validation score.
    own = split in ("val", recipe["data"].get("val"))
    return pathlib.Path(run) if own else pathlib.Path(run) / EVALUATIONS / split


def _training_of(run):
    """Facts that an earlier evaluation of a run wrote about its training, or None."""
    # Neither several runs nor published weights are a path.
    with contextlib.suppress(OSError, ValueError, TypeError):
        text = (pathlib.Path(run) / "results.json").read_text(encoding="utf-8")
        return json.loads(text).get("training")


def _seeds(run):
    """Seeds of the trainings of one run or several; none of published weights."""
    if isinstance(run, catalog.Entry):
        return []
    several = run if isinstance(run, (list, tuple)) else [run]
    return [read(one)[0]["train"]["seed"] for one in several]


def read_samples(run, *, root=None, split="val", overrides=()):
    """Samples with the classes and the range of values that a run has learned.

    Args:
        run, root, split: as in `evaluate`.
        overrides: strings "data.key=value", changes of the run's recipe for data that
            lie in another form than those it was trained on.

    Returns:
        Samples.

    Raises:
        RecipeError: for a wrong override.
        ImageError: if the data are not as the recipe says.
    """
    recipe, facts = _read_chosen(run)
    return _samples(recipes.with_data(recipe, overrides), facts, root, split)


def _read_chosen(run):
    """Recipe and facts, as `load_chosen` gives them, without a model."""
    if isinstance(run, catalog.Entry):
        return _about(run)
    several = isinstance(run, (list, tuple))
    return (members.read_all if several else read)(run)


def check_prediction(run, options=None):
    """The options that `ready` would give, without a model; raises its ValueErrors."""
    return _options(_read_chosen(run)[0], options)


def _samples(recipe, facts, root, split):
    # Labels that a model has made are no truth to score one by.
    data = {key: x for key, x in recipe["data"].items() if key != "pseudo"}
    recipe = {**recipe, "data": data}
    samples = recipes.build_samples(recipe, root or facts["root"], split)
    # The order of classes is the run's: that of a new folder may be another.
    samples = samples.with_classes(facts["classes"])
    if samples.value_range is None:
        samples = samples.with_range(facts.get("value_range"))
    return samples


def _write_rows(path, rows):
    """Write the scores of each image as a table; several names in one cell."""
    files.write_csv(
        path,
        [
            # A cell of CSV holds one text.
            {k: " ".join(v) if isinstance(v, list) else v for k, v in row.items()}
            for row in rows
        ],
    )


def predict(run, inputs, out, options=None, *, clip=None):
    """Predict image files and clips with a run's best weights.

    Args:
        run: as in `evaluate`.
        inputs, out: as in `predict.folder`; among them may be clips, and the numbers of
            cameras, see `video.is_clip`.
        options: as in `evaluate`.
        clip: dict of `video.ClipOptions`; None for none.

    Returns:
        What the `folder` function of the run's task does, and where there are clips,
        "clips": what `tasks.video` returns for each. A clip whose end is missing is
        there and in "failed".

    Raises:
        ValueError: for an option that the model's task does not know, options of clips
            where there is none, or a list of images, which is for `predict_many`.
    """
    from kerasseg.predict import lists

    if isinstance(inputs, (str, os.PathLike)):
        inputs = [inputs]
    lists.check_none(inputs)
    model, task, look, options = ready(run, options)
    clips = [x for x in inputs if video.is_clip(x)]
    pictures = [x for x in inputs if not video.is_clip(x)]
    clip = video.ClipOptions(**(clip or {}))
    if clip != video.ClipOptions() and not clips:
        raise ValueError(
            f"{clip} is for clips. Received: {len(pictures)} inputs, none of which is "
            "a clip or a camera."
        )
    report = {"images": [], "failed": []}
    if pictures:
        report = task.folder(model, pictures, out, **look, options=options)
    if clips:
        look |= {"options": options, "clip": clip}
        report["clips"] = []
    for source in clips:
        try:
            found = task.video(model, source, out, **look)
        except (ValueError, OSError) as error:
            found = {"path": str(source), "files": [], "error": str(error)}
        report["clips"] += [found] * bool(found["files"])
        # A truncated clip may be both.
        report["failed"] += [found] * bool(found["error"])
    return report


def ready(run, options=None):
    """All that prediction by a run needs, loaded once.

    Args:
        run, options: as in `predict`.

    Returns:
        (keras.Model, its `tasks.Task`, dict of "class_names" and "palette" of the
        classes that it tells apart, prediction options of the task).
    """
    model, recipe, facts = load_chosen(run, options)
    task = recipes.task_of(recipe)
    look, options = look_of(recipe, facts), _options(recipe, options)
    if "value_range" in task.default_options() and options.value_range is None:
        # Images are scaled as those that the model has learned from.
        options = dataclasses.replace(options, value_range=facts.get("value_range"))
    return model, task, look, options


def load_chosen(run, options=None):
    """Model, recipe and facts of a run folder, or of published weights."""
    options = options or {}
    if isinstance(run, (list, tuple)):
        model, *about = members.load_all(run, options.get("score_threshold"))
    elif isinstance(run, catalog.Entry):
        from kerasseg import zoo

        machine.check_process()
        model = zoo.load(run)
        about = _about(run, model.predict_options)
    else:
        model, *about = load(run, options.get("score_threshold"))
    if (name := options.get("engine", "tensorflow")) != "tensorflow":
        from kerasseg.predict import engine

        model = engine(model, name)
    return model, *about


def _about(entry, predict_options=None):
    """Recipe and facts of published weights, as far as the use of runs needs them.

    A file of published weights may say by itself how to predict.
    """
    predict_options = entry.predict if predict_options is None else predict_options
    recipe = {
        "model": {"architecture": entry.architecture},
        "data": {**FOLDER, **entry.dataset},
        "predict": predict_options,
    }
    facts = {
        "name": entry.name,
        "root": None,
        "classes": list(entry.classes),
        "colors": entry.colors,
        "ignore_label": 255,
    }
    return recipe, facts


def _options(recipe, given):
    """Prediction options of a recipe, and those given instead."""
    task, name = recipes.task_of(recipe), recipe["model"]["architecture"]
    # The engine computes the model, whatever its task.
    given = {key: x for key, x in (given or {}).items() if key != "engine"}
    check_options(given, task.default_options(), f"{name}'s prediction")
    return task.make_options({**recipe["predict"], **given})


def look_of(recipe, facts):
    """Names and colours of the classes that the models of a recipe give."""
    first = recipes.task_of(recipe).first_class
    names, palette = facts["classes"], palette_of(facts)
    return {"class_names": names[first:], "palette": palette[first:]}
