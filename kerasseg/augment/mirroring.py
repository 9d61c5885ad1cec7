"""Objects in an image that is mirrored beyond its border, for `geometry`.

A mirror image of an object is an object of its own, unless the object touches the
border: then both are one in the picture. The plane is a chessboard of mirror images of
the source; *tile* 0 of an axis is the source, 1 the image beyond its far border.
"""

import tensorflow as tf

from kerasseg.augment.resampling import fold, sample_nearest

PER_OBJECT = ("classes", "crowd")


def mirror_objects(sample, grid):
    """Masks and id maps of a sample on a grid, their mirror images with new ids.

    Without `classes`, which new ids would need, mirror images keep the ids.

    Args:
        sample: dict with `instances` int32 [L, H, W] of ids 1..M, or `masks` bool
            [M, H, W], or both of the same objects; maybe `classes` and `crowd` [M].
        grid: (rows [h, w], columns [h, w]), see `resampling`.

    Returns:
        dict of the same keys. Objects that cannot be seen are gone, the others are
        1..K: first those of the source, in their order.
    """
    layers = _layers(sample)
    shape = tf.shape(layers)[1:]
    lengths = tf.unstack(tf.cast(shape, tf.float32))
    folded = fold(grid, lengths)
    if "classes" not in sample:
        kept = [key for key in ("instances", "masks") if key in sample]
        moved = {key: tf.convert_to_tensor(sample[key]) for key in kept}
        return {key: sample_nearest(x, folded, 0) for key, x in moved.items()}
    ids = sample_nearest(layers, folded, 0)
    count = tf.reduce_max(layers) + 1
    places = []
    for axis, (points, length) in enumerate(zip(grid, lengths)):
        tile = tf.cast(tf.floor(points / length), tf.int32)
        ends = [tf.gather(layers, end, axis=axis + 1) for end in (0, shape[axis] - 1)]
        near, far = (tf.gather(_occurring(end, count), ids) for end in ends)
        places.append(_joined(tile, near, far))
    # One number for each visible piece: that of its place, then that of its object.
    places = [2 * tf.abs(x) - tf.cast(x < 0, x.dtype) for x in places]
    rows, columns = (tf.cast(x, tf.int64) for x in places)
    count = tf.cast(count, tf.int64)
    # int64: places times objects pass 2^31 on large images with thousands of them.
    codes = (rows * (tf.reduce_max(columns) + 1) + columns) * count
    codes = tf.where(ids > 0, codes + tf.cast(ids, tf.int64), 0)
    seen = tf.sort(tf.unique(tf.reshape(codes, [-1]))[0])
    seen = seen[seen > 0]
    new = tf.searchsorted(seen, tf.reshape(codes, [-1])) + 1
    new = tf.where(ids > 0, tf.reshape(new, tf.shape(ids)), 0)
    origin = tf.cast(seen % count, tf.int32) - 1
    return _by_key(sample, tf.ensure_shape(new, ids.shape), origin)


def _layers(sample):
    """The id maps and masks of a sample as id maps int32 [L, H, W]."""
    layers = []
    if "instances" in sample:
        layers.append(tf.cast(sample["instances"], tf.int32))
    if "masks" in sample:
        masks = tf.cast(sample["masks"], tf.int32)
        layers.append(masks * (1 + tf.range(tf.shape(masks)[0]))[:, None, None])
    return tf.concat(layers, axis=0)


def _occurring(ids, count):
    """Which of the ids 0..count - 1 occur: bool [count]."""
    ids = tf.reshape(ids, [-1])
    return tf.math.unsorted_segment_max(tf.ones_like(ids), ids, count) > 0


def _joined(tile, near, far):
    """Place of a piece along one axis; 0 is that of the source.

    Odd tiles are reversed: an object at the far border is one with its image in tiles
    (0, 1), (2, 3), ..., one at the near border in (-1, 0), (1, 2), ...
    """
    alone = tf.where(near, (tile + 1) // 2, tile)
    return tf.where(far, tf.where(near, 0, tile // 2), alone)


def _by_key(sample, new, origin):
    known = [key for key in PER_OBJECT if key in sample]
    result = {key: tf.gather(sample[key], origin) for key in known}
    num = tf.shape(sample["instances"])[0] if "instances" in sample else 0
    if "instances" in sample:
        result["instances"] = new[:num]
    if "masks" in sample:  # an object lies in one layer only
        own = tf.gather(new[num:], origin)
        result["masks"] = own == (1 + tf.range(tf.shape(origin)[0]))[:, None, None]
    return result
