"""Loader of `weights=` arguments: nothing, published weights by name, a path."""

from kerasseg import weights as weight_files
from kerasseg.weights import catalog


def load(model, weights, *, rules=(), skip=()):
    """Put weights into a model and return it.

    Args:
        model: keras.Model.
        weights: None, "imagenet", a name of `kerasseg.weights.catalog`, a path, or a
            dict of arrays.
        rules: renaming rules of `kerasseg.weights.from_torch`, those of encoders inside
            the model among them.
        skip: see `kerasseg.weights.assign`.

    Raises:
        ValueError: for "imagenet" where nothing is published, or for weights of
            another model.
        WeightsError: if the file cannot be read or does not fit the model.
        weights.downloads.DownloadError: if it cannot be had.
    """
    if weights is None:
        return model
    # An encoder may be given the file of a whole model, which holds one.
    part = isinstance(model.output, dict) and "c5" in model.output
    options = {"rules": rules, "skip": skip, "part": part}
    if isinstance(weights, str) and weights == "imagenet":
        weights = f"{model.name}_imagenet"
        if weights not in catalog.entries():
            raise ValueError(
                f"No ImageNet weights are published for {model.name!r}: `weights` must "
                "be None or a path. Received: weights='imagenet'."
            )
    if catalog.is_name(weights):
        entry = catalog.entry(weights)
        # Names and shapes of two networks may agree: the catalogue knows which is
        # meant.
        if entry.architecture != model.name:
            raise ValueError(
                f"{weights!r} are weights of {entry.architecture!r}. Received: model "
                f"{model.name!r}. Write {_built(entry)}."
            )
        return _load_published(model, entry, options)
    return weight_files.load(model, weights, **options)


def check_publisher(publisher, choices, weights):
    """Refuse a publisher that an encoder does not know, or that has no "imagenet".

    Args:
        publisher: whose network to build.
        choices: those that are known; weights="imagenet" is a file of the first.
        weights: what is to be loaded.

    Raises:
        ValueError: for another publisher, or "imagenet" of the wrong one.
    """
    if publisher not in choices:
        raise ValueError(
            f"`publisher` must be one of {choices}. Received: publisher={publisher!r}."
        )
    if isinstance(weights, str) and weights == "imagenet" and publisher != choices[0]:
        raise ValueError(
            f"weights='imagenet' are those of {choices[0]}. Received: publisher="
            f"{publisher!r}. Give the path of a file of {publisher}."
        )


def _load_published(model, entry, options):
    path = entry.path()
    try:
        return weight_files.load(model, path, **options)
    except weight_files.WeightsError as error:
        raise weight_files.WeightsError(f"{error} Write {_built(entry)}.") from error


def _built(entry):
    """Python that builds the model of an entry."""
    if entry.task == "encoder":
        return f"encoder={entry.architecture!r}, encoder_weights='imagenet'"
    return f"kerasseg.zoo.load({entry.name!r})"
