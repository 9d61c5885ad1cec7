"""Trained networks on the tasks of `classical_baselines`, scored the same way.

Run: python -m benchmarks.trained_baselines nuclei --run RUN --data ROOT/dsb2018
     python -m benchmarks.trained_baselines objects --data ROOT/davis [--frames 5]
"""

import argparse
import itertools
import pathlib
import time

import numpy as np

from benchmarks.classical_baselines import clip_frames, iou, label_map_scores
from benchmarks.record import record
from kerasseg import (
    augment,
    classical,
    data,
    datasets,
    losses,
    predict,
    runs,
    training,
    zoo,
)

GRID = {
    "limit": (0.5, 0.6, 0.7, 0.8),
    "min_depth": (0.5, 1.0, 2.0),
    "sigma": (0.0, 1.0),
}
MIN_SIZE = 20  # pixels, as `find_nuclei`


def nuclei(run, root):
    """Scores of a semantic run and `split_instances` on the val split of dsb2018.

    Threshold of the probability, depth and blur are those of the best label AP on every
    third training image.

    Args:
        run: folder of a semantic run with classes background and nucleus.
        root: folder of dsb2018.

    Returns:
        dict of "images", the chosen settings and the scores of `label_map_scores`.
    """
    model, *_ = runs.load(run)
    train, val = (datasets.dsb2018(root, split) for split in ("train", "val"))
    known = list(_maps(model, train.subset(range(0, len(train), 3))))
    settings = [dict(zip(GRID, values)) for values in itertools.product(*GRID.values())]
    best = max(settings, key=lambda each: _scores(known, **each)["label_ap"])
    return {"images": len(val), **best, **_scores(_maps(model, val), **best)}


def _maps(model, samples):
    """True label map and predicted probability of nucleus of each sample."""
    for sample in samples:
        shares = predict.probabilities(model, sample["image"])
        yield sample["instances"].max(0), shares[..., 1]


def _scores(maps, limit, min_depth, sigma):
    options = {"min_depth": min_depth, "sigma": sigma, "min_size": MIN_SIZE}
    return label_map_scores(
        (truth, classical.split_instances(share > limit, **options))
        for truth, share in maps
    )


def objects(root, *, frames=10, steps=120):
    """One-shot U-Nets: one per clip of davis, trained on its first frame, at half size.

    Args:
        root: folder of davis.
        frames: number of scored frames after the first.
        steps: training steps of four crops.

    Returns:
        dict from clip to the mean IoU of its frames.

    Reference: Caelles et al., 2017, https://arxiv.org/abs/1611.05198
    """
    scores = {}
    for clip in sorted((pathlib.Path(root) / "JPEGImages/480p").iterdir()):
        (image, mask), *others = clip_frames(root, clip, frames)
        model = _of_one_frame(image, mask, steps)
        found = [predict.class_ids(model, photo) for photo, _ in others]
        pairs = zip(found, (truth for _, truth in others))
        scores[clip.name] = float(np.mean([iou(a > 0, b > 0) for a, b in pairs]))
        print(clip.name, scores[clip.name], flush=True)
    return scores


def _of_one_frame(image, mask, steps):
    import keras

    keras.utils.set_random_seed(0)
    model = zoo.unet(
        2,
        encoder="efficientnet_lite0",
        encoder_weights="imagenet",
        decoder_filters=(128, 64, 48, 32, 16),
    )
    rate = training.learning_rate(
        "cosine", peak=1e-3, steps=steps, warmup_steps=steps // 10
    )
    step = training.make_train_step(
        model,
        losses.Weighted([(1.0, losses.CrossEntropy()), (1.0, losses.Dice())]),
        keras.optimizers.AdamW(rate, weight_decay=1e-4),
        options=training.StepOptions(ema_decay=0.95),
    )
    sample = {"image": image, "label": mask.astype("int32")}
    names = tuple(f"{number:03}" for number in range(4))  # a batch of one frame
    samples = datasets.Samples(names, lambda _: sample, ("background", "object"))
    augmentation = augment.standard(
        size=(224, 320), scale=(0.7, 1.4), flip="horizontal", rotation=20.0
    )
    stream = data.pipeline(samples, batch_size=4, augment=augmentation)
    for photos, labels in itertools.islice(data.batches(stream), steps):
        step(photos, labels)
    with step.averaged_weights():
        averaged = model.get_weights()
    model.set_weights(averaged)
    return model


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("task", choices=("nuclei", "objects"))
    parser.add_argument("--data", required=True, help="folder of the data set")
    parser.add_argument("--run", help="of nuclei: folder of a trained U-Net")
    parser.add_argument("--frames", type=int, default=10, help="frames of each clip")
    options = parser.parse_args()
    begin = time.process_time()
    if options.task == "nuclei":
        result = nuclei(options.run, options.data)
    else:
        result = objects(options.data, frames=options.frames)
    seconds = {"cpu_seconds": time.process_time() - begin}
    record(f"trained baseline: {options.task}", {**result, **seconds})


if __name__ == "__main__":
    main()
