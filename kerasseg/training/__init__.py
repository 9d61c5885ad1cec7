"""Training: one compiled step, a loop that resumes exactly, learning rates.

>>> import keras, numpy as np
>>> from kerasseg import losses, training
>>> model = keras.Sequential([keras.Input((8, 8, 3)), keras.layers.Conv2D(2, 1)])
>>> step = training.make_train_step(
...     model, losses.Dice(), keras.optimizers.Adam(0.01),
...     options=training.StepOptions(clip_norm=1.0, ema_decay=0.9))
>>> batch = np.ones([4, 8, 8, 3]), np.ones([4, 8, 8])
>>> result = training.fit(step, lambda start: [batch] * (6 - start),
...     steps=6, steps_per_epoch=3,
...     validation=training.Validation(lambda: {"mean_iou": 0.5}, patience=2))
>>> result.step, result.best
(6, 0.5)
"""

from kerasseg.training.fitting import fit, is_first_worker
from kerasseg.training.interrupts import Interrupted
from kerasseg.training.layer_rates import scale_rates
from kerasseg.training.loop import FitResult
from kerasseg.training.non_finite import NonFiniteError
from kerasseg.training.objective import Objective
from kerasseg.training.options import StepOptions
from kerasseg.training.run_files import RunFolder
from kerasseg.training.schedules import LearningRate, learning_rate
from kerasseg.training.step import TrainStep, make_train_step
from kerasseg.training.validation import Validation

__all__ = [
    "FitResult",
    "Interrupted",
    "LearningRate",
    "NonFiniteError",
    "Objective",
    "RunFolder",
    "StepOptions",
    "TrainStep",
    "Validation",
    "fit",
    "is_first_worker",
    "learning_rate",
    "make_train_step",
    "scale_rates",
]
