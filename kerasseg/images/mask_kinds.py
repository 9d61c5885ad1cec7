"""Masks whose numbers are no class ids, told by the numbers alone."""

import cv2
import numpy as np
from scipy import ndimage

SPANS = {"0-127": 0, "128-255": 1}
MOST_NUMBERS = 65535
MOST_LISTED = 40
FEW_OBJECTS = 8  # fewer regions may be classes that occur once each


def to_paste(option, mapping):
    """A mapping as an argument, and as a line for the command line.

    Example:
        >>> print(to_paste("values", {0: 0, 255: 1}))
        values={0: 0, 255: 1} (command line: --set 'data.values={0: 0, 255: 1}')
    """
    text = f"{option}={mapping}".replace("'", '"')
    return f"{text} (command line: --set 'data.{text}')"


def is_one_hot(bands):
    """Whether exactly one band of each pixel of [H, W, C] is set, to 1 or to 255."""
    high = bands.max(initial=0)
    pure_colors = high == 255 and bands.shape[2] == 3
    if high not in (1, 255) or pure_colors or not np.isin(bands[:1], (0, high)).all():
        return False  # the first row tells most pictures
    zero_or_high = (bands == 0) | (bands == high)
    return bool(zero_or_high.all() and (np.sum(bands == high, axis=2) == 1).all())


def ids_of_grey_levels(numbers, ignore_label=255):
    """{number: class id} of grey levels that were chosen to be seen, such as 0, 128.

    Args:
        numbers: all different numbers of the masks.
        ignore_label: number of pixels without a class.

    Returns:
        A mapping, in which `ignore_label` is a class, as it was chosen to be seen like
        the others; None if the numbers may be class ids.

    Example:
        >>> ids_of_grey_levels({0, 128, 255}), ids_of_grey_levels({0, 1, 2, 255})
        ({0: 0, 128: 1, 255: 2}, None)
    """
    used = sorted(set(numbers) - {ignore_label})
    if not used or len(used) > 16 or max(used) < max(64, 8 * len(used)):
        return None
    return {int(value): class_id for class_id, value in enumerate(sorted(numbers))}


def ids_from_one(num):
    """{number: class id} of masks that count so many classes from 1; 0 is ignored.

    Args:
        num: number of classes; of more than 40 the mapping is None, as nobody reads it.

    Example:
        >>> ids_from_one(3)
        {0: 255, 1: 0, 2: 1, 3: 2}
    """
    if not 0 < num <= MOST_LISTED:
        return None
    return {0: 255} | {number: number - 1 for number in range(1, num + 1)}


def is_noisy_black_and_white(counts):
    """Whether a mask of 0 and 255 went through JPEG or smoothing.

    Args:
        counts: pixels of each number 0..255 or more, integers [N].
    """
    counts = np.asarray(counts)
    black, grey, white = counts[1:64], counts[64:192], counts[192:255]
    both = counts[:64].sum() and counts[192:256].sum()
    near = np.count_nonzero(black) + np.count_nonzero(white)
    few_grey = grey.sum() < 0.2 * counts.sum() and not counts[256:].any()
    return bool(both and few_grey and white.any() and near + bool(grey.any()) > 1)


def marks_objects(label):
    """Whether each number of a label map but 0 is one connected region.

    Args:
        label: integers [H, W].

    Returns:
        None where there are fewer than two numbers; else the numbers, sorted, if they
        are, and an empty tuple if not.
    """
    numbers = np.asarray(label)
    if not numbers.size:
        return None
    if numbers.max() > MOST_NUMBERS:  # a box of each is kept below
        different, places = np.unique(numbers, return_inverse=True)
        ids = different[different > 0].tolist()
        numbers = places.reshape(numbers.shape) + 1 - np.count_nonzero(different <= 0)
    else:
        ids = range(1, MOST_NUMBERS + 1)
    boxes = [(i, box) for i, box in enumerate(ndimage.find_objects(numbers), 1) if box]
    if len(boxes) < 2:
        return None
    # One after the other: maps of classes are told by their first ones, in a tenth of
    # the time that all regions of a street scene take.
    for number, box in boxes:
        inside = (numbers[box] == number).astype("uint8")
        if cv2.connectedComponents(inside, connectivity=8)[0] > 2:  # with background
            return ()
    return tuple(ids[number - 1] for number, _ in boxes)


def are_objects(found):
    """Whether label maps number objects, not classes.

    Args:
        found: results of `marks_objects`, one per map.

    Returns:
        True if every map numbers single regions, as classes hardly do, and the numbers
        are those of a count, 1..n, or go on from map to map.
    """
    found = [ids for ids in found if ids is not None]
    if not found or not all(found) or max(map(len, found)) < FEW_OBJECTS:
        return False
    counted = all(ids == tuple(range(1, len(ids) + 1)) for ids in found)
    different = len(set().union(*found))
    return counted or different >= 3 * np.mean([len(ids) for ids in found])


COUNTED = (
    "`metrics.confusion_matrix(labels, predictions, num_classes)` makes it of maps"
)


def check_counts(matrix):
    """Raise a ValueError for what cannot be counts, such as a square label map.

    Args:
        matrix: array [K, K], which may be weighted or normalised counts.

    Raises:
        ValueError: if it holds negative or infinite numbers, or is rather a map.
    """
    if matrix.dtype.kind not in "iuf" or not np.all(matrix >= 0):
        problem = "numbers below 0, NaN, or no numbers"
    elif not np.all(np.isfinite(matrix)):
        problem = "infinite numbers"
    elif _is_label_map(matrix):
        problem = "a label map"
    else:
        return
    raise ValueError(
        f"`matrix` must hold counts of pixels, [K, K]: {COUNTED}. "
        f"Received: {problem}, {matrix.dtype} {matrix.shape}."
    )


def _is_label_map(matrix):
    """Whether a square array is rather a map of class ids than a confusion matrix.

    Neighbours in a map mostly have one class; counts are hardly ever equal.
    """
    size = len(matrix)
    if size >= 3 and matrix.dtype.itemsize == 1:
        return True  # no count of pixels fits into 8 bits
    # Small or diagonal ones may be counts by chance: those are taken.
    if size < 8 or np.count_nonzero(matrix) <= size:
        return False
    left, right = matrix[:, :-1], matrix[:, 1:]
    shown = (left > 0) | (right > 0)
    return np.count_nonzero(shown & (left == right)) > np.count_nonzero(shown) / 2
