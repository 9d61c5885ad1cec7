"""Weights of a reference implementation, for a model that a builder made."""

from kerasseg import encoders
from kerasseg.weights.variables import load


def load_torch(model, source):
    """Put the weights of a PyTorch reference into one of our models.

    Names are mapped by the rules that lie beside the model's builder and its encoder's:
    `kerasseg.zoo.deeplab_v3` says which implementations those are.

    Args:
        model: keras.Model of a function in `kerasseg.zoo` or `kerasseg.encoders`.
        source: path, see `kerasseg.weights.read`, or a state dict as a dict of arrays.

    Returns:
        The model.

    Raises:
        ValueError: if the model's builder is unknown.
        WeightsError: if the file cannot be read; lists unknown, missing and misshapen
            arrays, the model is then unchanged.
    """
    from kerasseg import zoo  # which imports this module

    if model.name in encoders.ENCODERS:
        rules = encoders.traits_of(model).rules
    elif model.name in zoo.BUILDERS:
        rules = (*zoo.BUILDERS[model.name].rules, *encoders.rules_of(model))
    else:
        raise ValueError(
            "`model` must come from kerasseg.zoo or kerasseg.encoders, its name kept. "
            f"Received: model {model.name!r}."
        )
    return load(model, source, rules=rules)
