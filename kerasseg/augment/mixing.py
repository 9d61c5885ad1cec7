"""Samples made of several: parts of other samples are pasted or blended into one.

These come after `geometry` in a `compose`, when all samples have one size. They are
functions (sample, seed, partners) -> sample with an attribute `partners`, the number of
other samples that they want; `data.pipeline` draws these from the data set.
"""

import tensorflow as tf

from kerasseg.augment.checks import check_number
from kerasseg.augment.tensors import as_dtype, fold_in

QUADRANTS = ((True, False), (False, True), (False, False))  # upper, left: of partners


def cutmix(*, chance=0.5):
    """Paste a rectangle of another sample, of a uniformly random share of the area.

    Labels are pasted with their pixels, not mixed: each pixel has its own here, unlike
    that of a whole image in the paper.

    Args:
        chance: share of the samples, 0..1, that get one.

    Returns:
        Function (sample, seed, partners) -> sample.

    Reference: Yun et al., 2019, https://arxiv.org/abs/1905.04899
    """
    check_number("chance", chance, 1)

    def transform(sample, seed, partners):
        (partner,) = partners
        size = tf.shape(sample["image"])[:2]
        lot, share, *centre = _uniform(seed, 4)
        length = tf.cast(size, tf.float32)
        half = length * tf.sqrt(1 - share) / 2
        ends = [tf.stack(centre) * length + sign * half for sign in (-1, 1)]
        rows, columns = (_between(size[i], ends[0][i], ends[1][i]) for i in (0, 1))
        return paste(sample, partner, rows[:, None] & columns & (lot < chance))

    transform.partners = 1
    return transform


def mixup(*, chance=0.5, alpha=0.4):
    """Blend an image with another; each pixel's label is drawn from the two.

    The paper mixes labels by the same shares as images. Here a pixel gets one of the
    two labels, with its image's share as the probability: cross-entropy is that of the
    paper on the average, and every loss takes the labels as they are.

    Args:
        chance: share of the samples, 0..1, that are blended.
        alpha: of the beta distribution from which shares are drawn, 0..100, both its
            parameters; near 0 hardly anything is blended, at 1 all shares are alike
            likely.

    Returns:
        Function (sample, seed, partners) -> sample. The sample's own share is the
        larger one. Raises ValueError for samples with objects, which have no shares.

    Reference: Zhang et al., 2018, https://arxiv.org/abs/1710.09412
    """
    check_number("chance", chance, 1)
    check_number("alpha", alpha, 100)

    def transform(sample, seed, partners):
        (partner,) = partners
        if "instances" in sample:
            raise ValueError(
                "`mixup` blends images and labels of classes; objects are mixed by "
                "`copy_paste`, `cutmix` or `mosaic`. Received: a sample with instances."
            )
        # The share of one gamma variable in two is a beta variable. Those of a small
        # alpha underflow, so they are drawn as logarithms (Marsaglia and Tsang, 2000).
        gamma = tf.random.stateless_gamma([2], seed, alpha + 1)
        below_one = 1 - tf.stack(_uniform(fold_in(seed, 3), 2))
        logs = tf.math.log(gamma) + tf.math.log(below_one) / max(alpha, 1e-3)
        share = tf.sigmoid(tf.abs(logs[0] - logs[1]))
        lot = tf.random.stateless_uniform([], fold_in(seed, 1), alg="philox")
        share = tf.where(lot < chance, share, 1.0)
        size = tf.shape(sample["image"])[:2]
        lots = tf.random.stateless_uniform(size, fold_in(seed, 2), alg="philox")
        drawn = paste(sample, partner, lots >= share)
        own, other = (tf.cast(x["image"], tf.float32) for x in (sample, partner))
        image = as_dtype(share * own + (1 - share) * other, drawn["image"].dtype)
        return {**drawn, "image": image}

    transform.partners = 1
    return transform


def mosaic(*, chance=0.5):
    """Put four samples together, each at its place, about a random point.

    Args:
        chance: share of the samples, 0..1, that become a mosaic.

    Returns:
        Function (sample, seed, partners) -> sample.

    Reference: Bochkovskiy et al., 2020, https://arxiv.org/abs/2004.10934
    """
    check_number("chance", chance, 1)

    def transform(sample, seed, partners):
        size = tf.shape(sample["image"])[:2]
        lot, *point = _uniform(seed, 3)
        # No part is thinner than a quarter of the image.
        middle = (0.25 + 0.5 * tf.stack(point)) * tf.cast(size, tf.float32)
        upper, left = (_between(size[i], 0.0, middle[i]) for i in (0, 1))
        for partner, (is_upper, is_left) in zip(partners, QUADRANTS):
            rows = upper if is_upper else ~upper
            columns = left if is_left else ~left
            sample = paste(sample, partner, rows[:, None] & columns & (lot < chance))
        return sample

    transform.partners = 3
    return transform


