"""Numbers in the masks of a folder, and whether they are ids of classes. Private."""

import functools
import io

import numpy as np

from kerasseg.datasets._facts import palette_of
from kerasseg.datasets._splits import kinds_in
from kerasseg.images import MAX_PIXELS, ImageError, mask_kinds, read_mask
from kerasseg.images.content import read_bytes
from kerasseg.images.palettes import contradicting_colors


def class_ids(root, masks):
    """Numbers in all masks but those that cannot be read, unless none can.

    Raises:
        ImageError: if they number something else than classes; with the line to paste.
    """
    found = _summary(tuple((path, _version(path)) for path in masks))
    if found is None:
        if masks:
            _facts(masks[0])  # raises
        return set()
    ids, is_noisy, are_objects, table = found
    _check_kind(root, ids, is_noisy, are_objects)
    if table:
        raise ImageError(
            root,
            "one number for each class in all masks",
            "masks with palettes of their own, in which one colour has different ones",
            f"Say {mask_kinds.to_paste('colors', table)}; if the numbers are class ids "
            "nevertheless, give `classes`, their names or number",
        )
    return set(ids)


def _version(path):
    try:
        found = path.stat()
    except OSError:  # whoever reads the sample learns what is wrong
        return None
    return found.st_mtime_ns, found.st_size


@functools.lru_cache(2)  # both sides of a split ask for the same masks
def _summary(files):
    """(ids, whether noisy, whether objects, table of contradicting colours), or None.

    Args:
        files: pairs of a path and of what changes with its content.
    """
    facts = [found for found in kinds_in(_facts, [path for path, _ in files]) if found]
    if not facts:
        return None
    several, counts, objects, palettes = zip(*facts)
    return (
        frozenset().union(*several),
        mask_kinds.is_noisy_black_and_white(sum(counts)),
        mask_kinds.are_objects(objects),
        contradicting_colors([one for one in palettes if one]),
    )


def _facts(path):
    """Numbers of a mask, pixels of 0..255 and more, objects, and its palette."""
    _, data = read_bytes(path, MAX_PIXELS)
    file = io.BytesIO(data)
    file.name = str(path)  # for messages
    label = read_mask(file)
    if label.max(initial=0) < 256:
        counts = np.bincount(label.ravel(), minlength=257)
        ids = set(np.flatnonzero(counts).tolist())
    else:
        counts = np.bincount(np.minimum(label, 256).ravel(), minlength=257)
        ids = set(np.unique(label).tolist())
    return ids, counts, mask_kinds.marks_objects(label), palette_of(data, ids)


def _check_kind(root, ids, is_noisy, are_objects):
    """Raise an ImageError, with the line to paste, if ids are not those of classes."""
    if is_noisy:
        raise ImageError(
            root,
            "class ids in the masks",
            f"{len(ids)} numbers near 0 and 255: black and white masks that were "
            "smoothed or saved as JPEG",
            f"Say {mask_kinds.to_paste('values', mask_kinds.SPANS)}; if they are "
            "classes, give `classes`, their names or number",
        )
    if are_objects:
        one_class = mask_kinds.to_paste("values", {0: 0, "1-65535": 1})
        raise ImageError(
            root,
            "class ids in the masks",
            f"ids up to {max(ids)}, each of one connected region of its mask: objects",
            "To find objects, --set 'data.dataset=mask_folders'; "
            f"to make them one class, {one_class}; if they are classes, give `classes`"
            f" (--set 'data.classes={max(ids) + 1}')",
        )


def count_classes(root, ids, ignore_label):
    """Number of classes of masks that hold these ids.

    Raises:
        ImageError: if they are none; with the line to paste.
    """
    used = ids - {ignore_label}
    if used <= {0}:
        pair = mask_kinds.to_paste("values", {0: 0, ignore_label: 1})
        raise ImageError(
            root,
            "masks with two classes or more",
            f"only {' and '.join(map(str, sorted(ids)))} in all of them, "
            f"and {ignore_label} is ignored",
            f"If {ignore_label} is a class, say {pair}; otherwise give `classes`",
        )
    if max(used) > ignore_label:
        one_class = mask_kinds.to_paste("values", {0: 0, "1-65535": 1})
        raise ImageError(
            root,
            f"class ids below {ignore_label}, which is ignored",
            f"ids up to {max(used)}",
            f"If these are instances, make them one class: {one_class}; "
            "otherwise give `classes` and `ignore_label`",
        )
    if listed := mask_kinds.ids_of_grey_levels(ids, ignore_label):
        raise ImageError(
            root,
            "class ids without large gaps",
            f"only {', '.join(map(str, sorted(ids)))} in all masks",
            f"Say which is which: {mask_kinds.to_paste('values', listed)}, or "
            f"{ignore_label}: {ignore_label} where that means no class; if they are "
            f"ids, give `classes` (--set 'data.classes={max(used) + 1}')",
        )
    return max(used) + 1
