"""Scores of a model on whole images at their original size."""

import collections
import concurrent.futures
import time

import numpy as np

from kerasseg import tasks
from kerasseg.images import DataRange
from kerasseg.predict.options import as_options, defaults, range_given

AHEAD = 4  # samples read before they are needed


def score(model, samples, options=None, *, limit=None, on_progress=None):
    """Score a model on samples: whole images at their original size.

    The next samples are read in a thread while the model works.

    Args:
        model: keras.Model of any task, see `tasks.of`.
        samples: `len`, `[i]` -> dict of `image` and what the task compares with
            (`label`, or `instances` and `classes`), `names`, `classes`, the background
            first, and `ignore_label`; see `kerasseg.datasets`.
        options: prediction options of the task, or a dict of them; see
            `predict.options`.
        limit: number of samples, from the first; None for all.
        on_progress: function of a dict, called after each image: "index" (from 1),
            "num", "name", "seconds", and the scores of this image.

    Returns:
        dict, ready for JSON: "task", the scores of the task's scorer (`mean_iou`,
        `mask_ap`, `pq`, ...), "classes", "samples" (a dict per image: "index", "name"
        and scores, None where there is nothing to score) and "settings".

    Raises:
        ValueError: if samples do not fit the model, or one is not usable; names it.
    """
    num = len(samples) if limit is None else min(limit, len(samples))
    if num < 1:
        raise ValueError(f"There must be a sample to evaluate. Received: {num}.")
    task = tasks.of(model)
    options = as_options(task.options, options)
    scorer = task.scorer(model, samples, options)
    data_range = _range_of(samples, options)
    rows, sizes, start = [], set(), time.perf_counter()
    for batch in _batches(samples, num, scorer.batch_px):
        begin = time.perf_counter()
        found = scorer.predict([_scaled(data_range, samples, *pair) for pair in batch])
        for (index, sample), one in zip(batch, found):
            row = {"index": index, "name": samples.names[index]}
            try:
                rows.append({**row, **scorer.add(sample, one)})
            except ValueError as error:
                raise ValueError(f"Sample {row['name']!r}: {error}") from error
        seconds = round((time.perf_counter() - begin) / len(batch), 4)
        sizes |= {np.shape(sample["image"])[:2] for _, sample in batch}
        for row in rows[-len(batch) :] if on_progress else ():
            on_progress(
                {**row, "index": row["index"] + 1, "num": num, "seconds": seconds}
            )
    result = scorer.result()
    settings = {
        **_plain(options),
        **result.pop("settings", {}),
        "value_range": data_range.value_range,
        **_settings(model, sizes, num, time.perf_counter() - start),
    }
    return {"task": task.name, **result, "samples": rows, "settings": settings}


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


def _range_of(samples, options):
    """The DataRange of samples: their own, or that of the options."""
    own = getattr(samples, "value_range", None)
    return DataRange(range_given(options) if own is None else own)


def _scaled(data_range, samples, index, sample):
    """Image of a sample as models take it, scaled like all others."""
    try:
        return data_range.scale(sample["image"])
    except ValueError as error:
        raise ValueError(f"Sample {samples.names[index]!r}: {error}") from error


def read_ahead(samples, num):
    """The first `num` samples in order; the next are read while one is used."""
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        waiting = collections.deque()
        for index in range(num + AHEAD):
            if index < num:
                waiting.append(pool.submit(samples.__getitem__, index))
            if index >= AHEAD:
                yield waiting.popleft().result()


def _plain(options):
    """Options as JSON takes them: a function by its name."""
    return {
        name: getattr(value, "__name__", repr(value)) if callable(value) else value
        for name, value in vars(options).items()
    }


def _settings(model, sizes, num, seconds):
    """Conditions of an evaluation, ready for JSON."""
    return {
        "num_images": num,
        "image_sizes": {"min": list(min(sizes)), "max": list(max(sizes))},
        "seconds_per_image": round(seconds / num, 4),
        "num_params": model.count_params(),
        "precision": model.dtype_policy.name,
    }


def extremes(result, num=3):
    """The samples with the lowest and the highest score.

    Args:
        result: of `score`.
        num: how many of each; fewer when there are not enough for both.

    Returns:
        {"Worst": rows, "Best": rows} of `result["samples"]`, the extreme ones first.
    """
    key = tasks.of_results(result).row_score
    rows = [row for row in result["samples"] if row[key] is not None]
    rows.sort(key=lambda row: row[key])
    worst = rows[: min(num, (len(rows) + 1) // 2)]
    best = rows[len(worst) :][::-1][:num]
    return {"Worst": worst, "Best": best}


def gallery(model, samples, result, *, num=3, options=None):
    """Picture of the worst and the best samples, with names and scores.

    Args:
        model, samples: as for `score`.
        result: of `score`.
        num: how many of each.
        options: prediction options; None for those in the result's settings.

    Returns:
        uint8 [h, w, 3]; see `viz.gallery` and `viz.instance_gallery`.
    """
    task = tasks.of_results(result)
    settings = result["settings"]
    if options is None:
        known = defaults(task.options)
        options = {name: settings[name] for name in known if name in settings}
    options = as_options(task.options, options)
    data_range = _range_of(samples, options)
    data_range.value_range = settings.get("value_range") or data_range.value_range
    groups = {}
    for heading, rows in extremes(result, num).items():
        groups[heading] = []
        for row in rows:
            sample = samples[row["index"]]
            image = _scaled(data_range, samples, row["index"], sample)
            sample = {**sample, "image": image}
            found = task.predict(model, image, options)
            shown = {"name": row["name"], "score": row[task.row_score]}
            groups[heading].append({**shown, "sample": sample, "found": found})
    return task.gallery(groups, samples)


def table(result):
    """The result of `score` as text, in percent."""
    return tasks.of_results(result).table(result)
