"""Weights of samples, so that what is rare in a data set is not rare in training."""

import concurrent.futures
import os

import numpy as np

from kerasseg.names import check_samples, look_up

ENOUGH = 0.5  # share of the images from which on a class is frequent
# An image is shown at most so often for each time that a common one is: a single odd
# one would be learnt by heart.
LIMIT = 10.0
MOST_COMPARED = 2000  # images, spread evenly: n x 2000 numbers


def balance(samples, by="classes"):
    """Weigh samples so that rare classes, or rare kinds of pictures, are drawn often.

    Reads every sample once.

    Args:
        samples: Samples.
        by: "classes": an image counts sqrt(0.5 / f) times, f the share of images with
            its rarest class, of those rarer than one half; the background is no class,
            and the ignored label neither. "appearance": an image counts as much more as
            there are fewer like it in brightness, contrast and colour, so that a few
            stained slides weigh as much as many grey ones.

    Returns:
        The samples with `weights`, 1 for common images and at most 10.

    Raises:
        ValueError: if `by` is neither.
        ImageError: from reading.

    Example:
        >>> from kerasseg import datasets
        >>> samples = datasets.shapes(8, size=64)
        >>> min(balance(samples, by="classes").weights)
        1.0

    Reference: Gupta et al., 2019, https://arxiv.org/abs/1908.03195, section 6 (classes)
    """
    check_samples(samples, "classes", "with_weights")
    measure, weigh = look_up(by, WAYS, "value of `by`")
    with concurrent.futures.ThreadPoolExecutor(min(8, os.cpu_count() or 1)) as pool:
        found = list(pool.map(lambda i: measure(samples, i), range(len(samples))))
    return samples.with_weights(np.clip(weigh(np.array(found)), 1.0, LIMIT))


def _classes(samples, index):
    """Which classes an image shows, bool [K]; never the first one."""
    sample = samples[index]
    ids = sample["classes"] if "classes" in sample else np.unique(sample["label"])
    shown = np.isin(np.arange(len(samples.classes)), ids)
    shown[0] = False
    if samples.ignore_label is not None and samples.ignore_label < len(shown):
        shown[samples.ignore_label] = False
    return shown


def _repeat_factors(shown):
    """Repeat factor of each image: that of its rarest class."""
    shares = np.maximum(shown.mean(axis=0), 1 / len(shown))
    return np.max(np.where(shown, np.sqrt(ENOUGH / shares), 1.0), axis=1)


def _look(samples, index):
    """Brightness, contrast and saturation of an image, in its own numbers."""
    image = np.asarray(samples[index]["image"], np.float32)
    grey = image.mean(axis=-1)
    return grey.mean(), grey.std(), np.mean(image.max(axis=-1) - image.min(axis=-1))


def _rarity(looks):
    """The inverse of the density of images about each, 1 where it is highest."""
    looks = looks - looks.mean(axis=0)
    looks = looks / np.where(looks.std(axis=0) > 0, looks.std(axis=0), 1.0)
    # A Gaussian window of one standard deviation: no number of groups to choose.
    crowd = looks[:: -(-len(looks) // MOST_COMPARED)]
    squares = np.square(looks[:, None] - crowd).sum(axis=-1)
    density = np.exp(-squares / 2).mean(axis=1) + 1 / len(looks)
    return density.max() / density


WAYS = {"classes": (_classes, _repeat_factors), "appearance": (_look, _rarity)}
