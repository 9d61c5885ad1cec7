"""Pictures in, segmentations out, and their corrections by clicks; no gradio here."""

import dataclasses
import pathlib
import time

import cv2
import numpy as np
from PIL import Image

from kerasseg import classical, files, images, viz
from kerasseg.instance.rle import encode_rle
from kerasseg.predict import tables

CLICK_PX = 5  # radius of what a click says about the foreground or a region
MOST_OBJECTS = 2000  # of the file of objects; superpixels may be more


@dataclasses.dataclass(frozen=True)
class Answer:
    """A segmented picture.

    Attributes:
        image: [H, W, C], as it was read.
        label: int32 [H, W], ids of classes, objects or regions; 0 is not tinted.
        palette: uint8 [K, 3], the colour of each id.
        found: `predict.tables.Found`, rows of objects, areas of classes.
        by_object: whether the ids are those of the rows, not of classes.
        seconds: time that it took.
        clicks: what was clicked, ((row, column, kind), ...).
    """

    image: np.ndarray
    label: np.ndarray
    palette: np.ndarray
    found: tables.Found
    by_object: bool
    seconds: float
    clicks: tuple = ()

    def picture(self, alpha):
        """The image under tinted regions, uint8 [H, W, 3]; `alpha` in 0..1."""
        return viz.overlay(
            self.image, self.label, palette=self.palette, alpha=alpha, ignore_label=None
        )

    def classes(self):
        """Rows of class, area in pixels, share of the image in percent."""
        areas = {
            key.removesuffix("_area_px"): value
            for key, value in self.found.image.items()
            if key.endswith("_area_px")
        }
        return [
            [name, int(area), round(100 * area / self.label.size, 2)]
            for name, area in areas.items()
        ]

    def objects(self):
        """Rows of id, class, area in pixels, box and score."""
        keys = ("id", "class", "area_px", "x1", "y1", "x2", "y2", "score")
        return [[row.get(key, "") for key in keys] for row in self.found.objects]

    def write(self, folder, name):
        """Write mask, cut-out and objects; returns the paths.

        Args:
            folder: for the files.
            name: how their names begin.
        """
        folder = pathlib.Path(folder)
        mask, cut = folder / f"{name}_mask.png", folder / f"{name}_cutout.png"
        images.write_mask(mask, self.label)
        Image.fromarray(viz.cut_out(self.image, self.label > 0)).save(cut)
        objects = folder / f"{name}_coco.json"
        files.write_json(objects, self._document(name))
        return [str(path) for path in (mask, cut, objects)]

    def _document(self, name):
        """The objects as a COCO annotation file."""
        rows = self.found.objects[:MOST_OBJECTS]
        names = {row["class_id"]: row["class"] for row in rows}
        height, width = self.label.shape
        entries = []
        for row, mask in zip(rows, self._masks()):
            x1, y1, x2, y2 = (row[key] for key in ("x1", "y1", "x2", "y2"))
            entry = {"id": len(entries) + 1, "image_id": 1, "iscrowd": 0}
            entry |= {"category_id": row["class_id"], "area": row["area_px"]}
            entry |= {"bbox": [x1, y1, x2 - x1, y2 - y1]}
            entries.append({**entry, "segmentation": encode_rle(mask)})
        return {
            "images": [{"id": 1, "file_name": name, "height": height, "width": width}],
            "categories": [{"id": k, "name": str(x)} for k, x in sorted(names.items())],
            "annotations": entries,
        }

    def _masks(self):
        """Bool [H, W] of each row of objects, in their order."""
        if self.by_object:
            yield from (self.label == row["id"] for row in self.found.objects)
            return
        for class_id in np.unique(self.label[self.label > 0]):  # as `of_class_map`
            mask = (self.label == class_id).astype("uint8")
            count, parts = cv2.connectedComponents(mask, connectivity=4)
            yield from (parts == number for number in range(1, count))


