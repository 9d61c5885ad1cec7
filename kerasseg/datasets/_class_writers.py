"""Writing of YOLO polygons, Pascal VOC and label images of classes. Private.

Writers as in `_instance_writers`.
"""

import pathlib

import numpy as np

from kerasseg.datasets import _id_maps, voc
from kerasseg.datasets._instance_writers import (
    by_split,
    check_names,
    name_in_split,
    write_list,
)
from kerasseg.datasets._sample_content import write_picture
from kerasseg.images import ImageError, write_mask
from kerasseg.instance.polygons import to_polygons

BACKGROUND = "background"


def yolo(folder, content, report):
    """`images/`, `labels/` of polygons and data.yaml; parts of an object are lines.

    Splits are folders in both.
    """
    numbers = {key: place for place, key in enumerate(content.categories)}
    report["parts"] = 0
    check_names(content, _stem)
    for annotated in content.images:
        (height, width), infos, masks = annotated.read()
        write_picture(annotated, folder / "images" / _place(annotated))
        lines = []
        for info, mask in zip(infos, masks):
            if not mask.any():
                entry = {"image": annotated.name, "object": info.label}
                report["empty"].append(entry)
                continue
            polygons = to_polygons(mask)
            for polygon in polygons:
                shares = np.reshape(polygon, (-1, 2)) / [width, height]
                text = " ".join(f"{number:.8g}" for number in shares.ravel())
                lines.append(f"{numbers[info.category]} {text}")
            report["objects"] += 1
            report["crowds"] += info.crowd
            report["parts"] += len(polygons) - 1
        # Not `with_suffix`: names have dots, as Roboflow's "1_jpg.rf.abc".
        path = folder / "labels" / f"{_stem(annotated)}.txt"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("\n".join(lines) + "\n" * bool(lines))
    names = "".join(
        f"  {place}: {_quoted(name)}\n"
        for place, name in enumerate(content.categories.values())
    )
    places = {"train": "images", "val": "images"}
    if splits := [split for split in by_split(content) if split]:
        places = {split: f"images/{split}" for split in splits}
    listed = "".join(f"{split}: {place}\n" for split, place in places.items())
    text = f"path: .\n{listed}names:\n{names}"
    (folder / "data.yaml").write_text(text, encoding="utf-8")


def voc_masks(folder, content, report):
    """JPEGImages, SegmentationClass, SegmentationObject and labelmap.txt."""
    names = (BACKGROUND, *content.categories.values())
    colors = voc.palette(len(names))
    listed = {}
    stem_of = _flat_stems(content)
    for annotated in content.images:
        stem = stem_of[annotated.name]
        target = folder / "JPEGImages" / f"{stem}{pathlib.Path(annotated.name).suffix}"
        write_picture(annotated, target)
        label, objects = _maps(annotated, content, report)
        _check_ids(annotated, label, 254)
        _check_ids(annotated, objects, 254)
        for kind, ids in (("Class", label), ("Object", objects)):
            path = folder / f"Segmentation{kind}" / f"{stem}.png"
            write_mask(path, ids, palette=voc.palette(255))
        listed.setdefault(annotated.split, []).append(stem)
    lines = [
        f"{_plain(name)}:{r},{g},{b}::"
        for name, (r, g, b) in zip(names, colors.tolist())
    ]
    text = "# label:color_rgb:parts:actions\n" + "\n".join(lines) + "\n"
    (folder / voc.LABELMAP).write_text(text, encoding="utf-8")
    for split, stems in listed.items():
        write_list(folder / voc.LISTS / f"{split or 'default'}.txt", stems)


def masks(folder, content, report):
    """`images/`, label images of class ids in `labels/`, and classes.txt.

    Splits are folders in both.
    """
    check_names(content, _stem)
    for annotated in content.images:
        stem = _stem(annotated)
        write_picture(annotated, folder / "images" / _place(annotated))
        label, _ = _maps(annotated, content, report)
        _check_ids(annotated, np.where(label == 255, 0, label), 254)
        write_mask(folder / "labels" / f"{stem}.png", label)
    names = (BACKGROUND, *content.categories.values())
    text = "\n".join(map(_plain, names)) + "\n"
    (folder / "classes.txt").write_text(text, encoding="utf-8")


WRITERS = {"yolo": yolo, "voc": voc_masks, "masks": masks}
WITH_IGNORED = ("voc", "masks")  # forms with a number for pixels without a class


def _maps(annotated, content, report):
    """Class map in the order of categories, 255 ignored, and map of objects."""
    size, infos, found = annotated.read()
    maps, kept = _id_maps.pack_masks(found, size, annotated.file)
    infos = [infos[place] for place in kept]
    crowd = [info.crowd for info in infos]
    ids = {key: place for place, key in enumerate(content.categories, 1)}
    objects = _id_maps.frontmost(maps, crowd)
    report["objects"] += len(infos)
    if annotated.label is not None:
        label = annotated.label()
    else:
        classes = np.array([ids[info.category] for info in infos], "int32")
        label = _id_maps.class_map(maps, classes, np.array(crowd, bool))
    return label, np.where(label == 255, 0, objects)


def _check_ids(annotated, ids, most):
    if ids.max(initial=0) > most and (ids[ids != 255] > most).any():
        raise ImageError(
            annotated.file or annotated.name,
            f"at most {most} classes, and as many objects in an image of VOC",
            f"{int(ids.max())}",
            "Convert to coco",
        )


def _place(annotated):
    """Path of an image in its folder, inside that of its split."""
    return pathlib.PurePosixPath(annotated.split or "", name_in_split(annotated))


def _stem(annotated):
    return _place(annotated).with_suffix("")


def _flat_stems(content):
    """{image name: name of its files in one folder}, without its split if it can be."""
    for name_of in (name_in_split, lambda annotated: annotated.name):
        stems = {
            annotated.name: str(pathlib.PurePosixPath(name).with_suffix(""))
            for annotated in content.images
            for name in [name_of(annotated).replace("/", "_")]
        }
        if len({*stems.values()}) == len(content.images):
            break
    check_names(content, lambda annotated: stems[annotated.name])
    return stems


def _plain(name):
    """A name on one line and without the colons of labelmap.txt."""
    return " ".join(str(name).replace(":", " ").split())


def _quoted(name):
    return "'" + " ".join(str(name).split()).replace("'", "''") + "'"
