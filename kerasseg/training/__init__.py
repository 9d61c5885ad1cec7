"""Training: one compiled step, a loop that resumes exactly, learning rates.

>>> from kerasseg import training
>>> step = training.make_train_step(model, loss, optimizer)  # doctest: +SKIP
>>> training.fit(step, batches, steps=1000, steps_per_epoch=100)  # doctest: +SKIP
"""

from kerasseg.training.fitting import fit, is_first_worker
from kerasseg.training.interrupts import Interrupted
from kerasseg.training.loop import FitResult, NonFiniteError
from kerasseg.training.objective import Objective
from kerasseg.training.schedules import LearningRate, learning_rate
from kerasseg.training.step import TrainStep, make_train_step

__all__ = [
    "FitResult",
    "Interrupted",
    "LearningRate",
    "NonFiniteError",
    "Objective",
    "TrainStep",
    "fit",
    "is_first_worker",
    "learning_rate",
    "make_train_step",
]
