"""Mask of a picture by ONNX Runtime: run_onnx.py model.onnx photo.jpg mask.png"""

import sys

import numpy as np
import onnxruntime
from PIL import Image

if len(sys.argv) != 4:
    sys.exit(__doc__)
model, photo, mask = sys.argv[1:]
images = np.asarray(Image.open(photo).convert("RGB"))[None]
session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
names = [output.name for output in session.get_outputs()]
if "class_ids" not in names:  # of objects, for example
    sys.exit(f"{model} answers with {', '.join(names)}, not with a map of classes.")
(class_ids,) = session.run(["class_ids"], {"images": images})
Image.fromarray(class_ids[0].astype("uint8")).save(mask)
