"""Overfitting of the instance models to eight images, a test of their consistency.

Run: python -m benchmarks.overfit_objects --data ROOT/coco128 [yolact ...]

Trains on eight photographs and scores the same eight: if targets, losses and decoding
agree, a model reaches nearly full scores. It says nothing about other photographs.
"""

import argparse
import dataclasses
import functools
import itertools
import time

import cv2
import keras
import numpy as np

from benchmarks.record import record, recorded
from kerasseg import augment, data, datasets, evaluate, training, zoo

NAME = "overfit objects"
SIZE = 256
MIN_SIDE = 16  # pixels at SIZE, of the smallest object's area
BUDGET = {"steps": 500, "batch_size": 4, "peak": 1e-3}
ENCODER = {"encoder": "efficientnet_lite0", "encoder_weights": "imagenet"}
OPTIONS = {
    "yolact": {"filters": 64},
    "center_mask": {"filters": 64, "decoder": "pyramid"},
    "mask_rcnn": {"filters": 64, "hidden": 256, "num_proposals": 300},
}
LOSS = {"mask_rcnn": {"num_rois": 64}}


def shrink(samples):
    """Samples resized to SIZE x SIZE, aspect ratio kept, padded at right and bottom."""

    def read(index):
        sample = samples.read(index)
        image = sample["image"]
        factor = SIZE / max(image.shape[:2])
        height, width = (round(factor * side) for side in image.shape[:2])
        padded = np.zeros((SIZE, SIZE, 3), "uint8")
        padded[:height, :width] = cv2.resize(
            image, (width, height), interpolation=cv2.INTER_AREA
        )
        maps = np.zeros((len(sample["instances"]), SIZE, SIZE), "int32")
        for small, large in zip(maps, sample["instances"]):
            small[:height, :width] = cv2.resize(
                large, (width, height), interpolation=cv2.INTER_NEAREST
            )
        return {**sample, "image": padded, "instances": maps, "label": maps[0]}

    return dataclasses.replace(samples, read=read, files=None)


def easy_photographs(root, num=8):
    """First `num` photographs with objects, all of MIN_SIDE^2 pixels or more."""
    samples = shrink(datasets.coco(root))
    found = []
    for index in range(len(samples)):
        sample = samples[index]
        areas = [
            np.count_nonzero((sample["instances"] == number).any(0))
            for number in range(1, len(sample["classes"]) + 1)
        ]
        if areas and min(areas) >= MIN_SIDE**2:
            found.append(index)
        if len(found) == num:
            break
    return samples.subset(found)


def train_and_score(name, samples):
    """Train one model and score it; returns its row of results.json."""
    keras.utils.set_random_seed(0)
    model = zoo.BUILDERS[name](
        len(samples.classes) - 1,
        image_size=(SIZE, SIZE),
        freeze_norm=True,
        **ENCODER,
        **OPTIONS[name],
    )
    steps, batch_size, peak = BUDGET.values()
    rate = training.learning_rate("cosine", peak=peak, steps=steps, warmup_steps=50)
    objective = functools.partial(zoo.BUILDERS[name].losses, **LOSS.get(name, {}))
    step = training.make_train_step(
        model,
        training.Objective(objective, 0),
        keras.optimizers.AdamW(rate, weight_decay=0.0),
        options=training.StepOptions(clip_norm=10.0),
    )
    augmentation = augment.standard(
        size=(SIZE, SIZE), scale=(1.0, 1.0), flip="horizontal"
    )
    stream = data.pipeline(
        samples, batch_size=batch_size, augment=augmentation, objects=32
    )
    begin, cpu, losses = time.perf_counter(), time.process_time(), []
    for images, truth in itertools.islice(data.batches(stream), steps):
        losses.append(float(step(images, truth)["loss"]))
        if len(losses) % 50 == 0:
            print(f"{name} {len(losses)} {np.mean(losses[-50:]):.3f}", flush=True)
    seconds = time.perf_counter() - begin, time.process_time() - cpu
    scores = evaluate.score(model, samples)
    keys = ("mask_ap", "mask_ap50", "box_ap", "box_ap50")
    return {
        **{key: scores[key] for key in keys},
        "first_loss": losses[0],
        "last_loss": float(np.mean(losses[-10:])),
        "seconds": seconds[0],
        "cpu_seconds": seconds[1],
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("names", nargs="*", help="default: all three")
    parser.add_argument("--data", required=True, help="folder of coco128")
    options = parser.parse_args()
    samples = easy_photographs(options.data)
    found = recorded(NAME).get("models", {})
    for name in options.names or OPTIONS:
        found[name] = train_and_score(name, samples)
        keras.backend.clear_session()
        facts = {"images": samples.names, "size": SIZE, "budget": BUDGET, "seed": 0}
        record(NAME, {**facts, "models": found})


if __name__ == "__main__":
    main()
