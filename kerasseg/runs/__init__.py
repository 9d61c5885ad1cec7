"""Runs: a recipe trained, evaluated and pictured in one folder.

A run folder holds `recipe.toml` (resolved), `run.json` (data root, classes, colours),
`split.json` (names of the samples of both sides),
`history.jsonl`, `checkpoints/`, `best.weights.h5`, `results.json` and the pictures
`curves.png`, `samples.png`, `confusion.png`.
"""

from kerasseg.runs.folder import RunError, find, load
from kerasseg.runs.training import train
from kerasseg.runs.use import evaluate, export, predict, read_samples

__all__ = [
    "RunError",
    "evaluate",
    "export",
    "find",
    "load",
    "predict",
    "read_samples",
    "train",
]
