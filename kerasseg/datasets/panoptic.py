"""COCO panoptic: PNG files of segment ids, and one JSON file about the segments."""

import collections
import functools
import pathlib

import numpy as np

from kerasseg.datasets import _coco_files, _coco_json, _json, _pairs, _sniff
from kerasseg.datasets._forms import reads
from kerasseg.datasets._pairs import Pair
from kerasseg.images import ImageError, check_folder, read_image
from kerasseg.images.decode import decode
from kerasseg.instance.coco_entries import key_of


def _found(root):
    files = _sniff.json_files(root, "panoptic")
    return str(files[0].relative_to(root)) if files else None


@reads("COCO panoptic", _found)
def panoptic(root, split=None, *, annotations=None, ignore_label=255, val_fraction=0.2):
    """Every pixel in a segment: things one by one, and regions of stuff.

    The colour of a pixel is the id of its segment, red + 256 green + 65536 blue; 0 has
    no class and is ignored. Things (`isthing`) are instances, those of `iscrowd` too.
    Classes are all categories in the order of their ids, behind "background", which
    does not occur, so that the classes of instances begin at 1 ("unlabelled" where a
    category has that name).

    Args:
        root: folder of the JSON file, the images and the PNG files.
        split: None for all, or "train", "val" where each has a file of its own
            (`panoptic_train2017.json`); one file is divided by the hash of the names.
        annotations: path of the JSON file, inside the root or from here; None finds it.
        ignore_label: id of pixels without a class.
        val_fraction: share of the images in "val" of one file.

    Returns:
        Samples as those of `coco`.

    Raises:
        ImageError: naming file and annotation, if something is wrong.

    Reference: Kirillov et al., 2019, https://arxiv.org/abs/1801.00868
    """
    root = pathlib.Path(root)
    check_folder(root)
    sides = _coco_files.sides(root, "panoptic") if split is None else []
    if sides and annotations is None:
        parts = {one: panoptic(root, one, ignore_label=ignore_label) for one in sides}
        return _coco_files.join_sides(root, parts)
    file, by_rule = _coco_files.find(root, split, annotations, form="panoptic")
    document = _json.load(file, form="COCO's panoptic JSON")
    images = _coco_json.unique(file, document, "images")
    categories = _coco_json.unique(file, document, "categories")
    order = (
        sorted(categories, key=str)
        if any(isinstance(key, str) for key in categories)
        else sorted(categories)
    )
    ids = {key: class_id for class_id, key in enumerate(order, 1)}
    things = {key for key in order if categories[key].get("isthing", 1)}
    names = [str(categories[key].get("name", key)) for key in order]
    folders = _Folders(root)
    pairs, segments = [], {}
    entries = document.get("annotations") or []
    if not isinstance(entries, list) or not all(isinstance(x, dict) for x in entries):
        _json.fail(file, "a list of annotations", repr(entries)[:60])
    for entry in entries:
        image = images.get(key_of(entry.get("image_id")))
        if image is None or not isinstance(entry.get("segments_info"), list):
            _json.fail(
                file,
                "annotations of a known image with segments_info",
                f"image_id {entry.get('image_id')!r}",
            )
        name = pathlib.PurePosixPath(str(image.get("file_name")))
        if name.stem in segments:
            _json.fail(file, "one annotation for each image", f"{name.stem!r} twice")
        mask = folders.find(file, entry.get("file_name"), masks=True)
        pairs.append(Pair(name.stem, folders.find(file, str(name)), mask))
        segments[name.stem] = _segments(file, name, entry["segments_info"], ids)
    read = functools.partial(_read, segments, ids, things, ignore_label)
    return _pairs.make_samples(
        root,
        split if by_rule else None,
        pairs,
        read,
        ("unlabelled" if "background" in names else "background", *names),
        val_fraction=val_fraction,
        ignore_label=ignore_label,
    )


class _Folders:
    """Images and masks by name; the folders of masks are called panoptic..."""

    def __init__(self, root):
        self.root = root
        self.files = {True: collections.defaultdict(list)}
        self.files[False] = collections.defaultdict(list)
        for path in _sniff.images_of(root):
            above = path.relative_to(root).parent.as_posix().lower()
            # Images and maps have the same names but for their suffix, and live in
            # folders of any name: the words that COCO and its imitators use tell which
            # is which.
            is_mask = "panoptic" in above or "annotation" in above or "mask" in above
            self.files[is_mask][path.name].append(path)

    def find(self, file, name, masks=False):
        base = pathlib.PurePosixPath(str(name)).name
        found = self.files[masks].get(base) or self.files[not masks].get(base, [])
        if len(found) != 1:
            raise ImageError(
                file,
                f"one {'mask' if masks else 'image'} called {base}",
                " and ".join(map(str, found[:3])) or "none",
                "Put the masks into panoptic/ and the images into images/",
            )
        return found[0]


def _segments(file, name, infos, ids):
    """{segment id: (category, whether it is a crowd)}."""
    found = {}
    for info in infos:
        number = info.get("id") if isinstance(info, dict) else None
        category = key_of(info.get("category_id")) if number is not None else None
        if type(number) is not int or category not in ids or number in found:
            _json.fail(
                file,
                "segments with an id and a known category",
                f"{name}: {info!r}"[:90],
            )
        found[number] = category, bool(info.get("iscrowd"))
    return found


def _read(segments, ids, things, ignore_label, pair):
    image = read_image(pair.image)
    pixels, _ = decode(pair.mask)
    # 256 does not fit into the uint8 of the pixels.
    pixels = pixels.astype("int32")
    if pixels.ndim == 3:
        pixels = pixels[..., 0] + 256 * pixels[..., 1] + 65536 * pixels[..., 2]
    _pairs.check_size(pair.image, image, pair.mask, pixels)
    known = segments[pair.name]
    numbers, places = np.unique(pixels, return_inverse=True)
    unknown = sorted({*numbers.tolist()} - {*known, 0})
    if unknown:
        raise ImageError(
            pair.mask,
            "ids of segments that the JSON file describes",
            f"{', '.join(map(str, unknown[:4]))}",
            "Export both together",
        )
    label_of, map_of, classes, crowd = [], [], [], []
    for number in numbers.tolist():
        category, is_crowd = known.get(number, (None, False))
        label_of.append(ids.get(category, ignore_label))
        is_thing = category in things
        if is_thing:
            classes.append(ids[category])
            crowd.append(is_crowd)
            if is_crowd:
                label_of[-1] = ignore_label
        map_of.append(len(classes) if is_thing else 0)
    shape = pixels.shape
    return {
        "image": image,
        "label": np.array(label_of, "int32")[places].reshape(shape),
        "instances": np.array(map_of, "int32")[places].reshape(1, *shape),
        "classes": np.array(classes, "int32"),
        "crowd": np.array(crowd, bool),
    }
