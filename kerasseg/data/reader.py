"""Reading of the sample at a position of the stream. No TensorFlow here."""

import functools
import threading
import warnings
import weakref

import numpy as np

from kerasseg.images import DataRange

LABEL = ("label",)
INSTANCES = ("instances", "classes", "crowd")


class SampleReader:
    """Reader of the sample at a position of the stream, for the threads of tf.data.

    Args:
        samples: Samples.
        order: function from an epoch to the order of its samples.
        cache: SampleCache.
        skip: whether samples that cannot be read give way to the next ones.
        keys: names of the arrays to read besides the image, LABEL or INSTANCES.

    Attributes:
        size: (height, width) that every image must have; None is any.
        range: DataRange of the images, that of the samples or of the first image.
        dtype, shape: of the first image.
        failures: exceptions raised so far; TensorFlow turns them into its own.
    """

    def __init__(self, samples, order, cache, skip, keys=LABEL):
        self.samples, self.order, self.skip, self.keys = samples, order, skip, keys
        # TensorFlow 2.21 never lets go of a function (tf.numpy_function ties it to the
        # global graph): a cache that hung on it would never be freed.
        self.cache = weakref.ref(cache)
        self.unreadable, self.failures = set(), []
        self.lock = threading.Lock()
        self.size = (None, None)
        self.range = DataRange(getattr(samples, "value_range", None))
        image = self.read_next_readable(0)[0]
        self.dtype, self.shape = image.dtype, image.shape

    def __call__(self, position):
        epoch, place = divmod(int(position), len(self.samples))
        index = int(self.order(epoch)[place])
        try:
            image, *others = self.read_next_readable(index)
            self.check_alike(image, self.samples.names[index])
        except Exception as error:
            self.failures.append(error)
            raise
        return image, *(array.astype(np.int32, copy=False) for array in others)

    def read_next_readable(self, index):
        """Read a sample; with `skip`, the next one that can be read."""
        count = len(self.samples)
        for candidate in (np.arange(index, index + count) % count).tolist():
            try:
                if candidate not in self.unreadable:
                    return self.read(candidate)
            except (ValueError, OSError) as error:
                if not self.skip:
                    raise
                self.report(candidate, error)
        raise ValueError(f"None of the {count} samples can be read.")

    def read(self, index):
        """Read a sample, from the cache if it is there: [image, *arrays]."""
        cache = self.cache()
        if cache is not None and cache.get(index) is not None:
            return cache.get(index)
        sample = self.samples.read(index)
        name = self.samples.names[index]
        image = np.asarray(sample["image"])
        if self.keys == INSTANCES:
            others = _instances(sample, name)
        else:
            others = [sample["label"]]
        others = [np.asarray(array) for array in others]
        if image.ndim != 3 or others[0].shape[-2:] != image.shape[:2]:
            raise ValueError(
                f"Sample {name!r} must have an image [H, W, C] and a {self.keys[0]} of "
                f"its size. Received: {image.shape} and {others[0].shape}."
            )
        try:
            image = np.asarray(self.range.scale(image))  # as models take it: 0..255
        except ValueError as error:
            raise ValueError(f"Sample {name!r}: {error}") from error
        if cache is not None:
            cache.add(index, [image, *others])
        return [image, *others]

    def report(self, index, error):
        """Remember a sample that cannot be read; warn, once."""
        with self.lock:
            is_new = index not in self.unreadable
            self.unreadable.add(index)
        if is_new:
            name = self.samples.names[index]
            warnings.warn(f"Skipped sample {name!r}: {error}", stacklevel=2)

    def check_alike(self, image, name):
        """Raise ValueError if an image does not fit beside the first one."""
        if image.dtype != self.dtype or image.shape[-1] != self.shape[-1]:
            raise ValueError(
                f"All images must be {self.dtype} with {self.shape[-1]} channels, "
                f"as the first. Received: {name!r}, {image.dtype} {image.shape}."
            )
        if None not in self.size and image.shape[:2] != self.size:
            raise ValueError(
                f"Images of a batch must have one size, {self.size} as the first. "
                f"Received: {name!r}, {image.shape[:2]}. Fix: batch_size=1, or "
                "augment=kerasseg.augment.standard(size=...), or another that resizes."
            )


def _instances(sample, name):
    """Id maps, classes and crowd flags of a sample."""
    if not {"instances", "classes"} <= sample.keys():
        raise ValueError(
            "`objects` needs samples with instances, as of datasets.coco. "
            f"Received: {name!r} with {', '.join(sample)}."
        )
    crowd = sample.get("crowd", np.zeros(len(sample["classes"]), bool))
    return sample["instances"], sample["classes"], crowd


def epoch_order(samples, shuffle, seed):
    """Return a function from an epoch to the order of its samples.

    With `samples.weights` a shuffled epoch is as long as ever, but holds each sample as
    often as its weight says: w n / sum(w) times, rounded up or down.
    """
    count, weights = len(samples), getattr(samples, "weights", None)

    # Threads of tf.data are in several epochs at once where one ends.
    @functools.lru_cache(maxsize=4)
    def order(epoch):
        if not shuffle:
            return np.arange(count)
        # Raw bits are the same in every version of NumPy, its shuffles may change, and
        # tf.random.experimental.index_shuffle (2.21) has but 256 orders.
        generator = np.random.PCG64([seed, epoch])
        places = np.argsort(generator.random_raw(count), kind="stable")
        if weights is None:
            return places
        offset = generator.random_raw() / 2.0**64
        return np.repeat(np.arange(count), _repeats(weights, offset))[places]

    return order


def _repeats(weights, offset):
    """Numbers of draws that sum up to the number of weights, each the nearest two.

    Systematic sampling: one random offset in 0..1 for all, hence no sample is left out
    by chance whose weight is the mean or more.
    """
    ends = np.cumsum(weights) / np.sum(weights) * len(weights)
    ends = np.floor(ends + offset)
    ends[-1] = len(weights)  # whatever rounding made of the sum
    return np.diff(ends, prepend=0.0).astype(int)
