"""Weights of a reference implementation, for a model that a builder made."""

import sys

from kerasseg.weights.variables import load


def load_torch(model, source):
    """Put the weights of a PyTorch reference into one of our models.

    Names are mapped by the rules that lie beside the model's builder and its encoder's:
    `kerasseg.zoo.deeplab_v3` says which implementations those are.

    Args:
        model: keras.Model of a function in `kerasseg.zoo` or `kerasseg.encoders`.
        source: path, see `read`, or a state dict as a dict of arrays.

    Returns:
        The model.

    Raises:
        ValueError: if the model's builder is unknown.
        WeightsError: if the file cannot be read; lists unknown, missing and misshapen
            arrays, the model is then unchanged.
    """
    # The rules belong to the layers above this one, which need not be loaded for files.
    from kerasseg import encoders, zoo
    from kerasseg.encoders.pretrained import encoder_rules

    builders = {**encoders.ENCODERS, **zoo.BUILDERS}
    if model.name not in builders:
        raise ValueError(
            "`model` must come from kerasseg.zoo or kerasseg.encoders, its name kept. "
            f"Received: model {model.name!r}."
        )
    module = sys.modules[builders[model.name].__module__]
    rules = (*getattr(module, "RULES", ()), *encoder_rules(model))
    return load(model, source, rules=rules)
