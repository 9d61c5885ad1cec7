"""Annotation files and results in the one form that pycocotools reads right.

It takes an id of 0 for "no match", ends with a KeyError without `iscrowd`, `area` or
`bbox`, and takes a ring of four numbers for a box.
"""

import array
import collections
import warnings

import numpy as np

from kerasseg.instance import coco_entries, polygons, rle
from kerasseg.instance.coco_entries import key_of

FEW = 200  # annotations that tell what their boxes mean
NEAR = 2.0  # pixels


def renumbered(truth, results, kind):
    """The same truth and results with ids from 1, and with all fields.

    Ids that are numbers keep their order. Annotations without what `kind` compares, a
    mask or a box, or of images that are not listed, are left out; so are categories
    that only name a group.

    Args:
        truth: content of an annotation file, as tools write it; it is not changed.
        results: list of dicts, see `coco_scores`.
        kind: "masks" or "boxes".

    Returns:
        (document, results, {category id: name}), new objects.

    Raises:
        ValueError: if ids are missing, occur twice or are not known, or if a mask must
            be drawn and cannot be.
    """
    images, categories = _by_id(truth, "images"), _by_id(truth, "categories")
    annotations = coco_entries.listed(truth, "annotations")
    if annotations is None:
        raise ValueError(_message("a list 'annotations'", truth))
    annotations = _of_known_images(annotations, images)
    if kind == "boxes":
        _warn_of_corners(annotations)
    used = {key_of(one.category_id) for one in annotations}
    used |= {key_of(one.get("category_id")) for one in results}
    for group in coco_entries.group_categories(categories, used):
        del categories[group]
    # pycocotools takes 0 for "no match" and sorts by ids, which may be strings here.
    numbers = {
        "image_id": _numbers(images),
        "category_id": _numbers(categories),
    }
    sizes = {number: images[key] for key, number in numbers["image_id"].items()}
    complete = []
    for one in annotations:
        ids = _ids(one._asdict(), numbers)
        if ids is None:
            shown = {"id": one.id, **{key: getattr(one, key) for key in numbers}}
            raise ValueError(_message("annotations of known images, categories", shown))
        found = _complete(one, sizes[ids["image_id"]], kind)
        if found:
            complete.append({"id": len(complete) + 1, **ids, **found})
    document = {
        "info": {},
        "images": [{"id": number} | _size(sizes[number]) for number in sizes],
        "categories": [{"id": n} for n in numbers["category_id"].values()],
        "annotations": complete,
    }
    found = _plain_results(results, numbers, sizes, kind)
    names = _names(categories, numbers["category_id"])
    return document, found, names


def _of_known_images(entries, images):
    """`Annotation`s without those of images that are not listed, as pycocotools."""
    found = [coco_entries.annotation_of(one) for one in entries]
    kept = [one for one in found if key_of(one.image_id) in images]
    if strays := len(found) - len(kept):
        warnings.warn(
            f"{strays} of {len(found)} annotations are of images that are not listed, "
            "and do not count.",
            stacklevel=4,
        )
    return kept


def _warn_of_corners(annotations):
    """Warn where boxes end, in place of their size, at the ends of their outlines."""
    pairs = [
        (one.box, np.concatenate(one.segmentation).reshape(-1, 2))
        for one in annotations[:FEW]
        if one.box is not None and isinstance(one.segmentation, list)
        if all(isinstance(ring, array.array) for ring in one.segmentation)
        if one.segmentation and sum(map(len, one.segmentation)) % 2 == 0
    ]
    ends = np.array([points.max(0) for _, points in pairs]).reshape(-1, 2)
    boxes = np.array([box for box, _ in pairs]).reshape(-1, 4)
    corners = np.abs(boxes[:, 2:] - ends) < NEAR
    sizes = np.abs(boxes[:, :2] + boxes[:, 2:] - ends) < NEAR
    if 2 * np.count_nonzero((corners & ~sizes).all(1)) > len(pairs):
        warnings.warn(
            "Boxes of `truth` end where their outlines do as (x1, y1, x2, y2). COCO's "
            "are (x, y, width, height), and are compared as such.",
            stacklevel=4,
        )


def unknown(results, truth):
    """Position of the first result of an unknown image or category, or None."""
    known = {
        f"{kind}_id": set(_by_id(truth, plural))
        for kind, plural in (("image", "images"), ("category", "categories"))
    }
    for position, one in enumerate(results):
        if any(key_of(one.get(key)) not in ids for key, ids in known.items()):
            return position
    return None


