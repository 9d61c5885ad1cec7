"""Mask files of instances, and the `classes.json` beside them. Private."""

import pathlib

from kerasseg.datasets import _coco_json, _json
from kerasseg.images import ImageError, find_images, read_mask

CLASSES = "classes.json"


def find_mask_folders(root):
    """(name, image file, mask files) of NAME/images and NAME/masks; [] without any."""
    jobs = []
    for folder in sorted(path.parent for path in root.glob("*/masks")):
        if not (folder / "images").is_dir():
            continue
        found = find_images(folder / "images")
        if len(found) != 1:
            raise ImageError(
                folder / "images",
                "one image beside the masks of its objects",
                f"{len(found)}",
                "Make a folder for each image",
            )
        jobs.append((folder.name, found[0], tuple(find_images(folder / "masks"))))
    return jobs


def read_mask_of(path, size):
    """Mask file of an image of this size."""
    mask = read_mask(path)
    if mask.shape != size:
        raise ImageError(
            path,
            f"a mask of {size[1]} x {size[0]} pixels, the size of its image",
            f"{mask.shape[1]} x {mask.shape[0]}",
            "Export it again",
        )
    return mask


def read_classes(root):
    """Classes of the instance ids in label images, from `classes.json`.

    The file holds `categories` as COCO does, and `objects`: for each image name, its
    path without extension, a list of `id` (the number in the label image),
    `category_id` and, for crowds, `iscrowd`.

    Returns:
        (file, {category id: name} in the order of ids, {image name: {number: (category
        id, crowd)}}), or None without the file.

    Raises:
        ImageError: naming file, image and object.
    """
    path = pathlib.Path(root) / CLASSES
    if not path.exists():
        return None
    document = _json.load(path)
    categories = _coco_json.unique(path, document, "categories")
    for category in categories.values():
        if not isinstance(category.get("name"), str):
            _json.fail(path, "categories with names", repr(category)[:60])
    images = document.get("objects")
    if not isinstance(images, dict):
        _json.fail(path, "objects by the name of their image", repr(images)[:60])
    objects = {name: _objects(path, name, images, categories) for name in images}
    names = {number: categories[number]["name"] for number in sorted(categories)}
    return path, names, objects


def class_of(path, objects, name, number):
    """(category id, crowd) of one number of a label image."""
    found = objects.get(name, {}).get(number)
    if found is None:
        _json.fail(
            path, "a class for each object", f"image {name}: none for object {number}"
        )
    return found


def _objects(path, name, images, categories):
    found, key = {}, f"objects of image {name}"
    for number, entry in _coco_json.unique(path, {key: images[name]}, key).items():
        where = f"image {name}: object {number}"
        category, crowd = entry.get("category_id"), entry.get("iscrowd", 0)
        if type(category) is not int or category not in categories:
            _json.fail(path, "a known category_id", f"{where}: {category!r}")
        if crowd not in (0, 1):
            _json.fail(path, "iscrowd 0 or 1", f"{where}: {crowd!r}")
        found[number] = category, bool(crowd)
    return found
