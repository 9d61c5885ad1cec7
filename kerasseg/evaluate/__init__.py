"""Scores of a model on whole images, and what a number needs beside it.

>>> from kerasseg import evaluate
>>> result = evaluate.score(model, samples)  # doctest: +SKIP
>>> print(evaluate.table(result))  # doctest: +SKIP
"""

from kerasseg.evaluate.details import details
from kerasseg.evaluate.inspection import inspection
from kerasseg.evaluate.results import environment, write_results
from kerasseg.evaluate.scoring import Scaled, extremes, gallery, score, table

__all__ = [
    "Scaled",
    "details",
    "environment",
    "extremes",
    "gallery",
    "score",
    "table",
    "write_results",
]
