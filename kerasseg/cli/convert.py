"""The command `kerasseg convert SOURCE --to FORMAT --out OUT`."""

import dataclasses
import os

from kerasseg.cli import errors

FORMATS = ("coco", "labels", "folders")
CLASS_MAPS = ("voc", "masks", "tfrecord")  # numbers in masks are then classes
NAMED = 20  # of what was left out or lost, of each kind
WITHOUT_SPLITS = ("folders",)
TARGETS = (*FORMATS, "yolo", "voc", "masks", "tfrecord")


def add_arguments(command):
    """Give the parser of `kerasseg convert` its arguments."""
    command.add_argument(
        "source", help="COCO JSON file, or a folder in any form that is read"
    )
    command.add_argument(
        "--to",
        required=True,
        choices=TARGETS,
        help="coco (JSON), labels (16-bit images of objects), folders (one file per "
        "object), yolo (polygons), voc, masks (images of class ids), tfrecord (shards)",
    )
    command.add_argument("--out", required=True, help="new folder")
    command.add_argument(
        "--from",
        dest="source_format",
        metavar="NAME",
        help="form of SOURCE: coco, labels, folders, or a data set of `kerasseg list` "
        "(default: told from its files)",
    )
    command.add_argument(
        "--split",
        help="the only part to convert, such as train; or all, as one without parts "
        "(default: all, each split by itself)",
    )
    command.add_argument(
        "--images", help="image folder beside a COCO file (default: found)"
    )
    command.add_argument(
        "--name", default="object", help="name of the class, where SOURCE has none"
    )
    command.add_argument(
        "--polygons",
        action="store_true",
        help="coco: polygons where they are exact, instead of run-length codes",
    )
    command.add_argument(
        "--boxes",
        choices=("skip", "fill"),
        default="skip",
        help="coco: annotations with a box but no outline: leave out, or as rectangles",
    )
    command.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="data.KEY=VALUE",
        help="an argument of the data set, such as 'data.values={0: 0, 255: 1}'",
    )


def run(arguments):
    """Convert a data set to COCO JSON, YOLO, Pascal VOC, label images or folders."""
    from kerasseg import datasets

    source, source_format, told = _source(arguments)
    if told and not arguments.json:
        print(f"Data: {told}")
    report = datasets.convert(
        source,
        arguments.out,
        to=arguments.to,
        source_format=source_format,
        images=arguments.images,
        name=arguments.name,
        polygons=arguments.polygons,
        boxes=arguments.boxes,
    )
    if not arguments.json:
        for line in _lines(report):
            print(errors.told(arguments, line))
    return report


def _source(arguments):
    """Path and format, or Samples and None; and what is told about them."""
    from kerasseg import datasets
    from kerasseg.datasets.convert import with_sides_of
    from kerasseg.datasets.whole import as_one
    from kerasseg.names import look_up

    path, name, told = arguments.source, arguments.source_format, None
    split = arguments.split
    # What is not there is called a file or a folder where it is read.
    is_file = os.path.isfile(path) or not os.path.exists(path)
    if is_file or (name in FORMATS and name != "coco"):
        if arguments.set:
            raise ValueError("--set is for folders of a data set, see `kerasseg list`.")
        return path, name, None
    if name == "coco" and not split and _is_converted(path):
        return path, name, None
    if name is None:
        form = datasets.find_format(path)
        name = form.name
        told = f"{form.title} ({form.evidence})"
        written = name == "coco" and _is_converted(path)
        if not (split or arguments.set) and (name == "mask_folders" or written):
            return path, None, None
        class_maps = arguments.to in CLASS_MAPS or split or arguments.set
        if name == "folder" and not class_maps and not _has_named_classes(path):
            way = "numbers in masks are objects; --from folder takes them as classes"
            return path, None, f"{told}, {way}"
        told += f", --from {name}"
    read = look_up(name, datasets.DATASETS, "data set")
    options = {"boxes": arguments.boxes} if name == "coco" else {}
    options |= _given(arguments.set, name, read)
    value_range = options.pop("value_range", None)
    if value_range is not None and arguments.to != "tfrecord":
        raise ValueError(
            "data.value_range is kept by --to tfrecord alone. Other forms hold the "
            "numbers as they are: give it to `kerasseg train` instead."
        )
    if split not in (None, "all"):
        samples = read(path, split, **options)
        if arguments.to == "tfrecord":
            samples = dataclasses.replace(samples, splits=(split,) * len(samples))
    else:
        samples = datasets.whole(read, path, **options)
        if split == "all":
            samples = as_one(samples)
        elif arguments.to == "tfrecord":
            samples = with_sides_of(samples, read, path, options)
    return samples.with_range(value_range or samples.value_range), None, told


def _given(assignments, name, read):
    """Arguments of a data set from "data.KEY=VALUE", read as those of a recipe."""
    from kerasseg import recipes
    from kerasseg.names import parameters

    keys = [
        text.partition("=")[0].strip().removeprefix("data.") for text in assignments
    ]
    known = sorted({*parameters(read), "value_range"} - {"root", "split", "boxes"})
    for key in keys:
        if key == "dataset":
            raise ValueError("The data set is named by --from NAME, not by --set.")
        if key not in known:
            known = ", ".join(f"data.{one}" for one in known)
            raise ValueError(f"--set of {name!r} takes {known}. Received: {key!r}.")
    recipe = recipes.read_data(recipes.FOLDER, [f"data.dataset={name}", *assignments])
    return {key: recipe["data"][key] for key in keys}


def _has_named_classes(path):
    """Whether a folder of masks says what its numbers mean, as objects never do."""
    from kerasseg import datasets

    try:
        return datasets.folder(path).classes[0] != "class 0"
    except ValueError:  # such as masks that number objects
        return False


def _is_converted(path):
    """Whether a folder holds COCO's JSON where this command writes it."""
    return os.path.isfile(os.path.join(path, "instances.json"))


def _lines(report):
    splits = ", ".join(f"{name} {num}" for name, num in report["splits"].items())
    is_kept = report["format"] not in WITHOUT_SPLITS
    yield (
        f"Wrote {report['images']} images{f' ({splits})' * bool(splits and is_kept)} "
        f"with {report['objects']} objects to {report['out']}/."
    )
    if "shards" in report:
        yield f"{report['shards']} shards and their index, {report['bytes']:,} bytes."
    for key, words in (
        ("empty", "has no pixel"),
        ("boxes", "has a box but no outline; --boxes fill makes it a rectangle"),
        ("copies", "stands in the file twice"),
        ("strays", "is of no listed image"),
    ):
        yield from _first(
            f"left out: {one['image']}: {one['object']} {words}"
            for one in report.get(key, ())
        )
    yield from (f"note: {note}" for note in report["notes"])
    yield from _first(
        f"lost: {one['image']}: {one['object']}: {one['pixels']} of {one['area']} "
        "pixels lie under other objects"
        for one in report.get("covered", ())
    )
    if splits and not is_kept:
        yield f"lost: the splits ({splits})"
    if report.get("ignored"):
        yield f"lost: that {report['ignored']} pixels are ignored"
    if report.get("parts"):
        yield f"lost: that {report['parts']} polygons are parts of another's object"
    if report.get("classes"):
        counts = ", ".join(f"{name} {num}" for name, num in report["classes"].items())
        yield f"lost: the classes of objects ({counts})"
    if report.get("crowds"):
        yield f"lost: that {report['crowds']} objects are crowds"


def _first(lines):
    lines = list(lines)
    yield from lines[:NAMED]
    if len(lines) > NAMED:
        yield f"... and {len(lines) - NAMED} more of that kind, see --json"
