"""Pictures in, segmentations out, with tables and files; no gradio here."""

import collections
import dataclasses
import pathlib
import time

import cv2
import numpy as np

from kerasseg import classical, files, images, viz
from kerasseg.instance.rle import encode_rle
from kerasseg.predict import tables

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
        names: of the classes by their ids, where these are the label's.
        clicks: what was clicked, ((row, column, kind), ...).
    """

    image: np.ndarray
    label: np.ndarray
    palette: np.ndarray
    found: tables.Found
    by_object: bool
    seconds: float
    names: tuple = ()
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

    def free_id(self):
        """Id of one more region or object."""
        return max(len(self.names), int(self.label.max()) + 1)

    def changed(self, label, seconds, clicks):
        """The answer with another label [H, W]; ids beyond the known ones are new.

        Args:
            label: ids of the classes or objects of this answer, and up to one more.
            seconds, clicks: as the attributes.
        """
        label, palette = label.astype("int32"), viz.palette(int(label.max()) + 1)
        names, found = self.names, None
        if self.by_object:
            found = self._objects_of(label)
        else:
            more = range(len(names), int(label.max()) + 1)
            names = (*names, *(f"region {number}" for number in more))
            found = tables.of_class_map(label, names)
            palette = [*self.palette, *viz.palette(len(names))[len(self.palette) :]]
        return dataclasses.replace(
            self,
            label=label,
            palette=np.asarray(palette),
            found=found,
            seconds=seconds,
            names=names,
            clicks=clicks,
        )

    def _objects_of(self, label):
        """`Found` of objects, which keep their class and score."""
        rows = {row["id"]: row for row in self.found.objects}
        common = collections.Counter(x["class_id"] for x in rows.values())
        usual = common.most_common(1)[0][0] if common else 1
        names = {row["class_id"]: row["class"] for row in rows.values()}
        segments = []
        for number in np.unique(label[label > 0]).tolist():
            kind = rows[number]["class_id"] if number in rows else usual
            name = names.get(kind, "object")
            segments.append({"id": number, "class_id": kind, "class": name})
        found = tables.of_segments(label, segments, {x["class_id"] for x in segments})
        for row in found.objects:
            row["score"] = rows.get(row["id"], {}).get("score", "")
        return found

    def write(self, folder, name):
        """Write mask, cut-out and objects; returns the paths.

        Args:
            folder: for the files.
            name: how their names begin.
        """
        folder = pathlib.Path(folder)
        mask, cut = folder / f"{name}_mask.png", folder / f"{name}_cutout.png"
        images.write_mask(mask, self.label)
        shown = self.label > 0
        # Without the background's colours, which would lie under what is transparent.
        images.write_image(cut, viz.cut_out(viz.foreground(self.image, shown), shown))
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
        names = () if by_object else tuple(look["class_names"])
        return Answer(image, label, palette, rows, by_object, seconds, names)

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
    names = ("background", *(f"region {i}" for i in range(1, int(label.max()) + 1)))
    rows = tables.of_class_map(label, names)
    palette, label = viz.palette(int(label.max()) + 1), label.astype("int32")
    return Answer(image, label, palette, rows, False, seconds, names, clicks)
