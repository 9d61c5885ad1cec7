"""Cost of models: operations, time, memory; and facts about builders."""

from kerasseg.profiling.benchmark import measure, model_cases, run
from kerasseg.profiling.facts import describe
from kerasseg.profiling.operations import gflops

__all__ = ["describe", "gflops", "measure", "model_cases", "run"]
