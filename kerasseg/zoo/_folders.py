"""Folders in which other libraries save a model, told by their config.json."""

import json
import pathlib

from kerasseg.weights import WeightsError, catalog
from kerasseg.zoo import _smp

OBJECTS = ("background", "object")  # of StarDist, whose files name none


def entry_of(folder, references):
    """Entry of `weights.catalog` for a folder.

    Args:
        folder: path.
        references: dict of their names to builders, `zoo.REFERENCES`.

    Returns:
        `Entry`. Its classes are "0", "1", ... where the folder names none.

    Raises:
        WeightsError: if it is of no library that is known here, a file is missing, or
            the model has an option that is not computed here.
    """
    reference, given, classes = _reference_of(pathlib.Path(folder))
    builder, options = references[reference], dict(given.get("options", {}))
    if "num_classes" in given:
        options["num_classes"] = given["num_classes"]
    return catalog.Entry(
        pathlib.Path(folder).absolute().name,
        builder.task,
        builder.__name__,
        reference,
        given.get("encoder"),
        options=options,
        classes=classes,
        local=str(given["weights"]),
        verified="",
    )


def _reference_of(folder):
    """Name of a reference, its other arguments, and names of the classes."""
    if (folder / "recipe.toml").is_file():
        raise WeightsError("is a run: give it as --run, not --weights.", str(folder))
    keys = _keys(folder / "config.json")
    if "n_rays" in keys:
        # Any of its names does: config.json says all in which they differ.
        return "stardist/2D_versatile_fluo", {"weights": folder}, OBJECTS
    if "_model_class" in keys:
        name, given = _smp.reference_of(folder)
        # One logit tells two classes apart.
        count = max(given["num_classes"], 2)
        return name, given, tuple(map(str, range(count)))
    raise WeightsError(
        "must hold a config.json that segmentation_models.pytorch's `save_pretrained` "
        "or StarDist wrote, and the weights. Fix: give a file of another library to "
        "kerasseg.zoo.from_reference(NAME, weights=FILE); `kerasseg weights` lists "
        "names that need no folder.",
        str(folder),
    )


def _keys(path):
    """Names in a configuration; none if there is no such file."""
    try:
        config = json.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        return ()
    except (OSError, ValueError, RecursionError) as error:
        raise WeightsError(f"is no configuration ({error}).", str(path)) from error
    return tuple(config) if isinstance(config, dict) else ()
