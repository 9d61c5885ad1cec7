"""The command `kerasseg classical METHOD photo.jpg`: label maps and pictures.

Methods are the functions of `kerasseg.classical` that begin with an image or a mask;
their options are the keyword arguments, read from the signature.
"""

import argparse
import inspect
import pathlib
import sys
import time

from kerasseg.cli import errors
from kerasseg.cli.options import number_list

TYPES = {int: int, float: float, str: str, float | None: float}
# Arguments that are arrays: what the command line takes instead.
ARRAYS = {
    "mask": "mask file: superpixels only where it is not 0",
    "markers": "mask file: 0 unknown, 1, 2, ... where regions start",
    "scribbles": "mask file: 0 background, 1 foreground, 255 unknown",
    "probabilities": "grey image of the foreground's probability, black 0, white 1",
}


def methods():
    """Functions that segment an image, by name."""
    from kerasseg import classical

    found = {name: getattr(classical, name) for name in classical.__all__}
    return {
        name: function
        for name, function in found.items()
        if next(iter(inspect.signature(function).parameters)) in ("image", "mask")
    }


def add_arguments(command):
    """Give the parser of `kerasseg classical` a sub-command for each method."""
    parsers = command.add_subparsers(required=True, metavar="METHOD", dest="segmenter")
    for name, function in methods().items():
        summary = inspect.getdoc(function).splitlines()[0]
        parser = parsers.add_parser(name, help=summary, description=summary)
        parser.add_argument("images", nargs="+", help="image files or folders")
        parser.add_argument("--out", default="classical", help="output folder")
        parser.add_argument(
            "--json",
            action="store_true",
            # A default here would overwrite a --json that was given before METHOD.
            default=argparse.SUPPRESS,
            help="print the result as JSON",
        )
        parser.add_argument(
            "--value-range",
            type=number_list,
            metavar="BLACK,WHITE",
            help="numbers that are black and white; default: the darkest and the "
            "brightest of each image",
        )
        for option in list(inspect.signature(function).parameters.values())[1:]:
            _add_option(parser, option)


def _add_option(parser, option):
    flag = "--" + option.name.replace("_", "-")
    has_default = option.default is not option.empty
    default = option.default if has_default else None
    if option.name == "box":
        names = ("X1", "Y1", "X2", "Y2")
        parser.add_argument(flag, nargs=4, type=float, metavar=names)
    elif option.name in ARRAYS:
        words = ARRAYS[option.name]
        parser.add_argument(flag, required=not has_default, metavar="FILE", help=words)
    elif option.name == "seeds":
        words = "number of random points, or a mask file of markers 1, 2, ..."
        parser.add_argument(flag, default="20", metavar="N|FILE", help=words)
    elif option.annotation is bool:
        parser.add_argument(
            flag, action=argparse.BooleanOptionalAction, default=default
        )
    else:
        words = None if default is None else f"default: {default}"
        kind = TYPES[option.annotation]
        parser.add_argument(flag, type=kind, default=default, help=words)


def run(arguments):
    """Segment images without training: superpixels, region growing, foreground."""
    from kerasseg import images
    from kerasseg.images import failures

    function = methods()[arguments.segmenter]
    names = list(inspect.signature(function).parameters)[1:]
    options = {name: _value(name, getattr(arguments, name)) for name in names}
    out = pathlib.Path(arguments.out)
    report = {
        "method": arguments.segmenter,
        "out": str(out),
        "images": [],
        "failed": [],
    }
    failures.check_writable(out)
    found, skipped = _files(arguments.images, out)
    if skipped:
        report["skipped"] = [str(path) for path in skipped]
        if not arguments.json:
            print(f"Skipped {len(skipped)} masks beside the images.")
    for stem, path in found:
        event = {"path": str(path)}
        try:
            start = time.perf_counter()
            image = images.read_image(path, channels=None)
            if arguments.value_range is not None:
                image = images.scale(image, arguments.value_range)
            event |= _segment(function, (path, image), options, out / stem)
            event["seconds"] = round(time.perf_counter() - start, 3)
            report["images"].append(event)
        except Exception as error:  # OpenCV's own, or too little memory, too
            event["error"] = errors.told(arguments, failures.describe(error, path))
            report["failed"].append(event)
            print(f"kerasseg: {event['error']}", file=sys.stderr)
        if not arguments.json and "error" not in event:
            print(f"{path}: {event['regions']} regions, {event['seconds']} s")
    if not report["images"]:
        raise ValueError("None of the images could be segmented.")
    return report


def _value(name, given):
    """Argument of the function for the word that was typed."""
    import numpy as np

    from kerasseg import images

    if given is None:
        return None
    if name == "probabilities":
        pixels = images.read_image(given, channels=1)[..., 0]
        return np.asarray(images.scale(pixels), "float32") / 255
    if name == "seeds" and given.isdigit():
        return int(given)
    if name in ARRAYS or name == "seeds":
        return images.read_mask(given)
    return given


def _files(inputs, out):
    """Pairs of a name of its own for the results and an image file, and masks."""
    from kerasseg.images.listing import named_pictures

    pairs, skipped = named_pictures(inputs, out)
    if not pairs:
        raise ValueError("`images` must be image files or folders. Received: none.")
    if any(path.resolve().parent == out.resolve() for _, path in pairs):
        raise ValueError(f"`--out` must not hold the images. Received: {out}.")
    return pairs, skipped


def _segment(function, source, options, target):
    """Write TARGET.png (ids), _boundaries and _colors; returns what to report."""
    from kerasseg import images, viz

    path, image = source
    given = image
    if next(iter(inspect.signature(function).parameters)) == "mask":
        given = images.read_mask(path)
    labels = function(given, **options)
    some = function.__name__ == "region_growing" or labels.min() < 0
    ids = labels + 1 if some else labels  # -1, unreached, becomes 0 in the file
    if ids.max() > 65535:
        raise ValueError(f"{ids.max() + 1} regions do not fit a 16-bit mask file.")
    files = {
        "labels": target.with_name(target.name + ".png"),
        "boundaries": target.with_name(target.name + "_boundaries.png"),
        "colors": target.with_name(target.name + "_colors.png"),
    }
    images.write_mask(files["labels"], ids)
    images.write_image(files["boundaries"], viz.boundaries(image, labels))
    images.write_image(files["colors"], viz.mean_colors(image, labels))
    written = {kind: str(file) for kind, file in files.items()}
    has_background = function.__name__ == "split_instances"
    num = int(labels.max()) + (not has_background)
    return {"regions": num, "files": written}
