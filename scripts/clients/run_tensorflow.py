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
class_ids = run(images=tf.constant(images))["class_ids"].numpy()
Image.fromarray(class_ids[0].astype("uint8")).save(mask)
