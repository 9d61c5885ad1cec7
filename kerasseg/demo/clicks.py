"""Corrections of a segmentation by clicks into its picture."""

import time

import cv2
import numpy as np

from kerasseg import classical, viz
from kerasseg.demo.answers import of_regions

CLICK_PX = 5  # radius of what a click says for certain
# Of 16 photographs of people that a network had outlined with a mean IoU of .47, four
# clicks into the middle of the largest error made .67; cut anew by all clicks, .27.
REACH = 8  # part of the longer side around a click that it may change
MOST_REACH_PX = 128  # beyond, pictures would take many seconds
CONTEXT = 2.7  # reaches whose colours are learned
UNKNOWN = 255
UNSURE = {True: 0.7, False: 0.3}  # probability of the object where it was found, or not


def corrected(answer, row, column, kind, *, tolerance=12.0):
    """Change a segmentation by a click.

    Args:
        answer: `Answer`.
        row, column: pixel that was clicked.
        kind: "grow": the region of like pixels around it becomes one more, of a class
            of its own. "object", "not object": what hangs together with the pixel, near
            it and by GrabCut, is added to what was found, of the class that it touches,
            or taken away; earlier clicks still count. "region": all such clicks are
            markers of a watershed, one region each, in place of what was found.
        tolerance: of growing, see `classical.region_growing`.

    Returns:
        `Answer`, whose classes keep their names.

    Raises:
        ValueError: if the click lies outside, or `kind` is none of these.
    """
    height, width = answer.label.shape
    if not (0 <= row < height and 0 <= column < width):
        raise ValueError(
            f"A click must lie in the picture, {height} x {width}. "
            f"Received: row {row}, column {column}."
        )
    start, row, column = time.perf_counter(), int(row), int(column)
    clicks = (*answer.clicks, (row, column, kind))
    picture = viz.display(answer.image)
    if kind == "grow":
        grown = classical.region_growing(picture, (row, column), tolerance=tolerance)
        label = np.where(grown == 0, answer.free_id(), answer.label)
    elif kind in ("object", "not object"):
        found, number = answer.label > 0, answer.label[row, column]
        if kind == "not object" and answer.by_object and number:
            found = answer.label == number  # of that one, and not of those it touches
        mask = _cut(picture, found, clicks)
        label = np.where(found & ~mask, 0, answer.label)
        if (added := mask & ~found).any():
            label[added] = _id_beside(answer, added)
    elif kind == "region":
        markers = np.zeros([height, width], "int32")
        places = [(y, x) for y, x, other in clicks if other == "region"]
        for number, place in enumerate(places, 1):
            markers[_disc(markers.shape, *place, CLICK_PX)] = number
        label = classical.watershed(picture, markers) + 1
        # A click into an earlier one leaves no gap in the numbers.
        label = np.unique(label, return_inverse=True)[1].reshape(height, width) + 1
        return of_regions(answer.image, label, time.perf_counter() - start, clicks)
    else:
        raise ValueError(
            'A click must be "grow", "object", "not object" or "region". '
            f"Received: {kind!r}."
        )
    return answer.changed(label, time.perf_counter() - start, clicks)


def _cut(picture, found, clicks):
    """The foreground `found` [H, W] as the last of some clicks changes it, by GrabCut.

    Only what is near the last click and hangs together with it changes.
    """
    row, column, kind = clicks[-1]
    reach = max(min(max(found.shape) // REACH, MOST_REACH_PX), 2 * CLICK_PX)
    top, left = (max(0, int(at - CONTEXT * reach)) for at in (row, column))
    bottom, right = (int(at + CONTEXT * reach) + 1 for at in (row, column))
    window = slice(top, bottom), slice(left, right)
    picture, before = np.ascontiguousarray(picture[window]), found[window]
    place = row - top, column - left
    sure = _said(picture, clicks, (top, left), reach)
    likely = np.where(before, UNSURE[True], UNSURE[False])
    far = ~_disc(before.shape, *place, reach)
    likely[far] = before[far]
    likely[sure != UNKNOWN] = sure[sure != UNKNOWN]
    after = classical.grabcut(picture, probabilities=likely) > 0
    change = after & ~before if kind == "object" else before & ~after
    parts = cv2.connectedComponents(change.astype("uint8"), connectivity=4)[1]
    mask = found.copy()
    mask[window][change & (parts == parts[place])] = kind == "object"
    return mask


def _said(picture, clicks, corner, reach):
    """Labels of a window by clicks: 0 background, 1 object, else `UNKNOWN`.

    The last one speaks for the superpixel around it, too.
    """
    said = np.full(picture.shape[:2], UNKNOWN)
    num = max(said.size * 6 // reach**2, 2)  # about 16 across the reach
    row, column = clicks[-1][0] - corner[0], clicks[-1][1] - corner[1]
    parts = classical.slic(picture, num_segments=num)
    said[parts == parts[row, column]] = clicks[-1][2] == "object"
    for y, x, kind in clicks:
        if kind in ("object", "not object"):
            disc = _disc(said.shape, y - corner[0], x - corner[1], CLICK_PX)
            said[disc] = kind == "object"
    return said


def _id_beside(answer, added):
    """The id of what pixels touch, or else of most that was found, or a new one."""
    edge = cv2.dilate(added.astype("uint8"), np.ones([3, 3], "uint8")) > 0
    beside = answer.label[edge & ~added]
    if not beside.any() and not answer.by_object:
        beside = answer.label
    counts = np.bincount(beside[beside > 0])
    if counts.size:
        return int(counts.argmax())
    return 1 if len(answer.names) > 1 and not answer.by_object else answer.free_id()


def _disc(shape, row, column, radius):
    rows, columns = np.ogrid[: shape[0], : shape[1]]
    return (rows - row) ** 2 + (columns - column) ** 2 <= radius**2
