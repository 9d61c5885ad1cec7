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
answer = run(images=images)
if "class_ids" not in answer:  # of objects, for example
    sys.exit(f"{model} answers with {', '.join(answer)}, not with a map of classes.")
Image.fromarray(answer["class_ids"][0].astype("uint8")).save(mask)
