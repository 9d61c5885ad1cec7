"""Options of a recipe that are worth a search, with their ranges; numbers only."""

import copy
import math
import typing

from kerasseg import recipes
from kerasseg.names import parameters

LEAST_DECAY = 1e-6


class Dimension(typing.NamedTuple):
    """One number that is searched.

    Attributes:
        name: "table.key", or a name of `changed` for what is no single option.
        low, high: range.
        log: whether it is searched by its logarithm.
        value: that of the recipe.
    """

    name: str
    low: float
    high: float
    log: bool
    value: float


def dimensions(recipe):
    """Dimensions of a recipe's search.

    The learning rate and the weight decay; how far images are scaled, brightened and
    turned; the weight of the second loss, and the power of class weights; dropout. Only
    what the recipe's own functions have, around its own values.

    Args:
        recipe: resolved recipe.

    Returns:
        list of `Dimension`.

    Example:
        >>> [one.name for one in dimensions(recipes.read())][:2]
        ['optimizer.learning_rate', 'loss.second_weight']
    """
    found = []
    optimizer = recipe["optimizer"]
    rate = optimizer["learning_rate"]
    found.append(Dimension("optimizer.learning_rate", rate / 4, rate * 4, True, rate))
    if decay := optimizer.get("weight_decay"):
        low = max(LEAST_DECAY, decay / 100)
        found.append(Dimension("optimizer.weight_decay", low, decay * 100, True, decay))
    found += _of_augmentation(recipes.as_list(recipe["augment"]))
    found += _of_losses(recipe)
    known = parameters(recipes.builder_of(recipe))
    dropout = {**known, **recipe["model"]}.get("dropout")
    if isinstance(dropout, float):
        found.append(Dimension("model.dropout", 0.0, 0.5, False, dropout))
    # Wider where the recipe's own value lies beyond: the search begins with it.
    return [
        one._replace(low=min(one.low, one.value), high=max(one.high, one.value))
        for one in found
    ]


def _of_augmentation(parts):
    scale = _first(parts, "scale")
    if scale is not None and scale[0] < scale[1]:
        spread = math.sqrt(scale[1] / scale[0])
        yield Dimension("augment.scale_spread", 1.0, 2.0, True, spread)
    for key, high in (("brightness", 0.6), ("contrast", 0.6), ("elastic", 20.0)):
        value = _first(parts, key)
        if value:
            yield Dimension(f"augment.{key}", 0.0, high, False, float(value))
    turn = _first(parts, "rotation")
    if turn:
        yield Dimension("augment.rotation", 0.0, 180.0, False, float(turn))


def _of_losses(recipe):
    losses = recipe["loss"]
    if len(losses) == 2 and all("name" in one for one in losses):
        weight = float(losses[1].get("weight", 1.0))
        if weight > 0:  # it has a logarithm
            yield Dimension("loss.second_weight", 0.1, 4.0, True, weight)
    if any(isinstance(one.get("class_weights"), list) for one in losses):
        yield Dimension("loss.weights_power", 0.0, 2.0, False, 1.0)


def _first(parts, key):
    return next((one[key] for one in parts if key in one), None)


def starting_point(recipe):
    """{name: value} of the recipe as it is."""
    return {one.name: one.value for one in dimensions(recipe)}


def changed(recipe, values):
    """The recipe with other values of its dimensions.

    Args:
        recipe: resolved recipe.
        values: {name: number} of `dimensions`.

    Returns:
        Resolved recipe; `recipe` itself stays as it is.

    Example:
        >>> one = changed(recipes.read(), {"augment.brightness": 0.5})
        >>> one["augment"]["brightness"]
        0.5
    """
    recipe = copy.deepcopy(recipe)
    for name, value in values.items():
        table, key = name.split(".")
        change = SPECIAL.get(name)
        if change is not None:
            change(recipe, value)
        elif table == "augment":
            _with_key(recipe, key)[key] = value
        else:
            recipe[table][key] = value
    return recipe


def _with_key(recipe, key):
    return next(one for one in recipes.as_list(recipe["augment"]) if key in one)


def _spread(recipe, value):
    """Scale from the middle of the recipe's own, as far either way."""
    part = _with_key(recipe, "scale")
    middle = math.sqrt(part["scale"][0] * part["scale"][1])
    low, high = middle / value, middle * value
    if part.get("exact"):  # crops as they are need a scale that holds 1
        low, high = min(low, 1.0), max(high, 1.0)
    part["scale"] = [round(low, 4), round(high, 4)]


def _second_weight(recipe, value):
    recipe["loss"][1]["weight"] = value


def _power(recipe, value):
    """Class weights to a power: 0 makes all alike, 1 leaves them."""
    for one in recipe["loss"]:
        if isinstance(one.get("class_weights"), list):
            weights = [round(float(x) ** value, 4) for x in one["class_weights"]]
            one["class_weights"] = weights


def option_of(name):
    """(table, key) of the option that a dimension changes."""
    keys = {"scale_spread": "scale", "second_weight": "weight"}
    keys["weights_power"] = "class_weights"
    table, option = name.split(".")
    return table, keys.get(option, option)


SPECIAL = {
    "augment.scale_spread": _spread,
    "loss.second_weight": _second_weight,
    "loss.weights_power": _power,
}
