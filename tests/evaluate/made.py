"""Samples whose scores can be worked out."""

import keras
import numpy as np

from kerasseg.datasets.samples import Samples

CLASSES = ("dark", "red", "blue")


def make_samples(sizes, *, read=None, **options):
    """Random images; labels are right but for the first row, the last is ignored."""
    made = []
    rng = np.random.default_rng(5)
    for size in sizes:
        label = rng.integers(0, 3, size).astype("int32")
        image = np.array([[0, 0, 0], [250, 0, 0], [0, 0, 250]], "uint8")[label]
        label[0] = (label[0] + 1) % 3
        label[-1] = 255
        made.append({"image": image, "label": label})
    names = tuple(f"sample{i}" for i in range(len(sizes)))
    options = {"classes": CLASSES, **options}
    return Samples(names, read or made.__getitem__, **options)


def unsure(logit):
    """Model of the colours of `make_samples`, with one logit of `logit` above zeros."""
    image = keras.Input([None, None, 3])
    model = keras.Model(image, keras.layers.Conv2D(3, 1)(image))
    kernel, bias = np.zeros((1, 1, 3, 3), "float32"), np.zeros(3, "float32")
    kernel[0, 0, 0] = [-1, 1, 0]
    kernel[0, 0, 2] = [-1, 0, 1]
    bias[0] = 250
    # Two more on all, which softmax does not see: in 0..1 they would look like shares.
    model.set_weights([kernel * logit / 250, bias * logit / 250 + 2])
    return model
