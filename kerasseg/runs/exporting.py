"""A run's model for use elsewhere, with what it was compared on."""

import functools
import json
import os
import pathlib
import tempfile

from kerasseg import datasets, files, recipes
from kerasseg.names import parameters
from kerasseg.runs.use import load_chosen, look_of, read_samples
from kerasseg.weights import catalog

CALIBRATED, SCORED, COMPARED = 64, 100, 8  # images, the first of a split
BYTE = (0, 255)
OF_SCORES = ("flips", "scales", "tile_px", "refine")  # options that need probabilities
# Of scikit-image, for weights that are compared without their data.
PHOTOS = ("astronaut", "coffee", "chelsea", "rocket", "motorcycle_left")
SAVED_MODELS = ("saved_model", "tf_saved_model")


def export(
    run,
    out,
    *,
    format="tf_saved_model",
    precision="float32",
    root=None,
    max_loss=1.0,
    raw=False,
):
    """Write a run's model with its best weights for use elsewhere.

    Args:
        run: as in `evaluate`.
        out: output folder.
        format: "tf_saved_model" (see `export.saved_model`), or another of
            `export.FORMATS`.
        precision: as of `export.save`. "int8" is calibrated on the first 64 images of
            the validation data (where those are fewer than 8, of the training data,
            too), and scored on the first 100, as float32 is.
        root: folder of the data set, for "int8"; None for the one of the run.
        max_loss: points (of 100) of the run's score that int8 may lose.
        raw: write logits instead of class ids, see `export.save_raw`.

    Returns:
        Path of what was written. Beside other formats than a SavedModel, which holds
        it, there is a file of that name and .json, see `export.save`. Its "predict" are
        the options, such as `zoom`, with which the run predicts and the file does not:
        of objects always the least score, which whoever reads the file has to apply.

    Raises:
        ExportError: as of `export.save`, or if int8 loses more.
        ValueError: for options that do not go together.
    """
    from kerasseg import export as exporting

    _check(format, precision, raw, max_loss)
    exporting.check(format, precision)
    loaded = load_chosen(run)
    made = {"format": format, "out": out}
    if precision == "int8" and not raw:
        path = _in_int8(run, loaded, root, max_loss, **made)
    else:
        path = _written(loaded, precision, raw, **made)
    if own := _own_options(*loaded[1:]):
        _add(path, format, {"predict": own})
    return path


def _check(format, precision, raw, max_loss):
    """Refuse options that would be left out without a word."""
    if raw and format in SAVED_MODELS:
        raise ValueError(
            "`raw` is for onnx, openvino and litert: a SavedModel answers with class "
            f"ids, and keras holds the model itself. Received: format={format!r}."
        )
    if raw and precision != "float32":
        raise ValueError(
            f"`raw` files hold float32. Received: raw=True, precision={precision!r}."
        )
    if not max_loss <= 100:  # NaN, too
        raise ValueError(
            f"`max_loss` must be a number of points. Received: max_loss={max_loss}."
        )


def _written(loaded, precision, raw, *, format, out):
    from kerasseg import export as exporting

    model, _, facts = loaded
    if format in SAVED_MODELS:
        ignored = {"ignore_label": facts["ignore_label"]}
        return exporting.saved_model(model, out, **_look(loaded), **ignored)
    path = pathlib.Path(out) / facts["name"]
    if raw:
        options = {"format": format, "value_range": facts.get("value_range")}
        return exporting.save_raw(model, path, **options)
    options = {"format": format, "precision": precision}
    return exporting.save(model, path, **options, **_look(loaded))


def _look(loaded):
    _, recipe, facts = loaded
    return {**look_of(recipe, facts), "value_range": facts.get("value_range")}


def _own_options(recipe, facts):
    """Options with which a run predicts, and its files do not."""
    task = recipes.task_of(recipe)
    wanted = {**task.default_options(), **recipe["predict"]}
    done = {**task.default_options(), **task.file_options}
    own = {k: x for k, x in wanted.items() if k in done and x != done[k]}
    for of_pictures in ("picture_bands", "cut_outs"):
        own.pop(of_pictures, None)
    # The range of the data is in the file.
    if list(own.get("value_range") or ()) == list(facts.get("value_range") or ()):
        own.pop("value_range", None)
    return own


def _in_int8(run, loaded, root, max_loss, *, format, out):
    from kerasseg import export as exporting
    from kerasseg.export.quantization import FEWEST

    model, recipe, facts = loaded
    value_range, path = facts.get("value_range"), pathlib.Path(out) / facts["name"]
    samples = read_samples(run, root=root)
    numbers = functools.partial(_numbers, model, recipe, value_range)
    pictures = [numbers(image) for image in _typical(samples)]
    if len(pictures) < FEWEST:
        more = read_samples(run, root=root, split="train")
        pictures += [numbers(image) for image in _typical(more)]
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".part-", dir=path.parent) as part:
        target = pathlib.Path(part) / path.name
        options = {"format": format, "precision": "int8", "pictures": pictures}
        target = exporting.save(model, target, **options, **_look(loaded))
        file = exporting.as_model(model, target, format, value_range)
        scores = _scores(samples, recipe, model, file)
        _check_loss(model, format, scores, max_loss)
        _add(target, format, {"int8": scores})
        for one in sorted(pathlib.Path(part).iterdir()):
            os.replace(one, path.parent / one.name)
    return path.parent / target.name


