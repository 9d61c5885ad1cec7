"""Training targets of instance models, from augmented samples; TensorFlow ops."""

import tensorflow as tf

from kerasseg.detection.mask_grid import STRIDE


def object_targets(sample, num, *, min_area_px=4):
    """Boxes, classes and small masks of the objects that remain in an image.

    All follow from the id maps after augmentation: objects outside of the crop are
    gone, boxes are tight around the visible part. Crowds are left out, and so are the
    smallest objects if there are more than `num`.

    Args:
        sample: dict with `instances` int32 [L, H, W] of ids 1..M, `classes` int32 [M]
            of label ids 1..C, and `crowd` [M], not 0 for regions of many objects. H and
            W are multiples of 4 and known.
        num: G, number of objects to return, padding included.
        min_area_px: objects with fewer visible pixels are left out.

    Returns:
        dict of boxes float32 [G, 4], (x1, y1, x2, y2) in pixels, ends exclusive;
        classes int32 [G], 0..C-1; masks float32 [G, H / 4, W / 4], the covered share of
        each cell of the mask grid, which keeps the outline of small objects far better
        than 0 and 1 do. The largest object comes first; padding is 0, -1 and 0.

    Raises:
        ValueError: if H and W are not known multiples of 4.

    Example:
        >>> ids = tf.pad(tf.ones([1, 4, 4], "int32"), [[0, 0], [0, 4], [4, 0]])
        >>> found = object_targets({"instances": ids, "classes": [3], "crowd": [0]}, 2)
        >>> found["boxes"].numpy().tolist(), found["classes"].numpy().tolist()
        ([[4.0, 0.0, 8.0, 4.0], [0.0, 0.0, 0.0, 0.0]], [2, -1])
    """
    ids = tf.convert_to_tensor(sample["instances"])
    height, width = ids.shape[1:]
    if None in (height, width) or height % STRIDE or width % STRIDE:
        raise ValueError(
            f"Images with objects must have known sides, multiples of {STRIDE}. "
            f"Received: {height} x {width}. Fix: augment with such a `size`."
        )
    classes = tf.convert_to_tensor(sample["classes"])
    count = tf.shape(classes)[0]
    areas = tf.math.bincount(ids, minlength=count + 1, maxlength=count + 1)[1:]
    areas = tf.where(tf.cast(sample["crowd"], "bool"), 0, areas)
    # Stable, so that the truth of a sample does not depend on the device.
    order = tf.argsort(areas, direction="DESCENDING", stable=True)[:num]
    order = tf.boolean_mask(order, tf.gather(areas, order) >= min_area_px)
    masks = tf.reduce_any(ids == (order + 1)[:, None, None, None], axis=1)
    rows, columns = (tf.reduce_any(masks, axis=axis) for axis in (2, 1))
    (y1, y2), (x1, x2) = _ends(rows), _ends(columns)
    cells = [-1, height // STRIDE, STRIDE, width // STRIDE, STRIDE]
    covered = tf.reduce_mean(tf.cast(tf.reshape(masks, cells), "float32"), (2, 4))
    found = {
        "boxes": (tf.stack([x1, y1, x2, y2], -1), 0.0),
        "classes": (tf.gather(classes, order) - 1, -1),
        "masks": (covered, 0.0),
    }
    return {name: _padded(*pair, num) for name, pair in found.items()}


def _ends(inside):
    """First and one after the last True along the last axis: float32 [g] each."""
    size = inside.shape[-1]
    first = tf.argmax(inside, -1, output_type="int32")
    last = size - tf.argmax(tf.reverse(inside, [-1]), -1, output_type="int32")
    return tf.cast(first, "float32"), tf.cast(last, "float32")


def _padded(values, fill, num):
    missing = [[0, num - tf.shape(values)[0]]] + [[0, 0]] * (values.shape.rank - 1)
    padded = tf.pad(values, missing, constant_values=tf.cast(fill, values.dtype))
    return tf.ensure_shape(padded, [num, *values.shape[1:]])
