"""A search for the options that a plan leaves open, by Optuna.

`space` says which options of a recipe are searched, and how; `study` trains, prunes,
and goes on after a stop. `pip install 'kerasseg[tune]'` brings Optuna.
"""

from kerasseg.tune.space import Dimension, changed, dimensions, starting_point
from kerasseg.tune.study import require_optuna, tune

__all__ = [
    *("Dimension", "changed", "dimensions"),
    *("require_optuna", "starting_point", "tune"),
]
