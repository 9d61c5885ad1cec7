"""YOLO: a text file of polygons for each image, and data.yaml."""

import os
import pathlib
import re

from kerasseg.datasets import _annotations, _coco_json, _sniff, _yaml
from kerasseg.datasets._annotations import Annotated, Annotations, LeftOut, Shape
from kerasseg.datasets._forms import reads
from kerasseg.datasets._splits import SPLITS, read_lines, usual
from kerasseg.images import ImageError, check_folder, find_images

YAML = ("data.yaml", "data.yml", "dataset.yaml", "dataset.yml")
LISTS = ("classes.txt", "obj.names", "names.txt")  # Label Studio's, Darknet's
MAX_CLASSES = 100_000
MAX_PATH = 4096  # characters, as of Linux
MAX_PLACES = 1000  # folders or lists of a split
MAX_BYTES = 2**26  # of the text file of one image


def _found(root):
    lines = _sniff.yolo_lines(root)
    file = _yaml_file(root)
    if not lines["polygons"]:
        return None
    return (f"{file.name} and " if file else "") + "text files of polygons"


@reads("YOLO polygons", _found)
def yolo(root, split=None, *, ignore_label=255, val_fraction=0.2, boxes="skip"):
    """Polygons in a text file for each image, as YOLO's segmentation models take them.

    A line is a class and x y of each point as shares of width and height. Text files
    lie in `labels/` where their images lie in `images/`, before or behind the names of
    splits (`images/train`, `train/images`: Roboflow), or beside the images. An image
    without a text file has no objects. Names and splits come from `data.yaml`, which is
    read as data: `names`, `path`, `train`, `val` and `test`, that may be folders or
    lists of files; names else from `classes.txt` or `obj.names`, a line each.

    Args:
        root: folder of the data set.
        split: None for all, or "train", "val", "test"; by rule as in `folder` where
            neither data.yaml nor folders give any.
        ignore_label: id of ignored pixels.
        val_fraction: share of the images in "val" where there are no splits.
        boxes: what becomes of lines of a class and four numbers: "skip" leaves them
            out, "fill" makes the rectangle a mask.

    Returns:
        Samples as those of `coco`.

    Raises:
        ImageError: naming file and line, if something is wrong.
        ValueError: if there is no such split or value of `boxes`.

    Reference: https://docs.ultralytics.com/datasets/segment

    Example:
        >>> import tempfile
        >>> import numpy as np
        >>> from kerasseg.images import write_image
        >>> root = pathlib.Path(tempfile.mkdtemp())
        >>> write_image(root / "images/a.png", np.zeros([4, 4, 3], "uint8"))
        >>> (root / "labels").mkdir()
        >>> _ = (root / "labels/a.txt").write_text("0 0 0 .5 0 .5 .5 0 .5")
        >>> _ = (root / "data.yaml").write_text("names: [cell]")
        >>> samples = yolo(root)
        >>> samples.classes, int(samples[0]["label"].sum())
        (('background', 'cell'), 4)
    """
    root = pathlib.Path(root)
    check_folder(root)
    _coco_json.check_boxes(boxes)
    return _annotations.make_samples(
        root,
        split,
        _read_all(root, boxes),
        ignore_label=ignore_label,
        val_fraction=val_fraction,
    )


def _yaml_file(root):
    named = (root / name for name in YAML)
    found = [path for path in named if path.is_file()]
    found += sorted({*root.glob("*.yaml"), *root.glob("*.yml")} - {*found})
    if not found:  # in a folder that is wrapped around all
        found = [path for name in YAML for path in sorted(root.glob(f"*/{name}"))]
    return found[0] if found else None


def _read_all(root, boxes):
    file = yaml = _yaml_file(root)
    described = _yaml.read(yaml) if yaml else {}
    names = _names(yaml, described)
    if not names:
        file, names = _listed_names(root)
    left_out, jobs, most = LeftOut(), [], -1
    images = _images(root, yaml, described, left_out)
    if not images:
        raise ImageError(
            root, "images", "none", "Give the folder of data.yaml, with its images"
        )
    for image, split in images.items():
        source = _label_file(image)
        shapes = []
        if source.is_file():
            for class_id, shape in _lines(source, boxes, left_out):
                if names and class_id >= len(names):
                    raise ImageError(
                        source,
                        f"classes 0..{len(names) - 1}, those of {file.name}",
                        f"{shape.where}: {class_id}",
                        "Correct the line, or add the name",
                    )
                most = max(most, class_id)
                label = names[class_id] if names else f"class {class_id}"
                shapes.append(shape._replace(label=label))
        jobs.append((image, source, shapes, split))
    for path in _lonely({source for _, source, *_ in jobs}):
        left_out.add("text files without an image", path.name)
    classes = names or tuple(f"class {number}" for number in range(most + 1))
    # Lines count in shares: their size is known only when the image is read.
    annotated = [
        Annotated(image, source, shapes, None, split)
        for image, source, shapes, split in jobs
    ]
    return Annotations(annotated, classes, left_out.notes())


def _lonely(sources):
    """Text files of objects in the folders of these, that are of no image."""
    for folder in sorted({source.parent for source in sources}):
        for path in sorted(folder.glob("*.txt")) if folder.is_dir() else ():
            line = _sniff.ends_of(path, 4096).partition("\n")[0].strip()
            lines = _sniff.POLYGON_LINE, _sniff.BOX_LINE
            if path not in sources and any(one.fullmatch(line) for one in lines):
                yield path


