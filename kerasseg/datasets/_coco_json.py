"""Reading and checking of COCO's annotation files. Private."""

import json
import math
import pathlib
from collections import defaultdict

from kerasseg.images import ImageError, read_image
from kerasseg.instance import polygons, rle

MAX_BYTES = 2 * 2**30  # COCO's own instances_train2017.json has 0.45 GB
MAX_PIXELS = 178_956_970  # Pillow refuses larger images as decompression bombs


def read(path, image_folder):
    """The content of an annotation file, every cross-reference checked.

    Returns:
        (images: list of dicts, {image id: its annotations}, {category id: name} in the
        order of ids).

    Raises:
        ImageError: naming the file and the entry that is wrong.
    """
    path = pathlib.Path(path)
    document = load(path)
    categories = unique(path, document, "categories")
    images = unique(path, document, "images")
    for image in images.values():
        _check_image(path, image, image_folder)
    for key, entries in (("name", categories), ("file_name", images)):
        values = [entry.get(key) for entry in entries.values()]
        for value in values:
            if not isinstance(value, str) or values.count(value) > 1:
                fail(path, f"a {key} that is text and occurs once", repr(value)[:60])
    annotations = defaultdict(list)
    for annotation in unique(path, document, "annotations").values():
        _check_annotation(path, annotation, images, categories)
        annotations[annotation["image_id"]].append(annotation)
    names = {number: categories[number]["name"] for number in sorted(categories)}
    return list(images.values()), annotations, names


def load(path):
    """Content of a JSON file of at most MAX_BYTES."""
    if not path.is_file():
        raise ImageError(path, "an annotation file", "no such file", "Check the path")
    if path.stat().st_size > MAX_BYTES:
        fail(path, f"at most {MAX_BYTES} bytes", f"{path.stat().st_size} bytes")
    try:
        return json.loads(path.read_bytes())
    except (ValueError, RecursionError) as error:
        raise ImageError(
            path, "COCO's JSON", f"{type(error).__name__}: {error}", "Export it again"
        ) from error


def unique(path, document, key):
    """The entries of one of the lists by id: {id: entry}."""
    entries = document.get(key) if isinstance(document, dict) else None
    if not isinstance(entries, list):
        fail(path, f"an object with a list {key!r}", type(entries).__name__)
    found = {}
    for entry in entries:
        number = entry.get("id") if isinstance(entry, dict) else None
        # Not isinstance: True is an int, and JSON's true is no id.
        if type(number) is not int or number in found:
            fail(path, f"{key} with whole, unique ids", f"id {number!r}")
        found[number] = entry
    return found


def _check_image(path, image, folder):
    name = image.get("file_name")
    outside = not isinstance(name, str) or not name or "\0" in name
    if not outside:
        target = pathlib.PurePosixPath(name.replace("\\", "/"))
        outside = target.is_absolute() or ".." in target.parts or ":" in name
        outside = outside or not (folder / name).resolve().is_relative_to(
            folder.resolve()
        )
    if outside:
        fail(path, f"file names inside {folder}", f"image {image['id']}: {name!r}")
    size = image.get("height"), image.get("width")
    whole = all(type(side) is int and side > 0 for side in size)
    if not whole or math.prod(size) > MAX_PIXELS:
        fail(
            path,
            f"a height and a width, together at most {MAX_PIXELS} pixels",
            f"image {image['id']}: {size[0]!r} x {size[1]!r}",
        )


def _check_annotation(path, annotation, images, categories):
    name = f"annotation {annotation['id']}"
    for key, known in (("image_id", images), ("category_id", categories)):
        number = annotation.get(key)
        if type(number) is not int or number not in known:
            fail(path, f"a known {key}", f"{name}: {number!r}")
    if annotation.get("iscrowd", 0) not in (0, 1):
        fail(path, "iscrowd 0 or 1", f"{name}: {annotation['iscrowd']!r}")
    if not isinstance(annotation.get("segmentation"), (list, dict)):
        received = repr(annotation.get("segmentation"))[:60]
        fail(path, "a segmentation (polygons or a code)", f"{name}: {received}")


def read_entry_image(path, entry, folder):
    """Image of an entry, of the size that the entry says."""
    file = folder / entry["file_name"]
    size = entry["height"], entry["width"]
    image = read_image(file)
    if image.shape[:2] != size:
        raise ImageError(
            file,
            f"an image of {size[1]} x {size[0]} pixels, as {path.name} says",
            f"{image.shape[1]} x {image.shape[0]}",
            "Correct its entry; mind the EXIF orientation, which is applied",
        )
    return image


def decode_mask(path, annotation, size):
    """Mask bool [H, W] of one annotation."""
    segmentation = annotation["segmentation"]
    try:
        if isinstance(segmentation, dict):
            return rle.decode_rle(segmentation, size=size)
        return polygons.from_polygons(segmentation, size)
    except ValueError as error:
        raise ImageError(
            path,
            "polygons or a run-length code",
            f"annotation {annotation['id']}: {error}",
            "Correct the annotation",
        ) from error


def fail(path, required, received):
    """Raise an ImageError about a file of annotations."""
    raise ImageError(path, required, received, "Correct the file or export it again")
