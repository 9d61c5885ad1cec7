"""Scores of class maps on whole images.

One confusion matrix grows over all images at their original size; the scores are
functions of it (`kerasseg.metrics`), never means of batches.
"""

import collections
import concurrent.futures
import math
import time

import numpy as np

from kerasseg import metrics, predict, viz
from kerasseg.predict import forward

# Small images go through the model together: 8 of 64 x 64 px take half the time of
# single ones (U-Net on two CPU cores); from 256 x 256 px on, batches are slower.
BATCH_PX = 2**15
AHEAD = 4  # samples read before they are needed


def class_maps(
    model, samples, *, flips=False, tile_px=None, limit=None, on_progress=None
):
    """Score a model on samples: whole images at their original size.

    The next samples are read in a thread while the model works.

    Args:
        model: image -> logits [N, H, W, K], or a dict of outputs with "logits".
        samples: `len`, `[i]` -> {"image", "label"}, `names`, `classes`,
            `ignore_label`; see `kerasseg.datasets`. K = 1 needs two classes.
        flips: average over mirrored copies; see `predict.probabilities`.
        tile_px: predict by tiles of this size.
        limit: number of samples, from the first; None for all.
        on_progress: function of {"index" (from 1), "num", "name", "mean_iou" (of this
            image, may be None), "seconds"}, called after each image.

    Returns:
        dict, ready for JSON: what `metrics.summary` gives, "matrix" (nested lists
        [K][K], rows are labels), "samples" (list of {"index", "name", "mean_iou",
        "pixel_accuracy"}; None where no pixel counts) and "settings".

    Raises:
        ValueError: if classes do not fit the model, or a sample is not usable; names
            it.
    """
    num = len(samples) if limit is None else min(limit, len(samples))
    if num < 1:
        raise ValueError(f"There must be a sample to evaluate. Received: {num}.")
    _check_classes(model, samples)
    matrix, rows, sizes, start = 0, [], set(), time.perf_counter()
    for batch in _batches(samples, num, 0 if tile_px else BATCH_PX):
        begin = time.perf_counter()
        for index, one in _count_batch(model, samples, batch, flips, tile_px):
            matrix = matrix + one
            rows.append({"index": index, "name": samples.names[index], **_scores(one)})
        seconds = round((time.perf_counter() - begin) / len(batch), 4)
        sizes |= {np.shape(sample["label"]) for _, sample in batch}
        for row in rows[-len(batch) :] if on_progress else ():
            event = {"name": row["name"], "mean_iou": row["mean_iou"]}
            event |= {"index": row["index"] + 1, "num": num, "seconds": seconds}
            on_progress(event)
    options = {"flips": flips, "tile_px": tile_px}
    settings = settings_of(model, options, sizes, num, time.perf_counter() - start)
    summary = metrics.summary(matrix, samples.classes)
    return {**summary, "matrix": matrix.tolist(), "samples": rows, "settings": settings}


def _count_batch(model, samples, batch, flips, tile_px):
    """(index, confusion counts) of each sample of a batch."""
    images = [sample["image"] for _, sample in batch]
    if tile_px is None:
        found = predict.class_ids_of_batch(model, images, flips=flips)
    else:
        found = [predict.class_ids(model, images[0], flips=flips, tile_px=tile_px)]
    num_classes, ignore_label = len(samples.classes), samples.ignore_label
    for (index, sample), class_ids in zip(batch, found):
        try:
            yield index, count(sample["label"], class_ids, num_classes, ignore_label)
        except ValueError as error:
            raise ValueError(f"Sample {samples.names[index]!r}: {error}") from error


