"""Measure superpixels on BSDS500, and write zoo/classical/README.md and its picture."""

import argparse
import pathlib
import sys

sys.path.insert(
    0, str(pathlib.Path(__file__).parents[1])
)  # benchmarks/ is not installed

import cv2
from skimage import data

from benchmarks import superpixels

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--data", required=True, help="folder of BSDS500")
parser.add_argument("--images", type=int, default=20, help="of the 88 held back")
parser.add_argument("--out", default="zoo/classical", help="folder of README.md")
options = parser.parse_args()
cv2.setNumThreads(1)
out = pathlib.Path(options.out)
rows = superpixels.measure(options.data, options.images, on_row=print)
superpixels.update(out / "README.md", rows, options.images)
photo = data.astronaut()[:400, 60:460]
shown = superpixels.picture(photo)[..., ::-1]
cv2.imwrite(str(out / "methods.jpg"), shown, [cv2.IMWRITE_JPEG_QUALITY, 85])
