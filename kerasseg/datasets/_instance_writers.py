"""Writing of the instance formats, for `convert`. Private.

Every writer gets an empty folder, an `InstanceDataset` and the report of `convert`,
where it counts what it wrote and what is lost.
"""

import json
import pathlib

import numpy as np

from kerasseg.datasets import _id_maps
from kerasseg.datasets._mask_files import CLASSES
from kerasseg.datasets._sample_content import write_picture
from kerasseg.datasets._splits import SPLITS, usual
from kerasseg.images import ImageError, write_image, write_mask
from kerasseg.instance.masks import masks_to_boxes
from kerasseg.instance.polygons import from_polygons, to_polygons
from kerasseg.instance.rle import encode_rle


def coco(folder, content, report, polygons):
    """`instances.json` and `images/`; of splits, a file and a folder for each."""
    check_names(content, lambda x: (x.split, name_in_split(x)))
    for split, part in by_split(content).items():
        document = _coco_part(folder / (split or "images"), part, report, polygons)
        name = f"annotations/instances_{split}.json" if split else "instances.json"
        _write_json(folder / name, {**document, **_categories(content)})


def _coco_part(folder, part, report, polygons):
    """Images and annotations of a part of the images, which go into a folder."""
    images, annotations = [], []
    for annotated in part:
        (height, width), infos, masks = annotated.read()
        name = name_in_split(annotated)
        write_picture(annotated, folder / name)
        entry = {"id": len(images) + 1, "file_name": name}
        images.append({**entry, "height": height, "width": width})
        for info, mask in _not_empty(annotated, infos, masks, report):
            annotations.append(
                {
                    "id": len(annotations) + 1,
                    "image_id": len(images),
                    "category_id": info.category,
                    # COCO keeps crowds as run-length codes.
                    **_shape_of(mask, polygons and not info.crowd),
                    "iscrowd": int(info.crowd),
                }
            )
    report["objects"] += len(annotations)
    return {"images": images, "annotations": annotations}


def labels(folder, content, report):
    """`images/`, 16-bit label images in `labels/`, `classes.json` and lists."""
    check_names(content, _listed_stem)
    objects, lists = {}, {}
    for annotated in content.images:
        size, infos, masks = annotated.read()
        name = _listed_stem(annotated)
        suffix = pathlib.PurePosixPath(annotated.name).suffix
        write_picture(annotated, folder / "images" / f"{name}{suffix}")
        kept, shown = _flatten(annotated, size, infos, masks, report)
        if len(kept) > 65535:
            raise ImageError(
                annotated.file,
                "at most 65535 objects in an image, for a 16-bit label image",
                f"{len(kept)}",
                "Convert to folders, or cut the image",
            )
        write_image(folder / "labels" / f"{name}.png", shown.astype("uint16"))
        objects[name] = [
            {"id": number, "category_id": info.category, "iscrowd": int(info.crowd)}
            for number, info in enumerate(kept, 1)
        ]
        lists.setdefault(annotated.split, []).append(name)
        report["objects"] += len(kept)
    _write_json(folder / CLASSES, {**_categories(content), "objects": objects})
    for split, names in lists.items():
        if split:
            write_list(folder / f"{split}.txt", names)


def _listed_stem(annotated):
    """Name without extension; a folder that is a split's becomes a part of the name.

    `classes.json` has whole names, and readers leave the folder of a split out.
    """
    name = annotated.name
    if annotated.split and name_in_split(annotated) != name:
        name = name.replace("/", "_", 1)
    return str(pathlib.PurePosixPath(name).with_suffix(""))


def folders(folder, content, report):
    """`NAME/images/NAME.png` and `NAME/masks/00001.png`."""
    flat = check_names(
        content, lambda x: str(pathlib.PurePosixPath(x.name)).replace("/", "_")
    )
    check_names(content, lambda x: pathlib.PurePosixPath(flat[x.name]).stem)
    for annotated in content.images:
        _, infos, masks = annotated.read()
        file = pathlib.PurePosixPath(flat[annotated.name])
        place = folder / file.stem
        write_picture(annotated, place / "images" / file)
        (place / "masks").mkdir()
        for number, (info, mask) in enumerate(
            _not_empty(annotated, infos, masks, report), 1
        ):
            # 255 for the object, as in the files of the Data Science Bowl.
            write_mask(place / "masks" / f"{number:05d}.png", mask * np.uint8(255))
            report["objects"] += 1
            report["crowds"] += info.crowd
            _count(report["classes"], content.categories[info.category])
    if len(content.categories) == 1:  # nothing to be told apart
        report["classes"] = {}


WRITERS = {"coco": coco, "labels": labels, "folders": folders}


def by_split(content):
    """{split: its images}; {None: all of them} where they have none."""
    found = {}
    for annotated in content.images:
        found.setdefault(annotated.split, []).append(annotated)
    return {x: found[x] for x in dict.fromkeys([*SPLITS, *found]) if x in found}


def name_in_split(annotated):
    """Name of an image below the folder of its split, or below that of all."""
    first, slash, rest = annotated.name.partition("/")
    is_split = annotated.split is not None and usual(first) == annotated.split
    return rest if slash and is_split else annotated.name


def write_list(path, names):
    """A name in each line of a new file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{name}\n" for name in names), encoding="utf-8")


def _not_empty(annotated, infos, masks, report):
    for info, mask in zip(infos, masks):
        if mask.any():
            yield info, mask
        else:
            report["empty"].append({"image": annotated.name, "object": info.label})


def _flatten(annotated, size, infos, masks, report):
    """Objects that are visible in a label image, and the label image."""
    maps, kept = _id_maps.pack_masks(masks, size, annotated.file)
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
    # Visible objects are numbered without gaps, hidden ones become 0.
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


def check_names(content, key):
    """{image name: its key}, or an ImageError if two have the same."""
    owner = {}
    for annotated in content.images:
        first = owner.setdefault(key(annotated), annotated)
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


def _write_json(path, document):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(document, indent=1), encoding="utf-8")
