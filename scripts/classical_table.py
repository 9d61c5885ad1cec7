"""Superpixels on BSDS500: writes zoo/classical/README.md's table and its picture.

For all rows, run it in an environment where opencv-contrib-python-headless stands in
for opencv-python-headless: python scripts/classical_table.py --data bsds500
"""

import argparse
import pathlib

import cv2
from skimage import data

from kerasseg import images, superpixel_table

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--data", required=True, help="folder of BSDS500")
parser.add_argument("--images", type=int, default=20, help="of the 100 held back")
parser.add_argument("--out", default="zoo/classical", help="folder of README.md")
arguments = parser.parse_args()

cv2.setNumThreads(1)
out = pathlib.Path(arguments.out)
rows = superpixel_table.measure(arguments.data, arguments.images, on_row=print)
superpixel_table.update(out / "README.md", rows, arguments.images)
photo = data.astronaut()[:400, 60:460]
images.write_image(out / "methods.jpg", superpixel_table.picture(photo))
