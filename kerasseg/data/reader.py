"""Reading the sample at a position of the stream. No TensorFlow here."""

import functools
import os
import threading
import warnings
import weakref

import numpy as np

AUTO_CACHE_BYTES = 2**30
LABEL = ("label",)
OBJECTS = ("instances", "classes", "crowd")


class Kept:
    """Decoded samples in memory, up to a number of bytes."""

    def __init__(self, cache):
        self.room, self.warns_when_full = _cache_bytes(cache), cache is True
        self.samples, self.lock = {}, threading.Lock()

    def add(self, index, arrays):
        if self.room <= 0:
            return
        arrays = [arrays[0], *map(_packed, arrays[1:])]
        with self.lock:
            self.room -= sum(array.nbytes for array in arrays)
            if self.room >= 0:
                self.samples[index] = arrays
                return
            warns, self.warns_when_full = self.warns_when_full, False
        if warns:
            warnings.warn(
                f"The cache is full: {len(self.samples)} samples stay in memory, the "
                "others are read every time.",
                stacklevel=2,
            )


class Reader:
    """Reads the sample at a position of the stream; the threads of tf.data call it."""

    def __init__(self, samples, order, kept, skip, keys=LABEL):
        self.samples, self.order, self.skip, self.keys = samples, order, skip, keys
        # TensorFlow never lets go of a function that it was given (tf.numpy_function
        # ties it to the global graph): the cache must not hang on it.
        self.kept = weakref.ref(kept)
        self.bad, self.failures = set(), []
        self.lock = threading.Lock()
        self.size = (None, None)  # that every image must have
        image = self.read_good(0)[0]
        self.dtype, self.shape = image.dtype, image.shape  # of the first image

    def __call__(self, position):
        epoch, place = divmod(int(position), len(self.samples))
        index = int(self.order(epoch)[place])
        try:
            image, *others = self.read_good(index)
            self.check_alike(image, self.samples.names[index])
        except Exception as error:
            self.failures.append(error)
            raise
        return image, *(array.astype(np.int32, copy=False) for array in others)

    def read_good(self, index):
        """Read a sample; if bad ones are skipped, the next one that can be read."""
        count = len(self.samples)
        for candidate in (np.arange(index, index + count) % count).tolist():
            try:
                if candidate not in self.bad:
                    return self.read(candidate)
            except (ValueError, OSError) as error:
                if not self.skip:
                    raise
                self.report(candidate, error)
        raise ValueError(f"None of the {count} samples can be read.")

    def read(self, index):
        kept = self.kept()
        if kept is not None and index in kept.samples:
            return kept.samples[index]
        sample = self.samples.read(index)
        name = self.samples.names[index]
        image = np.asarray(sample["image"])
        others = _objects(sample, name) if self.keys == OBJECTS else [sample["label"]]
        others = [np.asarray(array) for array in others]
        if image.ndim != 3 or others[0].shape[-2:] != image.shape[:2]:
            raise ValueError(
                f"Sample {name!r} must have an image [H, W, C] and a {self.keys[0]} of "
                f"its size. Received: {image.shape} and {others[0].shape}."
            )
        if image.dtype == np.uint16:  # models take 0..255; `predict` scales likewise
            image = image.astype(np.float32) / 257
        if kept is not None:
            kept.add(index, [image, *others])
        return [image, *others]

    def report(self, index, error):
        """Remember a sample that cannot be read; warn, once."""
        with self.lock:
            is_new = index not in self.bad
            self.bad.add(index)
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


def _objects(sample, name):
    """Maps of ids, classes and crowds of a sample."""
    if not {"instances", "classes"} <= sample.keys():
        raise ValueError(
            "`objects` needs samples with instances, as of datasets.coco. "
            f"Received: {name!r} with {', '.join(sample)}."
        )
    crowd = sample.get("crowd", np.zeros(len(sample["classes"]), bool))
    return sample["instances"], sample["classes"], crowd


def _packed(array):
    """The same numbers in a quarter of the memory, where they are small enough."""
    small = array.size and array.min() >= 0 and array.max() <= 255
    return array.astype(np.uint8) if small else array


def epoch_order(count, shuffle, seed):
    """Return a function from an epoch to the order of its samples."""

    @functools.lru_cache(maxsize=4)
    def order(epoch):
        if not shuffle:
            return np.arange(count)
        # Raw bits are the same in every version of NumPy, its shuffles may change, and
        # tf.random.experimental.index_shuffle has but 256 orders.
        bits = np.random.PCG64([seed, epoch]).random_raw(count)
        return np.argsort(bits, kind="stable")

    return order


def _cache_bytes(cache):
    if cache == "auto":
        return AUTO_CACHE_BYTES
    if not cache:
        return 0
    if not hasattr(os, "sysconf"):  # Windows does not say
        return 4 * AUTO_CACHE_BYTES
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2
