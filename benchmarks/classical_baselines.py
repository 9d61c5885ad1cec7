"""Classical baselines: scores of methods without training on tasks of networks.

Run: python -m benchmarks.classical_baselines --data DATA [--frames 5]

Each function takes the folder of a data set and returns scores. Settings are chosen on
training images where a docstring says so.
"""

import argparse
import itertools
import pathlib

import cv2
import numpy as np
from scipy import ndimage
from skimage import segmentation

from benchmarks.record import record
from kerasseg import classical, datasets, evaluate, images, predict
from kerasseg.metrics import instances


def nuclei(root):
    """Scores of `find_nuclei` on the val split of dsb2018, with settings for train.

    Returns:
        dict of "images" and the scores of `label_map_scores`.
    """
    val = datasets.dsb2018(root, "val")
    pairs = ((s["instances"].max(0), find_nuclei(s["image"])) for s in val)
    return {"images": len(val), **label_map_scores(pairs)}


def label_map_scores(pairs):
    """Scores of instance label maps of any method.

    Args:
        pairs: iterable of true and found objects, integers [H, W], 0 background.

    Returns:
        dict of "label_ap", "label_ap50", "f1", "pq", "sq", "rq" and "aji", defined as
        by `kerasseg.evaluate.score`, and "iou" of the foreground, mean over images.
    """
    counts, qualities, indices, ious = 0, 0, [], []
    for maps in pairs:
        counts = counts + instances.instance_counts(*maps)
        qualities = qualities + instances.quality_counts(*maps)
        indices.append(instances.aggregated_jaccard(*maps))
        ious.append(iou(*(labels > 0 for labels in maps)))
    scores = instances.summary(counts, qualities, indices)
    return {**scores, "iou": float(np.mean(ious))}


def find_nuclei(image, *, min_size=20):
    """Label map of nuclei that are brighter or darker than the background.

    Otsu's threshold of the grey image; the class with fewer pixels at the image border
    is foreground. Touching objects are split by a watershed, and each gets a threshold
    of its own, since some nuclei are many times brighter than others.

    Args:
        image: uint8 [H, W, 3].
        min_size: smaller objects are removed, px.

    Returns:
        int32 [H, W], 0 background.
    """
    mask = classical.threshold(image, sigma=0.5) > 0
    rim = np.concatenate([mask[0], mask[-1], mask[:, 0], mask[:, -1]])
    mask = ndimage.binary_fill_holes(~mask if rim.mean() > 0.5 else mask)
    found = classical.split_instances(mask, min_depth=0.5, sigma=1.0, min_size=min_size)
    found = _half_contrast(image.mean(2), found)
    return np.where(np.bincount(found.ravel())[found] < min_size, 0, found)


def _half_contrast(grey, labels, reach_px=4):
    """Limit each object to pixels of half of its contrast to the background or more."""
    ground = np.median(grey[labels == 0])
    contrast = ndimage.median(grey, labels, np.arange(labels.max() + 1)) - ground
    contrast[np.abs(contrast) < 1] = np.inf  # objects without contrast are removed
    wide = segmentation.expand_labels(labels, reach_px)
    return np.where((grey - ground) / contrast[wide] > 0.5, wide, 0)


def membranes(root, *, limits=(0.6, 0.65, 0.7, 0.75), sizes=(500, 1000, 2000, 4000)):
    """Scores of thresholded `line_strength` on the val split of isbi2012 (membranes).

    Small components are removed: vesicles and walls inside of mitochondria. Threshold
    and size are those of the best mean IoU on every fifth training slice.

    Returns:
        dict of "images", "limit", "min_size" and "mean_iou" of the two classes.
    """
    train, val = (datasets.isbi2012(root, split) for split in ("train", "val"))
    chosen = _lines_and_labels(train, range(0, len(train), 5))
    limit, size = max(
        itertools.product(limits, sizes),
        key=lambda pair: _membrane_score(chosen, *pair),
    )
    score = _membrane_score(_lines_and_labels(val, range(len(val))), limit, size)
    return {"images": len(val), "limit": limit, "min_size": size, "mean_iou": score}


def line_strength(grey):
    """Response of a filter bank to dark lines of 4 to 8 px.

    The maximum over 12 directions of elongated Gabor filters, at two widths, plus a
    little of the local darkness. Their length distinguishes lines from spots and
    texture, unlike filters of the Hessian.

    Args:
        grey: numbers [H, W], of any range.

    Returns:
        float32 [H, W].

    Reference: Jain and Farrokhnia, 1991, https://doi.org/10.1016/0031-3203(91)90143-S
    """
    dark = cv2.GaussianBlur(grey.astype("float32"), (0, 0), 25) - grey
    dark /= np.sqrt(cv2.GaussianBlur(np.square(dark), (0, 0), 25)) + 1e-3
    strength = 0.15 * cv2.GaussianBlur(dark, (0, 0), 1.5)
    for sigma, gamma in ((3.0, 0.25), (4.0, 0.4)):
        side = 2 * int(np.ceil(2.5 * sigma / gamma)) + 1
        angles = np.arange(12) * np.pi / 12
        bank = [
            cv2.getGaborKernel((side, side), sigma, angle, 4 * sigma, gamma, 0)
            for angle in angles
        ]
        bank = [kernel - kernel.mean() for kernel in bank]
        strength += np.max(
            [cv2.filter2D(dark, -1, kernel / np.abs(kernel).sum()) for kernel in bank],
            0,
        )
    return strength


def _lines_and_labels(samples, positions):
    chosen = [samples[k] for k in positions]
    return [(line_strength(s["image"][..., 0]), s["label"]) for s in chosen]


