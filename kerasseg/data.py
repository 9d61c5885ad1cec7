"""Samples to batches: read, augment, batch and prefetch with `tf.data`.

What comes out is a function of the seed and the position alone: sample number g is
permutation(seed, epoch)[g % n], and its augmentation draws from (seed, step, index in
the batch). A training that starts again at step k therefore sees exactly what it would
have seen, without reading the k steps before.

Example:
    >>> from kerasseg import augment, datasets
    >>> crop = augment.standard(size=(64, 64))
    >>> dataset = pipeline(datasets.shapes(8), batch_size=4, augment=crop)
    >>> images, labels = next(batches(dataset))
    >>> images.shape, labels.shape
    (TensorShape([4, 64, 64, 3]), TensorShape([4, 64, 64]))
"""

import contextlib
import functools
import numbers
import os
import threading
import warnings

import numpy as np
import tensorflow as tf

from kerasseg.augment.tensors import fold_in

AUTO_CACHE_BYTES = 2**30


def pipeline(
    samples,
    *,
    batch_size=8,
    augment=None,
    shuffle=True,
    seed=0,
    start_step=0,
    cache="auto",
    on_bad_sample="stop",
):
    """Make batches of images and labels.

    The result goes into `model.fit(..., steps_per_epoch=...)`, into a loop, or, being
    batched already, into `strategy.experimental_distribute_dataset(...)`. What the
    reader raises leaves TensorFlow as an error of TensorFlow: see `batches`, `reraise`.

    Args:
        samples: has a length; `read(index)` returns a dict of `image` [H, W, C] and
            `label` [H, W]; `names[index]` is the name in messages.
        batch_size: samples in a batch.
        augment: function (sample, seed) -> sample, see `kerasseg.augment`. Without one
            that gives them a size, all images must have the same, or batch_size=1.
        shuffle: True is an endless stream, every epoch in another order, with batches
            that run across the ends of epochs. False is one pass in order, of which the
            last batch may be smaller.
        seed: of order and augmentation, an integer in 0 .. 2**31 - 1.
        start_step: number of batches to leave out at the start.
        cache: keep decoded samples in memory: "auto" up to 1 GiB; True up to half of
            the machine's memory, with a warning when that is full; False none. What
            does not fit is read every time.
        on_bad_sample: what happens when `read` raises ValueError or OSError: "stop"
            passes the error on, "skip" takes the next sample instead and warns once.

    Returns:
        tf.data.Dataset of (images [N, H, W, C], labels int32 [N, H, W]). Images have
        the dtype that `read` gives them, unless `augment` changes it; uint16 becomes
        float32 in 0..255.

    Raises:
        ValueError: if an option is out of its range, or there is nothing to read, or
            images of a batch would not have one size.
    """
    _check_options(samples, batch_size, seed, start_step, cache, on_bad_sample)
    order = _order(len(samples), shuffle, seed)
    reader = _Reader(samples, order, cache, on_bad_sample == "skip")
    kinds = [tf.as_dtype(reader.first.dtype), tf.int32]

    def make_sample(position):
        image, label = tf.numpy_function(reader, [position], kinds)
        image.set_shape([*reader.size, reader.first.shape[-1]])
        label.set_shape(reader.size)
        if augment is None:
            return image, label
        step, place = position // batch_size, position % batch_size
        own_seed = fold_in([seed, 0], tf.cast(step, tf.int32))
        own_seed = fold_in(own_seed, tf.cast(place, tf.int32))
        sample = augment({"image": image, "label": label}, own_seed)
        return sample["image"], sample["label"]

    positions = tf.data.Dataset.counter(start_step * batch_size)
    if not shuffle:
        positions = positions.take(max(0, len(samples) - start_step * batch_size))
    mapped = positions.map(make_sample, tf.data.AUTOTUNE, deterministic=True)
    if batch_size > 1 and not _has_size(mapped):
        reader.size = reader.first.shape[:2]  # every image must have it from now on
        mapped = positions.map(make_sample, tf.data.AUTOTUNE, deterministic=True)
        if not _has_size(mapped):
            raise ValueError(
                "`augment` must return images and labels of a size that is known in "
                f"advance, or take batch_size=1. Received: {mapped.element_spec}, "
                f"batch_size={batch_size}."
            )
    dataset = mapped.batch(batch_size, drop_remainder=shuffle).prefetch(2)
    options = tf.data.Options()
    # Samples run beside each other; to split single operations too costs a fifth more
    # CPU time and competes with the training.
    options.threading.max_intra_op_parallelism = 1
    # There are no files for tf.distribute to share out among workers, only elements.
    sharding = tf.data.experimental.AutoShardPolicy.DATA
    options.experimental_distribute.auto_shard_policy = sharding
    dataset = dataset.with_options(options)
    dataset.failures = reader.failures  # for `reraise`
    return dataset


def batches(dataset):
    """Iterate over a pipeline; errors of the reader come as they were raised.

    Args:
        dataset: what `pipeline` returned.

    Yields:
        (images, labels).
    """
    with reraise(dataset):
        yield from dataset


