"""Every instance model, small, and two pictures of red boxes and green diamonds."""

import keras
import numpy as np
import tensorflow as tf

from kerasseg import zoo

SIZE, NUM, CLASSES = 128, 8, 2
MASK_SIZE = (SIZE // 4, SIZE // 4)
FEW = {"num_detections": NUM}
SMALL = {
    "center_mask": {"filters": 32, "head_filters": 32, "shape_size": 8, **FEW},
    "mask_rcnn": {"filters": 32, "hidden": 64, "num_proposals": 32, "nms": FEW},
    "yolact": {"filters": 32, "num_prototypes": 8, "nms": FEW},
}
# Updates and learning rates that suffice to learn two pictures.
STEPS = {"center_mask": (150, 3e-3), "mask_rcnn": (80, 3e-3), "yolact": (80, 3e-3)}
# (picture, class, box)
OBJECTS = [
    (0, 0, (16, 16, 64, 64)),
    (0, 1, (72, 56, 120, 112)),
    (1, 1, (40, 8, 120, 56)),
]
# One object for the anchors of each level of YOLACT.
OF_ALL_LEVELS = [
    (0, 0, (8, 8, 16, 16)),
    (0, 1, (16, 16, 32, 32)),
    (0, 1, (20, 20, 108, 108)),
    (1, 0, (4, 4, 28, 28)),
    (1, 1, (8, 8, 56, 56)),
]


def build(name, **options):
    keras.utils.set_random_seed(0)
    options = {"image_size": (SIZE, SIZE), **SMALL[name], **options}
    return zoo.BUILDERS[name](CLASSES, "tiny", **options)


def losses(model, images, truth, seed=0):
    function = zoo.BUILDERS[model.name].losses
    few = {"num_rois": 64} if model.name == "mask_rcnn" else {}
    return function(model, images, truth, seed=seed, **few)


def shape(class_id, box):
    """Mask of an object: class 0 fills its box, class 1 is a diamond in it."""
    x1, y1, x2, y2 = np.array(box) / 4
    y, x = np.indices(MASK_SIZE) + 0.5
    far = np.stack([abs(x - (x1 + x2) / 2), abs(y - (y1 + y2) / 2)])
    far = far / np.array([(x2 - x1) / 2, (y2 - y1) / 2])[:, None, None]
    return (far.sum(0) if class_id else far.max(0)) <= 1


def scene(objects=OBJECTS, padding=1):
    """Two noisy pictures with red boxes and green diamonds, and their truth."""
    images = np.random.default_rng(0).integers(0, 60, (2, SIZE, SIZE, 3))
    num = max(sum(n == i for i, *_ in objects) for n in (0, 1)) + padding
    boxes, classes = np.zeros([2, num, 4], "float32"), np.full([2, num], -1)
    masks = np.zeros([2, num, *MASK_SIZE], "uint8")
    places = [0, 0]
    for n, class_id, box in objects:
        at = n, places[n]
        places[n] += 1
        boxes[at], classes[at], masks[at] = box, class_id, shape(class_id, box)
        pixels = masks[at].repeat(4, 0).repeat(4, 1) > 0
        images[n][pixels] = [(250, 40, 40), (40, 250, 40)][class_id]
    truth = {"boxes": boxes, "classes": classes, "masks": masks}
    return images.astype("float32"), truth


def gradients(model, images, truth):
    """The terms of the loss, and the gradient of their sum."""
    with tf.GradientTape() as tape:
        terms = losses(model, images, truth)
        total = tf.add_n(list(terms.values()))
    return terms, tape.gradient(total, [w.value for w in model.trainable_variables])


def assert_the_loss_reaches_every_weight(model):
    terms, found = gradients(model, *scene(OF_ALL_LEVELS))
    assert all(np.isfinite(value) and value >= 0 for value in terms.values())
    for weight, gradient in zip(model.trainable_variables, found):
        assert gradient is not None, weight.path
        assert np.isfinite(gradient).all() and np.any(gradient), weight.path
