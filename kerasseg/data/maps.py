"""Objects of one image as the maps that StarDist and Panoptic-DeepLab learn.

Functions for `pipeline(objects=...)`. They run numpy inside of tf.data.
"""

import tensorflow as tf

from kerasseg.instance.panoptic import panoptic_targets
from kerasseg.instance.star_distances import star_targets


def stars(num_rays=32, *, grid=1):
    """Truth for `zoo.stardist`, from augmented samples.

    Args:
        num_rays, grid: as those of the model.

    Returns:
        Function from a sample with `instances` int32 [L, H, W] and `crowd` [M] to a
        dict of probabilities float32 [h, w, 1] and distances float32 [h, w, num_rays].
        Of objects that overlap the one with the larger id shows.

    Example:
        >>> sample = {"instances": tf.ones([1, 2, 4], "int32"), "crowd": [0]}
        >>> {name: x.shape.as_list() for name, x in stars(8)(sample).items()}
        {'probabilities': [2, 4, 1], 'distances': [2, 4, 8]}
    """

    def truth(labels):
        return star_targets(labels, num_rays, grid=grid)

    def of_sample(sample):
        channels = {"probabilities": 1, "distances": num_rays}
        return _computed(truth, _label_map(sample), channels, grid)

    return of_sample


def centers(*, sigma=8.0):
    """Truth for `zoo.panoptic_deeplab` where all objects are things.

    Args:
        sigma: see `instance.panoptic.panoptic_targets`.

    Returns:
        Function from a sample with `instances` int32 [L, H, W], `classes` [M] and
        `crowd` [M] to a dict of label int32 [H, W] (0 without an object, 255 in
        crowds), and of centers, offsets and weights as `panoptic_targets` gives them.

    Example:
        >>> sample = {"instances": tf.ones([1, 2, 4], "int32"), "classes": [3]}
        >>> centers()({**sample, "crowd": [0]})["label"].numpy().tolist()
        [[3, 3, 3, 3], [3, 3, 3, 3]]
    """

    def of_sample(sample):
        labels = _label_map(sample)
        all_ids = tf.reduce_max(sample["instances"], axis=0)
        classes = tf.concat([[0], tf.cast(sample["classes"], "int32")], 0)
        label = tf.gather(classes, labels)
        label = tf.where((labels == 0) & (all_ids > 0), 255, label)
        found = _computed(
            lambda ids: panoptic_targets(ids, sigma=sigma),
            labels,
            {"centers": 1, "offsets": 2, "weights": 1},
        )
        return {"label": label, **found}

    return of_sample


def _label_map(sample):
    """Ids int32 [H, W] of what is not a crowd."""
    ids = tf.convert_to_tensor(sample["instances"])
    crowd = tf.concat([[False], tf.cast(sample["crowd"], "bool")], 0)
    return tf.reduce_max(tf.where(tf.gather(crowd, ids), 0, ids), axis=0)


def _computed(function, labels, channels, grid=1):
    """Maps that a numpy function returns as a dict, with their shapes."""

    def compute(labels):
        found = function(labels)
        return [found[name] for name in channels]

    found = tf.numpy_function(compute, [labels], [tf.float32] * len(channels))
    size = [n and -(-n // grid) for n in labels.shape]
    return {
        name: tf.ensure_shape(values, [*size, num])
        for (name, num), values in zip(channels.items(), found)
    }
