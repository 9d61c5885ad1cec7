"""Image files in, pictures, masks and JSON out."""

import functools
import json
import os
import pathlib
import time

from kerasseg import files, images, names, viz
from kerasseg.instance.instances import annotate
from kerasseg.predict import forward
from kerasseg.predict.objects import instances
from kerasseg.predict.options import (
    ClassMapOptions,
    InstanceOptions,
    arguments,
    as_options,
)
from kerasseg.predict.pixels import class_ids

# What is written of each image, and where.
PLACES = {
    "overlay": ("overlays", None),  # PNG, or JPEG if the image is
    "mask": ("masks", ".png"),
    "polygons": ("polygons", ".json"),
}


def folder(
    model,
    inputs,
    out,
    *,
    class_names=None,
    palette=None,
    save=("overlay", "mask"),
    options=None,
    on_image=None,
):
    """Predict class maps of image files and write pictures, masks and polygons.

    Args:
        model: as in `probabilities`.
        inputs: an image file, a folder of them, or a list of files and folders.
        out: folder; gets overlays/NAME.png (.jpg for JPEG images), masks/NAME.png
            (class ids, with palette) and polygons/NAME.json.
        class_names: names by class id, for the legend and the polygons.
        palette: uint8 [K, 3]; None for `viz.palette`.
        save: "overlay", "mask" and "polygons", or some of them.
        options: `ClassMapOptions`, or a dict of them.
        on_image: function of a dict, called after each file: "index" (from 1), "num",
            "path", "files", "seconds", "error" (None or a message).

    Returns:
        {"images": [the dicts above that went well], "failed": [the others]}. A bad
        file does not stop the others.

    Raises:
        ValueError: if `save` or `options` hold unknown names, names or colours are
            missing, there is no image, or an input file would be overwritten.
    """
    options = as_options(ClassMapOptions, options)
    _check_rows(model, class_names=class_names, palette=palette)

    read = reader_for(model, options.value_range)

    def predict_file(path, targets):
        image = read(path)
        label = class_ids(model, image, **vars(options))
        _write_class_map(targets, image, label, class_names, palette)

    return run(plan(inputs, out, save), predict_file, on_image)


def folder_of_instances(
    model,
    inputs,
    out,
    *,
    class_names=None,
    palette=None,
    save=("overlay", "mask"),
    options=None,
    on_image=None,
):
    """Find objects in image files and write pictures, label maps and one COCO file.

    Args:
        model: as in `instances`.
        inputs, on_image: as in `folder`.
        out: folder; gets overlays/NAME.png (.jpg for JPEG images), masks/NAME.png
            (16-bit label maps: object i of the image is i, the best in front) and
            instances.json, whose file names are relative to the images' folder.
        class_names: C names, no background.
        palette: uint8 [C, 3]; None gives each object a colour of its own.
        save: "overlay" and "mask", or one of them, beside instances.json.
        options: `InstanceOptions`, or a dict of them.

    Returns:
        As `folder`, and "annotations": path of instances.json. It has the form of a
        COCO annotation file, with scores, masks as run-length codes, and category 1
        for class 0, so that `datasets.coco` reads it.

    Raises:
        ValueError: as in `folder`.
    """
    options = as_options(InstanceOptions, options)
    read = reader_for(model, options.value_range)
    found = functools.partial(instances, model, **arguments(options))
    find = functools.partial(_find, read, found)
    look = {"class_names": class_names, "palette": palette}
    return write_objects(find, inputs, out, **look, save=save, on_image=on_image)


def _find(read, find, path):
    """Image of a file, and the objects in it."""
    image = read(path)
    return image, find(image)


def write_objects(
    find, inputs, out, *, class_names, palette, save=("overlay", "mask"), on_image=None
):
    """Write pictures, label maps and one COCO file of the objects in image files.

    Args:
        find: function from the path of a file to its image and `Instances`.
        inputs, out, class_names, palette, save, on_image: as in `folder_of_instances`.
    """
    names.check_options(save, ("overlay", "mask"), "`save`")
    jobs = plan(inputs, out, save)
    root = os.path.commonpath([path.absolute().parent for path, _ in jobs])
    content = {"images": [], "categories": [], "annotations": []}

    def predict_file(path, targets):
        image, found = find(path)
        if "mask" in targets:
            # `write_mask` would choose 8 bits for few objects; readers want one type.
            labels = found.to_label_map().astype("uint16")
            images.write_image(targets["mask"], labels)
        if "overlay" in targets:
            look = {"class_names": class_names, "palette": palette}
            images.write_image(targets["overlay"], viz.instances(image, found, **look))
        name = path.absolute().relative_to(root).as_posix()
        annotate(content, found, file_name=name)

    result = run(jobs, predict_file, on_image)
    numbers = {one["category_id"] for one in content["annotations"]}
    num = max(numbers, default=0) if class_names is None else len(class_names)
    content["categories"] = [
        {"id": i + 1, "name": str(class_names[i] if class_names else f"class {i}")}
        for i in range(num)
    ]
    path = pathlib.Path(out) / "instances.json"
    write_json(path, content)
    return {**result, "annotations": str(path)}


