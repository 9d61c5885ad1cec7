"""Short trainings that are measured: what a model costs on this machine and data."""

import contextlib
import gc
import itertools
import math
import time

import numpy as np

from kerasseg import evaluate, machine, recipes
from kerasseg.datasets import Samples
from kerasseg.plan.facts import FLIPS, spread
from kerasseg.plan.picking import Trial
from kerasseg.runs import training

WARM_UP = 2  # first steps, in which functions are traced and files come into memory
LEAST_STEPS = 4  # that are measured
LEAST_SCORED = 50  # steps, after which scores tell anything
MOST_CROPS = 32  # of validation images
SIZED_IMAGES = 7  # of which one of middle size is timed
SCORED_IMAGES = 4  # by weights that were trained elsewhere


def run(recipe, samples, *, seconds, flips=(), mean_px=None):
    """Train a recipe for a short while and measure it.

    Args:
        recipe: resolved recipe; its learning rate is kept constant.
        samples: {"train": Samples, "val": Samples}, with the range of their values.
        seconds: to train for; 0 measures some steps only. Scored is what has learnt
            for `LEAST_SCORED` steps.
        flips: names of `facts.FLIPS`, for which scores are asked for too.
        mean_px: pixels of a validation image, on average, for its time; None for those
            of the image that is timed.

    Returns:
        `Trial`. Errors of TensorFlow, such as too little memory, are told in it.
    """
    import tensorflow as tf

    gc.collect()
    before = machine.reset_peak_memory()
    try:
        found = _measured(recipe, samples, (seconds, flips), mean_px)
    except (tf.errors.OpError, MemoryError) as error:
        message = getattr(error, "message", None) or str(error) or "too little memory"
        return Trial(error=" ".join(message.split())[:200])
    peak = max(machine.peak_memory_mb() - before, 0.0)
    return Trial(**found, peak_mb=round(peak))


def _measured(recipe, samples, how, mean_px):
    (seconds, flips), settings = how, recipe["train"]
    constant = {
        **recipe,
        "optimizer": {**recipe["optimizer"], "schedule": "constant"},
        "train": {**settings, "epochs": 1, "steps_per_epoch": 1000, "ema_decay": 0.9},
    }
    channels = samples["train"][0]["image"].shape[-1]
    facts = {"classes": samples["train"].classes, "channels": channels}
    options = recipes.task_of(recipe).make_options(recipe["predict"])
    start = time.perf_counter()
    step, _ = training.make_step(constant, facts, samples)
    build_s, before = time.perf_counter() - start, None
    if settings["init"]:
        before = _score_before(step.model, samples["val"], options)
    batches = training.make_batches(constant, samples["train"])(0)
    with contextlib.closing(batches):
        trace_s, step_s, steps = _train(step, batches, seconds)
    with step.averaged_weights():
        scores = {}
        if steps >= LEAST_SCORED:
            crops = crops_of(samples["val"], recipe)
            for name in ("as it is", *flips):
                result = evaluate.score(step.model, flipped(crops, name), options)
                scores[name] = result["mean_iou"]
        image_s = _seconds_per_image(step.model, samples["val"], options, mean_px)
    return {
        "setup_s": round(build_s + trace_s, 2),
        "step_s": round(step_s, 4),
        "batch_size": settings["batch_size"],
        "image_s": round(image_s, 3),
        "steps": steps,
        "scores": scores,
        "before": before,
    }


def _train(step, batches, seconds):
    """Seconds until the first steps were done, seconds per step, and their number."""
    start = time.perf_counter()
    for _ in range(WARM_UP):
        float(step(*next(batches))["loss"])  # reading the value waits for the step
    warm = time.perf_counter()
    for number in itertools.count(1):
        float(step(*next(batches))["loss"])
        spent = time.perf_counter() - warm
        if number >= LEAST_STEPS and spent >= seconds:
            return warm - start, spent / number, WARM_UP + number


def _score_before(model, samples, options):
    """Score of weights that were trained elsewhere, on some validation images."""
    result = evaluate.score(model, spread(samples, SCORED_IMAGES), options)
    return result.get("label_ap50", result.get("mean_iou"))


def _seconds_per_image(model, samples, options, mean_px):
    """Seconds to predict and score an image of usual size, the first one left out."""
    pixels = [
        math.prod(np.shape(samples[i]["label"]))
        for i in range(min(len(samples), SIZED_IMAGES))
    ]
    usual = sorted(range(len(pixels)), key=pixels.__getitem__)[len(pixels) // 2]
    one = samples.subset([usual])
    evaluate.score(model, one, options)  # traced here
    start = time.perf_counter()
    evaluate.score(model, one, options)
    seconds = time.perf_counter() - start
    return seconds * (mean_px or pixels[usual]) / pixels[usual]


def crops_of(samples, recipe):
    """Crops of validation images as large as those of the training.

    Args:
        samples: Samples.
        recipe: resolved recipe.

    Returns:
        Samples, held in memory, at most `MOST_CROPS`.
    """
    parts = recipes.as_list(recipe["augment"])
    size = next(one["size"] for one in parts if "size" in one)
    cut, found = (
        recipes.build_augment({"augment": {"name": "geometry", "size": size}}),
        [],
    )
    for number in range(MOST_CROPS):
        sample = samples[number % len(samples)]
        sample = {key: sample[key] for key in ("image", "label")}
        one = cut(sample, np.array([number, 0], "int32"))
        found.append({key: np.asarray(value) for key, value in one.items()})
    return Samples(
        tuple(map(str, range(len(found)))),
        found.__getitem__,
        samples.classes,
        samples.ignore_label,
        value_range=samples.value_range,
    )


def flipped(samples, name):
    """Samples of flipped images and labels; the same ones for "as it is"."""
    if name not in FLIPS:
        return samples

    def read(index):
        return {
            key: np.ascontiguousarray(FLIPS[name](value))
            for key, value in samples[index].items()
        }

    return Samples(
        samples.names,
        read,
        samples.classes,
        samples.ignore_label,
        value_range=samples.value_range,
    )
