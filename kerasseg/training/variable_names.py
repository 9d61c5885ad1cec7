"""Names for variables that mean the same in every process.

Keras counts the layers that a process has built: the same network holds "conv2d/kernel"
in one process and "conv2d_3/kernel" in the next, and its optimizer is "adam" or
"adam_1". Names given by hand stay; automatic ones lose their count, and equal ones are
told apart by their order in the model: "conv2d/kernel", "conv2d/kernel#2".
"""

import re

import keras


def of_model(model):
    """Name every variable of a model, dropout seeds and frozen weights included.

    Args:
        model: built keras.Model.

    Returns:
        dict name -> keras.Variable, in the model's order; metrics are left out.

    Example:
        >>> for _ in range(2):
        ...     model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)])
        ...     print(list(of_model(model)))
        ['model/sequential/dense/kernel', 'model/sequential/dense/bias']
        ['model/sequential/dense/kernel', 'model/sequential/dense/bias']
    """
    automatic = _automatic_names(model)
    variables = model.variables
    return _unique([f"model/{_strip(v.path, automatic)}" for v in variables], variables)


def of_weights(weights, model, values, prefix):
    """Name values that belong to weights, one each: averages, for example.

    Args:
        weights: list of keras.Variable of `model`.
        model: the model, which knows its layers' classes.
        values: list as long as `weights`.
        prefix: start of each name.

    Returns:
        dict name -> value.
    """
    automatic = _automatic_names(model)
    return _unique([f"{prefix}/{_strip(w.path, automatic)}" for w in weights], values)


def of_optimizer(optimizer, weights, model):
    """Name every variable of an optimizer after its class and the model's weights.

    Args:
        optimizer: built keras optimizer.
        weights: the weights it was built for, in that order.
        model: the model that they belong to.

    Returns:
        dict name -> keras.Variable: "optimizer/adam/momentum/conv2d/kernel".
    """
    automatic = _automatic_names(model)
    # Keras 3 calls a slot "<path of the weight, with _ for />_<slot>".
    stems = {w.path.replace("/", "_") + "_": _strip(w.path, automatic) for w in weights}
    found = []
    for variable in optimizer.variables:
        owner, _, name = variable.path.partition("/")
        # The longest: that of "conv_1" may also begin the name of a slot of "conv_1_2".
        stem = max((s for s in stems if name.startswith(s)), key=len, default="")
        if stem:
            name = f"{name.removeprefix(stem)}/{stems[stem]}"
        # Keras 3.14 spells it SGD, 3.15 sgd; a run may go on under the other.
        owner = re.sub(r"_[0-9]+$", "", owner).lower()
        found.append(f"optimizer/{owner}/{name}")
    return _unique(found, optimizer.variables)


def _automatic_names(model):
    """Return the names that Keras gives to layers on its own, without their count."""
    classes = [
        *vars(keras.layers).values(),
        *keras.saving.get_custom_objects().values(),  # layers of this library
        *_classes(model),
        keras.random.SeedGenerator,
    ]
    return {_snake_case(c.__name__) for c in classes if isinstance(c, type)}


def _classes(layer):
    found = {type(layer)}
    for inner in getattr(layer, "layers", []):
        found |= _classes(inner)
    return found


def _strip(path, automatic):
    """Take the count off the parts of a path that Keras named."""
    parts = []
    for part in path.split("/"):
        base = re.sub(r"_[0-9]+$", "", part)
        parts.append(base if base in automatic else part)
    return "/".join(parts)


def _unique(found, values):
    named, seen = {}, {}
    for name, value in zip(found, values, strict=True):
        seen[name] = seen.get(name, 0) + 1
        named[name if seen[name] == 1 else f"{name}#{seen[name]}"] = value
    return named


def _snake_case(name):
    """Spell a class as Keras does: Conv2D -> conv2d, ReLU -> re_lu."""
    name = re.sub("(.)([A-Z][a-z]+)", r"\1_\2", name)
    return re.sub("([a-z])([A-Z])", r"\1_\2", name).lower()