@contextlib.contextmanager
def reraise(dataset):
    """Turn TensorFlow's error back into the reader's own, which names the file.

    Args:
        dataset: what `pipeline` returned, also when the loop runs over something made
            from it.

    Example:
        >>> with reraise(dataset):  # doctest: +SKIP
        ...     model.fit(dataset, steps_per_epoch=100)
    """
    try:
        yield
    except tf.errors.OpError as error:
        for failure in getattr(dataset, "failures", ()):
            if str(failure) in str(error):
                raise failure from None
        raise


class _Reader:
    """Reads the sample at a position of the stream; the threads of tf.data call it."""

    def __init__(self, samples, order, cache, skip):
        self.samples, self.order, self.skip = samples, order, skip
        self.room, self.warns_when_full = _cache_bytes(cache), cache is True
        self.kept, self.bad, self.failures = {}, set(), []
        self.lock = threading.Lock()
        self.size = (None, None)  # that every image must have
        self.first, _ = self.read_good(0)

    def __call__(self, position):
        epoch, place = divmod(int(position), len(self.samples))
        index = int(self.order(epoch)[place])
        try:
            image, label = self.read_good(index)
            self.check_alike(image, self.samples.names[index])
        except Exception as error:
            self.failures.append(error)
            raise
        return image, label.astype(np.int32)

    def read_good(self, index):
        """Read a sample; if bad ones are skipped, the next one that can be read."""
        count = len(self.samples)
        for candidate in (np.arange(index, index + count) % count).tolist():
            try:
                if candidate not in self.bad:
                    return self.kept.get(candidate) or self.read(candidate)
            except (ValueError, OSError) as error:
                if not self.skip:
                    raise
                self.report(candidate, error)
        raise ValueError(f"None of the {count} samples can be read.")

    def read(self, index):
        sample = self.samples.read(index)
        image, label = np.asarray(sample["image"]), np.asarray(sample["label"])
        if image.ndim != 3 or label.shape != image.shape[:2]:
            raise ValueError(
                f"Sample {self.samples.names[index]!r} must have an image [H, W, C] "
                f"and a label [H, W]. Received: {image.shape} and {label.shape}."
            )
        if image.dtype == np.uint16:  # models take 0..255, `predict` does the same
            image = image.astype(np.float32) / 257
        if self.room > 0:
            self.keep(index, image, label)
        return image, label

    def keep(self, index, image, label):
        if label.size and label.min() >= 0 and label.max() <= 255:
            label = label.astype(np.uint8)  # a quarter of the memory
        with self.lock:
            self.room -= image.nbytes + label.nbytes
            if self.room >= 0:
                self.kept[index] = image, label
                return
            warns, self.warns_when_full = self.warns_when_full, False
        if warns:
            warnings.warn(
                f"The cache is full: {len(self.kept)} of {len(self.samples)} samples "
                "stay in memory, the others are read every time.",
                stacklevel=2,
            )

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
        first = self.first
        if image.dtype != first.dtype or image.shape[-1] != first.shape[-1]:
            raise ValueError(
                f"All images must be {first.dtype} with {first.shape[-1]} channels, "
                f"as the first. Received: {name!r}, {image.dtype} {image.shape}."
            )
        if None not in self.size and image.shape[:2] != self.size:
            raise ValueError(
                f"Images of a batch must have one size, {self.size} as the first. "
                f"Received: {name!r}, {image.shape[:2]}. Fix: batch_size=1, or "
                "augment=kerasseg.augment.standard(size=...), or another that resizes."
            )


def _order(count, shuffle, seed):
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


def _has_size(dataset):
    return all(spec.shape.is_fully_defined() for spec in dataset.element_spec)


def _cache_bytes(cache):
    if cache == "auto":
        return AUTO_CACHE_BYTES
    if not cache:
        return 0
    if not hasattr(os, "sysconf"):  # Windows does not say
        return 4 * AUTO_CACHE_BYTES
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2


def _check_options(samples, batch_size, seed, start_step, cache, on_bad_sample):
    if len(samples) == 0:
        raise ValueError("`samples` must not be empty. Received: 0 samples.")
    for name, value, low, high in (
        ("batch_size", batch_size, 1, 2**31),
        ("seed", seed, 0, 2**31),
        ("start_step", start_step, 0, 2**31),
    ):
        if not isinstance(value, numbers.Integral) or not low <= value < high:
            raise ValueError(
                f"`{name}` must be an integer in {low}..{high - 1}. "
                f"Received: {name}={value!r}."
            )
    if cache not in ("auto", True, False):
        raise ValueError(
            f'`cache` must be "auto", True or False. Received: cache={cache!r}.'
        )
    if on_bad_sample not in ("stop", "skip"):
        raise ValueError(
            '`on_bad_sample` must be "stop" or "skip". '
            f"Received: on_bad_sample={on_bad_sample!r}."
        )
