"""Instances in COCO's format: a folder of images and one JSON file."""

import collections
import functools
import pathlib
import posixpath

import numpy as np

from kerasseg.datasets import _coco_files, _coco_json, _id_maps
from kerasseg.datasets._by_rule import select_by_hash
from kerasseg.datasets._coco_notes import is_crowd
from kerasseg.datasets._forms import reads
from kerasseg.datasets.samples import Samples
from kerasseg.images import ImageError, check_folder
from kerasseg.instance.coco_entries import key_of


def _found(root):
    files = _coco_files.candidates(root)
    return str(files[0].relative_to(root)) if files else None


@reads("COCO JSON", _found)
@_coco_json.no_garbage_collection()
def coco(
    root,
    split=None,
    *,
    annotations=None,
    images=None,
    ignore_label=255,
    val_fraction=0.2,
    boxes="skip",
    crowds=True,
):
    """Objects with polygons or run-length codes, as COCO and most tools write them.

    The file is checked before anything uses it: ids, sizes, cross-references, names of
    images inside their folder. Polygons and codes are checked when their image is read.
    Ids are whole numbers or strings; those of annotations may begin anew in each image.
    `iscrowd`, `area` and `bbox` may be missing, and lists may be objects. A category
    that no annotation has and that others name as their supercategory is no class.
    Annotations without a segmentation or of images that are not listed, and instances
    without a pixel in the image, are left out; `Samples.notes` and `check` count them.

    Args:
        root: folder with the annotation file and the images.
        split: None for all, or "train", "val", "test" where each has a file of its
            own, by its name (`instances_train2017.json`) or its folder (Roboflow's
            `train/_annotations.coco.json`). One file is divided by the hash of the
            names, see `folder`, so that each category is on both sides.
        annotations: path of the JSON file, inside the root or from here; None finds it.
        images: path of the image folder inside the root; None finds the one that holds
            the names in the file.
        ignore_label: label of crowd regions.
        val_fraction: share of the images in "val".
        boxes: what becomes of annotations that have a box but no segmentation: "skip"
            leaves them out, "fill" makes the rectangle their mask.
        crowds: False takes what the file calls crowds for single objects. Some tools
            write iscrowd=1 for every brush mask.

    Returns:
        Samples in the order of the file, of `image` uint8 [H, W, 3]; `instances` int32
        [L, H, W], maps of ids (0 none, k the k-th instance), as many as overlaps need;
        `classes` int32 [M], 1..C; `crowd` bool [M], regions of many objects; `boxes`
        float32 [M, 4], (x1, y1, x2, y2), and `areas` float32 [M] of the file, or of the
        mask where it has none, or they cannot be (boxes that overlap by less than
        half, or that are corners; areas larger than the image); `label`
        int32 [H, W] of the class ids, 0 background, the smaller instance in front;
        `left_out`, the number of instances without a pixel.
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
    if split is None and annotations is None and (sides := _coco_files.sides(root)):
        options = {"images": images, "ignore_label": ignore_label}
        options |= {"boxes": boxes, "crowds": crowds}
        parts = {side: coco(root, side, **options) for side in sides}
        return _coco_files.join_sides(root, parts)
    file, by_rule = _coco_files.find(root, split, annotations)
    folder = _coco_files.image_folder(root, file, images)
    content = _coco_json.read(file, folder, boxes)
    entries = [(folder / entry["file_name"], entry) for entry in content.images]
    if split is not None and by_rule:
        entries = _part(file, entries, content, split, val_fraction)
    if not entries:
        raise ImageError(file, "an image or more", "none", "Give another file")
    # COCO's category ids have gaps, 1..90 for 80 classes; class ids have none.
    ids = {number: position for position, number in enumerate(content.categories, 1)}
    jobs = [(entry, content.objects.get(entry["id"], [])) for _, entry in entries]
    read = functools.partial(_read, file, folder, jobs, ids, crowds)
    return Samples(
        names=_names([entry["file_name"] for _, entry in entries]),
        files=tuple((path, file) for path, _ in entries),
        read=functools.partial(_sample, read, ignore_label),
        classes=("background", *content.categories.values()),
        ignore_label=ignore_label,
        notes=tuple(
            note for note in content.notes if crowds or not note.startswith("Crowds")
        ),
    )


def _names(files):
    """Names without extension, but where two images differ in nothing else."""
    stems = [posixpath.splitext(file)[0] for file in files]
    counts = collections.Counter(stems)
    return tuple(
        stem if counts[stem] == 1 else file for stem, file in zip(stems, files)
    )


def _part(file, entries, content, split, val_fraction):
    if split not in ("train", "val"):
        raise ValueError(
            f'`split` must be None, "train" or "val". Received: {split!r}.'
        )
    triples = [(entry["file_name"], path, entry) for path, entry in entries]
    kinds = [
        {key_of(o.category_id) for o in content.objects.get(entry["id"], [])} or {None}
        for entry in content.images
    ]
    found = select_by_hash(file, split, triples, val_fraction, kinds)
    return [(path, entry) for _, path, entry in found]


def _read(file, folder, jobs, ids, crowds, index):
    """Image, id maps, the annotations in them, their classes and crowd flags."""
    entry, objects = jobs[index]
    image = _coco_json.read_entry_image(file, entry, folder)
    size = image.shape[:2]
    name = entry["file_name"]
    masks = (_coco_json.decode_mask(file, name, o, size) for o in objects)
    maps, kept = _id_maps.pack_masks(masks, size, file)
    num, objects = len(objects), [objects[position] for position in kept]
    classes = np.array([ids[key_of(o.category_id)] for o in objects], "int32")
    crowd = np.array([crowds and is_crowd(o) for o in objects], bool)
    return image, maps, objects, classes, crowd, num - len(kept)


def _sample(read, ignore_label, index):
    image, maps, objects, classes, crowd, left_out = read(index)
    sample = _id_maps.make_sample(
        image, maps, classes, crowd, ignore_label=ignore_label
    )
    boxes, areas = _id_maps.boxes_and_areas(maps, len(objects))
    for place, one in enumerate(objects):
        if one.area is not None and 0 < one.area <= maps[0].size:
            areas[place] = one.area
        if one.box is not None:
            x, y, width, height = one.box
            box = np.array([x, y, x + width, y + height])
            # (x1, y1, x2, y2) or shares of the image in place of COCO's form.
            iou = _id_maps.box_iou(box, boxes[place])
            corners = np.maximum(one.box, [0, 0, x, y])  # ends are not before starts
            if iou >= 0.5 and iou >= _id_maps.box_iou(corners, boxes[place]):
                boxes[place] = box
    return {**sample, "boxes": boxes, "areas": areas, "left_out": left_out}
