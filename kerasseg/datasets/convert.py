"""Conversion of instances from one file format to another."""

import contextlib
import json
import os
import pathlib
import shutil
import tempfile

import numpy as np

from kerasseg.datasets import _id_maps, _instance_files
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
    - "folders": `NAME/images/NAME.png` and `NAME/masks/00001.png`, one file per
      object. Holds overlaps, but neither classes nor crowds.

    Image files are copied byte for byte. Images, objects, their order and the ids of
    categories are kept; images and annotations are numbered anew from 1. Objects
    without a pixel are left out. After an error nothing is written.

    Args:
        source: folder in one of the formats, or a COCO JSON file.
        out: folder to make; it must not exist, or be empty.
        to: "coco", "labels" or "folders".
        source_format: format of the source, likewise; None detects it.
        images: folder of the images, beside a COCO file.
        name: class name, where the source has none.
        polygons: write polygons instead of run-length codes, where they give back
            exactly the same pixels. "coco" only.

    Returns:
        JSON-able dict of "out", "format", the numbers of "images" and "objects" that
        were written, and the losses: "empty", objects without a pixel; "covered",
        objects that others hide in a label image ("pixels" hidden, of "area"; wholly
        hidden ones are left out); "classes", {name: number of objects} that are no
        longer told apart; "crowds", number of crowds that became plain objects.

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
    if not content.images:
        raise ImageError(source, "an image or more", "none", "Give another source")
    report = {"out": str(out), "format": to, "images": len(content.images)}
    report |= {"objects": 0, "empty": [], "covered": [], "classes": {}, "crowds": 0}
    with _new_folder(out) as folder:
        write(folder, content, report, *[polygons] * (to == "coco"))
    return report


def _coco(folder, content, report, polygons):
    images, annotations = [], []
    for annotated in content.images:
        (height, width), infos, masks = annotated.read()
        _copy(annotated.file, folder / "images" / annotated.name)
        entry = {"id": len(images) + 1, "file_name": annotated.name}
        images.append({**entry, "height": height, "width": width})
        for info, mask in _not_empty(annotated, infos, masks, report):
            annotations.append(
                {
                    "id": len(annotations) + 1,
                    "image_id": len(images),
                    "category_id": info.category,
                    **_shape_of(mask, polygons and not info.crowd),
                    "iscrowd": int(info.crowd),
                }
            )
    report["objects"] = len(annotations)
    document = {"images": images, "annotations": annotations}
    _write_json(folder / "instances.json", {**document, **_categories(content)})


def _labels(folder, content, report):
    _check_names(content, lambda name: pathlib.PurePosixPath(name).with_suffix(""))
    objects = {}
    for annotated in content.images:
        size, infos, masks = annotated.read()
        name = pathlib.PurePosixPath(annotated.name).with_suffix("")
        _copy(annotated.file, folder / "images" / annotated.name)
        kept, shown = _flatten(annotated, size, infos, masks, report)
        if len(kept) > 65535:
            raise ImageError(
                annotated.file,
                "at most 65535 objects in an image, for a 16-bit label image",
                f"{len(kept)}",
                "Convert to folders, or cut the image",
            )
        write_image(folder / "labels" / f"{name}.png", shown.astype("uint16"))
        objects[str(name)] = [
            {"id": number, "category_id": info.category, "iscrowd": int(info.crowd)}
            for number, info in enumerate(kept, 1)
        ]
        report["objects"] += len(kept)
    _write_json(folder / CLASSES, {**_categories(content), "objects": objects})


def _folders(folder, content, report):
    flat = _check_names(
        content, lambda name: str(pathlib.PurePosixPath(name)).replace("/", "_")
    )
    _check_names(content, lambda name: pathlib.PurePosixPath(flat[name]).stem)
    for annotated in content.images:
        _, infos, masks = annotated.read()
        file = pathlib.PurePosixPath(flat[annotated.name])
        place = folder / file.stem
        _copy(annotated.file, place / "images" / file)
        (place / "masks").mkdir()
        for number, (info, mask) in enumerate(
            _not_empty(annotated, infos, masks, report), 1
        ):
            write_mask(place / "masks" / f"{number:05d}.png", mask * np.uint8(255))
            report["objects"] += 1
            report["crowds"] += info.crowd
            _count(report["classes"], content.categories[info.category])
    if len(content.categories) == 1:  # nothing to be told apart
        report["classes"] = {}


WRITERS = {"coco": _coco, "labels": _labels, "folders": _folders}


def _not_empty(annotated, infos, masks, report):
    for info, mask in zip(infos, masks):
        if mask.any():
            yield info, mask
        else:
            report["empty"].append({"image": annotated.name, "object": info.label})


def _flatten(annotated, size, infos, masks, report):
    """Objects that are visible in a label image, and the label image."""
    maps, kept = _id_maps.pack_masks(masks, size)
    for place in sorted({*range(len(infos))} - {*kept}):
        label = infos[place].label
        report["empty"].append({"image": annotated.name, "object": label})
    infos = [infos[place] for place in kept]
    shown = _id_maps.frontmost(maps, [info.crowd for info in infos])
    areas, visible = (
        np.bincount(ids.ravel(), minlength=len(infos) + 1)[1:] for ids in (maps, shown)
    )
    for place in np.flatnonzero(visible < areas):
        report["covered"].append(
            {
                "image": annotated.name,
                "object": infos[place].label,
                "pixels": int(areas[place] - visible[place]),
                "area": int(areas[place]),
            }
        )
    numbers = np.concatenate([[0], np.cumsum(visible > 0) * (visible > 0)])
    return [x for x, pixels in zip(infos, visible) if pixels], numbers[shown]


def _shape_of(mask, polygons):
    """Segmentation, area and box of an annotation."""
    outlines = to_polygons(mask) if polygons else None
    # An outline is ambiguous where two parts of a mask touch at a corner.
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
    """{image name: its key}, or an ImageError if two have the same."""
    owner = {}
    for annotated in content.images:
        first = owner.setdefault(key(annotated.name), annotated)
        if first is not annotated:
            raise ImageError(
                annotated.file,
                "images that differ in more than the extension or a folder's slash",
                f"{first.name} and {annotated.name}",
                "Rename one",
            )
    return {annotated.name: name for name, annotated in owner.items()}


def _count(counts, name):
    counts[name] = counts.get(name, 0) + 1


def _copy(file, target):
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(file, target)


def _write_json(path, document):
    path.write_text(json.dumps(document, indent=1), encoding="utf-8")


@contextlib.contextmanager
def _new_folder(out):
    """Context of a temporary folder that is renamed to `out` on success."""
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