def count(label, class_ids, num_classes, ignore_label=255):
    """Confusion counts of one image.

    Args:
        label: class ids [H, W]; the ignore label does not count.
        class_ids: predicted class ids [H, W].
        num_classes: K.
        ignore_label: None if there is none.

    Returns:
        int64 [K, K], rows are labels, columns are predictions.

    Raises:
        ValueError: if the sizes differ or an id is not below K.

    Example:
        >>> count([[0, 1, 255]], [[0, 0, 1]], 2).tolist()
        [[1, 0], [1, 0]]
    """
    label, class_ids = np.asarray(label), np.asarray(class_ids)
    if label.shape != class_ids.shape:
        raise ValueError(
            "`label` must have the size of its image. "
            f"Received: label {label.shape}, image {class_ids.shape}."
        )
    valid = (
        np.ones(label.shape, bool) if ignore_label is None else label != ignore_label
    )
    label, class_ids = label[valid], class_ids[valid]
    for kind, ids in (("label", label), ("class_ids", class_ids)):
        low, high = ids.min(initial=0), ids.max(initial=0)
        if low < 0 or high >= num_classes:
            raise ValueError(
                f"`{kind}` must be within 0..{num_classes - 1}. "
                f"Received: {low}..{high}."
            )
    pairs = np.bincount(label * num_classes + class_ids, minlength=num_classes**2)
    return pairs.reshape(num_classes, num_classes)


def _check_classes(model, samples):
    num, found = len(samples.classes), forward.num_classes(model)
    if found not in (None, num):
        raise ValueError(
            "`model` must have one logit a class (or 1 for two classes): "
            f"{num} classes {tuple(samples.classes)}. Received: {found} classes."
        )


def _batches(samples, num, most_px):
    """Lists of (index, sample) of one size and at most so many pixels, in order."""
    batch = []
    for index, sample in enumerate(read_ahead(samples, num)):
        shape = np.shape(sample["image"])
        same = batch and shape == np.shape(batch[0][1]["image"])
        if batch and (not same or (len(batch) + 1) * shape[0] * shape[1] > most_px):
            yield batch
            batch = []
        batch.append((index, sample))
    yield batch


def read_ahead(samples, num):
    """The first `num` samples in order; the next are read while one is used."""
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        waiting = collections.deque()
        for index in range(num + AHEAD):
            if index < num:
                waiting.append(pool.submit(samples.__getitem__, index))
            if index >= AHEAD:
                yield waiting.popleft().result()


def _scores(matrix):
    scores = {
        "mean_iou": float(metrics.mean_iou(matrix)),
        "pixel_accuracy": float(metrics.pixel_accuracy(matrix)),
    }
    return {name: None if math.isnan(x) else x for name, x in scores.items()}


def settings_of(model, options, sizes, num, seconds):
    """How an evaluation was done, ready for JSON.

    Args:
        model: what was scored.
        options: dict of the arguments it was scored with.
        sizes: (height, width) of the images.
        num: how many there were.
        seconds: that all of them took.
    """
    return {
        "num_images": num,
        **options,
        "image_sizes": {"min": list(min(sizes)), "max": list(max(sizes))},
        "seconds_per_image": round(seconds / num, 4),
        "num_params": model.count_params(),
        "precision": model.dtype_policy.name,
    }


def extremes(result, num=3, *, key="mean_iou"):
    """The samples with the lowest and the highest score.

    Args:
        result: of `class_maps` or `instances`.
        num: how many of each; fewer when there are not enough for both.
        key: of the score.

    Returns:
        {"Worst": rows, "Best": rows} of `result["samples"]`, the extreme ones first.
    """
    rows = [row for row in result["samples"] if row[key] is not None]
    rows.sort(key=lambda row: row[key])
    worst = rows[: min(num, (len(rows) + 1) // 2)]
    best = rows[len(worst) :][::-1][:num]
    return {"Worst": worst, "Best": best}


def gallery(model, samples, result, *, num=3):
    """Picture of the worst and the best samples, with names and scores.

    Args:
        model, samples: as for `class_maps`.
        result: of `class_maps`; pictures are made with its settings.
        num: how many of each.

    Returns:
        uint8 [h, w, 3]; see `viz.gallery`.
    """
    options = {key: result["settings"][key] for key in ("flips", "tile_px")}
    groups = {}
    for heading, rows in extremes(result, num).items():
        groups[heading] = []
        for row in rows:
            sample = samples[row["index"]]
            found = predict.class_ids(model, sample["image"], **options)
            pictures = {"image": sample["image"], "label": sample["label"]}
            row = {"name": row["name"], "score": row["mean_iou"], "prediction": found}
            groups[heading].append({**row, **pictures})
    look = {"class_names": samples.classes, "ignore_label": samples.ignore_label}
    return viz.gallery(groups, palette=samples.colors, **look)
