"""Samples to batches: read, augment, batch and prefetch with `tf.data`.

Batches are a function of the seed and the position alone: sample number g is
permutation(seed, epoch)[g % n], of a list in which samples stand as often as their
weights say, and the seed of its augmentation is (seed, step, index in the batch). A
training run that resumes at step k therefore sees exactly the batches that it would
have seen, without reading those of the k steps before.

Example:
    >>> from kerasseg import augment, datasets
    >>> crop = augment.standard(size=(64, 64))
    >>> dataset = pipeline(datasets.shapes(8), batch_size=4, augment=crop)
    >>> images, labels = next(batches(dataset))
    >>> images.shape, labels.shape
    (TensorShape([4, 64, 64, 3]), TensorShape([4, 64, 64]))
"""

from kerasseg.data.maps import centers, stars
from kerasseg.data.pipeline import Reading, batch_names, batches, pipeline, reraise
from kerasseg.data.targets import object_targets

__all__ = [
    "Reading",
    "batch_names",
    "batches",
    "centers",
    "object_targets",
    "pipeline",
    "reraise",
    "stars",
]