def _names(file, described):
    """Class names in the order of their ids; () without any."""
    given = described.get("names", ())
    if isinstance(given, dict):
        keys = [int(key) if re.fullmatch(r"\d{1,6}", key) else -1 for key in given]
        if sorted(keys) != list(range(len(keys))):
            raise ImageError(
                file,
                "names with the numbers 0, 1, 2, ...",
                f"{', '.join(map(str, given))}"[:80],
                "Number the classes without gaps",
            )
        given = [name for _, name in sorted(zip(keys, given.values()))]
    if isinstance(given, str):
        given = [given] if given else []
    names = tuple(str(name) for name in given)
    if len({*names}) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise ImageError(file, "different names", f"{twice!r} twice", "Rename one")
    return names


def _listed_names(root):
    """File and class names of a list that tools write in place of data.yaml."""
    for folder in ("", "labels/"):
        for name in LISTS:
            path = root / f"{folder}{name}"
            if path.is_file():
                return path, _names(path, {"names": list(read_lines(path))})
    return None, ()


def _images(root, file, described, left_out):
    """{image file: split} in the order of splits."""
    found, missing = {}, []
    for key in ("train", "val", "valid", "test"):
        given = described.get(key) or ()
        places = [given] if isinstance(given, str) else list(given)
        if len(places) > MAX_PLACES:
            raise ImageError(
                file, f"at most {MAX_PLACES} of {key}", f"{len(places)}", "Unite them"
            )
        for place in places:
            images = _images_at(root, file, described.get("path") or "", place)
            if images is None:
                missing.append((key, place))
            for image in images or ():
                found.setdefault(image, usual(key))
    # Roboflow names a test folder where there is none.
    for key, place in missing:
        if key != "test" or not found:
            raise ImageError(
                file,
                "folders of images that are there",
                f"{place!r}, neither beside the file, nor in {root}, nor here",
                "Correct `path`, `train` and `val`",
            )
        left_out.add(f"folder of {key} that is not there", file.name)
    if found:
        return found
    for image in _sniff.images_of(root):
        words = [usual(part) for part in image.relative_to(root).parts[:-1]]
        found[image] = next((word for word in words if word in SPLITS), None)
    if len({*found.values()} - {None}) < 2:  # one folder called "train" is no split
        return dict.fromkeys(found)
    return found


def _images_at(root, file, base, place):
    """Images of a folder or of a list of files; None if it is nowhere."""
    text = str(place).replace("\\", "/")
    if len(text) > MAX_PATH or len(base) > MAX_PATH:
        return None
    tried = [file.parent / base / text, file.parent / text, root / text]
    tried += [pathlib.Path(base) / text, pathlib.Path(text)]
    tried += _ends(root, text)
    for path in tried:
        if os.path.isdir(path):  # a name that is no name, too, is no folder
            inside = path / "images"  # as Roboflow's, with masks beside
            is_above = inside.is_dir() and not find_images(path)
            return _sniff.images_of(inside if is_above else path)
        if path.suffix == ".txt" and os.path.isfile(path):
            return _listed(root, path)
    return None


def _listed(root, path):
    images = []
    for number, line in enumerate(_annotations.read_text(path).splitlines(), 1):
        text = line.strip().replace("\\", "/")
        if not text:
            continue
        tried = _ends(root, text) if len(text) <= MAX_PATH else ()
        found = next((image for image in tried if os.path.isfile(image)), None)
        if found is None:
            raise ImageError(
                path, "images that are there", f"line {number}: {text}", "Correct it"
            )
        images.append(found)
    return images


def _ends(root, text):
    """Where a path of another machine may lie in a folder: its longest ends first."""
    parts = [part for part in text.split("/") if part not in ("", ".", "..")]
    return [root.joinpath(*parts[start:]) for start in range(len(parts))]


def _label_file(image):
    """Text file of an image: the last `images` of its path becomes `labels`."""
    parts = list(image.parts)
    for place in reversed(range(len(parts) - 1)):
        if parts[place].lower() in ("images", "image", "imgs"):
            swapped = [*parts[:place], "labels", *parts[place + 1 :]]
            path = pathlib.Path(*swapped).with_suffix(".txt")
            if path.is_file() or path.parent.is_dir():
                return path
    return image.with_suffix(".txt")


def _lines(path, boxes, left_out):
    """(class id, `Shape` without label) of each line."""
    lines = _annotations.read_text(path, MAX_BYTES).splitlines()
    for number, line in enumerate(lines, 1):
        words = line.split()
        if not words:
            continue
        where = f"line {number}"
        whole = re.fullmatch(r"(\d{1,9})(?:\.0*)?", words[0])
        if not whole or int(whole[1]) >= MAX_CLASSES:
            raise ImageError(
                path,
                "a class number first",
                f"{where}: {words[0][:40]!r}",
                "Correct it",
            )
        numbers = _annotations.finite(path, where, words[1:])
        if len(numbers) in (4, 5):  # the fifth is a score
            if boxes == "skip":
                left_out.add(
                    "boxes without an outline (boxes=fill takes them)", path.name
                )
                continue
            x, y, width, height = numbers[:4]
            numbers = _annotations.rectangle(
                x - width / 2, y - height / 2, width, height
            )
        elif len(numbers) < 6 or len(numbers) % 2:
            raise ImageError(
                path,
                "a class and x y of three points or more",
                f"{where}: {len(numbers)} numbers",
                "Correct the line",
            )
        if max(map(abs, numbers)) > 2:
            raise ImageError(
                path,
                "coordinates as shares of the image, 0..1",
                f"{where}: {max(numbers, key=abs):g}",
                "Divide x by the width and y by the height",
            )
        yield int(whole[1]), Shape("", where, mask=_Shares(tuple(numbers)))


class _Shares:
    """Mask of a polygon in shares of the image."""

    def __init__(self, numbers):
        self.numbers = numbers

    def __call__(self, size):
        scales = (size[1], size[0])
        ring = [x * scales[i % 2] for i, x in enumerate(self.numbers)]
        return _annotations.from_polygons([ring], size)
