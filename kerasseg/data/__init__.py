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

from kerasseg.data.maps import centers, stars
from kerasseg.data.objects import objects_of
from kerasseg.data.pipeline import batch_names, batches, pipeline, reraise

__all__ = [
    "batch_names",
    "batches",
    "centers",
    "objects_of",
    "pipeline",
    "reraise",
    "stars",
]
