"""Instances from one format of files to another."""

import contextlib
import json
import os
import pathlib
import shutil
import tempfile

import numpy as np

from kerasseg.datasets import _instance_files, _layers
from kerasseg.datasets._mask_files import CLASSES
from kerasseg.images import ImageError, write_image, write_mask
from kerasseg.instance.masks import masks_to_boxes
from kerasseg.instance.polygons import from_polygons, to_polygons
from kerasseg.instance.rle import encode_rle
from kerasseg.names import look_up


def convert(
    source,
    out,
    *,
    to,
    source_format=None,
    images="images",
    name="object",
    polygons=False,
):
    """Write a data set of instances in another format.

    - "coco": `instances.json` and `images/`. Holds everything; masks are run-length
      codes.
    - "labels": `images/`, 16-bit label images in `labels/`, and `classes.json` with the
      category of each object, see `mask_folders`. Where objects overlap the smaller one
      shows, crowds lie behind.
    - "folders": `NAME/images/NAME.png` and `NAME/masks/00001.png`, a file an object.
      Holds overlaps, but neither classes nor crowds.

    Image files are copied byte for byte. Images, objects and their order stay, and so
    do the ids of categories; images and annotations are numbered anew from 1. Objects
    without a pixel are left out. The result is complete or not there at all.

    Args:
        source: folder in one of the formats, or a COCO JSON file.
        out: folder to make; it must not exist, or be empty.
        to: "coco", "labels" or "folders".
        source_format: the same; None finds out.
        images: folder of the images, beside a COCO file.
        name: of the class, where the source has none.
        polygons: write polygons instead of run-length codes, where they give back
            exactly the same pixels. "coco" only.

    Returns:
        JSON-able dict of "out", "format", "images" and "objects" (how many were
        written), and what is lost: "empty", objects without a pixel; "covered", the
        pixels of objects that others hide in a label image ("pixels" of "area"; an
        object of which nothing shows is not there); "classes", {name: objects} that
        are no longer told apart; "crowds", how many became plain objects.

    Raises:
        ImageError: naming file and object, if something in the source is wrong, or
            `out` is not empty.
        ValueError: for an unknown format.

    Example:
        >>> convert("nuclei/instances.json", "maps", to="labels")  # doctest: +SKIP
    """
    write = look_up(to, WRITERS, "format")
    if polygons and to != "coco":
        raise ValueError(
            f"`polygons` needs to='coco'. Received: polygons={polygons}, to={to!r}."
        )
    read = source_format or _instance_files.format_of(source)
    read = look_up(read, _instance_files.FORMATS, "format")
    content = read(source, images, name)
    if not content.pictures:
        raise ImageError(source, "an image or more", "none", "Give another source")
    report = {"out": str(out), "format": to, "images": len(content.pictures)}
    report |= {"objects": 0, "empty": [], "covered": [], "classes": {}, "crowds": 0}
    with _new_folder(out) as folder:
        write(folder, content, report, *[polygons] * (to == "coco"))
    return report


def _coco(folder, content, report, polygons):
    images, annotations = [], []
    for picture in content.pictures:
        (height, width), things, masks = picture.read()
        _copy(picture.file, folder / "images" / picture.name)
        entry = {"id": len(images) + 1, "file_name": picture.name}
        images.append({**entry, "height": height, "width": width})
        for thing, mask in _not_empty(picture, things, masks, report):
            annotations.append(
                {
                    "id": len(annotations) + 1,
                    "image_id": len(images),
                    "category_id": thing.category,
                    **_shape_of(mask, polygons and not thing.crowd),
                    "iscrowd": int(thing.crowd),
                }
            )
    report["objects"] = len(annotations)
    document = {"images": images, "annotations": annotations}
    _write_json(folder / "instances.json", {**document, **_categories(content)})


def _labels(folder, content, report):
    _check_names(content, lambda name: pathlib.PurePosixPath(name).with_suffix(""))
    objects = {}
    for picture in content.pictures:
        size, things, masks = picture.read()
        name = pathlib.PurePosixPath(picture.name).with_suffix("")
        _copy(picture.file, folder / "images" / picture.name)
        kept, shown = _flatten(picture, size, things, masks, report)
        if len(kept) > 65535:
            raise ImageError(
                picture.file,
                "at most 65535 objects in an image, for a 16-bit label image",
                f"{len(kept)}",
                "Convert to folders, or cut the image",
            )
        write_image(folder / "labels" / f"{name}.png", shown.astype("uint16"))
        objects[str(name)] = [
            {"id": number, "category_id": thing.category, "iscrowd": int(thing.crowd)}
            for number, thing in enumerate(kept, 1)
        ]
        report["objects"] += len(kept)
    _write_json(folder / CLASSES, {**_categories(content), "objects": objects})


