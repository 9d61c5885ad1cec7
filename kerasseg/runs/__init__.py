"""Runs: a recipe trained, evaluated and pictured in one folder.

A run folder holds `recipe.toml` (resolved), `run.json` (data root, classes, colours),
`split.json` (names of the samples of both sides),
`history.jsonl`, `checkpoints/`, `best.weights.h5`, `results.json` and the pictures
`curves.png`, `samples.png`, `confusion.png`; of a plan also `plan.json`, and
`chosen.json` (options of prediction that were chosen after training).
"""

from kerasseg.runs.exporting import about_export, compare, export
from kerasseg.runs.folder import Notes, RunError, find, load
from kerasseg.runs.folds import train_folds
from kerasseg.runs.many import predict_many
from kerasseg.runs.members import expand
from kerasseg.runs.planned import find_planned
from kerasseg.runs.pseudo import train_student
from kerasseg.runs.training import train
from kerasseg.runs.use import evaluate, predict, published, read_samples, ready

__all__ = [
    "Notes",
    "RunError",
    "about_export",
    "compare",
    "evaluate",
    "expand",
    "export",
    "find",
    "find_planned",
    "load",
    "predict",
    "predict_many",
    "published",
    "read_samples",
    "ready",
    "train",
    "train_folds",
    "train_student",
]
