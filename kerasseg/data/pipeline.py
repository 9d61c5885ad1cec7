"""Batches from samples, and the errors of their reader."""

import contextlib
import dataclasses
import numbers

import tensorflow as tf

from kerasseg.augment.tensors import fold_in
from kerasseg.data.cache import SampleCache
from kerasseg.data.reader import INSTANCES, LABEL, SampleReader, epoch_order
from kerasseg.data.targets import object_targets
from kerasseg.names import check_samples


@dataclasses.dataclass(frozen=True)
class Reading:
    """Options of `pipeline` about its reader.

    Attributes:
        cache: keep decoded samples in memory: "auto" up to 1 GiB; True up to half of
            the machine's memory, with a warning when that is full; False none. Samples
            that do not fit are read every time.
        on_bad_sample: reaction to a ValueError or OSError of `samples.read`: "stop"
            passes the error on, "skip" takes the next sample instead and warns once.

    Raises:
        ValueError: if an option is none of these.
    """

    cache: bool | str = "auto"
    on_bad_sample: str = "stop"

    def __post_init__(self):
        if self.cache not in ("auto", True, False):
            raise ValueError(
                '`cache` must be "auto", True or False. '
                f"Received: cache={self.cache!r}."
            )
        if self.on_bad_sample not in ("stop", "skip"):
            raise ValueError(
                '`on_bad_sample` must be "stop" or "skip". '
                f"Received: on_bad_sample={self.on_bad_sample!r}."
            )


def pipeline(
    samples,
    *,
    batch_size=8,
    augment=None,
    objects=None,
    shuffle=True,
    seed=0,
    start_step=0,
    reading=None,
):
    """Make batches of images and labels, or of images and objects.

    The result goes into a loop, into `model.fit(..., steps_per_epoch=100,
    shuffle=False)` (Keras warns of its own default), or, being batched already, into
    `strategy.experimental_distribute_dataset(...)`. TensorFlow replaces errors of the
    reader by its own: see `batches` and `reraise`.

    Args:
        samples: Samples, or another object with a length, with `read(index)`, which
            returns a dict of `image` [H, W, C] and `label` [H, W], and with `names`.
            Their `value_range`, if any, says which numbers are black and white, see
            `images.values`; their `weights`, if any, how often each is drawn.
        batch_size: samples per batch.
        augment: function (sample, seed) -> sample, see `kerasseg.augment`; with an
            attribute `partners`, (sample, seed, other samples) -> sample. Unless it
            gives all images one size, they must have one, or batch_size=1.
        objects: None for labels; or G, the largest number of objects per image, for
            the targets of instance models, see `object_targets`; or a function from an
            augmented sample to a dict of targets, see `stars` and `centers`. Samples
            then have `instances` and `classes`, and may have `crowd`, as those of
            `datasets.coco`.
        shuffle: True is an endless stream, every epoch in another order, with batches
            that run across the ends of epochs. False is one pass in order, of which the
            last batch may be smaller.
        seed: seed of order and augmentation, an integer in 0 .. 2**31 - 1.
        start_step: number of batches to leave out at the start.
        reading: Reading, options of cache and bad samples; None takes the defaults.

    Returns:
        tf.data.Dataset of (images [N, H, W, C], labels int32 [N, H, W]), or of images
        and a pair of labels and `weights` where `augment` makes these, or of images and
        a dict of boxes, classes and masks, or of the function's targets. Images
        are in 0..255: uint8 stays, others become float32.

    Raises:
        ValueError: if an option is out of its range, or there is nothing to read, or
            images of a batch would not have one size.
    """
    _check_options(samples, batch_size, seed, start_step)
    batch_size, start_step = int(batch_size), int(start_step)  # NumPy's, too
    reading = reading or Reading()
    order = epoch_order(samples, shuffle, seed)
    cache = SampleCache(reading.cache)
    keys = LABEL if objects is None else INSTANCES
    reader = SampleReader(samples, order, cache, reading.on_bad_sample == "skip", keys)
    if objects is not None and augment is None:
        reader.size = reader.shape[:2]  # masks are made for one size
    make_sample = _sample_maker(reader, batch_size, seed, augment, objects)
    positions = tf.data.Dataset.counter(start_step * batch_size)
    if not shuffle:
        positions = positions.take(max(0, len(samples) - start_step * batch_size))
    mapped = positions.map(make_sample, tf.data.AUTOTUNE, deterministic=True)
    if batch_size > 1 and not _has_size(mapped):
        reader.size = reader.shape[:2]  # every image must have it from now on
        mapped = positions.map(make_sample, tf.data.AUTOTUNE, deterministic=True)
        if not _has_size(mapped):
            raise ValueError(
                "`augment` must return images and labels of a size that is known in "
                f"advance, or take batch_size=1. Received: {mapped.element_spec}, "
                f"batch_size={batch_size}."
            )
    # A shuffled stream has no end and so no remainder: its batches get a static size.
    dataset = mapped.batch(batch_size, drop_remainder=shuffle).prefetch(2)
    dataset = dataset.with_options(_options())
    dataset.failures = reader.failures  # for `reraise`
    # Iterators keep their dataset alive, and so the cache, see SampleReader.
    dataset.sample_cache = cache
    return dataset