def _folders(folder, content, report):
    flat = _check_names(
        content, lambda name: str(pathlib.PurePosixPath(name)).replace("/", "_")
    )
    _check_names(content, lambda name: pathlib.PurePosixPath(flat[name]).stem)
    for picture in content.pictures:
        _, things, masks = picture.read()
        file = pathlib.PurePosixPath(flat[picture.name])
        place = folder / file.stem
        _copy(picture.file, place / "images" / file)
        (place / "masks").mkdir()
        for number, (thing, mask) in enumerate(
            _not_empty(picture, things, masks, report), 1
        ):
            write_mask(place / "masks" / f"{number:05d}.png", mask * np.uint8(255))
            report["objects"] += 1
            report["crowds"] += thing.crowd
            _count(report["classes"], content.categories[thing.category])
    if len(content.categories) == 1:  # nothing to be told apart
        report["classes"] = {}


WRITERS = {"coco": _coco, "labels": _labels, "folders": _folders}


def _not_empty(picture, things, masks, report):
    for thing, mask in zip(things, masks):
        if mask.any():
            yield thing, mask
        else:
            report["empty"].append({"image": picture.name, "object": thing.label})


def _flatten(picture, size, things, masks, report):
    """Things that show in a label image, and the label image."""
    maps, kept = _layers.pack(masks, size)
    for place in sorted({*range(len(things))} - {*kept}):
        label = things[place].label
        report["empty"].append({"image": picture.name, "object": label})
    things = [things[place] for place in kept]
    shown = _layers.front(maps, [thing.crowd for thing in things])
    areas, visible = (
        np.bincount(ids.ravel(), minlength=len(things) + 1)[1:] for ids in (maps, shown)
    )
    for place in np.flatnonzero(visible < areas):
        report["covered"].append(
            {
                "image": picture.name,
                "object": things[place].label,
                "pixels": int(areas[place] - visible[place]),
                "area": int(areas[place]),
            }
        )
    numbers = np.concatenate([[0], np.cumsum(visible > 0) * (visible > 0)])
    return [x for x, pixels in zip(things, visible) if pixels], numbers[shown]


def _shape_of(mask, polygons):
    """Segmentation, area and box of an annotation."""
    outlines = to_polygons(mask) if polygons else None
    # Points where parts touch are the one thing that an outline may say otherwise.
    if outlines is None or not np.array_equal(
        from_polygons(outlines, mask.shape), mask
    ):
        outlines = encode_rle(mask)
    x1, y1, x2, y2 = masks_to_boxes(mask[None])[0].tolist()
    return {
        "segmentation": outlines,
        "area": int(np.count_nonzero(mask)),
        "bbox": [x1, y1, x2 - x1, y2 - y1],
    }


def _categories(content):
    pairs = content.categories.items()
    return {"categories": [{"id": number, "name": name} for number, name in pairs]}


def _check_names(content, key):
    """{name of a picture: its key}, or an ImageError if two have the same."""
    owner = {}
    for picture in content.pictures:
        first = owner.setdefault(key(picture.name), picture)
        if first is not picture:
            raise ImageError(
                picture.file,
                "images that differ in more than the extension or a folder's slash",
                f"{first.name} and {picture.name}",
                "Rename one",
            )
    return {picture.name: name for name, picture in owner.items()}


def _count(counts, name):
    counts[name] = counts.get(name, 0) + 1


def _copy(file, target):
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(file, target)


def _write_json(path, document):
    path.write_text(json.dumps(document, indent=1), encoding="utf-8")


@contextlib.contextmanager
def _new_folder(out):
    """A folder to write into that becomes `out` when all went well."""
    out = pathlib.Path(out)
    if out.exists() and not (out.is_dir() and not any(out.iterdir())):
        raise ImageError(
            out,
            "a folder that does not exist yet, or is empty",
            "something that is there",
            "Give another name; nothing is overwritten",
        )
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".writing-", dir=out.parent) as temporary:
        folder = pathlib.Path(temporary, "new")
        folder.mkdir()
        yield folder
        os.rename(folder, out)  # fails if somebody has put something there
