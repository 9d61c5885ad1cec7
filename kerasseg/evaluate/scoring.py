"""Scores of a model on whole images at their original size."""

import collections
import concurrent.futures
import time

import numpy as np

from kerasseg import machine, tasks
from kerasseg.evaluate.inspection import inspection
from kerasseg.images import DataRange
from kerasseg.names import check_samples

AHEAD = 4  # samples read before they are needed
NEEDED = "__len__", "__getitem__", "names", "classes", "ignore_label"


def score(
    model, samples, options=None, *, limit=None, on_progress=None, on_error="raise"
):
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
        on_error: "raise", or "list" to go on after samples that cannot be read or
            predicted, and to report them.

    Returns:
        dict, ready for JSON: "task", the scores of the task's scorer (`mean_iou`,
        `mask_ap`, `pq`, ...), "classes", "samples" (a dict per image: "index", "name"
        and scores, None where there is nothing to score), "detection" (by class, see
        `detection`), "inspection" (of models of class maps where some images show
        nothing but the first class, see `inspection`), "settings" and, if they are
        listed, "failed" (dicts of "name" and "error").

    Raises:
        ValueError: if samples do not fit the model, or one is not usable; names it.
            If errors are listed, only if no sample is usable.
        RuntimeError: in a fork of a process that has used TensorFlow.
    """
    machine.check_process()
    check_samples(samples, *NEEDED)
    num = len(samples) if limit is None else min(limit, len(samples))
    if num < 1:
        raise ValueError(f"There must be a sample to evaluate. Received: {num}.")
    task = tasks.of(model)
    options = task.make_options(options)
    scorer = task.scorer(model, samples, options)
    rows, sizes, start = [], set(), time.perf_counter()
    failed = None if on_error == "raise" else []
    scaled = Scaled(samples, options)
    for batch in _batches(scaled, num, scorer.batch_px, failed):
        begin, known = time.perf_counter(), len(rows)
        for index, sample, one in _predicted(scorer, samples, batch, failed):
            row = {"index": index, "name": samples.names[index]}
            try:
                rows.append({**row, **_added(scorer, sample, one)})
            except ValueError as error:
                if failed is None:
                    raise ValueError(f"Sample {row['name']!r}: {error}") from error
                failed.append(_failure(samples, index, error))
                continue
            sizes.add(np.shape(sample["image"])[:2])
        seconds = round((time.perf_counter() - begin) / len(batch), 4)
        for row in rows[known:] if on_progress else ():
            on_progress(
                {**row, "index": row["index"] + 1, "num": num, "seconds": seconds}
            )
    if not rows:
        raise ValueError(f"No sample can be evaluated. The first: {failed[0]['error']}")
    result = scorer.result()
    settings = {
        **_plain(options),
        **result.pop("settings", {}),
        "value_range": scaled.data_range.value_range,
        **_settings(model, sizes, num, time.perf_counter() - start),
    }
    listed = {} if failed is None else {"failed": failed}
    result = {"task": task.name, **result, "detection": detection(rows)}
    if parts := inspection(rows):
        result["inspection"] = parts
    return {**result, "samples": rows, "settings": settings, **listed}


def _added(scorer, sample, found):
    """Scores of one image by `scorer.add`, or a ValueError about what it lacks."""
    try:
        return scorer.add(sample, found)
    except KeyError as error:
        if error.args[0] in sample:
            raise
        raise ValueError(
            f"A sample to score must have {error.args[0]!r}. "
            f"Received: a dict of {', '.join(map(str, sample))}."
        ) from error


def detection(rows):
    """Images in which something is found, whatever its outline.

    Args:
        rows: the "samples" of a result.

    Returns:
        dict by class name, or of "objects" of all classes: "images" that have some,
        "detected" ones among them, and "false_alarms" among the others.
    """
    counts = {}
    for row in rows:
        present, found = row.get("present", ()), row.get("shown", ())
        if "objects" in row:
            present, found = (["objects"] * bool(row[k]) for k in ("objects", "found"))
        for name in {*present, *found}:
            one = {"images": 0, "detected": 0, "false_alarms": 0}
            one = counts.setdefault(name, one)
            one["images"] += name in present
            one["detected"] += name in present and name in found
            one["false_alarms"] += name not in present
    return dict(sorted(counts.items()))


def _predicted(scorer, samples, batch, failed):
    """(index, sample, what is found) of a batch; with a list, failures go there."""
    try:
        found = scorer.predict([sample["image"] for _, sample in batch])
    except Exception as error:  # TensorFlow's own, or too little memory, too
        if failed is None:
            raise
        if len(batch) == 1:
            failed.append(_failure(samples, batch[0][0], error))
            return
        for one in batch:
            yield from _predicted(scorer, samples, [one], failed)
        return
    yield from ((*pair, one) for pair, one in zip(batch, found))


def _failure(samples, index, error):
    name, text = samples.names[index], str(error).strip() or type(error).__name__
    return {"name": name, "error": f"{name}: {text.splitlines()[0]}"}


class Scaled:
    """Samples with images as models take them, all scaled alike.

    Args:
        samples: as in `score`.
        options: prediction options, whose range counts where samples have none.
    """

    def __init__(self, samples, options):
        self.samples, self.names, self.classes = samples, samples.names, samples.classes
        self.ignore_label = samples.ignore_label
        self.data_range = _range_of(samples, options)

    def __len__(self):
        return len(self.samples)

    def __getitem__(self, index):
        sample = self.samples[index]
        image = _scaled(self.data_range, self.samples, index, sample)
        return {**sample, "image": image}


class _Readable:
    """Samples of which those that cannot be read are None, and listed."""

    def __init__(self, samples, failed):
        self.samples, self.failed = samples, failed

    def __getitem__(self, index):
        try:
            return self.samples[index]
        except Exception as error:
            self.failed.append(_failure(self.samples, index, error))
            return None


def _batches(samples, num, most_px, failed=None):
    """Lists of (index, sample) of one size and at most so many pixels, in order."""
    batch, source = [], samples if failed is None else _Readable(samples, failed)
    for index, sample in enumerate(read_ahead(source, num)):
        if sample is None:
            continue
        shape = np.shape(sample["image"])
        same = batch and shape == np.shape(batch[0][1]["image"])
        if batch and (not same or (len(batch) + 1) * shape[0] * shape[1] > most_px):
            yield batch
            batch = []
        batch.append((index, sample))
    if batch:
        yield batch


def _range_of(samples, options):
    """The DataRange of samples: their own, or that of the options."""
    own = getattr(samples, "value_range", None)
    return DataRange(getattr(options, "value_range", None) if own is None else own)


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
        **({"engine": model.engine} if hasattr(model, "engine") else {}),
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
        known = task.default_options()
        options = {name: settings[name] for name in known if name in settings}
    options = task.make_options(options)
    data_range = _range_of(samples, options)
    data_range.value_range = settings.get("value_range") or data_range.value_range
    groups = {}
    for heading, rows in extremes(result, num).items():
        groups[heading] = []
        for row in rows:
            sample = samples[row["index"]]
            # Predicted again: `score` keeps no predictions, as they may exceed memory.
            image = _scaled(data_range, samples, row["index"], sample)
            sample = {**sample, "image": image}
            found = task.predict(model, image, options)
            shown = {"name": row["name"], "score": row[task.row_score]}
            groups[heading].append({**shown, "sample": sample, "found": found})
    return task.gallery(groups, samples, options)


def table(result):
    """The result of `score` as text, in percent."""
    return tasks.of_results(result).table(result)
