"""The command `kerasseg convert SOURCE --to FORMAT --out OUT`."""

FORMATS = ("coco", "labels", "folders")


def add_arguments(command):
    """Give the parser of `kerasseg convert` its arguments."""
    command.add_argument(
        "source", help="COCO JSON file, or a folder in one of the formats"
    )
    command.add_argument(
        "--to",
        required=True,
        choices=FORMATS,
        help="coco (JSON), labels (16-bit label images), folders (one file per object)",
    )
    command.add_argument("--out", required=True, help="new folder")
    command.add_argument(
        "--from",
        dest="source_format",
        choices=FORMATS,
        help="format of SOURCE, where it could be several",
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


def run(arguments):
    """Convert instances between COCO JSON, label images and mask folders."""
    from kerasseg import datasets

    report = datasets.convert(
        arguments.source,
        arguments.out,
        to=arguments.to,
        source_format=arguments.source_format,
        images=arguments.images,
        name=arguments.name,
        polygons=arguments.polygons,
        boxes=arguments.boxes,
    )
    if not arguments.json:
        for line in _lines(report):
            print(line)
    return report


def _lines(report):
    yield (
        f"Wrote {report['images']} images with {report['objects']} objects to "
        f"{report['out']}/."
    )
    for key, words in (
        ("empty", "has no pixel"),
        ("boxes", "has a box but no outline; --boxes fill makes it a rectangle"),
        ("copies", "stands in the file twice"),
    ):
        for one in report[key]:
            yield f"left out: {one['image']}: {one['object']} {words}"
    for note in report["notes"]:
        if not note.startswith("Left out: "):  # these were named just now
            yield f"note: {note}"
    for one in report["covered"]:
        yield (
            f"lost: {one['image']}: {one['object']}: {one['pixels']} of "
            f"{one['area']} pixels lie under other objects"
        )
    if report["classes"]:
        counts = ", ".join(f"{name} {num}" for name, num in report["classes"].items())
        yield f"lost: the classes of objects ({counts})"
    if report["crowds"]:
        yield f"lost: that {report['crowds']} objects are crowds"