def _typical(samples):
    """Images by which ranges are chosen."""
    return (samples[index]["image"] for index in range(min(len(samples), CALIBRATED)))


def compare(run, path, *, format, pictures=None, root=None):
    """Compare what `export` wrote with the run's model on real pictures.

    Args:
        run: as of `export`.
        path: what it returned.
        format: that it was written in.
        pictures: image files and folders; None for the first 8 validation images, or,
            for published weights without `root`, photographs that scikit-image brings.
        root: folder of the data set.

    Returns:
        dict of `export.compare`, which is also written to kerasseg.json as "check", and
        "table", the same as text.
    """
    from kerasseg import export as exporting

    model, recipe, facts = load_chosen(run)
    value_range = facts.get("value_range")
    names, images = _pictures(run, model, pictures, root)
    numbers = functools.partial(_numbers, model, recipe, value_range)
    result = exporting.compare(
        model,
        path,
        format,
        [numbers(image) for image in images],
        names=names,
        value_range=value_range,
    )
    _add(path, format, {"check": result})
    return {**result, "table": exporting.table(result)}


def about_export(path, format):
    """Content of kerasseg.json of an exported model, or of the file that replaces it.

    Args:
        path, format: as of `compare`.
    """
    return json.loads(_place(path, format).read_text(encoding="utf-8"))


def _place(path, format):
    if format in ("saved_model", "tf_saved_model"):
        return pathlib.Path(path) / "kerasseg.json"
    return pathlib.Path(f"{path}.json")


def _add(path, format, more):
    content = {**about_export(path, format), **more}
    text = json.dumps(content, indent=1, ensure_ascii=False) + "\n"
    files.replace_text(_place(path, format), text)


def _numbers(model, recipe, value_range, image):
    """An image as the file takes it: of its size, uint8 or numbers of the data."""
    from kerasseg import images
    from kerasseg.export.comparison import fitted

    (spec,) = recipes.task_of(recipe).program(model, value_range).input_signature
    plain = list(value_range or BYTE) == list(BYTE)
    return fitted(images.scale(image) if plain else image, spec)


def _pictures(run, model, pictures, root):
    """Names and images: those given, validation images, or photographs."""
    from kerasseg import images

    channels = model.input_shape[-1]
    if pictures:
        paths = []
        for path in map(pathlib.Path, pictures):
            folder = path.is_dir()
            paths += [x for _, x in images.find_pictures(path)[0]] if folder else [path]
        return paths, [images.read_image(path, channels=channels) for path in paths]
    if root is not None or not _needs_root(run):
        samples = read_samples(run, root=root)
        some = range(min(len(samples), COMPARED))
        return samples.names, [samples[index]["image"] for index in some]
    import skimage.data

    folder = pathlib.Path(skimage.data.__file__).parent
    paths = [path for name in PHOTOS for path in sorted(folder.glob(f"{name}.*"))]
    return PHOTOS, [images.read_image(path, channels=channels) for path in paths]


def _needs_root(run):
    """Whether these are published weights whose data are a folder to be given."""
    if not isinstance(run, catalog.Entry):
        return False
    name = run.dataset.get("dataset", "folder")
    return "root" in parameters(getattr(datasets, name))


def _scores(samples, recipe, model, file):
    """Scores of a model and of its int8 file on the first samples."""
    from kerasseg import evaluate

    task = recipes.task_of(recipe)
    # As the run predicts, but for what a file of class ids cannot be part of.
    given = {key: x for key, x in recipe["predict"].items() if key not in OF_SCORES}
    options, monitor = task.make_options(given), task.monitor
    found = [
        evaluate.score(x, samples, options, limit=SCORED)[monitor]
        for x in (model, file)
    ]
    images = min(len(samples), SCORED)
    return {"score": monitor, "float32": found[0], "int8": found[1], "images": images}


def _check_loss(model, format, scores, max_loss):
    from kerasseg.export import ExportError

    loss = 100 * (scores["float32"] - scores["int8"])
    if not loss <= max_loss:  # NaN, too
        raise ExportError(
            f"{model.name!r} loses {loss:.2f} points of {scores['score']} in int8 as "
            f"{format!r}, on {scores['images']} images: from "
            f"{100 * scores['float32']:.2f} to {100 * scores['int8']:.2f}; "
            f"max_loss={max_loss} is allowed. Nothing was left behind. Take "
            "precision='float16', another format, or allow more."
        )