def copy_paste(*, chance=0.5, classes=()):
    """Paste objects of another sample, each drawn with probability 1/2.

    With instances these are whole objects but for crowds, otherwise all pixels of a
    class. What lies below is covered.

    Args:
        chance: share of the samples, 0..1, that get objects.
        classes: class ids of what is pasted; none stands for all but 0.

    Returns:
        Function (sample, seed, partners) -> sample.

    Reference: Ghiasi et al., 2021, https://arxiv.org/abs/2012.07177
    """
    check_number("chance", chance, 1)
    wanted = [int(number) for number in classes]

    def transform(sample, seed, partners):
        (partner,) = partners
        chosen = _drawn(partner, wanted, seed)
        lot = tf.random.stateless_uniform([], fold_in(seed, 1), alg="philox")
        if "instances" in partner:
            shown = tf.gather(chosen, partner["instances"])
            partner = {**partner, "instances": partner["instances"] * _int(shown)}
            shown = tf.reduce_any(shown, axis=0)
        else:
            shown = tf.gather(chosen, partner["label"])
        return paste(sample, partner, shown & (lot < chance))

    transform.partners = 1
    return transform


def _drawn(partner, wanted, seed):
    """Which ids of a sample are pasted: bool, of instances or of classes."""
    if "instances" in partner:
        classes = _int(partner["classes"])
        known = tf.concat([[False], ~tf.cast(partner["crowd"], tf.bool)], 0)
        classes = tf.concat([[0], classes], 0)
    else:
        count = tf.maximum(tf.reduce_max(partner["label"]), 0) + 1
        classes = tf.range(count)
        known = (classes != 0) & (classes != 255)
    if wanted:
        known &= tf.reduce_any(classes[:, None] == wanted, axis=-1)
    lots = tf.random.stateless_uniform(tf.shape(classes), seed, alg="philox")
    return known & (lots < 0.5)


def paste(sample, partner, where):
    """Replace pixels of a sample, its label and objects by those of another.

    Args:
        sample, partner: samples of one size, dtype and keys, with `label` [H, W],
            `weights` [H, W], or `instances` [L, H, W], `classes` and `crowd`.
        where: bool [H, W].

    Returns:
        sample; the objects of the partner follow its own.

    Raises:
        ValueError: if the sizes are known to differ, or for samples with `masks`.
    """
    first, second = (tf.convert_to_tensor(x["image"]) for x in (sample, partner))
    if not first.shape.is_compatible_with(second.shape):
        raise ValueError(
            "Samples must have one size to be mixed: put `geometry(size=...)` first. "
            f"Received: {first.shape} and {second.shape}."
        )
    if "masks" in sample:
        raise ValueError(
            "Samples that are mixed must have their objects as `instances`: nothing "
            "says which of two samples' masks belong together. Received: `masks`."
        )
    result = {**sample, "image": tf.where(where[..., None], second, first)}
    for key in ("label", "weights"):
        if key in sample:
            result[key] = tf.where(where, partner[key], sample[key])
    if "instances" in sample:
        count = tf.shape(sample["classes"])[0]
        own = tf.where(where, 0, sample["instances"])
        others = tf.where(where & (partner["instances"] > 0), partner["instances"], 0)
        others += count * _int(others > 0)
        result["instances"] = tf.concat([own, others], axis=0)
        for key in ("classes", "crowd"):
            pair = [tf.convert_to_tensor(x[key]) for x in (sample, partner)]
            result[key] = tf.concat(pair, axis=0)
    return result


def _int(x):
    return tf.cast(x, tf.int32)


def _uniform(seed, count):
    return tf.unstack(tf.random.stateless_uniform([count], seed, alg="philox"))


def _between(length, start, end):
    """Which pixels of a line have their centres within an interval."""
    centres = tf.range(tf.cast(length, tf.float32)) + 0.5
    return (centres >= start) & (centres < end)
