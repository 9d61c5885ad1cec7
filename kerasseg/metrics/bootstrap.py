"""Bootstrap over images: how far a score would move with other images like these.

Each replicate sees every image a random number of times, Poisson distributed with mean
1, which is drawing with replacement for streams: counts are added up image by image,
and no image has to be kept.

Reference: Chamandy et al., 2012, https://research.google/pubs/pub43157
"""

import numpy as np


class IoUReplicates:
    """Counts of IoU in replicates of a set of images.

    Args:
        num_classes: K.
        num: replicates.
        seed: int; the same images in the same order give the same intervals.

    Example:
        >>> replicates = IoUReplicates(2)
        >>> for hits in (3, 4, 5, 4, 3):
        ...     replicates.add([[4, 1], [1, hits]])
        >>> low, high = replicates.intervals()["mean_iou"]
        >>> bool(low < 0.66 < high)
        True
    """

    def __init__(self, num_classes, *, num=1000, seed=0):
        self.generator = np.random.default_rng(seed)
        self.counts = np.zeros([num, 3, num_classes])
        self.seen, self.num = np.zeros(num_classes, int), 0  # images with each, all

    def add(self, matrix):
        """Add the confusion counts of one image, [K, K], rows are labels."""
        matrix = np.asarray(matrix, "float64")
        image = np.stack([matrix.diagonal(), matrix.sum(1), matrix.sum(0)])
        self.seen, self.num = self.seen + image.any(0), self.num + 1
        times = self.generator.poisson(1.0, len(self.counts))
        self.counts += times[:, None, None] * image

    def intervals(self, level=0.95):
        """Intervals that hold this share of the replicates.

        Returns:
            dict of "mean_iou": (low, high), and "iou": K of them; NaN of a single
            image, which says nothing of others, and for classes in fewer than two.
        """
        hits, labelled, predicted = self.counts.transpose(1, 0, 2)
        union = labelled + predicted - hits
        iou = np.where(union > 0, hits / np.maximum(union, 1), np.nan)
        occurs = ~np.isnan(iou)
        mean = np.nansum(iou, 1) / np.maximum(occurs.sum(1), 1)
        mean = mean[occurs.any(1)]  # replicates of no image at all
        several = occurs & (self.seen > 1)
        return {
            "mean_iou": _interval(mean if self.num > 1 else (), level),
            "iou": [_interval(x[known], level) for x, known in zip(iou.T, several.T)],
        }


def _interval(values, level):
    if not len(values):
        return np.nan, np.nan
    ends = np.quantile(values, [(1 - level) / 2, (1 + level) / 2])
    return tuple(map(float, ends))
