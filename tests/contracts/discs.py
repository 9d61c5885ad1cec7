"""StarDist and Panoptic-DeepLab, small, and two pictures of discs that touch."""

import keras
import numpy as np

from kerasseg import training, zoo
from kerasseg.instance import panoptic, star_distances

NUM_RAYS, NUM_CLASSES = 16, 3
FEW = (16, 16, 8, 8, 8)
SMALL = {
    "stardist": {"num_rays": NUM_RAYS, "decoder_filters": FEW, "head_filters": 16},
    "panoptic_deeplab": {"num_classes": NUM_CLASSES},
}
# Discs that touch, (x, y, radius), two pictures.
CIRCLES = [
    [(18, 20, 12), (41, 20, 11), (20, 45, 13), (46, 44, 14)],
    [(12, 14, 10), (32, 16, 10), (30, 36, 10), (52, 30, 10.5), (14, 50, 11)],
]


def build(name, **options):
    keras.utils.set_random_seed(0)
    return zoo.BUILDERS[name](**{**SMALL[name], "encoder": "tiny", **options})


def discs(circles, size=(64, 64)):
    """Ids of discs, each pixel to the one that it lies deepest in."""
    y, x = np.indices(size)
    depth = np.array([r - np.hypot(x - cx, y - cy) for cx, cy, r in circles])
    return np.where(depth.max(0) >= 0, depth.argmax(0) + 1, 0)


def scenes():
    """Images float32 [2, 64, 64, 3], label maps, classes of the pixels 0..2."""
    labels = np.stack([discs(circles) for circles in CIRCLES])
    classes = np.where(labels > 0, 1 + labels % 2, 0)
    noise = np.random.default_rng(0).normal(0, 8, (*labels.shape, 3))
    colors = np.array([(40, 40, 40), (200, 90, 60), (70, 160, 210)])
    # Outlines of touching discs are dark, as between cells.
    deep = np.stack([star_distances.object_probabilities(x) for x in labels])
    light = np.where(labels > 0, 0.5 + 0.5 * deep, 1)[..., None]
    return (colors[classes] * light + noise).astype("float32"), labels, classes


def truth_of(name, labels, classes, grid=1):
    if name == "stardist":
        parts = [star_distances.star_targets(x, NUM_RAYS, grid=grid) for x in labels]
        return {key: np.stack([p[key] for p in parts]) for key in parts[0]}
    parts = [panoptic.panoptic_targets(x, sigma=3.0) for x in labels]
    return {"label": classes, **{k: np.stack([p[k] for p in parts]) for k in parts[0]}}


def losses(model, images, truth):
    return zoo.BUILDERS[model.name].losses(model, images, truth, seed=None)


def learn(model, steps, rate, images, truth):
    function = zoo.BUILDERS[model.name].losses
    step = training.make_train_step(
        model, training.Objective(function), keras.optimizers.Adam(rate)
    )
    for _ in range(steps):
        step(images, truth)
    return {name: np.asarray(values) for name, values in model(images).items()}
