"""What a model costs: operations, time, memory."""

from kerasseg.profiling.benchmark import measure, model_cases, run
from kerasseg.profiling.operations import gflops

__all__ = ["gflops", "measure", "model_cases", "run"]