def _by_id(truth, key):
    entries = coco_entries.listed(truth, key)
    if entries is None:
        raise ValueError(_message(f"a list {key!r}", truth))
    found = {}
    for entry in entries:
        number = key_of(entry.get("id"))
        if number is None or number in found:
            raise ValueError(_message(f"{key} with unique ids", entry.get("id")))
        found[number] = entry
    return found


def _numbers(entries):
    return {key: place for place, key in enumerate(coco_entries.ordered(entries), 1)}


def _ids(entry, numbers):
    found = {k: known.get(key_of(entry.get(k))) for k, known in numbers.items()}
    return None if None in found.values() else found


def _complete(one, image, kind):
    """Mask, box, area and crowd flag of an annotation; None without what counts."""
    outlined = bool(one.segmentation)
    if not (outlined or (kind == "boxes" and one.box is not None)):
        return None
    found = {"iscrowd": int(one.crowd in (1, "1"))}
    if outlined and kind == "masks":
        found["segmentation"] = _checked(one, image)
    box, area = one.box, one.area
    if area is None or (box is None and kind == "boxes"):
        pixels = _mask(one, image) if outlined else None
        if pixels is not None and not pixels.any():
            return None
        if area is None:
            area = box[2] * box[3] if pixels is None else int(pixels.sum())
        if box is None:
            rows, columns = (pixels.any(axis).nonzero()[0] for axis in (1, 0))
            corner = columns[0], rows[0]
            box = (*corner, columns[-1] + 1 - corner[0], rows[-1] + 1 - corner[1])
    # pycocotools fails without a box, even where masks are compared.
    box = [float(x) for x in box] if box is not None else [0.0] * 4
    return {**found, "bbox": box, "area": float(area)}


def _mask(one, image):
    size = _size_of(one, image)
    try:
        if isinstance(one.segmentation, dict):
            return rle.decode_rle(one.segmentation, size=size)
        return polygons.from_polygons(one.segmentation, size)
    except ValueError as error:
        raise ValueError(f"`truth`: annotation {one.id}: {error}") from error


def _checked(one, image):
    """A mask for pycocotools, which ends the process on some that are malformed."""
    size, code = _size_of(one, image), one.segmentation
    try:
        if not isinstance(code, dict):
            return polygons.check_polygons(code, size)
        rle.check_rle(code, size=size)
    except ValueError as error:
        raise ValueError(f"`truth`: annotation {one.id}: {error}") from error
    counts = code["counts"]
    return {**code, "counts": counts if isinstance(counts, (str, bytes)) else [*counts]}


def _size_of(one, image):
    """(height, width) of an image; None if it has none, which codes do without."""
    size = tuple(_size(image).values())
    if not isinstance(one.segmentation, dict) and len(size) < 2:
        raise ValueError(_message("images with height and width", image))
    return size if len(size) == 2 else None


def _plain_results(results, numbers, sizes, kind):
    """Results with new ids, Python's numbers, and what is compared: masks or boxes.

    Boxes stay beside masks where all have one: pycocotools then takes areas from them.
    """
    boxed = all(one.get("bbox") is not None for one in results)
    found = []
    for position, one in enumerate(results):
        ids = _ids(one, numbers)
        plain = {**ids, "score": float(one["score"])}
        if boxed:
            plain["bbox"] = [float(x) for x in one["bbox"]]
        if kind == "masks":
            try:
                plain["segmentation"] = _packed(one, sizes[ids["image_id"]])
            except ValueError as error:
                raise ValueError(f"`results`: results[{position}]: {error}") from error
        found.append(plain)
    return found


def _packed(result, image):
    """Packed run-length code of a result, whatever form its mask has."""
    one = coco_entries.annotation_of(result)
    size, code = _size_of(one, image), one.segmentation
    if not isinstance(code, dict):
        return rle.encode_rle(polygons.from_polygons(code, size))
    if isinstance(code.get("counts"), (str, bytes)):
        rle.check_rle(code, size=size)
        return code
    return rle.encode_rle(rle.decode_rle(code, size=size))


def _size(image):
    keys = ("height", "width")
    return {key: key_of(image[key]) for key in keys if image.get(key) is not None}


def _names(categories, numbers):
    """Names of the categories by their new id, with the old one where two are equal."""
    names = {key: str(entry.get("name", key)) for key, entry in categories.items()}
    counts = collections.Counter(names.values())
    return {
        number: names[key] if counts[names[key]] == 1 else f"{names[key]} (id {key})"
        for key, number in numbers.items()
    }


def _message(required, received):
    return f"`truth` must have {required}. Received: {repr(received)[:80]}."
