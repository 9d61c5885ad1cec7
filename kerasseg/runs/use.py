"""What is done with a trained run: evaluate, predict, export; and facts on builders."""

import inspect
import math
import pathlib

from kerasseg import recipes
from kerasseg.names import check_options
from kerasseg.runs.folder import load, palette_of
from kerasseg.runs.tasks import task_of


def evaluate(
    run, *, root=None, split="val", flips=False, out=None, samples=None, training=None
):
    """Measure the best weights of a run and write results.json and pictures.

    Args:
        run: run folder.
        root: folder of the data set; None for the one it was trained on.
        split: "train", "val", or a split's own name.
        flips: average over the image and its mirror image; not for instance models.
        out: folder of the results; None for the run folder.
        samples: Samples to use instead of those of `root` and `split`.
        training: JSON-able facts about the training to write down.

    Returns:
        dict: what `scoring.write_results` wrote, and "table", the result as text.

    Raises:
        ValueError: for flips with an instance model.
    """
    from kerasseg import evaluate as scoring
    from kerasseg import viz
    from kerasseg.images import write_image
    from kerasseg.training.history import History

    model, recipe, facts = load(run)
    if samples is None:
        samples = recipes.build_samples(recipe, root or facts["root"], split)
    task = task_of(recipe)
    options = recipe["predict"] | _given({"flips": flips})
    known = inspect.signature(task.score).parameters
    check_options(options, known, f"{model.name}'s evaluation")
    result = task.score(model, samples, **options)
    if training:
        result["training"] = training
    out = pathlib.Path(out or run)
    out.mkdir(parents=True, exist_ok=True)
    seeds = [recipe["train"]["seed"]]
    written = scoring.write_results(
        out / "results.json", result, split=split, seeds=seeds
    )
    picture = task.gallery(model, samples, result)
    write_image(out / "samples.png", picture)
    if "matrix" in result:
        viz.confusion(result["matrix"], samples.classes, out / "confusion.png")
    rows = History(pathlib.Path(run) / "history.jsonl").rows()
    if rows:
        viz.curves(rows, out / "curves.png")
    return {**written, "table": task.table(result)}


def predict(run, inputs, out, options=None):
    """Predict image files with a run's best weights.

    Args:
        run: run folder.
        inputs, out: as in `predict.folder`.
        options: dict of arguments of `predict.class_ids` or, for an instance model,
            `predict.instances`, instead of those of the recipe; None and False count as
            not given.

    Returns:
        What `predict.folder` or `predict.folder_of_instances` does.

    Raises:
        ValueError: for an option of the other kind of model.
    """
    model, recipe, facts = load(run)
    task = task_of(recipe)
    options = recipe["predict"] | _given(options or {})
    look = _look(task, facts)
    if task.finds_objects:  # then a colour tells objects apart, not classes
        look["palette"] = None
    return task.folder(model, inputs, out, **look, save=task.save, options=options)


def _given(options):
    """The options that differ from None and False."""
    return {k: v for k, v in options.items() if v is not None and v is not False}


def _look(task, facts):
    """Names and colours of the classes that the models of a task give."""
    first = int(task.finds_objects)
    names, palette = facts["classes"], palette_of(facts)
    return {"class_names": names[first:], "palette": palette[first:]}


def export(run, out, *, format="tf_saved_model"):
    """Write a run's model with its best weights for use elsewhere.

    Args:
        run: run folder.
        out: output folder.
        format: "tf_saved_model" (see `export.saved_model`), or another of
            `export.FORMATS`.

    Returns:
        Path of what was written.
    """
    from kerasseg import export as exporting

    model, recipe, facts = load(run)
    if format != "tf_saved_model":
        return exporting.save(model, pathlib.Path(out) / facts["name"], format=format)
    return exporting.saved_model(
        model,
        out,
        **_look(task_of(recipe), facts),
        ignore_label=facts["ignore_label"],
    )


def describe(architecture, encoder=None, num_classes=21, size=512):
    """Facts about a builder: parameters, operations, taps, paper, weights.

    Args:
        architecture: name in `kerasseg.zoo`, or of an encoder alone.
        encoder: name in `kerasseg.encoders`; None for the builder's default.
        num_classes: classes of the model that is counted.
        size: height and width of the image whose operations are counted.

    Returns:
        JSON-able dict.
    """
    from kerasseg import encoders, zoo
    from kerasseg.names import look_up

    if architecture in encoders.ENCODERS:
        model = encoders.build(architecture, (size, size, 3))
        about = _encoder_facts(architecture, model.output)
        return {**about, **_size_facts(model, size)}
    builder = look_up(architecture, zoo.BUILDERS, "architecture")
    known = inspect.signature(builder).parameters
    encoder = encoder or known["encoder"].default
    classes = {"num_classes": num_classes} if "num_classes" in known else {}
    instance = architecture in zoo.names("instance")
    sized = (
        {"image_size": (size, size)} if instance else {"input_shape": (size, size, 3)}
    )
    model = builder(**classes, encoder=encoder, **sized)
    taps = next(
        (layer.output for layer in model.layers if isinstance(layer.output, dict)), {}
    )
    return {
        "architecture": architecture,
        "about": inspect.getdoc(builder).splitlines()[0],
        "reference": _reference(builder),
        "num_classes": classes.get("num_classes"),
        **_encoder_facts(encoder, taps),
        **_size_facts(model, size, counts_flops=not instance),
        "encoders": encoders.names(),
    }


def _encoder_facts(name, taps):
    """What an encoder is, and where its ImageNet weights come from."""
    from kerasseg import encoders

    function = encoders.ENCODERS[name]
    publisher = function.traits.publisher
    return {
        "encoder": name,
        "encoder_about": inspect.getdoc(function).splitlines()[0],
        "encoder_reference": _reference(function),
        "imagenet_weights": publisher or "none published",
        "taps": {name: tap.shape[-1] for name, tap in taps.items()},
    }


def _size_facts(model, size, *, counts_flops=True):
    from kerasseg.profiling.operations import gflops

    return {
        "trainable_parameters": sum(
            math.prod(weight.shape) for weight in model.trainable_variables
        ),
        "parameters": model.count_params(),
        # Instance heads run at several sizes, which counting layers does not see.
        "gflops": round(gflops(model), 2) if counts_flops else None,
        "image_size": size,
    }


def _reference(function):
    """The paper that a function names, or else its module."""
    for thing in (function, inspect.getmodule(function)):
        _, found, reference = inspect.getdoc(thing).partition("Reference: ")
        if found:
            return reference.split("\n\n")[0].replace("\n", " ")
    return None
