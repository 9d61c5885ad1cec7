"""Objects of films followed from their first frame, by DAVIS' measures.

Run: python -m benchmarks.films --data ROOT/davis RUN RUN ... --out FOLDER

Each run was trained on the first frame of one film, `data.film` of its recipe. Beside
it stands what needs no training: the first mask moved along by optical flow. J is the
IoU and F the boundary measure of each frame but the first, meant over frames, then over
films; flicker is `metrics.flicker_counts`. Writes films.json and films.png.
"""

import argparse
import json
import pathlib
import time

import numpy as np

from kerasseg import (
    datasets,
    evaluate,
    files,
    images,
    metrics,
    predict,
    runs,
    video,
    viz,
)

STRENGTHS, REACH = (0.3, 0.5, 0.7), 0.05  # of smoothing, and of following


def main(run_dirs, root, out):
    """Score all films, write, and return the JSON-able result."""
    films, rows = {}, []
    for run in run_dirs:
        model, recipe, _ = runs.load(run)
        film = recipe["data"]["film"]
        samples = datasets.davis(root, film=film)
        films[film], picture = score(model, samples)
        rows.append(picture)
        print(film, {k: v["j"] for k, v in films[film].items()}, flush=True)
    means = {
        method: {
            key: round(float(np.mean([one[method][key] for one in films.values()])), 4)
            for key in ("j", "f", "flicker")
        }
        for method in next(iter(films.values()))
    }
    result = {"films": films, "means": means, "environment": evaluate.environment()}
    out = pathlib.Path(out)
    files.write_json(out / "films.json", result)
    images.write_image(out / "films.png", np.concatenate(rows))
    return result


def score(model, samples):
    """Scores of each method on one film, and a picture of its last frame."""
    first = samples[0]
    follower = video.Follower(REACH)
    smoothers = {f"follow, smooth {x:g}": video.Smoother(x) for x in STRENGTHS}
    names = ("flow", "network", "follow", *smoothers)
    scores = {name: Score(len(samples.classes)) for name in names}
    moved, before, seconds = first["label"].astype("float32"), first["image"], []
    for index in range(len(samples)):
        sample = samples[index]
        frame, label = sample["image"], sample["label"]
        start = time.process_time()
        shares = predict.probabilities(model, frame)
        seconds.append(time.process_time() - start)
        near = follower(frame, shares)
        found = {"network": shares, "follow": near}
        found |= {name: one(frame, near) for name, one in smoothers.items()}
        maps = {name: predict.most_probable(one)[0] for name, one in found.items()}
        if index:
            moved = video.warp(moved, video.motion(before, frame))
        maps["flow"], before = (moved > 0.5).astype("int32"), frame
        for name, ids in maps.items():
            scores[name].add(frame, label, ids, counts=index > 0)
    result = {name: one.result() for name, one in scores.items()}
    result["network"]["cpu_seconds_per_frame"] = round(float(np.median(seconds)), 3)
    shown = [label, maps["flow"], maps["network"], maps["follow"]]
    titles = ("truth", "flow", "network", "followed")
    pictures = [viz.overlay(frame, ids) for ids in shown]
    return result, viz.side_by_side(pictures, titles, height_px=200)


class Score:
    """J, F and flicker of one method on one film."""

    def __init__(self, num_classes):
        self.num_classes, self.j, self.f = num_classes, [], []
        self.flicker, self.before = 0, None

    def add(self, frame, label, found, counts):
        """Count a frame; the first, which is given, for the flicker only."""
        if counts:
            matrix = metrics.confusion_matrix(label, found, self.num_classes)
            self.j.append(float(metrics.iou_per_class(matrix)[1]))
            self.f.append(float(metrics.davis_boundary_f(label == 1, found == 1)))
        if self.before is not None:
            pair = self.before, (frame, found)
            self.flicker += metrics.flicker_counts(*pair, self.num_classes)
        self.before = frame, found

    def result(self):
        """Means over frames, and the frames that were found worst."""
        worst = np.argsort(self.j)[:5]
        return {
            "j": round(float(np.mean(self.j)), 4),
            "f": round(float(np.mean(self.f)), 4),
            "flicker": round(1 - float(metrics.mean_iou(self.flicker)), 4),
            "worst": {str(i + 1): round(self.j[i], 3) for i in worst.tolist()},
        }


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("run_dirs", nargs="+", metavar="RUN", help="run folders")
    parser.add_argument("--data", dest="root", required=True, help="DAVIS' folder")
    parser.add_argument("--out", default="films", help="output folder")
    print(json.dumps(main(**vars(parser.parse_args()))["means"], indent=1))
