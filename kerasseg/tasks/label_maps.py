"""Scores of true and found objects as label maps, summed over images."""

import numpy as np

from kerasseg.tasks.task import percent

SIZES = ("small", "middle", "large")  # thirds of the true objects


def of(present, crowd, found):
    """True and found label map, small objects in front, and the mask of crowds."""
    from kerasseg.instance.masks import masks_to_label_map

    masks = present.masks[~crowd]
    true = np.zeros(present.masks.shape[1:], "int32")
    if len(masks):
        areas = np.count_nonzero(masks, axis=(1, 2))
        true = masks_to_label_map(masks, scores=-areas)
    return true, found.to_label_map(), present.masks[crowd].any(0)


class Scores:
    """Sums of the scores that compare label maps, one image after another."""

    def __init__(self):
        self.counts, self.qualities, self.indices, self.most = 0, 0, [], 0

    def add(self, true, found, crowd=None):
        """Count one pair of label maps; returns the image's row.

        Args:
            true, found: int [H, W].
            crowd: bool [H, W], see `metrics.instances`; None for none.
        """
        from kerasseg.metrics import instances as scores

        counts = scores.instance_counts(true, found, crowd=crowd)
        self.counts = self.counts + counts
        qualities = scores.quality_counts(true, found, crowd=crowd)
        self.qualities = self.qualities + qualities
        self.indices.append(scores.aggregated_jaccard(true, found, crowd=crowd))
        hits, extra, missed = counts[0].tolist()  # at IoU 0.5
        self.most = max(self.most, hits + missed)
        ap = float(scores.average_precision(counts).mean())
        row = {"ap": ap, "objects": hits + missed, "found": hits + extra}
        return {**row, "matched": hits, "false": extra, "missed": missed}

    def result(self):
        """Scores of the data set, and "label_ap_by_iou"."""
        from kerasseg.metrics import instances as scores

        found = scores.summary(self.counts, self.qualities, self.indices)
        by_iou = scores.average_precision(self.counts).tolist()
        if not np.any(self.counts):  # no object, true or found: there is no score
            found, by_iou = dict.fromkeys(found), [None] * len(by_iou)
        return {**found, "label_ap_by_iou": by_iou}


class BySize:
    """Shares of objects that are found at IoU 0.5: of small, middle and large ones."""

    def __init__(self):
        self.areas, self.matched = [], []

    def add(self, true, found, crowd=None):
        """Count one pair of label maps, as in `Scores.add`."""
        from kerasseg.metrics import instances as scores

        matched, areas = scores.detected(true, found)
        self.areas.append(areas)
        self.matched.append(matched)

    def result(self):
        """A dict for each third: "size", "from_px" and "to_px" (areas), "objects" and
        "detected"; none of fewer than three objects.
        """
        areas = np.concatenate([*self.areas, []])
        matched = np.concatenate([*self.matched, []]).astype(bool)
        if len(areas) < len(SIZES):
            return []
        order = np.argsort(areas, kind="stable")
        return [
            {
                "size": name,
                "from_px": int(areas[third].min()),
                "to_px": int(areas[third].max()),
                "objects": len(third),
                "detected": int(matched[third].sum()),
            }
            for name, third in zip(SIZES, np.array_split(order, len(SIZES)))
        ]


def table(result):
    """Line of text about "by_size" of a result; none without it."""
    parts = [
        f"{one['size']} {percent(one['detected'] / one['objects'])} % "
        f"({one['from_px']} to {one['to_px']} px)"
        for one in result.get("by_size", ())
    ]
    return [f"found of a third each: {', '.join(parts)}"] if parts else []
