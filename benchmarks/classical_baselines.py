"""What classical methods reach on tasks that networks are trained for.

Run: python -m benchmarks.classical_baselines --data DATA [--every 5] [--frames 5]

Each function takes a data set's folder and returns scores; settings were chosen on
other images than those that are scored where it says so.
"""

import argparse
import itertools
import json
import pathlib

import cv2
import numpy as np

from kerasseg import classical, datasets, images, metrics


def nuclei(root, *, every=1):
    """Threshold and `split_instances` on the nuclei of dsb2018.

    Otsu's threshold of the blurred grey image; the side that holds less of the image's
    rim is foreground, since nuclei are bright or dark.

    Args:
        root: folder of dsb2018, with images/ and 16-bit labels/.
        every: take each n-th image.

    Returns:
        dict of "images", "iou" (foreground against background, mean over images) and
        "f1" of instances matched at IoU 0.5, mean over images.
    """
    scores = []
    for path in images.find_images(pathlib.Path(root) / "images")[::every]:
        truth = images.read_mask(pathlib.Path(root) / "labels" / f"{path.stem}.png")
        mask = classical.threshold(images.read_image(path), sigma=1.0) > 0
        rim = np.concatenate([mask[0], mask[-1], mask[:, 0], mask[:, -1]])
        mask = ~mask if rim.mean() > 0.5 else mask
        found = classical.split_instances(mask, min_size=20)
        counts = metrics.instances.instance_counts(truth, found, [0.5])
        score = metrics.instances.f1(counts)[0]
        scores.append((iou(found > 0, truth > 0), score))
    means = np.mean(scores, 0)
    return {"images": len(scores), "iou": float(means[0]), "f1": float(means[1])}


def membranes(root, *, sigmas=(1.0, 2.0), offsets=(-25.0, -15.0, -8.0)):
    """Adaptive threshold on the membranes of isbi2012, the val split.

    Blur and offset are those of best mean IoU on every fifth training slice.

    Returns:
        dict of "images", "sigma", "offset" and "mean_iou" of the two classes.
    """
    train = datasets.isbi2012(root, "train")
    chosen = [train[k] for k in range(0, len(train), 5)]
    sigma, offset = max(
        itertools.product(sigmas, offsets),
        key=lambda setting: _membrane_score(chosen, *setting),
    )
    val = datasets.isbi2012(root, "val")
    score = _membrane_score([val[k] for k in range(len(val))], sigma, offset)
    return {"images": len(val), "sigma": sigma, "offset": offset, "mean_iou": score}


def _membrane_score(samples, sigma, offset):
    """Mean IoU over one confusion matrix of all samples, as in the recipes' cards."""
    matrix = np.zeros([2, 2], "int64")
    for sample in samples:
        light = classical.threshold(
            sample["image"], method="adaptive", offset=offset, sigma=sigma
        )
        codes = 2 * sample["label"] + (1 - light)  # membranes are dark
        matrix += np.bincount(codes[sample["label"] < 2], minlength=4).reshape(2, 2)
    hits = np.diag(matrix)
    return float((hits / (matrix.sum(0) + matrix.sum(1) - hits)).mean())


def objects(root, *, frames=10, margin_px=9):
    """GrabCut through the clips of davis, from the first frame's mask, at half size.

    Around the last mask, a band of `margin_px` to either side is open; what is inside
    is foreground, what is outside background.

    Args:
        root: folder of davis, with JPEGImages/480p and Annotations/480p.
        frames: how many frames after the first are scored.
        margin_px: half of the band's width, px at half size.

    Returns:
        dict from clip to the mean IoU of its frames.
    """
    scores = {}
    square = np.ones([2 * margin_px + 1] * 2, "uint8")
    for folder in sorted((pathlib.Path(root) / "JPEGImages/480p").iterdir()):
        paths = images.find_images(folder)[: frames + 1]
        truths = [_half_mask(root, path) for path in paths]
        mask, found = truths[0], []
        for path, truth in zip(paths[1:], truths[1:]):
            scribbles = np.full(mask.shape, 255)
            scribbles[cv2.dilate(mask, square) == 0] = 0
            scribbles[cv2.erode(mask, square) == 1] = 1
            image = images.read_image(path)[::2, ::2]
            if len(np.unique(scribbles)) == 3:  # else the object is lost: keep the mask
                mask = classical.grabcut(image, scribbles=scribbles, iterations=2)
                mask = mask.astype("uint8")
            found.append(iou(mask > 0, truth > 0))
        scores[folder.name] = float(np.mean(found))
    return scores


def _half_mask(root, path):
    file = pathlib.Path(root) / "Annotations/480p" / path.parent.name
    mask = images.read_mask(file / f"{path.stem}.png", values={0: 0, 255: 1})
    return mask[::2, ::2].astype("uint8")


def iou(found, truth):
    """Intersection over union of two bool maps; 1 if both are empty."""
    union = np.count_nonzero(found | truth)
    return np.count_nonzero(found & truth) / union if union else 1.0


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--data", required=True, help="with dsb2018, isbi2012, davis")
    parser.add_argument("--every", type=int, default=1, help="each n-th nuclei image")
    parser.add_argument("--frames", type=int, default=10, help="frames of each clip")
    options = parser.parse_args()
    root = pathlib.Path(options.data)
    print("nuclei", json.dumps(nuclei(root / "dsb2018", every=options.every)))
    print("membranes", json.dumps(membranes(root / "isbi2012")))
    print("objects", json.dumps(objects(root / "davis", frames=options.frames)))


if __name__ == "__main__":
    main()
