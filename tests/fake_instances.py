"""Fake instance model, and images on which its output is known.

It needs no weights: the bright pixels of each colour channel are one object.
"""

import keras
import numpy as np
from keras import ops

from kerasseg.datasets.samples import Samples
from kerasseg.detection import detections as found
from kerasseg.detection.gather import gather

CLASSES = ("background", "red", "green", "blue")
SCORES = np.float32([0.9, 0.8, 0.2])  # of red, green and blue objects


class BrightChannels(keras.layers.Layer):
    """Outputs of an instance model: one object per channel, class 0 for red."""

    def call(self, images):
        inside = ops.cast(ops.transpose(images, (0, 3, 1, 2)) > 128, "float32")
        x1, x2 = ends(ops.max(inside, axis=2))
        y1, y2 = ends(ops.max(inside, axis=3))
        there = ops.max(inside, axis=(2, 3))
        scores, rows = found.padded_top_k(there * SCORES, 3)
        boxes = gather(ops.stack([x1, y1, x2, y2], -1), rows)
        _, num, height, width = inside.shape
        cells = ops.reshape(inside, (-1, num, height // 4, 4, width // 4, 4))
        masks = gather(ops.mean(cells, axis=(3, 5)), rows)
        return found.outputs(found.detections(boxes, rows, scores, rows), masks)

    def compute_output_spec(self, images):
        _, height, width, _ = images.shape
        return found.outputs_spec(None, 3, (height // 4, width // 4))


def ends(inside):
    """First index of a 1 along the last axis, and one past the last."""
    last = inside.shape[-1] - ops.argmax(ops.flip(inside, axis=-1), axis=-1)
    first = ops.argmax(inside, axis=-1)
    return ops.cast(first, "float32"), ops.cast(last, "float32")


def make_fake_model(size=(64, 64)):
    """Instance model for images of one size (height, width)."""
    image = keras.Input((*size, 3))
    return keras.Model(image, BrightChannels()(image))


def draw(size, *boxes):
    """Image with boxes (channel, x1, y1, x2, y2) filled, and id maps [3, H, W]."""
    image, maps = np.zeros([*size, 3], "uint8"), np.zeros([3, *size], "int32")
    for number, (channel, x1, y1, x2, y2) in enumerate(boxes, 1):
        image[y1:y2, x1:x2, channel] = 255
        maps[channel, y1:y2, x1:x2] = number
    return image, maps


def make_samples(*scenes, crowds=()):
    """Samples of scenes (size, *boxes); those listed in `crowds` hold crowds only."""
    made = []
    for index, (size, *boxes) in enumerate(scenes):
        image, maps = draw(size, *boxes)
        classes = np.array([box[0] + 1 for box in boxes], "int32")
        crowd = np.full(len(boxes), index in crowds)
        made.append(
            {"image": image, "instances": maps, "classes": classes, "crowd": crowd}
        )
    names = tuple(f"scene{i}" for i in range(len(made)))
    return Samples(names, made.__getitem__, CLASSES)
