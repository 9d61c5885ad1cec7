"""Options of prediction that are chosen after training, on validation images."""

import dataclasses

from kerasseg.tasks import label_maps, objects

STEP = 0.05  # between the scores that are tried
FLIP_GAIN = 0.002  # of mean IoU, below which flips are not worth their time


def threshold(task, model, samples, options, recipe, *, low=0.1):
    """The score from which on objects count, of best label AP.

    Args:
        task: the `tasks.Task` of the model.
        model: keras.Model.
        samples: `len`, `[i]` -> sample with an image as models take it.
        options: prediction options of the task, with a `score_threshold`.
        recipe: resolved recipe; not read.
        low: lowest score that is tried.

    Returns:
        ({"score_threshold": float}, [{"score_threshold", "label_ap"}, ...]); ({}, [])
        where the samples hold no objects.
    """
    scores = [round(low + STEP * i, 2) for i in range(round((1 - low) / STEP))]
    options = dataclasses.replace(options, score_threshold=low)
    scorer, sums = task.scorer(model, samples, options), {}
    for index in range(len(samples)):
        sample = samples[index]
        present, crowd = objects.truth_of(sample)
        found = scorer.predict([sample["image"]])[0]
        for score in scores:
            maps = label_maps.of(present, crowd, found.above(score))
            sums.setdefault(score, label_maps.Scores()).add(*maps)
    tried = [
        {"score_threshold": score, "label_ap": sums[score].result()["label_ap"]}
        for score in sums
    ]
    tried = [one for one in tried if one["label_ap"] is not None]
    if not tried:
        return {}, []
    most = max(one["label_ap"] for one in tried)
    # The middle of the best ones: beyond an end of theirs, objects get lost.
    best = [one["score_threshold"] for one in tried if one["label_ap"] == most]
    return {"score_threshold": best[len(best) // 2]}, tried


def flips(task, model, samples, options, recipe):
    """Whether prediction averages over the flips that training has shown.

    Args:
        task, model, samples, options: as in `threshold`, of class maps.
        recipe: recipe, whose `flip` of [augment] is tried, see `recipes.with_flips`.

    Returns:
        ({"flips": ...}, [{"flips", "mean_iou"}, ...]); ({}, []) where training has
        shown none.
    """
    augment = recipe["augment"]
    parts = augment if isinstance(augment, list) else [augment]
    trained = next((one["flip"] for one in parts if one.get("flip")), None)
    if trained not in ("horizontal", "both"):
        return {}, []
    tried = []
    for kind in (False, trained):
        one = dataclasses.replace(options, flips=kind)
        scorer = task.scorer(model, samples, one)
        for index in range(len(samples)):
            sample = samples[index]
            scorer.add(sample, scorer.predict([sample["image"]])[0])
        tried.append({"flips": kind, "mean_iou": scorer.result()["mean_iou"]})
    without, with_flips = (one["mean_iou"] for one in tried)
    if None in (without, with_flips):
        return {}, []
    gains = with_flips - without >= FLIP_GAIN
    return {"flips": trained if gains else False}, tried
