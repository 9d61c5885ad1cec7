"""Folders in which other libraries save a model, told by their config.json."""

import pathlib

from kerasseg.weights import WeightsError, catalog
from kerasseg.zoo import _hugging_face, _smp, _star_unet

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
    config = _hugging_face.read_json(folder / "config.json")
    if "architectures" in config:
        return _hugging_face.reference_of(folder, config)
    if "n_rays" in config:
        file, options, _ = _star_unet.read(folder)
        # Any of its names does: config.json says all in which they differ.
        given = {"weights": file, "options": options}
        return "stardist/2D_versatile_fluo", given, OBJECTS
    if "_model_class" in config:
        name, given = _smp.reference_of(folder)
        # One logit tells two classes apart.
        count = max(given["num_classes"], 2)
        return name, given, tuple(map(str, range(count)))
    raise WeightsError(
        "must hold the weights and config.json of segmentation_models.pytorch's or "
        "transformers' `save_pretrained`, or of StarDist. Fix: give a file of another "
        "library to kerasseg.zoo.from_reference(NAME, weights=FILE); `kerasseg "
        "weights` lists names that need no folder.",
        str(folder),
    )