def _membrane_score(pairs, limit, min_size):
    """Mean IoU over one confusion matrix of all samples, as in the recipes' cards."""
    matrix = np.zeros([2, 2], "int64")
    for strength, label in pairs:
        parts, _ = ndimage.label(strength > limit, np.ones([3, 3]))
        found = (np.bincount(parts.ravel()) >= min_size)[parts] & (parts > 0)
        codes = 2 * label + found
        matrix += np.bincount(codes[label < 2], minlength=4).reshape(2, 2)
    hits = np.diag(matrix)
    return float((hits / (matrix.sum(0) + matrix.sum(1) - hits)).mean())


def objects(root, *, frames=10, margin_px=9):
    """GrabCut through the clips of davis, from the first frame's mask, at half size.

    Around the border of the last mask, a band of `margin_px` to either side is unknown;
    pixels inside of it are foreground, those outside background.

    Args:
        root: folder of davis, with JPEGImages/480p and Annotations/480p.
        frames: how many frames after the first are scored.
        margin_px: half of the band's width, px at half size.

    Returns:
        dict from clip to the mean IoU of its frames.
    """
    scores = {}
    square = np.ones([2 * margin_px + 1] * 2, "uint8")
    for clip in sorted((pathlib.Path(root) / "JPEGImages/480p").iterdir()):
        (_, mask), *others = clip_frames(root, clip, frames)
        found = []
        for image, truth in others:
            scribbles = np.full(mask.shape, 255)
            scribbles[cv2.dilate(mask, square) == 0] = 0
            scribbles[cv2.erode(mask, square) == 1] = 1
            if len(np.unique(scribbles)) == 3:  # else the object is lost: keep the mask
                mask = classical.grabcut(image, scribbles=scribbles, iterations=2)
                mask = mask.astype("uint8")
            found.append(iou(mask > 0, truth > 0))
        scores[clip.name] = float(np.mean(found))
    return scores


def clip_frames(root, clip, num):
    """Image and mask of a clip's first frame and of `num` more, at half size.

    Args:
        root: folder of davis.
        clip: the clip's folder below JPEGImages.
        num: how many frames after the first.

    Returns:
        List of (uint8 [H, W, 3], uint8 [H, W] of 0 and 1).
    """
    masks = pathlib.Path(root) / "Annotations/480p" / clip.name
    pairs = []
    for path in images.find_images(clip)[: num + 1]:
        mask = images.read_mask(masks / f"{path.stem}.png", values={0: 0, 255: 1})
        pairs.append((images.read_image(path), mask.astype("uint8")))
    return [(image[::2, ::2], mask[::2, ::2]) for image, mask in pairs]


def tiles(root, *, sigmas=(6, 12, 24), limits=(2.5, 3.5, 5.0), sizes=(20, 60, 200)):
    """Scores of `stand_out` on the val split of magnetic_tile, whatever the kind.

    Blur, threshold and least size are those of the best IoU of defects on every fourth
    training image.

    Returns:
        dict of "images", the settings, "iou" of all defects together, and "inspection",
        see `kerasseg.evaluate.inspection`.
    """
    train, val = (datasets.magnetic_tile(root, split) for split in ("train", "val"))
    known = [train[k] for k in range(0, len(train), 4)]
    names = ("sigma", "limit", "min_size")
    settings = [
        dict(zip(names, values)) for values in itertools.product(sigmas, limits, sizes)
    ]
    best = max(settings, key=lambda each: _defect_scores(known, **each)[0])
    score, rows = _defect_scores(val, **best)
    return {
        "images": len(val),
        **best,
        "iou": score,
        "inspection": evaluate.inspection(rows),
    }


def stand_out(grey, *, sigma, limit, min_size):
    """Regions that are brighter or darker than what is around them.

    Columns are compared with themselves, because grinding leaves vertical lines: from
    each pixel the median of its column and a wide blur are taken off, and what is
    `limit` standard deviations away is kept, in regions of `min_size` px.

    Returns:
        bool [H, W].
    """
    grey = grey.astype("float32")
    rest = grey - np.median(grey, axis=0, keepdims=True)
    rest -= cv2.GaussianBlur(rest, (0, 0), 4 * sigma)
    rest = cv2.GaussianBlur(rest, (0, 0), sigma / 6)
    spread = 1.4826 * np.median(np.abs(rest - np.median(rest))) + 1e-3
    parts, _ = ndimage.label(np.abs(rest) > limit * spread, np.ones([3, 3]))
    return (np.bincount(parts.ravel()) >= min_size)[parts] & (parts > 0)


def _defect_scores(samples, **settings):
    """IoU of all defects over all images, and a row of each for `inspection`."""
    hits, union, rows = 0, 0, []
    for sample in samples:
        truth = sample["label"] > 0
        found = stand_out(sample["image"][..., 0], **settings)
        hits += np.count_nonzero(truth & found)
        union += np.count_nonzero(truth | found)
        largest = predict.largest_region_px(found.astype("int32"))
        present = ["defect"] * bool(truth.any())
        rows.append({"present": present, "largest_px": largest})
    return hits / union, rows


def iou(found, truth):
    """Intersection over union of two bool maps; 1 if both are empty."""
    union = np.count_nonzero(found | truth)
    return np.count_nonzero(found & truth) / union if union else 1.0


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--data", required=True, help="with dsb2018, isbi2012, ...")
    parser.add_argument("--frames", type=int, default=10, help="frames of each clip")
    options = parser.parse_args()
    root = pathlib.Path(options.data)
    for task, result in (
        ("nuclei", nuclei(root / "dsb2018")),
        ("membranes", membranes(root / "isbi2012")),
        ("objects", objects(root / "davis", frames=options.frames)),
        ("tiles", tiles(root / "magnetic_tile")),
    ):
        record(f"classical baseline: {task}", result)


if __name__ == "__main__":
    main()
