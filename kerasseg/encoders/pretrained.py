"""Loader of `weights=` arguments: nothing, published weights by name, a path."""

import functools
import os

from kerasseg import weights as weight_files
from kerasseg.weights import catalog
from kerasseg.weights.files import layer_names

KERAS = "keras.applications"


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
            f"`publisher` must be one of {tuple(choices)}. "
            f"Received: publisher={publisher!r}."
        )
    first = next(iter(choices))
    if isinstance(weights, str) and weights == "imagenet" and publisher != first:
        raise ValueError(
            f"weights='imagenet' are those of {first}. Received: publisher="
            f"{publisher!r}. Give the path of a file of {publisher}."
        )


def load_of_publisher(model, weights, rules, publisher):
    """Put weights into a publisher's network; those of another's are refused.

    Their layers have equal shapes, and compute something else.

    Args:
        model: keras.Model.
        weights: None, a path, or a dict of arrays.
        rules: dict of publisher to the renaming rules of its files.
        publisher: whose network the model is.

    Raises:
        WeightsError: if the file cannot be read, does not fit or is of another.
    """
    if weights is None or isinstance(weights, dict) or not _is_h5(weights):
        chosen = functools.partial(_rules_unless_of_another, model, rules, publisher)
        return load(model, weights, rules=chosen)
    if publisher != KERAS and is_of_keras(weights):
        raise weight_files.WeightsError(_of_another(model, KERAS, publisher), weights)
    return load(model, weights, rules=rules[publisher])


def loader(rules):
    """Function (model, source) for the trait `load` of an encoder with `publisher`.

    Args:
        rules: see `load_of_publisher`.
    """

    def load_file(model, source):
        return load_of_publisher(model, source, rules, publisher_of(model))

    return load_file


def publisher_of(model):
    """The option `publisher` by which an encoder was built.

    Raises:
        WeightsError: if it was read from a file, which does not tell.
    """
    built = getattr(model, "built_with", None)
    if built is None:
        raise weight_files.WeightsError(
            f"the publisher of model {model.name!r} must be known. Received: a model "
            f"that was read from a file. Build kerasseg.encoders.{model.name}, and "
            "load the weights into that."
        )
    return built.options["publisher"]


def is_of_keras(path):
    """Whether a file is of keras.applications: ours name the layer "normalize"."""
    return _is_h5(path) and "normalize" not in layer_names(path)


def _is_h5(path):
    return os.fspath(path).lower().endswith(".h5")


def _rules_unless_of_another(model, rules, publisher, arrays):
    wanted = {*weight_files.named_variables(model)}
    found = {
        name: len(wanted.intersection(weight_files.from_torch(arrays, model, of)))
        for name, of in rules.items()
    }
    best = max(found, key=found.get)
    if found[best] > found[publisher]:
        raise weight_files.WeightsError(_of_another(model, best, publisher))
    return rules[publisher]


def _of_another(model, theirs, publisher):
    return (
        f"these weights are those of {theirs}, whose {model.name} computes something "
        f"else. Received: publisher={publisher!r}. Build the encoder by "
        f"publisher={theirs!r}."
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