def of_run(model, task, look, options):
    """Function from an image to an `Answer`, by a model.

    Args:
        model, task, look, options: see `runs.ready`.
    """

    def segment(image):
        start = time.perf_counter()
        found = task.predict(model, images.scale(image, options.value_range), options)
        seconds = time.perf_counter() - start
        rows = task.rows(found, look["class_names"], options)
        label, by_object = task.ids(found), task.name != "semantic"
        palette = viz.palette(label.max() + 1) if by_object else look["palette"]
        palette = np.asarray(palette)
        return Answer(image, label, palette, rows, by_object, seconds)

    return segment


def of_method(name):
    """Function from an image to an `Answer`, by a classical method with its defaults.

    Args:
        name: of a function of `kerasseg.classical` that takes an image alone.
    """
    function = getattr(classical, name)

    def segment(image):
        start = time.perf_counter()
        label = function(image) + (name != "threshold")  # its 0 is the background
        seconds = time.perf_counter() - start
        return of_regions(image, label, seconds)

    return segment


def untouched(image):
    """`Answer` without regions, to be made by clicks."""
    return of_regions(image, np.zeros(image.shape[:2], "int32"), 0.0)


def of_regions(image, label, seconds, clicks=()):
    """`Answer` of a label map int [H, W], 0 the background, each id a class."""
    names = ["background", *(f"region {i}" for i in range(1, int(label.max()) + 1))]
    rows = tables.of_class_map(label, names)
    palette = viz.palette(int(label.max()) + 1)
    return Answer(image, label.astype("int32"), palette, rows, False, seconds, clicks)


def corrected(answer, row, column, kind, *, tolerance=12.0):
    """Change a segmentation by a click.

    Args:
        answer: `Answer`.
        row, column: pixel that was clicked.
        kind: "grow": the region of like pixels around it becomes one more, of a class
            of its own. "object", "not object": all such clicks together are given to
            GrabCut, whose foreground takes the place of the regions. "region": all such
            clicks are markers of a watershed, one region each.
        tolerance: of growing, see `classical.region_growing`.

    Returns:
        `Answer` of regions.

    Raises:
        ValueError: if the click lies outside, or `kind` is none of these.
    """
    height, width = answer.label.shape
    if not (0 <= row < height and 0 <= column < width):
        raise ValueError(
            f"A click must lie in the picture, {height} x {width}. "
            f"Received: row {row}, column {column}."
        )
    start = time.perf_counter()
    clicks = (*answer.clicks, (int(row), int(column), kind))
    if kind == "grow":
        picture = viz.display(answer.image)
        grown = classical.region_growing(picture, (row, column), tolerance=tolerance)
        label = np.where(grown == 0, answer.label.max() + 1, answer.label)
    elif kind in ("object", "not object"):
        scribbles = np.full([height, width], 255)
        for y, x, other in clicks:
            if other in ("object", "not object"):
                scribbles[_disc(scribbles.shape, y, x)] = int(other == "object")
        label = _cut(answer.image, scribbles)
    elif kind == "region":
        places = [(y, x) for y, x, other in clicks if other == "region"]
        markers = np.zeros([height, width], "int32")
        for number, (y, x) in enumerate(places, 1):
            markers[_disc(markers.shape, y, x)] = number
        label = classical.watershed(viz.display(answer.image), markers) + 1
    else:
        raise ValueError(
            'A click must be "grow", "object", "not object" or "region". '
            f"Received: {kind!r}."
        )
    label = np.unique(np.append(label, 0), return_inverse=True)[1][:-1]
    label = label.reshape(height, width)  # ids without gaps, 0 stays 0
    return of_regions(answer.image, label, time.perf_counter() - start, clicks)


def _cut(image, scribbles):
    """GrabCut by clicks; before both kinds were clicked, the other is the border."""
    scribbles = scribbles.copy()
    for value in (0, 1):
        if not (scribbles == value).any():
            edge = np.ones(scribbles.shape, bool)
            edge[1:-1, 1:-1] = False
            scribbles[edge & (scribbles == 255)] = value
    return classical.grabcut(viz.display(image), scribbles=scribbles)


def _disc(shape, row, column):
    rows, columns = np.ogrid[: shape[0], : shape[1]]
    return (rows - row) ** 2 + (columns - column) ** 2 <= CLICK_PX**2
