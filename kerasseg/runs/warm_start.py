"""Beginning a training from weights that there are, instead of from nothing."""

import os
import pathlib

from kerasseg import recipes
from kerasseg.runs.folder import RunError
from kerasseg.weights import catalog


def model_table(init, accept_licence=False):
    """[model] of a recipe that fits weights, for training without a recipe.

    Args:
        init: see `begin`.
        accept_licence: see `weights.catalog.entry`.

    Returns:
        dict of the architecture and its options; None for a file of weights, which
        does not say them.
    """
    if entry := _entry(init, accept_licence):
        if entry.task == "encoder":
            raise RunError(
                f"{init!r} are weights of an encoder, --init takes those of a whole "
                f"model. Fix: --set model.encoder={entry.architecture} --set "
                "model.encoder_weights=imagenet."
            )
        table = _published(entry)
    elif os.path.isdir(init):
        table = dict(recipes.read(init)["model"])
        table.pop("encoder_weights", None)
    else:
        return None
    # These follow from the data.
    of_data = ("num_classes", "things", "input_shape", "image_size")
    return {key: x for key, x in table.items() if key not in of_data}


def _published(entry):
    """[model] of published weights: all on which their outputs depend."""
    from kerasseg import zoo

    inner, options = entry.encoder_options, dict(entry.options)
    if entry.reference:
        reference = zoo.REFERENCES[entry.reference].references[entry.reference]
        inner = {**reference.encoder_options, **inner}
        by_encoder = reference.by_encoder.get(entry.encoder, {})
        options = {**reference.options, **by_encoder, **options}
    table = {"architecture": entry.architecture, **options}
    if entry.encoder:
        table["encoder"] = entry.encoder
    if inner:
        table["encoder_options"] = inner
    # As TOML reads them, which has no None.
    table = {key: x for key, x in table.items() if x is not None}
    return {key: list(x) if isinstance(x, tuple) else x for key, x in table.items()}


def begin(model, settings):
    """Put weights into a new model, and keep a part of it as it is.

    Args:
        model: keras.Model; it is changed.
        settings: [train] of a recipe. `init` is a name of `weights.catalog`, a run
            folder, whose best weights are taken, a folder of another library (see
            `zoo.entry_of`), or a file of weights; "" leaves the model as it is. Where
            it has other classes, the head begins anew and the log says so. `freeze` is
            the `part` of `zoo.freeze`, or "".

    Raises:
        RunError: if there is no such file.
        WeightsError: if the weights do not fit otherwise.
    """
    from kerasseg import zoo

    if settings["init"]:
        source = _entry(settings["init"]) or _path(settings["init"])
        zoo.load_torch(model, source, skip_mismatch="head")
    if settings["freeze"]:
        zoo.freeze(model, settings["freeze"])


def _entry(init, accept_licence=False):
    """Entry of a name or of another library's folder; None of a run or a file."""
    if catalog.is_name(init):
        return catalog.entry(init, accept_licence=accept_licence)
    folder = pathlib.Path(init)
    is_run = (folder / "recipe.toml").is_file()
    if is_run or not (folder / "config.json").is_file():
        return None
    from kerasseg import zoo

    return zoo.entry_of(folder)


def _path(init):
    path = pathlib.Path(init)
    if path.is_dir():
        path = path / "best.weights.h5"
    if not path.is_file():
        raise RunError(
            f"There are no weights to begin with. Received: {init}. Give the name of "
            "published weights (`kerasseg weights`), a run folder, or a file."
        )
    return path
