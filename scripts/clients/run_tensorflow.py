"""Mask of a picture by a SavedModel: run_tensorflow.py model/1 photo.jpg mask.png"""

import sys

import numpy as np
import tensorflow as tf
from PIL import Image

if len(sys.argv) != 4:
    sys.exit(__doc__)
model, photo, mask = sys.argv[1:]
images = np.asarray(Image.open(photo).convert("RGB"))[None]
run = tf.saved_model.load(model).signatures["serving_default"]
answer = run(images=tf.constant(images))
if "class_ids" not in answer:  # of objects, for example
    sys.exit(f"{model} answers with {', '.join(answer)}, not with a map of classes.")
Image.fromarray(answer["class_ids"].numpy()[0].astype("uint8")).save(mask)
