"""Near duplicates: pictures that show the same, told by their fine structure. Private.

A picture is compared in 32 x 32 pixels without its coarse light and shade, so that
exposure, compression and size do not matter. Copies of real pictures that were saved
as JPEG of quality 40, halved, or brightened by a fifth correlate by 0.97 or more;
different ones of eye grounds by up to 0.93, of most other data by less than 0.5. A
picture that was cropped by a twentieth counts as a different one.
"""

import concurrent.futures
import functools
import os

import cv2
import numpy as np

from kerasseg.images import read_image

SIDE, BLUR = 32, 2.0
SIMILAR, SAME = 0.95, 0.985  # correlation of near duplicates, and of copies
FLAT = 0.004  # of the largest number: less structure tells nothing
BLOCK = 1024  # rows that are compared at a time
# Reading a picture takes some ms, and comparing all grows with the square: COCO's
# 118,000 would take an hour before training, to find what does not matter there.
MOST = 10_000


def signature(image):
    """Unit vector float32 [1024] of an image [H, W, C]; None of a flat one."""
    grey = np.asarray(image, "float32")
    top = float(np.abs(grey).max())
    grey = grey.mean(-1) if grey.ndim == 3 else grey
    small = cv2.resize(grey, (SIDE, SIDE), interpolation=cv2.INTER_AREA)
    fine = small - cv2.GaussianBlur(small, (0, 0), BLUR)
    fine -= fine.mean()
    if not fine.std() > FLAT * top:
        return None
    return (fine / np.linalg.norm(fine)).ravel()


def pairs(signatures, least=SIMILAR):
    """(i, j, correlation) of each pair i < j of signatures that are so much alike."""
    known = [i for i, one in enumerate(signatures) if one is not None]
    if len(known) < 2:
        return []
    rows, found = np.stack([signatures[i] for i in known]), []
    for start in range(0, len(rows), BLOCK):
        alike = rows[start : start + BLOCK] @ rows[start:].T
        for i, j in zip(*np.nonzero(alike >= least)):
            if i < j:
                found.append((known[start + i], known[start + j], float(alike[i, j])))
    return found


def groups(num, found):
    """A key for each of `num` pictures: that of the first one that it is linked to."""
    owner = list(range(num))

    def root(index):
        while owner[index] != index:
            owner[index] = owner[owner[index]]
            index = owner[index]
        return index

    for i, j, *_ in found:
        first, second = sorted((root(i), root(j)))
        owner[second] = first
    return [root(index) for index in range(num)]


def keys_of(files, names):
    """Keys by which `select_by_hash` keeps near duplicates together.

    Args:
        files: image files.
        names: of the samples; a group is called by the first of its names.

    Returns:
        List of names, None for pictures like no other. A group of more than half of all
        cannot stay together, so that its pictures are taken one by one. Of more than
        10,000 pictures none is compared.
    """
    if len(files) > MOST:
        return [None] * len(files)
    with concurrent.futures.ThreadPoolExecutor(min(8, os.cpu_count() or 1)) as pool:
        signatures = list(pool.map(_of_file, files))
    linked = groups(len(files), pairs(signatures))
    members = {}
    for index, key in enumerate(linked):
        members.setdefault(key, []).append(names[index])
    return [
        min(members[key]) if 1 < len(members[key]) <= len(files) / 2 else None
        for key in linked
    ]


def _of_file(path):
    try:
        return _cached(path, os.stat(path).st_mtime_ns)
    except (ValueError, OSError):  # whoever reads the sample learns what is wrong
        return None


@functools.lru_cache(200_000)  # for "train" and "val" of the same files; 4 kB each
def _cached(path, changed):
    return signature(read_image(path, channels=None))
