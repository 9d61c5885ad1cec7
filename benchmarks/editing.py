"""Editing photographs: people cut out, and objects by a click, networks and classical.

Run: python -m benchmarks.editing --data DATA --out FOLDER

People: photographs of COCO in which people cover LARGE of the picture or more. The
network is `people`, which knows nothing but the picture; GrabCut is given a frame
around the picture, or the true box of all people. Scored is the IoU of each picture.

Clicks: each nucleus of the val split of dsb2018 gets a click on its innermost pixel.
The network is `nuclei`, of whose objects the best under the click is taken; classical
methods start from the click, with settings of best IoU on TRAIN images of the train
split. Scored is the IoU of each object, 0 where nothing is found.

Writes editing.json and editing.png.
"""

import argparse
import functools
import json
import pathlib
import time

import cv2
import numpy as np

from kerasseg import (
    classical,
    datasets,
    evaluate,
    files,
    images,
    predict,
    tasks,
    viz,
    zoo,
)

LARGE, FRAME = 0.15, 0.05
TRAIN, MOST_CLICKS = 20, 30  # images, and clicks of an image
TOLERANCES = (5, 10, 15, 20, 30, 40)
RADII = (10, 15, 20, 30, 45)  # px, of the circle that GrabCut may fill


def main(root, out):
    """Measure both uses, write, and return the JSON-able result."""
    root = pathlib.Path(root)
    people, picture = people_scores(datasets.coco(root / "coco128").only(["person"]))
    clicks = click_scores(root / "dsb2018")
    result = {"people": people, "clicks": clicks}
    result["environment"] = evaluate.environment()
    files.write_json(pathlib.Path(out) / "editing.json", result)
    images.write_image(pathlib.Path(out) / "editing.png", picture)
    return result


def people_scores(samples):
    """IoU of people by each method, and a picture of the worst and the best."""
    model, rows, seconds = zoo.load("people"), [], {}
    for index in range(len(samples)):
        sample = samples[index]
        image, truth = sample["image"], sample["label"] == 1
        if truth.mean() < LARGE:
            continue
        height, width = truth.shape
        y, x = np.nonzero(truth)
        inset = [round(FRAME * side) for side in (width, height)]
        boxes = {
            "grabcut, a frame": (*inset, width - inset[0], height - inset[1]),
            "grabcut, the true box": (x.min(), y.min(), x.max() + 1, y.max() + 1),
        }
        found = {"people": functools.partial(predict.class_ids, model, image)}
        for name, box in boxes.items():
            box = _inside(box, width, height)
            found[name] = functools.partial(classical.grabcut, image, box=box)
        row = {"name": samples.names[index], "index": index}
        for name, method in found.items():
            start = time.process_time()
            mask = method() == 1
            seconds.setdefault(name, []).append(time.process_time() - start)
            row[name] = iou(truth, mask)
        rows.append(row)
    rows.sort(key=lambda row: row["people"])
    methods = {
        name: {
            "mean_iou": round(float(np.mean([row[name] for row in rows])), 4),
            "cpu_seconds": round(float(np.median(times)), 3),
        }
        for name, times in seconds.items()
    }
    picture = _gallery(model, samples, [*rows[:5], *rows[-5:]])
    return {"images": len(rows), "methods": methods, "rows": rows}, picture


def _inside(box, width, height):
    """The box as integers, with a background pixel left, as GrabCut needs."""
    x1, y1, x2, y2 = map(int, box)
    return max(1, x1), max(1, y1), min(width - 1, x2), min(height - 1, y2)


def _gallery(model, samples, rows):
    shown = []
    for row in rows:
        image = samples[row["index"]]["image"]
        alpha = predict.probabilities(model, image)[..., -1]
        shown.append(viz.replace_background(image, alpha, (70, 130, 180)))
    return viz.side_by_side(shown, [f"{row['people']:.2f}" for row in rows])


def click_scores(root):
    """IoU of clicked nuclei by each method, with settings chosen on train images."""
    train = datasets.dsb2018(root, "train")
    step = max(1, len(train) // TRAIN)
    chosen = {}
    for name, (method, settings) in METHODS.items():
        samples = train.subset(range(0, len(train), step))
        tried = {x: np.mean(clicked(samples, method(x))) for x in settings}
        chosen[name] = max(tried, key=tried.get)
    val, model = datasets.dsb2018(root, "val"), zoo.load("nuclei")
    scores = {
        name: {"setting": chosen[name], **_summary(clicked(val, method(chosen[name])))}
        for name, (method, _) in METHODS.items()
    }
    scores["nuclei"] = _summary(clicked(val, functools.partial(network, model)))
    return {"images": len(val), "methods": scores}


def _summary(ious):
    ious = np.array(ious)
    return {
        "mean_iou": round(float(ious.mean()), 4),
        "above_half": round(float((ious > 0.5).mean()), 4),
        "clicks": len(ious),
    }


def clicked(samples, method):
    """IoU of up to MOST_CLICKS objects of each image."""
    ious = []
    for index in range(len(samples)):
        sample = samples[index]
        answer, ids = method(sample["image"]), sample["instances"].max(0)
        numbers = np.unique(ids[ids > 0])
        for number in numbers[:: max(1, -(-len(numbers) // MOST_CLICKS))]:
            truth = ids == number
            depth = cv2.distanceTransform(
                np.pad(truth, 1).astype("uint8"), cv2.DIST_L2, 5
            )
            y, x = np.unravel_index(depth[1:-1, 1:-1].argmax(), truth.shape)
            ious.append(iou(truth, answer(int(x), int(y))))
    return ious


def network(model, image):
    """Function of a click to the object of the network under it."""
    found = tasks.predict(model, image)  # with the options of these weights

    def answer(x, y):
        one = found.at(x, y)
        return one.masks[0] if len(one) else np.zeros(image.shape[:2], bool)

    return answer


def growing(tolerance):
    """Region growing from the click."""

    def method(image):
        grow = functools.partial(
            classical.region_growing, image, tolerance=tolerance, mode="adaptive"
        )
        return lambda x, y: grow(seeds=(y, x)) == 0

    return method


def cutting(radius):
    """GrabCut: the click is the object, all beyond a circle around it is not."""

    def method(image):
        def answer(x, y):
            top, left = max(0, y - 2 * radius), max(0, x - 2 * radius)
            part = np.s_[top : y + 2 * radius, left : x + 2 * radius]
            scribbles = np.zeros(image.shape[:2], "int32")
            cv2.circle(scribbles, (x, y), radius, 255, -1)
            cv2.circle(scribbles, (x, y), 2, 1, -1)
            cut = classical.grabcut(
                np.ascontiguousarray(image[part]),
                scribbles=scribbles[part],
                iterations=2,
            )
            _, parts = cv2.connectedComponents((cut == 1).astype("uint8"))
            found = np.zeros(image.shape[:2], bool)
            own = parts[y - top, x - left]
            found[part] = (parts == own) & (own > 0)
            return found

        return answer

    return method


METHODS = {"region_growing": (growing, TOLERANCES), "grabcut": (cutting, RADII)}


def iou(truth, found):
    """Intersection over union of two masks."""
    return float((truth & found).sum() / max((truth | found).sum(), 1))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument(
        "--data", dest="root", required=True, help="folder of data sets"
    )
    parser.add_argument("--out", default="editing", help="output folder")
    result = main(**vars(parser.parse_args()))
    print(json.dumps({k: result[k]["methods"] for k in ("people", "clicks")}, indent=1))
