"""Pages from results: cards of the zoo, a report of a run, runs beside each other."""

from kerasseg.report.advice import advice
from kerasseg.report.cards import card, fill, update
from kerasseg.report.comparison import compare, mean_interval
from kerasseg.report.comparison import table as comparison_table
from kerasseg.report.page import page

__all__ = [
    "advice",
    "card",
    "compare",
    "comparison_table",
    "fill",
    "mean_interval",
    "page",
    "update",
]
