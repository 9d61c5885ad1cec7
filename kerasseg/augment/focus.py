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
