"""Superpixels on BSDS500: writes zoo/classical/README.md's table and its picture.

Run it in an environment with opencv-contrib-python-headless for all rows:
python scripts/classical_table.py --data bsds500 --images 20
"""

import argparse
import pathlib

import cv2

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
image, _ = superpixel_table.read(arguments.data, superpixel_table.held_back(100)[5])
images.write_image(out / "methods.jpg", superpixel_table.picture(image))
