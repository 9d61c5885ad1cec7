"""Image files in, pictures, masks and JSON out."""

import functools
import os
import pathlib

import numpy as np

from kerasseg import files as atomic
from kerasseg import images, names, viz
from kerasseg.instance.instances import annotate
from kerasseg.predict import forward, tables
from kerasseg.predict.jobs import plan, run
from kerasseg.predict.objects import instances
from kerasseg.predict.options import (
    ClassMapOptions,
    InstanceOptions,
    arguments,
    as_options,
    check_bands,
    percentiles_given,
    range_given,
)
from kerasseg.predict.pixels import (
    class_ids,
    most_probable,
    probabilities,
    without_small,
)


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
            Folders in folders are searched, and masks beside images skipped, see
            `images.find_pictures`.
        out: folder; gets overlays/NAME.png (.jpg for JPEG images), masks/NAME.png
            (grey, its numbers are the class ids, of 16 bits from 256 ids on, so that
            `cv2.imread(path, cv2.IMREAD_UNCHANGED)` gives them), polygons/NAME.json,
            cutouts/NAME.png (all but class 0, as opaque as it is probable),
            objects.csv and images.csv (see `predict.tables`; objects are connected
            regions of a class above 0), and manifest.json and .csv, which say what was
            made of each file. NAME is its path in the folder without extension.
        class_names: names by class id, for the legend and the polygons.
        palette: uint8 [K, 3], colours of the overlays; None for `viz.palette`.
        save: "overlay", "mask", "polygons" and "cutout", or some of them.
        options: `ClassMapOptions`, or a dict of them.
        on_image: function of a dict, called after each file: "index" (from 1), "num",
            "path", "files", "seconds", "error" (None or a message).

    Returns:
        {"images": [the dicts above that went well], "failed": [the others]}, and
        "skipped", paths of masks, if there were any. A bad file does not stop the
        others, whatever goes wrong with it.

    Raises:
        ValueError: if `save` or `options` hold unknown names, names or colours are
            missing, there is no image, or an input file would be overwritten.
    """
    options = as_options(ClassMapOptions, options)
    _check_rows(model, class_names=class_names, palette=palette)

    read = reader_for(model, options)

    def predict_file(path, targets):
        image = read(path)
        shown = viz.select_bands(image, options.picture_bands)
        if "cutout" in targets:
            shares = probabilities(model, image, **arguments(options, "min_area_px"))
            label = without_small(most_probable(shares)[0], options.min_area_px)
            write_cut_out(targets["cutout"], shown, opacity(shares))
        else:
            label = class_ids(model, image, **arguments(options))
        _write_class_map(targets, shown, label, class_names, palette)
        return tables.of_class_map(label, class_names, forward.num_classes(model))

    return run(plan(inputs, out, kinds(save, options)), predict_file, on_image)


def kinds(save, options):
    """`save`, and "cutout" where the options ask for it."""
    return (*save, *["cutout"] * (options.cut_outs and "cutout" not in save))


def opacity(shares):
    """Probability [H, W] of all but class 0, of probabilities [H, W, K]."""
    return shares[..., 0] if shares.shape[2] == 1 else 1 - shares[..., 0]


def cut_out(image, alpha):
    """An object without its background, and without its light at soft edges, RGBA."""
    alpha = np.clip(alpha, 0, 1)  # a rounding error may lie outside
    return viz.cut_out(viz.foreground(image, alpha), alpha)


def write_cut_out(path, image, alpha):
    """Write what `cut_out` makes."""
    images.write_image(path, cut_out(image, alpha))


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
            (16-bit label maps: object i of the image is i, the best in front),
            cutouts/NAME.png (all objects together) and instances.json, whose file names
            are relative to the images' folder; and tables and manifests as in `folder`.
        class_names: C names, no background.
        palette: uint8 [C, 3]; None gives each object a colour of its own.
        save: "overlay", "mask" and "cutout", or some of them, beside instances.json.
        options: `InstanceOptions`, or a dict of them.

    Returns:
        As `folder`, and "annotations": path of instances.json. It has the form of a
        COCO annotation file, with scores, masks as run-length codes, and category 1
        for class 0, so that `datasets.coco` reads it.

    Raises:
        ValueError: as in `folder`.
    """
    options = as_options(InstanceOptions, options)
    read = reader_for(model, options)
    found = functools.partial(instances, model, **arguments(options))
    find = functools.partial(_find, read, found, options.picture_bands)
    look = {"class_names": class_names, "palette": palette}
    look["save"] = kinds(save, options)
    return write_objects(find, inputs, out, **look, on_image=on_image)


def _find(read, find, bands, path):
    """Bands to show of the image of a file, and the objects in it."""
    image = read(path)
    return viz.select_bands(image, bands), find(image)


def write_objects(
    find, inputs, out, *, class_names, palette, save=("overlay", "mask"), on_image=None
):
    """Write pictures, label maps and one COCO file of the objects in image files.

    Args:
        find: function from the path of a file to the image to show and `Instances`.
        inputs, out, class_names, palette, save, on_image: as in `folder_of_instances`.
    """
    names.check_options(save, ("overlay", "mask", "cutout"), "`save`")
    jobs = plan(inputs, out, save)
    # COCO's file_name: relative to what all inputs share, so that results can move with
    # them.
    root = os.path.commonpath([path.absolute().parent for path, _ in jobs.jobs])
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
        if "cutout" in targets:
            write_cut_out(targets["cutout"], image, found.masks.any(0))
        name = path.absolute().relative_to(root).as_posix()
        annotate(content, found, file_name=name)
        return tables.of_instances(found, class_names)

    result = run(jobs, predict_file, on_image)
    numbers = {one["category_id"] for one in content["annotations"]}
    num = max(numbers, default=0) if class_names is None else len(class_names)
    content["categories"] = [
        {"id": i + 1, "name": str(class_names[i] if class_names else f"class {i}")}
        for i in range(num)
    ]
    path = pathlib.Path(out) / "instances.json"
    atomic.write_json(path, content)
    return {**result, "annotations": str(path)}


def _check_rows(model, **tables):
    """Refuse names or colours that are fewer than the model's classes."""
    num = forward.num_classes(model)
    for name, rows in tables.items():
        # More rows than classes are no fault: a table may be shared by several models.
        if rows is not None and num is not None and len(rows) < num:
            raise ValueError(
                f"`{name}` must have {num} entries, one per class. "
                f"Received: {len(rows)}."
            )


def reader_for(model, options=None):
    """Function that reads an image file with the channels that a model takes.

    All files of one reader have one range: that of the options, or of the first file
    that tells, see `images.values`. They come as uint8, or float32 in 0..255. Where the
    options give `percentiles`, files of other dtypes come between their own.

    Raises:
        ValueError: if the options show bands in pictures that the images do not have.
    """
    channels, one = (
        forward.input_shape(model)[-1],
        images.DataRange(range_given(options)),
    )
    check_bands(options, channels)
    percentiles = percentiles_given(options)

    def read(path):
        image = images.read_image(path, channels=channels)
        if percentiles is not None and image.dtype != "uint8":
            return images.values.between_percentiles(image, percentiles)
        return one.scale(image)

    return read


def _write_class_map(targets, image, label, class_names, palette):
    if "mask" in targets:
        images.write_mask(targets["mask"], label)
    # In predictions 255 is a class like any other.
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
    atomic.write_json(path, content)
