"""Superpixels on BSDS500: the table and the picture of zoo/classical/README.md.

`scripts/classical_table.py` writes them. scikit-image is compared, too, and OpenCV's
contributed methods where opencv-contrib-python-headless is installed instead of
opencv-python-headless.
"""

import functools
import pathlib
import time

import cv2
import numpy as np
import scipy.io
from skimage import segmentation

from kerasseg import classical, images, report, viz
from kerasseg.metrics import superpixel
from kerasseg.viz import legends

NUMBERS = (200, 400)
COLUMNS = ("K", "recall 2 px", "UE", "ASA", "EV", "compactness", "CPU ms")
SKIMAGE, AS_MANY = "skimage.slic, sigma 1", "slic, as many as skimage.slic"
MARK = "superpixels"
# Odd positions that were used before: the compactness of `slic` was chosen on 25 and 75
# among others, probably on 125 and 175; an earlier table showed scores of the rest.
SEEN = (1, 25, 41, 51, 75, 81, 101, 121, 125, 151, 161, 175)
CLEAN = tuple(sorted(set(range(1, 200, 2)) - set(SEEN)))


def methods(num):
    """Functions from an image to about `num` superpixels, by name.

    Methods without a parameter for it have settings that give about as many on images
    at even positions of the training split. scikit-image returns fewer than requested,
    so that more are requested.
    """
    few = num == NUMBERS[0]
    table = {
        "slic": functools.partial(classical.slic, num_segments=num),
        "slico": functools.partial(classical.slico, num_segments=num),
        "compact_watershed": functools.partial(
            classical.compact_watershed, num_segments=num
        ),
        "felzenszwalb": functools.partial(
            classical.felzenszwalb,
            scale=95.0 if few else 50.0,
            min_size=85 if few else 55,
        ),
        "quickshift": functools.partial(
            classical.quickshift, kernel_size=4.5 if few else 2.5
        ),
        "mean_shift": functools.partial(
            classical.mean_shift, detail_size=1200 if few else 350
        ),
        "kmeans, color + position": functools.partial(
            classical.kmeans,
            num_clusters=140 if few else 390,
            position_weight=150.0 if few else 210.0,
        ),
        SKIMAGE: functools.partial(
            segmentation.slic, n_segments=round(1.12 * num), sigma=1
        ),
    }
    if hasattr(cv2, "ximgproc"):
        table["ximgproc SLIC, blur"] = functools.partial(_ximgproc_slic, num=num)
        table["ximgproc SEEDS"] = functools.partial(_ximgproc_seeds, num=num)
    return table


def _ximgproc_slic(image, num):
    lab = cv2.cvtColor(cv2.GaussianBlur(image, (0, 0), 1), cv2.COLOR_RGB2LAB)
    size = round((image.shape[0] * image.shape[1] / num) ** 0.5)
    slic = cv2.ximgproc.createSuperpixelSLIC(lab, cv2.ximgproc.SLIC, size, 10.0)
    slic.iterate(10)
    slic.enforceLabelConnectivity(25)
    return slic.getLabels()


def _ximgproc_seeds(image, num):
    height, width, channels = image.shape
    hsv = cv2.cvtColor(image, cv2.COLOR_RGB2HSV)
    # Block sizes are powers of two, so that few numbers of segments are possible; the
    # result has fewer than requested.
    most = round(1.3 * num)
    seeds = cv2.ximgproc.createSuperpixelSEEDS(width, height, channels, most, 3)
    seeds.iterate(hsv, 10)
    return seeds.getLabels()


def read(root, index):
    """Image and annotated segmentations of a BSDS500 training image, by position."""
    folder = pathlib.Path(root) / "train"
    path = images.find_images(folder / "images")[index]
    file = scipy.io.loadmat(folder / "groundTruth" / f"{path.stem}.mat")
    truth = [
        one["Segmentation"][0, 0].astype("int32") for one in file["groundTruth"][0]
    ]
    return images.read_image(path), truth


