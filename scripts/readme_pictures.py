"""Draw the strip of pictures at the top of the README: five uses, image above result.

    kerasseg train unet_efficientnet_lite0_davis --data ROOT/davis --out RUN \\
        --set train.steps_per_epoch=25
    python scripts/readme_pictures.py ROOT RUN

ROOT holds dsb2018 (CC0), chase_db1 (CC BY 4.0) and davis (BSD, (c) 2016 Federico
Perazzi, see zoo/unet_efficientnet_lite0_davis); two photographs come with scikit-image:
astronaut (NASA, public domain) and coffee (no rights reserved).
"""

import pathlib
import sys

import cv2
import numpy as np
from PIL import Image
from skimage import data

from kerasseg import classical, datasets, predict, runs, tasks, viz, zoo

SIDE = 300
NUCLEI, EYE, FILM = "2cfa61bef6542dd3", "Image_10L", "blackswan"


def main(root, run):
    pairs = people(), nuclei(root), vessels(root), film(root, run), superpixels()
    columns = [np.vstack([square(x) for x in pair]) for pair in pairs]
    gap = np.full([2 * SIDE, 6, 3], 255, "uint8")
    strip = [part for column in columns for part in (column, gap)][:-1]
    out = pathlib.Path(__file__).parents[1] / "docs/pictures/strip.jpg"
    # Half the size of `images.write_image`; all pictures here stay under 3 MB.
    Image.fromarray(np.hstack(strip)).save(out, quality=82, optimize=True)
    print(f"Wrote {out}.")


def people():
    photo = data.astronaut()
    alpha = predict.probabilities(zoo.load("people"), photo)
    return photo, viz.blur_background(photo, alpha, sigma=12)


def nuclei(root):
    samples = datasets.dsb2018(root / "dsb2018", "val")
    image = samples[samples.names.index(NUCLEI)]["image"]
    found = tasks.predict(zoo.load("nuclei"), image)
    # It is dark: brightened for the eye only.
    shown = np.clip(image * (230 / np.percentile(image, 99.5)), 0, 255).astype("uint8")
    return shown, viz.instances(shown, found, labels=False)


def vessels(root):
    samples = datasets.chase_db1(root / "chase_db1", "val")
    image = samples[samples.names.index(EYE)]["image"]
    found = tasks.predict(zoo.load("vessels"), image)
    return image, viz.overlay(image, found, palette=samples.colors)


def film(root, run):
    """The last frame, found by a network that has learned the first one."""
    image = datasets.davis(root / "davis", film=FILM)[-1]["image"]
    model, task, look, options = runs.ready(run)
    found = task.predict(model, image, options)
    return image, viz.overlay(image, found, palette=look["palette"])


def superpixels():
    photo = data.coffee()
    labels = classical.slic(photo, num_segments=250)
    return photo, viz.boundaries(viz.mean_colors(photo, labels), labels)


def square(image):
    """The middle of an image, SIDE x SIDE pixels."""
    side = min(image.shape[:2])
    top, left = ((n - side) // 2 for n in image.shape[:2])
    middle = image[top : top + side, left : left + side]
    return cv2.resize(middle, (SIDE, SIDE), interpolation=cv2.INTER_AREA)


if __name__ == "__main__":
    main(*map(pathlib.Path, sys.argv[1:]))
