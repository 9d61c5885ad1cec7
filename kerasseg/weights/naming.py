"""Names of variables, and arrays of PyTorch brought under them."""

import re
from typing import NamedTuple

import numpy as np

from kerasseg.weights.checks import WeightsError

# Last part of PyTorch's names -> ours, for arrays of rank 1 and of higher rank.
VECTORS = {
    "weight": "gamma",
    "running_mean": "moving_mean",
    "running_var": "moving_variance",
}
# Keras' layouts [k, k, in, out] and [in, out] from [out, in, k, k] and [out, in];
# transposed convolutions too: [k, k, out, in] from [in, out, k, k].
AXES = {2: (1, 0), 3: (2, 1, 0), 4: (2, 3, 1, 0), 5: (2, 3, 4, 1, 0)}


class Reordered(NamedTuple):
    """Replacement of a rule of `from_torch` where a reference joins features otherwise.

    Attributes:
        name: the new name.
        order: numbers of equal parts of a kernel's input channels, in our order.
    """

    name: str
    order: tuple

    def apply(self, array):
        """Bring the second axis of a kernel [O, I, ...] into order; vectors stay."""
        if np.ndim(array) < 2:
            return array
        parts = np.split(array, len(self.order), axis=1)
        return np.concatenate([parts[i] for i in self.order], axis=1)


def named_variables(model):
    """Variables of a model by path, "stem_conv/kernel"; no metrics, no random seeds.

    `numpy.savez(path, **{k: v.numpy() for k, v in named_variables(model).items()})`
    writes a file that `load` reads.

    Args:
        model: keras.Model, or a list of built layers.

    Raises:
        WeightsError: if two variables have the same path.
    """
    layers = model if isinstance(model, (list, tuple)) else [model]
    table = {}
    for variable in (variable for layer in layers for variable in layer.weights):
        if table.setdefault(variable.path, variable) is not variable:
            raise WeightsError(
                f"two variables are called {variable.path!r}. Give their layers "
                "different names, or load the parts of the model one by one."
            )
    return table


def from_torch(arrays, model, rules=()):
    """Rename and transpose PyTorch's arrays to those of a Keras model.

    Convolutions [O, I, k, k] become [k, k, I, O], depthwise ones [C * m, 1, k, k]
    become [k, k, C, m], linear ones [O, I] become [I, O]; `weight`, `bias`,
    `running_mean` and `running_var` of normalisations become gamma, beta, moving_mean,
    moving_variance; `num_batches_tracked` is left out.

    Args:
        arrays: dict of PyTorch name ("layer1.0.conv1.weight") to array.
        model: keras.Model or list of built layers; its shapes tell a depthwise from a
            one-channel convolution.
        rules: (regular expression, replacement) pairs that turn PyTorch's module names
            into our layer names: (r"^bn1\\.", "stem_norm."). The first that matches is
            applied, once; a replacement of None drops the array, a tuple of them
            divides its first axis (keys and values in one matrix), and a `Reordered`
            changes the order of input channels. A result with "/" is a variable path
            already, and its array is taken as it is, less axes of length 1 that the
            variable has not. Arrays that no rule matches keep their names, for `assign`
            to report.

    Returns:
        dict of variable path to array, for `assign`.

    Raises:
        WeightsError: if two arrays get the same name.
    """
    table = named_variables(model)
    vectors = {  # modules whose weight is a vector normalise: their bias is beta
        name.rpartition(".")[0]
        for name, array in arrays.items()
        if name.endswith(".weight") and array.ndim == 1
    }
    converted = {}
    for name, array in arrays.items():
        targets, order = rename(name, rules)
        if name.endswith("num_batches_tracked"):
            continue
        array = array if order is None else order.apply(array)
        for target, part in zip(targets, _split(array, len(targets))):
            if "/" not in target and "." in target and (target != name or not rules):
                module, _, kind = target.rpartition(".")
                kind = _kind(kind, part, name.rpartition(".")[0] in vectors)
                target = f"{module}/{kind}"
                if kind == "kernel":
                    part = _transpose(part, table.get(target))
            elif target in table and np.ndim(part) > len(table[target].shape):
                part = np.squeeze(part)  # factors of channels [C, 1, 1]
            if target in converted:
                raise WeightsError(
                    f"two arrays are both {target!r}, the second {name!r}."
                )
            converted[target] = part
    return converted


def rename(name, rules):
    """New names of an array, none if it is dropped, several if it is divided.

    Args:
        name: PyTorch's.
        rules: see `from_torch`.

    Returns:
        Tuple of names, and a `Reordered` or None.
    """
    for pattern, replacement in rules:
        if re.search(pattern, name):
            if replacement is None:
                return (), None
            order = replacement if isinstance(replacement, Reordered) else None
            if order is not None:
                replacement = order.name
            several = isinstance(replacement, tuple)
            replacements = replacement if several else (replacement,)
            names = (re.sub(pattern, r, name, count=1) for r in replacements)
            return tuple(names), order
    return (name,), None


def _split(array, count):
    """The parts of a first axis; a whole array stays as it is, scalars included."""
    return [array] if count < 2 else np.split(array, count)


def _kind(kind, array, normalizes):
    if kind == "weight" and array.ndim > 1:
        return "kernel"
    if kind == "bias":
        return "beta" if normalizes else "bias"
    return VECTORS.get(kind, kind)


def _transpose(array, variable):
    if array.ndim == 4 and array.shape[1] == 1 and variable is not None:
        channels, multiplier = variable.shape[-2:]
        if channels * multiplier == array.shape[0] and channels > 1:
            array = array.reshape(channels, multiplier, *array.shape[2:])
            return array.transpose(2, 3, 0, 1)  # [k, k, C, m]
    return array.transpose(AXES[array.ndim])
