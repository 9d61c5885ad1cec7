"""Sentences on what to try next, each derived from the numbers of a run."""

import math

from kerasseg import tasks


def advice(results, rows=()):
    """Say what the numbers of a run suggest, the most pressing first.

    Args:
        results: dict of a results.json.
        rows: dicts of history.jsonl, for what the training itself says.

    Returns:
        List of sentences; empty where nothing stands out.

    Example:
        >>> advice({"samples": [], "intervals": {"mean_iou": [0.5, 0.8]}})[0][:41]
        'The validation set is small: its mean IoU'
    """
    return [
        *_training(results, rows),
        *_classes(results),
        *_confusions(results),
        *_false_alarms(results),
        *_calibration(results),
        *_validation(results),
    ]


def _training(results, rows):
    """Whether the training ended too early or went on for too long."""
    epochs = [row for row in rows if row.get("kind") == "epoch"]
    key = tasks.of_results(results).monitor
    scores = [row.get(key) for row in epochs]
    # Fewer validations make no trend; a score of None is that of no objects at all.
    if len(scores) < 4 or any(x is None or not math.isfinite(x) for x in scores):
        return
    best = max(range(len(scores)), key=scores.__getitem__)
    # The last quarter: shorter spans show noise of single validations.
    gain = scores[-1] - scores[-1 - len(scores) // 4]
    # One point of the score: judgement, not measured, as are the limits below.
    if best == len(scores) - 1 and gain > 0.01:
        yield (
            f"The score still rises at the end, by {100 * gain:.1f} points in the last "
            "quarter: train longer (train.epochs)."
        )
    elif best < len(scores) / 2 and scores[best] - scores[-1] > 0.01:
        yield (
            f"The best weights are of epoch {best + 1} of {len(scores)}, then the "
            "score falls: the model learns the training images by heart. Augment more, "
            "or stop early (train.patience)."
        )


def _classes(results):
    """Rare classes, and those found too rarely or too often."""
    classes = results.get("classes", {})
    known = {k: x for k, x in classes.items() if x.get("iou") is not None}
    total = sum(x.get("pixels", 0) for x in known.values())
    for name, x in sorted(known.items(), key=lambda item: item[1]["iou"]):
        # Above, a class has its problems at outlines, which no weight mends.
        if x["iou"] > 0.7 or not total or x.get("recall") is None:
            continue
        share, precision = x["pixels"] / total, x.get("precision")
        if precision is None:
            yield f"{name} is never found; {100 * share:.2g} % of the pixels are of it."
        elif precision - x["recall"] > 0.15:
            # The square root of what balances the classes: full balance costs
            # precision.
            weight = min(round((1 / max(share * len(known), 1e-3)) ** 0.5, 1), 10)
            yield (
                f"{name} is found too rarely (recall {100 * x['recall']:.0f} %, "
                f"precision {100 * precision:.0f} %, {100 * share:.2g} % of the "
                f"pixels): give it a class weight, such as {max(weight, 1.5)}."
            )
        elif x["recall"] - precision > 0.15:
            yield (
                f"{name} is found too often (precision {100 * precision:.0f} %, recall "
                f"{100 * x['recall']:.0f} %): lower its class weight, or train on more "
                "images without it."
            )


def _confusions(results, least=0.15):
    """Pairs of classes of which one is taken for the other."""
    matrix, names = results.get("matrix"), list(results.get("classes", {}))
    if not matrix or len(names) != len(matrix):
        return
    pairs = [
        (count / sum(row), names[i], names[j])
        for i, row in enumerate(matrix)
        for j, count in enumerate(row)
        if i != j and sum(row) and count / sum(row) >= least
    ]
    for share, label, other in sorted(pairs, reverse=True)[:3]:
        yield (
            f"{100 * share:.0f} % of the pixels of {label} are taken for {other}: look "
            "at both in the worst images; are they labelled alike everywhere?"
        )


def _false_alarms(results):
    """Classes that are found in images without them."""
    total = len(results.get("samples", ()))
    for name, x in results.get("detection", {}).items():
        without = total - x["images"]
        # Of fewer images a share says nothing.
        if without >= 5 and x["false_alarms"] > 0.2 * without:
            yield (
                f"{name} is found in {x['false_alarms']} of {without} images without "
                "it: leave small findings out (a least area), or train on more images "
                "without it."
            )


def _calibration(results):
    """Whether probabilities say how often the model is right."""
    found = results.get("calibration") or {}
    if (found.get("error") or 0) <= 0.1:  # judgement, not measured
        return
    total = sum(pixels for pixels, _, _ in found["bins"])
    gap = sum(n * (sure - right) for n, sure, right in found["bins"]) / total
    fix = (
        "train with label_smoothing = 0.05, or average flips and several runs"
        if gap > 0
        else "train longer, or with less label_smoothing"
    )
    yield (
        f"The model is too {'sure' if gap > 0 else 'careful'}, by "
        f"{100 * abs(gap):.0f} points: do not take its probabilities for shares of "
        f"right pixels. Where they count, {fix}."
    )


def _validation(results):
    """Whether the validation set can tell small differences."""
    low, high = results.get("intervals", {}).get("mean_iou") or (0, 0)
    # Wider than the differences that people compare models by.
    if low is not None and high - low > 0.06:
        yield (
            f"The validation set is small: its mean IoU could as well be "
            f"{100 * low:.1f} or {100 * high:.1f} with other images like these. Choose "
            "between models by `kerasseg compare`, or validate on more images."
        )
