"""A plan: from data, a machine and some minutes to a recipe with its reasons.

`facts` measures the data, `trial` models on this machine; `choices`, `augmentation`,
`candidates` and `length` turn numbers into options of a recipe, without TensorFlow.
"""

from kerasseg.plan.facts import DataFacts, look
from kerasseg.plan.planner import Plan, Request, about, check_minutes, plan

__all__ = ["DataFacts", "Plan", "Request", "about", "check_minutes", "look", "plan"]
