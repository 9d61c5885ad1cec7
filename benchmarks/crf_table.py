"""Effect of a dense CRF on a trained run: scores before and after on its val split.

Run: python -m benchmarks.crf_table RUN --data ROOT --out FOLDER

Parameters are chosen on images of the train split by coordinate search from the
defaults for the best mean IoU. The network was trained on these images, so that its
errors there are fewer than on new ones. The val split is scored once, with the chosen
parameters and with the defaults. Writes crf.json and crf.png.
"""

import argparse
import collections
import functools
import json
import pathlib
import time

import numpy as np

from kerasseg import crf, evaluate, images, metrics, predict, recipes, runs, viz

# Field of a kernel -> the values that are tried.
CHOICES = {
    ("appearance", "weight"): [1, 2, 4, 7, 10],
    ("appearance", "srgb"): [3, 5, 8, 13, 20],
    ("appearance", "sxy"): [10, 20, 40, 80],
    ("smoothness", "weight"): [0, 1, 3],
    ("smoothness", "sxy"): [1, 2, 3],
}
KERNELS = {"appearance": crf.Appearance(), "smoothness": crf.Smoothness()}
DEFAULTS = tuple(getattr(KERNELS[kernel], field) for kernel, field in CHOICES)


def kernels(values):
    """Keyword arguments of `dense_crf` with the values of `CHOICES`, in its order."""
    found = dict(KERNELS)
    for (kernel, field), value in zip(CHOICES, values):
        found[kernel] = found[kernel]._replace(**{field: value})
    return found


def named(values):
    """The values of `CHOICES` as a JSON-able dict: {"appearance.srgb": 13}."""
    return {".".join(key): value for key, value in zip(CHOICES, values)}


def main(run, root, out, *, num_train, num_val, iterations, tolerance_px):
    """Choose on train, score on val, write; returns the JSON-able result."""
    model, recipe, facts = runs.load(run)
    train = spread(
        recipes.build_samples(recipe, root or facts["root"], "train"), num_train
    )
    val = spread(recipes.build_samples(recipe, root or facts["root"], "val"), num_val)
    options = {"iterations": iterations}
    chosen, tried = choose(predicted(model, train), train, options)
    methods = {
        "before": None,
        "defaults": functools.partial(crf.dense_crf, **options),
        "chosen": functools.partial(crf.dense_crf, **kernels(chosen), **options),
    }
    scores, picture = compare(model, val, methods, tolerance_px)
    result = {
        "run": facts["name"],
        "choice": {"split": "train", "num_images": len(train), "tried": tried},
        "parameters": {**named(chosen), **options},
        "val": {"num_images": len(val), "tolerance_px": tolerance_px, **scores},
        "environment": evaluate.environment(),
    }
    out = pathlib.Path(out)
    out.mkdir(parents=True, exist_ok=True)
    (out / "crf.json").write_text(json.dumps(result, indent=1) + "\n")
    images.write_image(out / "crf.png", picture)
    return result


def spread(samples, num):
    """`num` samples evenly spread over a split; all for None."""
    if num is None or num >= len(samples):
        return samples
    return samples.subset(np.linspace(0, len(samples) - 1, num).astype(int).tolist())


def predicted(model, samples):
    """Image, label and probabilities of each sample, in memory."""
    for i in range(len(samples)):
        sample = samples[i]
        image = sample["image"]
        yield image, sample["label"], predict.probabilities(model, image)


def choose(cases, samples, options):
    """Best values of `CHOICES` by coordinate search, and the mean IoU of all tried."""
    cases = list(cases)

    @functools.cache
    def score(values):
        matrix = 0
        for image, label, shares in cases:
            refined = crf.dense_crf(image, shares, **kernels(values), **options)
            matrix = matrix + count(label, refined, samples)
        found = float(metrics.mean_iou(matrix))
        tried.append({**named(values), "mean_iou": found})
        return found

    plain = sum(count(label, shares, samples) for _, label, shares in cases)
    tried = [{"refine": None, "mean_iou": float(metrics.mean_iou(plain))}]
    best, before = DEFAULTS, None
    while best != before:
        before = best
        for place, values in enumerate(CHOICES.values()):
            around = [(*best[:place], value, *best[place + 1 :]) for value in values]
            best = max([best, *around], key=score)  # ties keep the first
    return best, tried


def count(label, probabilities, samples):
    """Confusion counts of one image's probabilities."""
    ignore_label = samples.ignore_label
    return metrics.confusion_matrix(
        label,
        predict.most_probable(probabilities)[0],
        len(samples.classes),
        ignore_label=ignore_label,
    )


def compare(model, samples, methods, tolerance_px, num_pictures=4):
    """Scores of each refinement on the samples, and a picture of some of them."""
    num_classes = len(samples.classes)
    matrices, outlines = collections.Counter(), collections.Counter()
    seconds, rows = collections.Counter(), []
    for index, (image, label, shares) in enumerate(predicted(model, samples)):
        found = {}
        for name, refine in methods.items():
            start = time.process_time()
            refined = shares if refine is None else refine(image, shares)
            found[name] = predict.most_probable(refined)[0]
            seconds[name] += time.process_time() - start
            pair = label, found[name], num_classes
            matrices[name] += metrics.confusion_matrix(
                *pair, ignore_label=samples.ignore_label
            )
            outlines[name] += metrics.boundary_counts(
                *pair, tolerance_px=tolerance_px, ignore_label=samples.ignore_label
            )
        if index % max(1, len(samples) // num_pictures) == 0:
            rows.append(overlays(image, label, found, samples))
    scores = {}
    for name in methods:
        f_scores = metrics.boundary_f(outlines[name])
        scores[name] = {
            "boundary_f": float(np.nanmean(f_scores)),
            "boundary_f_per_class": [round(float(f), 4) for f in f_scores],
            "cpu_seconds_per_image": seconds[name] / len(samples),
            **metrics.summary(matrices[name], samples.classes),
        }
    return scores, _stack(rows[:num_pictures])


def _stack(rows):
    """Stack pictures of several widths, padded by white at the right."""
    width = max(row.shape[1] for row in rows)
    missing = [[(0, 0), (0, width - row.shape[1]), (0, 0)] for row in rows]
    padded = [np.pad(*pair, constant_values=255) for pair in zip(rows, missing)]
    return np.concatenate(padded)


def overlays(image, label, found, samples):
    """One row: image, label, and the class ids before and after."""
    look = {"palette": samples.colors, "ignore_label": samples.ignore_label}
    shown = [label, found["before"], found["chosen"]]
    parts = [viz.overlay(image, ids, background=None, **look) for ids in shown]
    return np.concatenate([viz.display(image), *parts], 1)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("run", help="run folder")
    parser.add_argument("--data", dest="root", help="default: the run's own")
    parser.add_argument("--out", default="crf_table", help="output folder")
    parser.add_argument("--num-train", type=int, default=24, help="images to choose on")
    parser.add_argument("--num-val", type=int, help="default: all")
    parser.add_argument("--iterations", type=int, default=5)
    parser.add_argument("--tolerance-px", type=float, default=2)
    result = main(**vars(parser.parse_args()))
    for name in ("before", "defaults", "chosen"):
        row = result["val"][name]
        print(
            f"{name:9} mIoU {row['mean_iou']:.4f}  boundary F {row['boundary_f']:.4f}"
            f"  {row['cpu_seconds_per_image']:.2f} CPU s per image"
        )
    print("parameters:", result["parameters"])