def write_json(path, content):
    """Write a JSON file that appears complete or not at all."""
    text = json.dumps(content, ensure_ascii=False)
    files.replace(path, lambda part: part.write_text(text, encoding="utf-8"))


def run(jobs, predict_file, on_image=None):
    """Call `predict_file(path, targets)` for each job of `plan`; a bad file stops none.

    Returns:
        As `folder`.
    """
    result = {"images": [], "failed": []}
    for index, (path, targets) in enumerate(jobs, 1):
        start, error = time.perf_counter(), None
        try:
            predict_file(path, targets)
        except (ValueError, OSError) as problem:  # images.ImageError is a ValueError
            error = str(problem) if str(path) in str(problem) else f"{path}: {problem}"
        seconds = round(time.perf_counter() - start, 4)
        written = [] if error else [str(target) for target in targets.values()]
        event = {"index": index, "num": len(jobs), "path": str(path), "error": error}
        event |= {"files": written, "seconds": seconds}
        result["failed" if error else "images"].append(event)
        if on_image is not None:
            on_image(event)
    return result


def _check_rows(model, **tables):
    """Refuse names or colours that are fewer than the model's classes."""
    num = forward.num_classes(model)
    for name, rows in tables.items():
        if rows is not None and num is not None and len(rows) < num:
            raise ValueError(
                f"`{name}` must have {num} entries, one per class. "
                f"Received: {len(rows)}."
            )


def plan(inputs, out, save):
    """Pairs of an image file and {kind: file to write}, with a name of its own each.

    Args:
        inputs, out, save: as in `folder`.
    """
    out = pathlib.Path(out)
    names.check_options(save, PLACES, "`save`")
    paths = []
    for path in [inputs] if isinstance(inputs, (str, os.PathLike)) else inputs:
        path = pathlib.Path(path)
        paths += images.find_images(path) if path.is_dir() else [path]
    if not paths:
        raise ValueError("`inputs` must be image files or a folder. Received: none.")
    jobs, taken = [], set()
    for path in paths:
        name, copy = path.stem, 2
        while name in taken:  # a.png and a.jpg: a and a_2
            name, copy = f"{path.stem}_{copy}", copy + 1
        taken.add(name)
        picture = ".jpg" if path.suffix.lower() in (".jpg", ".jpeg") else ".png"
        targets = {
            kind: out / place / (name + (suffix or picture))
            for kind, (place, suffix) in PLACES.items()
            if kind in save
        }
        jobs.append((path, targets))
    known = {path.resolve() for path in paths}
    for path in (path for _, targets in jobs for path in targets.values()):
        if path.resolve() in known:
            raise ValueError(
                f"`out` must not hold the inputs. Received: out={str(out)!r}, which "
                f"would overwrite {path}."
            )
    return jobs


def read_for(model, path, value_range=None):
    """Image of one file as `reader_for` reads it."""
    return reader_for(model, value_range)(path)


def reader_for(model, value_range=None):
    """Function that reads an image file with the channels that a model takes.

    All files of one reader have one range: the given one, or that of the first file
    that tells, see `images.values`. They come as uint8, or float32 in 0..255.
    """
    channels, one = forward.input_shape(model)[-1], images.DataRange(value_range)

    def read(path):
        return one.scale(images.read_image(path, channels=channels))

    return read


def _write_class_map(targets, image, label, class_names, palette):
    if "mask" in targets:
        colors = palette
        if palette is None and label.max() < 256:
            colors = viz.palette(256)
        images.write_mask(targets["mask"], label, palette=colors)
    look = {"palette": palette, "ignore_label": None}
    if "overlay" in targets:
        picture = viz.overlay(image, label, class_names=class_names, **look)
        images.write_image(targets["overlay"], picture)
    if "polygons" in targets:
        _write_polygons(targets["polygons"], label, class_names)


def _write_polygons(path, label, class_names):
    regions = viz.contours(label, ignore_label=None)
    for region in regions:
        if class_names is not None:
            region["class"] = str(class_names[region["class_id"]])
    content = {"height": label.shape[0], "width": label.shape[1], "regions": regions}
    write_json(path, content)
