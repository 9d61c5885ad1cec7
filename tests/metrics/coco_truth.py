"""An annotation file of two discs."""

import numpy as np

from kerasseg.instance.rle import encode_rle


def mask(row, column, side=40):
    pixels = np.zeros([200, 200], bool)
    pixels[row : row + side, column : column + side] = True
    return pixels


def entry(number, category, pixels, **more):
    rows, columns = np.nonzero(pixels)
    box = [columns.min(), rows.min(), np.ptp(columns) + 1, np.ptp(rows) + 1]
    return {
        "id": number,
        "image_id": 1,
        "category_id": category,
        "segmentation": encode_rle(pixels),
        "bbox": [float(x) for x in box],
        "area": float(pixels.sum()),
        "iscrowd": 0,
        **more,
    }


TRUTH = {
    "images": [{"id": 1, "height": 200, "width": 200}],
    "categories": [{"id": 3, "name": "disc"}, {"id": 5, "name": "square"}],
    "annotations": [entry(1, 3, mask(0, 0)), entry(2, 3, mask(100, 100))],
}
