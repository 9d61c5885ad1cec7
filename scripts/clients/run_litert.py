"""Mask of a picture by LiteRT: run_litert.py model.tflite photo.jpg mask.png"""

import sys

import numpy as np
from ai_edge_litert.interpreter import Interpreter
from PIL import Image

if len(sys.argv) != 4:
    sys.exit(__doc__)
model, photo, mask = sys.argv[1:]
images = np.asarray(Image.open(photo).convert("RGB"))[None]
run = Interpreter(model).get_signature_runner()  # it resizes the input
class_ids = run(images=images)["class_ids"]
Image.fromarray(class_ids[0].astype("uint8")).save(mask)
