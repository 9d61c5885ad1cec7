"""Cost of a model: operations, time and memory."""

from kerasseg.profiling.benchmark import measure, model_cases, run
from kerasseg.profiling.operations import gflops

__all__ = ["gflops", "measure", "model_cases", "run"]
