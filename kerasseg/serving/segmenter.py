"""A model as the functions that a server needs: read, group, segment, answer."""

import base64
import json

import cv2
import numpy as np
import skimage.data

from kerasseg import images
from kerasseg.tasks.semantic import BATCH_PX

MAX_PIXELS = 4_000_000  # a U-Net takes about 1 GB for a million
MOST_OBJECTS = 1000  # in one answer
BOX = ("x1", "y1", "x2", "y2")
ANSWERS = {"json": "application/json"} | dict.fromkeys(
    ("mask", "overlay", "cutout"), "image/png"
)
BACKGROUND = "background", "class 0"  # the latter where a data set names none


class Segmenter:
    """One model, its classes, and how pictures are shown to it.

    Args:
        model: keras.Model, or an engine of `predict.engine`.
        task: its `tasks.Task`.
        look: dict of "class_names" and "palette", of the classes that it tells apart.
        options: prediction options of the task.
        name: as it is called in answers.
        max_pixels: larger images are refused before they are decoded.
        together: how many images of one size go through the model together, if so many
            wait; None for as many as have `BATCH_PX` pixels, which is what helps a CPU.
    """

    def __init__(
        self, model, task, look, options, *, name, max_pixels=MAX_PIXELS, together=None
    ):
        self.model, self.task, self.options = model, task, options
        self.name, self.max_pixels = name, max_pixels
        self.classes, self.palette = look["class_names"], look["palette"]
        self._together = together
        self._draw = task.drawer(self.classes, self.palette, options)
        self._channels = model.input_shape[-1]
        self.no_cut_out = self._why_no_cut_out()

    def about(self):
        """JSON-able dict: the model, its task, classes and what it accepts."""
        ids = range(self.task.first_class, self.task.first_class + len(self.classes))
        colors = np.asarray(self.palette).tolist()
        classes = zip(ids, map(str, self.classes), colors)
        return {
            "model": self.name,
            "task": self.task.name,
            "mask": "class ids"
            if self.task.name == "semantic"
            else "numbers of objects, or segments, from 1; 0 is none",
            "classes": [dict(zip(("id", "name", "color"), one)) for one in classes],
            "channels": self._channels,
            "max_pixels": self.max_pixels,
            "licence": getattr(self.model, "licence", None),
            "answers": {
                name: media
                for name, media in ANSWERS.items()
                if name != "cutout" or not self.no_cut_out
            },
        }

    def _why_no_cut_out(self):
        """Words if there is no background that could be left out, else None."""
        first = str(next(iter(self.classes), ""))
        names_all = self.task.first_class == 0 and len(self.classes) > 2
        if not names_all or first.lower() in BACKGROUND:
            return None
        return (
            "answer=cutout needs a model that finds objects before a background. "
            f"Received: one of {len(self.classes)} classes, the first of which is "
            f"{first!r}. Fix: answer=mask, and choose classes from it; or train with "
            "'background' as the first class."
        )

    def read(self, data):
        """Image [H, W, C] of the bytes of a file, upright, as `images.read_image`.

        Raises:
            ImageError: if it is none, or none for this model.
        """
        image = images.read_image(
            data, channels=self._channels, max_pixels=self.max_pixels
        )
        return images.scale(image, getattr(self.options, "value_range", None))

    def most_together(self, image):
        """Number of images of this one's size that go through the model together."""
        if self.task.predict_batch is None or image.dtype != "uint8":
            return 1
        return self._together or max(1, BATCH_PX // (image.shape[0] * image.shape[1]))

    def segment(self, several):
        """List of what is found in each of several images of one size and dtype."""
        if len(several) > 1:
            return self.task.predict_batch(self.model, several, self.options)
        return [self.task.predict(self.model, several[0], self.options)]

    def opacities(self, several):
        """List of what `answer` takes for a cut-out, instead of that of `segment`."""
        task = self.task
        return [task.opacity(task, self.model, x, self.options) for x in several]

    def warm_up(self, size=(256, 256)):
        """Answer a photograph, so that the first request is not the slow one.

        An engine is compared with the model on it: on a black image wrong ones agree.
        """
        photo = cv2.resize(skimage.data.astronaut(), size[::-1])
        photo = photo[..., np.arange(self._channels) % 3]
        self.answer(photo, self.segment([photo])[0], "json")
        if not self.no_cut_out:
            self.answer(photo, self.opacities([photo])[0], "cutout")

    def answer(self, image, found, kind):
        """Bytes of an answer.

        Args:
            image: from `read`.
            found: from `segment`; for "cutout", from `opacities`.
            kind: a key of `ANSWERS`. "json": areas of classes, the objects, best or
                first ones, and the mask as base64 of a PNG; "mask": the PNG, grey,
                8 or 16 bits; "overlay": the image tinted, for people; "cutout": the
                image without background, RGBA, soft where probabilities are.
        """
        if kind == "cutout":
            cut = self.task.cut_out(image, found, self.options)
            return _png(cv2.cvtColor(cut, cv2.COLOR_RGBA2BGRA))
        if kind == "overlay":
            picture = self._draw(image, found)[0]
            return _png(cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))
        mask = _png(_smallest(self.task.ids(found)))
        if kind == "mask":
            return mask
        table = self._rows(found)
        content = {
            "model": self.name,
            "height": image.shape[0],
            "width": image.shape[1],
            "classes": self._areas(table.image),
            "objects": [_without_gaps(row) for row in table.objects[:MOST_OBJECTS]],
            "objects_left_out": max(0, len(table.objects) - MOST_OBJECTS),
            "mask_png": base64.b64encode(mask).decode("ascii"),
        }
        return json.dumps(content).encode()

    def tensors(self, found=None):
        """Arrays by name of what is found, for clients that want no files.

        Args:
            found: from `segment`; None gives the arrays of an empty image.

        Returns:
            Dict of "mask" [1, H, W], class ids uint8 or numbers of objects uint16; with
            objects also "object_ids" int32 [n], their numbers in the mask,
            "object_classes" int32 [n], "object_boxes" float32 [n, 4], x1, y1, x2, y2 in
            px, and "object_scores" float32 [n], NaN where there is none.
        """
        ids = np.zeros([0, 0], int) if found is None else self.task.ids(found)
        if self.task.name == "semantic":
            highest = self.task.first_class + len(self.classes)
            return {"mask": ids[None].astype("uint8" if highest < 257 else "uint16")}
        rows = [] if found is None else self._rows(found).objects
        columns = {
            "object_ids": ("int32", [row["id"] for row in rows]),
            "object_classes": ("int32", [row["class_id"] for row in rows]),
            "object_boxes": ("float32", [[row[key] for key in BOX] for row in rows]),
            "object_scores": ("float32", [_score(row["score"]) for row in rows]),
        }
        arrays = {name: np.array(x, dtype) for name, (dtype, x) in columns.items()}
        arrays["object_boxes"] = arrays["object_boxes"].reshape(-1, 4)
        return {"mask": ids[None].astype("uint16"), **arrays}

    def _rows(self, found):
        return self.task.rows(found, self.classes, self.options)

    def _areas(self, row):
        names = enumerate(map(str, self.classes), self.task.first_class)
        return [
            {"id": i, "name": name, "area_px": int(row.get(f"{name}_area_px", 0))}
            for i, name in names
        ]


def _without_gaps(row):
    """A row of a table for JSON: class regions, for one, have no score."""
    return {key: value for key, value in row.items() if value != ""}


def _score(value):
    return np.nan if value == "" else value


def _smallest(ids):
    return ids.astype("uint8" if ids.max(initial=0) < 256 else "uint16")


def _png(pixels):
    return cv2.imencode(".png", pixels)[1].tobytes()
