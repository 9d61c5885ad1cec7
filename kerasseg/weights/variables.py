"""Puts arrays into the variables of a Keras model, by name, or not at all."""

import logging
import os
import re
import warnings

import numpy as np

from kerasseg.weights.checks import WeightsError, listed
from kerasseg.weights.files import read, read_layers
from kerasseg.weights.naming import from_torch, named_variables, rename


def assign(model, arrays, *, partial=False, skip=(), path=None):
    """Set the variables of a model, all or none.

    Args:
        model: keras.Model, or a list of built layers.
        arrays: dict of variable path ("stem_conv/kernel") to array.
        partial: accept arrays without a variable, variables without an array, and
            arrays of another shape, such as those of a head for other classes; these
            are left out, and the log says which.
        skip: paths of variables that stay as they are, all of them, if the array of one
            has another shape: a head for other classes. The log says so.
        path: the file that the arrays came from, for messages.

    Returns:
        List of the paths that were set.

    Raises:
        WeightsError: lists unknown, missing and misshapen arrays together; the model
            is then unchanged.
    """
    table = named_variables(model)
    # A head of as many classes as the file's fits, and is loaded like the rest.
    if other := [path for path in skip if _misfits(arrays, table, path)]:
        logging.getLogger(__name__).warning(
            "left as they are, for the file has other classes: %s", listed(other)
        )
        arrays = {name: x for name, x in arrays.items() if name not in skip}
        table = {name: x for name, x in table.items() if name not in skip}
    problems = []
    if not partial:
        unknown = [name for name in arrays if name not in table]
        missing = [name for name in table if name not in arrays]
        problems += [f"unknown: {listed(unknown)}"] if unknown else []
        problems += [f"missing: {listed(missing)}"] if missing else []
    shared = [name for name in table if name in arrays]
    known = [
        name
        for name in shared
        if tuple(np.shape(arrays[name])) == tuple(table[name].shape)
    ]
    misshapen = [
        f"{name} {tuple(np.shape(arrays[name]))} for {tuple(table[name].shape)}"
        for name in shared
        if name not in known
    ]
    # With `partial` some may differ, but not all: then it is another network.
    if misshapen and not (partial and known):
        problems += [f"misshapen: {listed(misshapen)}"]
    if problems or (arrays and not known):
        problems = problems or [f"unknown: {listed(arrays)}"]
        raise WeightsError(
            "arrays must fit the model's variables. Received arrays that are "
            f"{'; '.join(problems)}.",
            path,
        )
    for name in known:
        table[name].assign(np.asarray(arrays[name]))
    if misshapen:
        logging.getLogger(__name__).warning(
            "%d variables were set, and left as they are: %s",
            len(known),
            listed(misshapen),
        )
    return known


def _misfits(arrays, table, path):
    return path in arrays and np.shape(arrays[path]) != tuple(table[path].shape)


def adapt_channels(kernel, channels):
    """Make a first kernel fit images of another number of channels.

    Each new channel gets the mean over the old ones, times old / new: a picture whose
    channels are equal gives the same features as before.

    Args:
        kernel: [k, k, old, filters].
        channels: channels of the new images.

    Returns:
        [k, k, channels, filters].

    Example:
        >>> adapt_channels(np.full([1, 1, 3, 1], 2.0), 1).ravel()
        array([6.])
    """
    mean = kernel.mean(axis=2, keepdims=True)
    return np.repeat(mean * (kernel.shape[2] / channels), channels, axis=2)