def _sample_maker(reader, batch_size, seed, augment, objects):
    """Function from a position of the stream to an image and its label or targets."""
    kinds = [tf.as_dtype(reader.dtype), *(tf.int32 for _ in reader.keys)]
    count, partners = len(reader.samples), getattr(augment, "partners", 0)

    def read(position):
        arrays = tf.numpy_function(reader, [position], kinds)
        shapes = {"label": reader.size, "instances": [None, *reader.size]}
        # tf.numpy_function (TensorFlow 2.21) forgets all shapes; without them Keras
        # cannot build a model from the first batch.
        arrays[0].set_shape([*reader.size, reader.shape[-1]])
        for array, key in zip(arrays[1:], reader.keys):
            array.set_shape(shapes.get(key, [None]))
        return dict(zip(["image", *reader.keys], arrays))

    def draw(position, seed):
        """Another sample of the epoch, to be mixed with the one at a position."""
        place = tf.random.stateless_uniform(
            [], seed, 0, count, dtype=tf.int64, alg="philox"
        )
        return read(position - position % count + place)

    def make_sample(position):
        sample = read(position)
        if augment is not None:
            step, place = position // batch_size, position % batch_size
            own_seed = fold_in([seed, 0], tf.cast(step, tf.int32))
            own_seed = fold_in(own_seed, tf.cast(place, tf.int32))
            if partners:
                seeds = [fold_in(own_seed, -1 - index) for index in range(partners)]
                others = [draw(position, seed) for seed in seeds]
                sample = augment(sample, own_seed, others)
            else:
                sample = augment(sample, own_seed)
        if objects is None and "weights" in sample:
            return sample["image"], (sample["label"], sample["weights"])
        if objects is None:
            return sample["image"], sample["label"]
        if callable(objects):
            return sample["image"], objects(sample)
        return sample["image"], object_targets(sample, objects)

    return make_sample


def _options():
    options = tf.data.Options()
    # Samples run beside each other; to split single operations too costs a fifth more
    # CPU time and competes with the training.
    options.threading.max_intra_op_parallelism = 1
    # There are no files for tf.distribute to share out among workers, only elements.
    sharding = tf.data.experimental.AutoShardPolicy.DATA
    options.experimental_distribute.auto_shard_policy = sharding
    return options


def batches(dataset):
    """Iterate over a pipeline, raising errors of the reader as they were.

    Args:
        dataset: result of `pipeline`.

    Yields:
        (images, labels).
    """
    with reraise(dataset):
        yield from dataset


@contextlib.contextmanager
def reraise(dataset):
    """Turn TensorFlow's error back into the reader's own, which names the file.

    Args:
        dataset: result of `pipeline`, also when the loop runs over a dataset made from
            it.

    Example:
        >>> from kerasseg.datasets import shapes
        >>> dataset = pipeline(shapes(4, size=32), batch_size=2)
        >>> with reraise(dataset):  # around model.fit(dataset, ...), for example
        ...     [len(images) for images, _ in dataset.take(3)]
        [2, 2, 2]
    """
    try:
        yield
    except tf.errors.OpError as error:
        for failure in getattr(dataset, "failures", ()):
            if str(failure) in str(error):
                raise failure from None
        raise


def batch_names(samples, step, *, batch_size=8, seed=0):
    """Names of the samples in one batch of a shuffled pipeline.

    Args:
        samples, batch_size, seed: as in `pipeline`.
        step: number of the batch, from 0.

    Returns:
        list of str. A sample that was skipped is named in place of its substitute.
    """
    order = epoch_order(samples, True, seed)
    positions = range(step * batch_size, (step + 1) * batch_size)
    places = (divmod(position, len(samples)) for position in positions)
    return [samples.names[order(epoch)[place]] for epoch, place in places]


def _has_size(dataset):
    specs = tf.nest.flatten(dataset.element_spec)
    return all(spec.shape.is_fully_defined() for spec in specs)


def _check_options(samples, batch_size, seed, start_step):
    check_samples(samples, "__len__", "read", "names")
    if len(samples) == 0:
        raise ValueError("`samples` must not be empty. Received: 0 samples.")
    for name, value, low, high in (
        ("batch_size", batch_size, 1, 2**31),
        ("seed", seed, 0, 2**31),  # becomes an int32 tensor
        ("start_step", start_step, 0, 2**31),
    ):
        if not isinstance(value, numbers.Integral) or not low <= value < high:
            raise ValueError(
                f"`{name}` must be an integer in {low}..{high - 1}. "
                f"Received: {name}={value!r}."
            )
