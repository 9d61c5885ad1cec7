"""Facts about a builder, stated beside its code, and the loader of its weights."""

import functools

from kerasseg import encoders
from kerasseg.encoders import pretrained
from kerasseg.encoders.arguments import checked


def builder(task="semantic", *, rules=(), losses=None):
    """Decorator of builders: states their task, published weights and losses.

    The function gets attributes of these names, and each model that it returns the
    attribute `task`. Arguments that builders share are checked.

    Args:
        task: see `kerasseg.zoo.names`.
        rules: renaming rules of published files, see `kerasseg.weights.from_torch`;
            those of encoders lie beside these.
        losses: function that trains the model, see `kerasseg.zoo`; None where any loss
            of logits does.
    """

    def decorate(function):
        answer = checked(function)

        @functools.wraps(function)
        def build(*args, **kwargs):
            model = answer(*args, **kwargs)
            model.task = task
            return model

        build.task, build.rules, build.losses = task, tuple(rules), losses
        return build

    return decorate


def load(model, weights, rules=()):
    """Put what a builder was given as `weights=` into its model, and return it.

    Args:
        model: keras.Model.
        weights: None or a path to weights of the whole model.
        rules: the builder's renaming rules; those of the encoder inside are added.
    """
    return pretrained.load(model, weights, rules=(*rules, *encoders.rules_of(model)))