def load(model, source, *, rules=(), partial=False, skip=(), part=False):
    """Put a weight file, or arrays, into a model.

    Arrays may have our names or, with `rules`, those of a PyTorch reference. If only
    the number of image channels differs, the first kernel is adapted.

    Args:
        model: keras.Model.
        source: path, see `read`, or a dict of arrays. Keras matches the layers of a
            `.weights.h5` by their order; where they differ, as with another output
            stride or layers that are not used here, they are matched by their names.
        rules: see `from_torch`; or a function of the arrays that returns them, asked
            where no array has one of our names.
        partial, skip: see `assign`.
        part: the model is a part of the one that the file is of: arrays of layers that
            are called otherwise than any of its own are left out, and the log says so.

    Returns:
        The model.

    Raises:
        WeightsError: if the file cannot be read or does not fit the model.
    """
    path = None if isinstance(source, dict) else os.fspath(source)
    # HDF5 files, too, which Keras reads once more below: 3.15 accepts NaN silently.
    arrays = source if path is None else read(path)
    if path is not None and path.lower().endswith(".h5"):
        reason = "partial" if partial else _load_by_keras(model, path)
        if reason is None:
            return model
        named = _named_arrays(model, path, () if callable(rules) else rules)
        arrays = named or _of_rules(arrays, rules, path)
        if not arrays:
            reason = "it names none of the model's layers" if partial else reason
            raise WeightsError(f"does not fit model {model.name!r}: {reason}", path)
    table = named_variables(model)
    if rules and not any(name in table for name in arrays):
        if callable(rules):
            rules = _ask(rules, arrays, path)
        arrays = from_torch(arrays, model, rules)
    if part:
        arrays = _own(arrays, table, path)
    # Variables come in the order of the layers: the first kernel sees the image.
    first = next((name for name, v in table.items() if len(v.shape) == 4), None)
    if first in arrays:
        wanted, given = tuple(table[first].shape), np.shape(arrays[first])
        if len(given) == 4 and given[2] != wanted[2]:
            arrays = {**arrays, first: adapt_channels(arrays[first], wanted[2])}
    assign(model, arrays, partial=partial, skip=skip, path=path)
    return model


def _of_rules(arrays, rules, path):
    """The arrays if rules rename one of them, as those of another's layers; else {}."""
    rules = _ask(rules, arrays, path) if callable(rules) else rules
    return arrays if any(rename(name, rules)[0] != (name,) for name in arrays) else {}


def _own(arrays, table, path):
    """The arrays of a model and of its kind: "layer4_0_1_conv" is, "decoder1" is not.

    So a deeper network of the same kind is not taken for one that has more parts.
    """
    kinds = {_kind_of_layer(name) for name in table}
    others = [name for name in arrays if _kind_of_layer(name) not in kinds]
    if others and len(others) < len(arrays):
        message = "%stook %d arrays, left out those of other parts: %s"
        start = "" if path is None else f"{path}: "
        count = len(arrays) - len(others)
        logging.getLogger(__name__).warning(message, start, count, listed(others))
        arrays = {name: x for name, x in arrays.items() if name not in others}
    return arrays


def _kind_of_layer(path):
    return re.sub(r"\d+", "#", path.partition("/")[0])


def _ask(rules, arrays, path):
    """Let a function choose the rules; what it refuses names the file."""
    try:
        return rules(arrays)
    except WeightsError as error:
        raise WeightsError(str(error), path) from None


def _load_by_keras(model, path):
    """Load a `.weights.h5` as Keras does; return the reason if it does not fit.

    Keras numbers the layers of its files by class. It merely warns about layers without
    weights, and leaves half a model on errors.
    """
    before = model.get_weights()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", UserWarning)
            model.load_weights(path)
    except (ValueError, KeyError, OSError, UserWarning) as error:
        model.set_weights(before)
        return str(error)
    return None


def _named_arrays(model, path, rules):
    """Arrays of a `.weights.h5` by variable path, matched by the names of layers.

    Rules rename a layer as they rename its variables, which are "Conv1/kernel".
    """
    given = {
        renamed.partition("/")[0]: arrays
        for name, arrays in read_layers(path).items()
        for renamed in rename(f"{name}/", rules)[0]
    }
    arrays = {}
    for layer in model._flatten_layers(include_self=False, recursive=True):
        # A layer's own variables; those of a nested model belong to its layers.
        own = [] if hasattr(layer, "layers") else layer.weights
        for variable, array in zip(own, given.pop(layer.name, ()) if own else ()):
            arrays[variable.path] = array
    unused = {
        f"{name}/{index}": array
        for name, own in given.items()
        for index, array in enumerate(own)
    }
    return {**arrays, **unused} if arrays else {}
