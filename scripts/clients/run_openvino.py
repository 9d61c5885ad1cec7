"""Mask of a picture by OpenVINO: run_openvino.py model.xml photo.jpg mask.png"""

import sys

import numpy as np
import openvino
from PIL import Image

if len(sys.argv) != 4:
    sys.exit(__doc__)
model, photo, mask = sys.argv[1:]
images = np.asarray(Image.open(photo).convert("RGB"))[None]
# Without the option it may compute with bfloat16, and differ in the third digit.
exact = {"INFERENCE_PRECISION_HINT": "f32"}
run = openvino.Core().compile_model(model, "CPU", exact)
names = [output.any_name for output in run.outputs]
if "class_ids" not in names:  # of objects, for example
    sys.exit(f"{model} answers with {', '.join(names)}, not with a map of classes.")
class_ids = run({"images": images})["class_ids"]
Image.fromarray(class_ids[0].astype("uint8")).save(mask)
