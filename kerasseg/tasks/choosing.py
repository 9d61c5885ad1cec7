"""Options of prediction that are chosen after training, on validation images."""

import dataclasses

from kerasseg.tasks import label_maps, objects

STEP = 0.05  # between the scores that are tried
GAIN = 0.002  # of mean IoU, below which flips and least areas are noise
AREAS = (1, 8, 32, 128, 512)  # px


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


def class_map(task, model, samples, options, recipe):
    """Flips that training has shown, and the least area of regions, where they gain.

    Args:
        task, model, samples, options: as in `threshold`, of class maps.
        recipe: recipe, whose `flip` of [augment] is tried, see `recipes.with_flips`.

    Returns:
        ({"flips", "min_area_px"}, [{"flips", "min_area_px", "mean_iou"}, ...]): without
        what [predict] of the recipe gives, and without "flips" where training has shown
        none; ({}, []) where there is no score.
    """
    augment = recipe["augment"]
    parts = augment if isinstance(augment, list) else [augment]
    shown = next((one["flip"] for one in parts if one.get("flip")), None)
    given = recipe.get("predict", {})  # what the user has chosen stays
    is_free = shown in ("horizontal", "both") and "flips" not in given
    kinds = (False, shown) if is_free else (options.flips,)
    areas = (options.min_area_px,) if "min_area_px" in given else AREAS
    tried = []
    for kind in kinds:
        views = dataclasses.replace(options, flips=kind)
        for area, score in _by_area(task, model, samples, views, areas):
            one = {"flips": kind, "min_area_px": area, "mean_iou": score}
            tried += [one] * (score is not None)
    if not tried:
        return {}, []
    chosen = tried[0]  # as it is: no flips, all regions
    # First flips, since a least area is chosen for what they leave.
    for others in ("min_area_px", "flips"):
        same = [one for one in tried if one[others] == chosen[others]]
        most = max(one["mean_iou"] for one in same)
        if most - chosen["mean_iou"] >= GAIN:
            # The first that is as good: the least area of them takes least away.
            good = (one for one in same if most - one["mean_iou"] < GAIN / 4)
            chosen = next(good)
    wanted = {"flips": len(kinds) > 1, "min_area_px": len(areas) > 1}
    return {key: chosen[key] for key in wanted if wanted[key]}, tried


def _by_area(task, model, samples, options, areas):
    """Pairs of a least area and the mean IoU with it, by one prediction each image."""
    from kerasseg.predict import without_small

    scorers = [task.scorer(model, samples, options) for _ in areas]
    for index in range(len(samples)):
        sample = samples[index]
        found = scorers[0].predict([sample["image"]])[0]
        for area, scorer in zip(areas, scorers):
            scorer.add(sample, without_small(found, area))
    return [(area, x.result()["mean_iou"]) for area, x in zip(areas, scorers)]
