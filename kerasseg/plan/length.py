"""The length of a training, from the minutes and what was measured."""

import dataclasses
import math

from kerasseg.plan.choices import Choice

# Of the time, for what was not measured: pictures, files, a slower moment.
MARGIN = 0.05
VALIDATION = 0.15  # part of the time that validations may take
ENOUGH_STEPS = 600  # of a larger batch, before the batch grows further
BATCHES = {"semantic": (4, 8, 16, 32), "instances": (2, 4, 8, 16)}
MEMORY = 0.7  # part of the free memory that a training may take


@dataclasses.dataclass(frozen=True)
class Budget:
    """Time and memory that there are.

    Attributes:
        seconds: from now to the end of the training.
        check_s: to read all files once before.
        num_val: validation images.
        num_chosen: of them, those by which thresholds are chosen.
        free_mb: memory.
    """

    seconds: float
    check_s: float
    num_val: int
    num_chosen: int
    free_mb: float = float("inf")


def seconds_of_steps(trial, budget):
    """Seconds that are left for updates, and the number of validations."""
    every = trial.image_s * budget.num_val
    ends = every + trial.image_s * budget.num_chosen  # the evaluation, and thresholds
    left = (1 - MARGIN) * budget.seconds - budget.check_s - trial.setup_s - ends
    validations = 1
    if every > 0:
        validations = int(min(max(VALIDATION * left // every, 1), 10))
    elif left > 0:
        validations = 10
    return left - validations * every, validations


def steps(trial, budget):
    """Steps of the trial's batch that there is time for; 0 if there is none."""
    return max(int(seconds_of_steps(trial, budget)[0] / trial.step_s), 0)


def _too_short(trial, budget, seconds):
    short = (trial.step_s - seconds) / (1 - MARGIN)
    return (
        "`minutes` must leave time to train. Received: "
        f"{budget.seconds:.0f} s are left after the trial, of which setting up "
        f"takes {trial.setup_s:.0f} s, and validating, choosing thresholds and the "
        f"evaluation of {budget.num_val} images {trial.image_s:.2f} s each. Fix: "
        f"at least {math.ceil(short / 60)} min more, or fewer validation "
        "images (--set data.val_fraction=0.1)."
    )


def choose(task, trial, budget, *, batch=None):
    """Batch, number of steps and what follows from them.

    Args:
        task: "semantic" or "instances".
        trial: `Trial` of the chosen model.
        budget: `Budget`.
        batch: crops of a step; None to choose it.

    Returns:
        list of `Choice`.

    Raises:
        ValueError: if the time does not suffice for a single step.
    """
    seconds, validations = seconds_of_steps(trial, budget)
    if seconds < trial.step_s:
        raise ValueError(_too_short(trial, budget, seconds))
    why = ""
    if batch is None:
        batch, why = _batch(task, trial, seconds, budget)
    step_s = trial.step_s * batch / trial.batch_size
    num = max(int(seconds / step_s), 1)
    validations = min(validations, num)
    per_epoch = num // validations
    warmup = min(0.05 * num, 100) / per_epoch
    decay = round(min(max(1 - 15 / num, 0.9), 0.998), 4)
    return [
        Choice("train", "batch_size", batch, why),
        Choice(
            "train",
            "epochs",
            validations,
            f"a validation takes {trial.image_s * budget.num_val:.1f} s: as many as "
            f"{VALIDATION:.0%} of the time allow, 10 at most",
        ),
        Choice(
            "train",
            "steps_per_epoch",
            per_epoch,
            f"{validations * per_epoch} steps in all: {step_s:.2f} s each, measured, "
            f"in the {seconds:.0f} s that are left for them; the learning rate falls "
            "until the last one",
        ),
        Choice(
            "optimizer",
            "warmup_epochs",
            round(warmup, 2),
            "a twentieth of the steps, 100 at most",
        ),
        Choice(
            "train",
            "ema_decay",
            decay,
            "weights are averaged over about a fifteenth of the steps"
            if num < 7500
            else "weights are averaged over about 500 steps",
        ),
    ]


def _batch(task, trial, seconds, budget):
    """The largest batch that leaves enough steps, and fits into the memory."""
    each = trial.step_s / trial.batch_size
    best, why = BATCHES[task][0], ""
    for batch in BATCHES[task]:
        steps = seconds / (each * batch)
        memory = trial.peak_mb * batch / trial.batch_size
        if batch > BATCHES[task][0] and memory > MEMORY * budget.free_mb:
            why = f"; {batch} would need about {memory:.0f} MB"
            break
        if batch > best and steps < ENOUGH_STEPS:
            break
        best = batch
    return best, (
        f"the largest that leaves {ENOUGH_STEPS} steps, {each:.3f} s per crop{why}"
        if seconds / (each * best) >= ENOUGH_STEPS
        else f"the smallest, {each:.3f} s per crop: time is short{why}"
    )