def held_back(num):
    """Positions of `num` images, spread over those on which no default was chosen.

    Raises:
        ValueError: if there are fewer.
    """
    if not 1 <= num <= len(CLEAN):
        raise ValueError(f"`num` must be within 1..{len(CLEAN)}. Received: num={num}.")
    return [CLEAN[k * len(CLEAN) // num] for k in range(num)]


def measure(root, num_images, *, on_row=None):
    """Mean scores of every method, images and methods interleaved in one process.

    Args:
        root: folder of BSDS500.
        num_images: number of images, see `held_back`.
        on_row: function that is called with each finished row.

    Returns:
        list of dicts with "segments", "method" and the columns; time is the median. The
        last row of each number is `slic` with as many segments as scikit-image's result
        on each image.
    """
    rows = []
    for num in NUMBERS:
        table = methods(num)
        scores = {name: [] for name in [*table, AS_MANY]}
        corner = read(root, held_back(num_images)[0])[0][:64, :64].copy()
        for method in table.values():  # first calls load modules: not timed
            method(corner)
        for index in held_back(num_images):
            image, truth = read(root, index)
            for name, method in table.items():
                scores[name].append(_score(method, image, truth))
            as_many = functools.partial(
                classical.slic, num_segments=int(scores[SKIMAGE][-1][0])
            )
            scores[AS_MANY].append(_score(as_many, image, truth))
        for name, values in scores.items():
            means = [*np.mean(values, 0)[:-1], np.median(values, 0)[-1]]
            row = {"segments": num, "method": name, **dict(zip(COLUMNS, means))}
            rows.append(row)
            if on_row is not None:
                on_row(row)
    return rows


def _score(method, image, truth):
    start = time.process_time()
    labels = method(image)
    milliseconds = 1000 * (time.process_time() - start)
    labels = classical.connected_regions(labels)
    return (
        labels.max() + 1,
        superpixel.boundary_recall(labels, truth),
        superpixel.undersegmentation_error(labels, truth),
        superpixel.achievable_accuracy(labels, truth),
        superpixel.explained_variation(labels, image),
        superpixel.compactness(labels),
        milliseconds,
    )


def markdown(rows):
    """Markdown tables of the rows, one per number of segments."""
    lines = []
    for num in NUMBERS:
        lines += [f"Asked for {num}:", "", "| method | " + " | ".join(COLUMNS) + " |"]
        lines.append("|---|" + "---|" * len(COLUMNS))
        for row in rows:
            if row["segments"] == num:
                k, *scores, cost = (row[name] for name in COLUMNS)
                cells = [f"{k:.0f}", *(f"{s:.3f}" for s in scores), f"{cost:.0f}"]
                lines.append(f"| {row['method']} | " + " | ".join(cells) + " |")
        lines.append("")
    return "\n".join(lines)


def picture(image, num=NUMBERS[0], *, width_px=240):
    """Boundaries and mean colours of all methods on one image: uint8 [h, w, 3]."""
    cells = []
    for name, method in methods(num).items():
        labels = classical.connected_regions(method(image))
        pair = [viz.boundaries(image, labels), viz.mean_colors(image, labels)]
        shown = legends.join([legends.fit(one, width_px) for one in pair], gap=2)
        title = legends.text(f"{name}: {labels.max() + 1}", bold=True)
        cells.append(legends.join([title, shown], vertical=True, gap=2))
    rows = [
        legends.join(cells[k : k + 2], align="start") for k in range(0, len(cells), 2)
    ]
    return legends.frame(legends.join(rows, vertical=True, gap=10))


def update(page, rows, num_images):
    """Write the tables between the marks of a Markdown page."""
    note = f"Means over {num_images} images, CPU time the median on one thread."
    text = f"{note}\n\n{markdown(rows).rstrip()}"
    report.fill(pathlib.Path(page), text, MARK)
