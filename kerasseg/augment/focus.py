"""A random pixel of a random class or object, for crops that shall show it."""

import tensorflow as tf

from kerasseg.augment.tensors import fold_in

MOST_IDS = 2**16


def focus_point(sample, ignore_label, seed):
    """Draw a class of the image, or one of its objects, and a pixel of it.

    Args:
        sample: dict with `instances` int32 [L, H, W], or else `label` int32 [H, W].
        ignore_label: label that is no class; 0, the background, is none either.
        seed: int32 [2].

    Returns:
        (float32 [2], row and column of the pixel's centre; bool scalar, False where
        there is nothing to choose).
    """
    key = "instances" if "instances" in sample else "label"
    ids = tf.convert_to_tensor(sample[key])
    shape, flat = tf.shape(ids)[-2:], tf.reshape(ids, [-1])
    counts = tf.math.bincount(flat, minlength=1, maxlength=MOST_IDS)
    numbers = tf.range(tf.shape(counts)[0])
    known = (counts > 0) & (numbers != 0)
    if key == "label":
        known &= numbers != ignore_label
    lots = tf.random.stateless_uniform(tf.shape(counts), seed, alg="philox")
    chosen = tf.argmax(tf.where(known, lots, -1.0), output_type=tf.int32)
    places = tf.where(flat == chosen)[:, 0]
    u = tf.random.stateless_uniform([], fold_in(seed, 1), alg="philox")
    count = tf.shape(places)[0]
    nth = tf.minimum(tf.cast(u * tf.cast(count, tf.float32), tf.int32), count - 1)
    # Without a pixel at all, any index will do: the result says so.
    place = tf.cast(tf.concat([places, [0]], 0)[tf.maximum(nth, 0)], tf.int32)
    place %= shape[0] * shape[1]  # of any layer of instances
    point = tf.stack([place // shape[1], place % shape[1]])
    return tf.cast(point, tf.float32) + 0.5, tf.reduce_any(known)


def corner_over(point, share, room, size, field=None):
    """Corner of a crop that shows a point, anywhere in it.

    Args:
        point: float32 [2], in pixels of the magnified image.
        share: float32 [2], 0..1, where in the crop the point is to lie; of an image
            that is smaller than the crop, of the room.
        room: float32 [2], by how much the image is larger than the crop.
        size: (height, width) of the crop.
        field: of `resampling.warp_field`; None for a crop that is not warped.

    Returns:
        float32 [2], whole numbers, within the room unless a warped crop would not show
        the point there.
    """
    wanted = share * size
    if field is not None:
        row, column = tf.unstack(tf.cast(wanted, tf.int32))
        last = [n - 1 for n in size]
        pixel = field[tf.minimum(row, last[0]), tf.minimum(column, last[1])]
        wanted = pixel + tf.constant(size, tf.float32) / 2
    free = tf.round(point - wanted)
    inside = tf.clip_by_value(free, 0.0, tf.maximum(tf.round(room), 0.0))
    corner = tf.where(room > 0, inside, tf.round(share * room))
    if field is None:
        return corner
    seen = field + (corner + tf.constant(size, tf.float32) / 2 - point)
    nearest = tf.reduce_min(tf.reduce_max(tf.abs(seen), axis=-1))
    return tf.where(nearest <= 1, corner, free)
