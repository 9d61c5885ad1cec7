"""Loader of `weights=` arguments: nothing, a published file, a path."""

import hashlib
import pathlib
import re

import keras

from kerasseg import weights as weight_files


def load(model, weights, *, url=None, rules=()):
    """Put weights into a model and return it.

    Args:
        model: keras.Model.
        weights: None, "imagenet" (the file at `url`), a path, or a dict of arrays.
        url: where the published file lies; None when there is none.
        rules: renaming rules of `kerasseg.weights.from_torch`, those of encoders inside
            the model among them.

    Raises:
        ValueError: for "imagenet" where nothing is published.
        WeightsError: if the file cannot be read or does not fit the model.
    """
    if weights is None:
        return model
    if isinstance(weights, str) and weights == "imagenet":
        if url is None:
            raise ValueError(
                f"No ImageNet weights are published for {model.name!r}: `weights` must "
                "be None or a path. Received: weights='imagenet'."
            )
        weights = download(url)
    return weight_files.load(model, weights, rules=rules)


def download(url):
    """Fetch a file once into Keras' cache and check it against the hash in its name.

    PyTorch's files end in the first digits of their SHA-256: `resnet50-0676ba61.pth`.

    Returns:
        pathlib.Path of the file.

    Raises:
        WeightsError: if the hash differs.
    """
    path = pathlib.Path(keras.utils.get_file(origin=url, cache_subdir="kerasseg"))
    promised = re.search(r"-([0-9a-f]{8,})\.", path.name)
    received = hashlib.sha256(path.read_bytes()).hexdigest()
    if promised and not received.startswith(promised[1]):
        path.unlink()
        raise weight_files.WeightsError(
            f"the download must have a SHA-256 beginning {promised[1]}. "
            f"Received: {received}. Try again.",
            path,
        )
    return path
