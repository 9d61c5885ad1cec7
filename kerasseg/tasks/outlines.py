"""Scores of the outlines of classes, over images."""

import math

import cv2
import numpy as np

from kerasseg.tasks.task import percent

TOLERANCE_PX = 2.0  # of the surface Dice
# Thicker things have no centre line of interest, and thinning them takes seconds.
THICKEST_PX = 40
MOST_PX = 4_000_000  # of an image; those of two classes take two seconds
SHARES = ("boundary_iou", "cl_dice", "surface_dice")
HEADS = ("boundary IoU", "clDice", "surface Dice", "HD95", "ASSD")


class Outlines:
    """Boundary IoU, centre-line Dice and distances of outlines, class by class.

    Args:
        num_classes: K.
        ignore_label: None if there is none.
    """

    def __init__(self, num_classes, ignore_label):
        self.ignored = {"ignore_label": ignore_label}
        self.bands = np.zeros([num_classes, 2])
        self.lines, self.thin = np.zeros([num_classes, 4]), np.ones(num_classes, bool)
        # Of each image with the class in either map: hd95, assd, surface Dice.
        self.distances, self.num = [[] for _ in range(num_classes)], 0

    def add(self, label, class_ids):
        """Count the outlines of one image; class ids [H, W] of both maps.

        Those of more than 4 million pixels, which would take long, are left out.
        """
        from kerasseg import metrics

        if label.size > MOST_PX:
            return
        self.num += 1
        ignore_label = self.ignored["ignore_label"]
        there = np.union1d(label, class_ids)
        there = there[(there >= 0) & (there < len(self.bands))]
        if ignore_label is not None:
            there = there[there != ignore_label]
        # Numbers of those that are there, so that others take no time.
        right, found = (np.searchsorted(there, x) for x in (label, class_ids))
        for ids, given in ((right, label), (found, class_ids)):
            ids[~np.isin(given, there)] = len(there)  # of no class: ignored
        given = (right, found, len(there))
        hidden = {"ignore_label": len(there)}
        self.bands[there] += metrics.boundary_iou_counts(*given, **hidden)
        self.thin[there] &= [_is_thin(right == k) for k in range(len(there))]
        for ids in (right, found):  # of thick classes: no class, but no gap either
            ids[np.isin(ids, np.flatnonzero(~self.thin[there]))] = -1
        self.lines[there] += metrics.centerline_counts(*given, **hidden)
        for class_id in there:
            maps = _cut(label, class_ids, class_id)
            found = metrics.surface_distances(*maps, class_id, **self.ignored)
            if any(map(len, found)):
                nsd = metrics.surface_dice(found, TOLERANCE_PX)
                one = metrics.hd95(found), metrics.assd(found), nsd
                self.distances[class_id].append(one)

    def result(self, names):
        """Scores by class name, ready for JSON.

        Returns:
            dict of "tolerance_px", "num_images" and "classes". For each that occurs:
            "boundary_iou" and "cl_dice" of all images together, the latter None for
            classes that are more than 40 px thick in one of them; "surface_dice", a
            mean over the "images" where the class is in either map; "hd95_px" and
            "assd_px", means over those where it is in both, and "in_one_map", the
            number of the others, whose distances are infinite.
        """
        from kerasseg import metrics

        lines, found = metrics.cl_dice(self.lines), {}
        for number, (name, rows) in enumerate(zip(names, self.distances)):
            if not rows:
                continue
            hd95, assd, nsd = np.array(rows).T
            both = np.isfinite(hd95)
            inside, either = self.bands[number]
            scores = {
                "boundary_iou": inside / either if either else math.nan,
                "cl_dice": lines[number] if self.thin[number] else math.nan,
                "surface_dice": nsd.mean(),
                "hd95_px": hd95[both].mean() if both.any() else math.nan,
                "assd_px": assd[both].mean() if both.any() else math.nan,
            }
            scores = {key: _known(value) for key, value in scores.items()}
            counts = {"images": len(rows), "in_one_map": int(np.sum(~both))}
            found[str(name)] = scores | counts
        about = {"tolerance_px": TOLERANCE_PX, "num_images": self.num}
        return {**about, "classes": found}


def _is_thin(mask):
    # The approximate distances of 3 x 3 masks are exact enough for a limit. In a band,
    # pixels are a quarter of its thickness from its edges, on average.
    inside = cv2.distanceTransform(mask.astype("uint8"), cv2.DIST_L2, cv2.DIST_MASK_3)
    # Where nothing is outside, all are as far as float32 goes.
    inside = np.minimum(inside, THICKEST_PX)
    return not mask.any() or inside[mask].mean() <= THICKEST_PX / 4


def _cut(label, class_ids, class_id):
    """Both maps about a class, with the pixels around it that make its outline."""
    there = (label == class_id) | (class_ids == class_id)
    parts = []
    for axis in (1, 0):
        places = np.flatnonzero(there.any(axis))
        parts.append(slice(max(places[0] - 1, 0), places[-1] + 2))
    return label[tuple(parts)], class_ids[tuple(parts)]


def _known(value):
    """A number for JSON, which has no NaN."""
    return None if math.isnan(value) else round(float(value), 6)


def cells(scores):
    """Texts of the scores of a class, as `HEADS` name them: percent, then pixels."""
    lengths = (scores[key] for key in ("hd95_px", "assd_px"))
    return [
        *(percent(scores[key], 2) for key in SHARES),
        *("-" if x is None else f"{x:.2f}" for x in lengths),
    ]


def table(found):
    """Lines of text of `Outlines.result`."""
    if not found["classes"]:
        return []
    width = max(map(len, ["outlines", *found["classes"]]))
    lines = [f"{'outlines':{width}}" + "".join(f"{x:>14}" for x in HEADS)]
    for name, scores in found["classes"].items():
        lines.append(f"{name:{width}}" + "".join(f"{x:>14}" for x in cells(scores)))
    return [
        *lines,
        f"(of {found['num_images']} images; within {found['tolerance_px']:g} px, "
        "distances in px)",
    ]
