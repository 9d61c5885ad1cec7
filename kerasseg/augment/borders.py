"""Weights of pixels between objects that nearly touch."""

import math

import numpy as np
import tensorflow as tf
from scipy import ndimage
from skimage.measure import label as label_regions

from kerasseg.augment.checks import check_number
from kerasseg.augment.geometry import IGNORE_LABEL


def border_weights(*, weight=10.0, sigma=5.0):
    """Weigh the gaps between regions, so that a network learns to keep them open.

    A pixel of the background weighs 1 + weight exp(-(d1 + d2)^2 / (2 sigma^2)), d1 and
    d2 its distances to the nearest two regions; all other pixels weigh 1. Regions are
    4-connected pixels of one class but 0 and 255. Put it after `geometry`.

    Args:
        weight: of a pixel that touches two regions, beside 1.
        sigma: px; gaps of about twice this width weigh little.

    Returns:
        Function (sample, seed) -> sample with `weights` float32 [H, W].
        `data.pipeline` then gives pairs (labels, weights) instead of labels, which
        `training.make_train_step` and the losses of kerasseg take; for `fit` write
        `stream.map(lambda images, pair: (images, *pair))`.

    Reference: Ronneberger et al., 2015, https://arxiv.org/abs/1505.04597, equation 2
    """
    check_number("weight", weight, 1e6)
    check_number("sigma", sigma, 1e3)

    def compute(label):
        return 1 + np.float32(weight) * _gaps(label, max(sigma, 1e-3))

    def transform(sample, seed):
        label = tf.convert_to_tensor(sample["label"])
        weights = tf.numpy_function(compute, [label], tf.float32)
        return {**sample, "weights": tf.ensure_shape(weights, label.shape)}

    return transform


def _gaps(label, sigma):
    """exp(-(d1 + d2)^2 / (2 sigma^2)) of the background [H, W], 0 elsewhere."""
    regions = label_regions(np.where(label == IGNORE_LABEL, 0, label), connectivity=1)
    # Beyond it the exponential is below 1e-5 even for d1 = 0; each region then needs
    # distances in a window about itself only, not in the whole image.
    reach = math.ceil(4.8 * sigma)
    nearest, second = np.full([2, *label.shape], np.inf, np.float32)
    for number, box in enumerate(ndimage.find_objects(regions), 1):
        around = tuple(
            slice(max(part.start - reach, 0), part.stop + reach) for part in box
        )
        found = ndimage.distance_transform_edt(regions[around] != number)
        found = found.astype(np.float32)
        first = nearest[around]
        second[around] = np.minimum(second[around], np.maximum(first, found))
        nearest[around] = np.minimum(first, found)
    gaps = np.exp(-np.square(nearest + second) / np.float32(2 * sigma**2))
    return np.where(label == 0, gaps, np.float32(0))
