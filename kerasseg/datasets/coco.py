"""Instances in COCO's format: a folder of images and one JSON file."""

import functools
import pathlib

import numpy as np

from kerasseg.datasets import _coco_json, _id_maps
from kerasseg.datasets._splits import select_by_hash
from kerasseg.datasets.samples import Samples
from kerasseg.images import ImageError, check_folder


def coco(
    root,
    split=None,
    *,
    annotations="instances.json",
    images="images",
    ignore_label=255,
    val_fraction=0.2,
):
    """Objects with polygons or run-length codes, as COCO and most tools write them.

    The file is checked before anything uses it: ids, sizes, cross-references, names of
    images inside their folder. Polygons and codes are checked when their image is read.
    Boxes and areas in the file are not used; they follow from the masks. Instances
    without a pixel in the image are left out.

    Args:
        root: folder with the annotation file and the images.
        split: None for all; "train" and "val" divide by the hash of the names, see
            `folder`. Official splits have a file each: give it as `annotations`.
        annotations: path of the JSON file inside the root.
        images: path of the image folder inside the root.
        ignore_label: label of crowd regions.
        val_fraction: share of the images in "val".

    Returns:
        Samples in the order of the file, of `image` uint8 [H, W, 3]; `instances` int32
        [L, H, W], maps of ids (0 none, k the k-th instance), as many as overlaps need;
        `classes` int32 [M], 1..C; `crowd` bool [M], regions of many objects; `label`
        int32 [H, W] of the class ids, 0 background, the smaller instance in front.
        `Samples.classes` is "background" and the categories in the order of their ids.

    Raises:
        ImageError: naming file and image or annotation, if something is wrong.
        ValueError: if there is no such split.

    Reference: https://cocodataset.org/#format-data

    Example:
        >>> import json, tempfile
        >>> from kerasseg.images import write_image
        >>> root = tempfile.mkdtemp()
        >>> write_image(f"{root}/images/a.png", np.zeros([4, 4, 3], "uint8"))
        >>> outline = {"segmentation": [[0, 0, 2, 0, 2, 2, 0, 2]], "iscrowd": 0}
        >>> entries = {
        ...     "images": [{"id": 1, "file_name": "a.png", "height": 4, "width": 4}],
        ...     "categories": [{"id": 7, "name": "cell"}],
        ...     "annotations": [{"id": 1, "image_id": 1, "category_id": 7, **outline}],
        ... }
        >>> _ = pathlib.Path(root, "instances.json").write_text(json.dumps(entries))
        >>> sample = coco(root)[0]
        >>> sample["classes"].tolist(), sample["label"].sum()
        ([1], np.int64(4))
    """
    root = pathlib.Path(root)
    check_folder(root)
    folder = root / images
    check_folder(folder)
    file = root / annotations
    entries, objects, categories = _coco_json.read(file, folder)
    if split is not None:
        entries = _part(file, entries, split, val_fraction)
    if not entries:
        raise ImageError(file, "an image or more", "none", "Give another file")
    # COCO's category ids have gaps, 1..90 for 80 classes; class ids have none.
    ids = {number: position for position, number in enumerate(categories, 1)}
    jobs = [(entry, objects.get(entry["id"], [])) for entry in entries]
    return Samples(
        names=tuple(
            pathlib.PurePosixPath(entry["file_name"]).with_suffix("").as_posix()
            for entry in entries
        ),
        read=functools.partial(_read, file, folder, jobs, ids, ignore_label),
        classes=("background", *categories.values()),
        ignore_label=ignore_label,
    )


def _part(file, entries, split, val_fraction):
    if split not in ("train", "val"):
        raise ValueError(
            f'`split` must be None, "train" or "val". Received: {split!r}.'
        )
    triples = [(entry["file_name"], entry, None) for entry in entries]
    return [entry for _, entry, _ in select_by_hash(file, split, triples, val_fraction)]


def _read(file, folder, jobs, ids, ignore_label, index):
    entry, objects = jobs[index]
    image = _coco_json.read_entry_image(file, entry, folder)
    size = image.shape[:2]
    masks = (_coco_json.decode_mask(file, o, size) for o in objects)
    maps, kept = _id_maps.pack_masks(masks, size)
    objects = [objects[position] for position in kept]
    classes = np.array([ids[o["category_id"]] for o in objects], "int32")
    crowd = np.array([o.get("iscrowd", 0) for o in objects], bool)
    return _id_maps.make_sample(image, maps, classes, crowd, ignore_label=ignore_label)
