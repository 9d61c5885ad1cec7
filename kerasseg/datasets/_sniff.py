"""A first look into a folder: its files by kind, and forms of JSON files. Private."""

import collections
import os
import pathlib
import re

from kerasseg.images import EXTENSIONS

MOST_FILES = 5_000_000  # that are listed
DEPTH = 16
HEAD = 65_536  # bytes at each end of a JSON file that tell its form
SAMPLE = 8  # files of a kind that are looked at

UNREAD = {  # forms of JSON that are told but not read, and what to do
    "Supervisely's JSON": "Export it as COCO JSON or as masks",
    "CreateML's JSON": "It holds boxes; export outlines as COCO JSON, or masks",
    "Label Studio's JSON-MIN": "Export it as JSON, which holds the same in full",
}

# One way only to take a number apart: with two, a line takes time by a power of them.
_NUMBER = r"[-+]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][-+]?\d+)?"
POLYGON_LINE = re.compile(rf"\d+(?:\s+{_NUMBER}){{6,}}\s*")
BOX_LINE = re.compile(rf"\d+(?:\s+{_NUMBER}){{4,5}}\s*")


def files_of(root, *suffixes):
    """Files below a folder with one of the suffixes, sorted; hidden ones left out."""
    return sorted(_walk(root, suffixes))


def images_of(root):
    """Image files below a folder, sorted."""
    return files_of(root, *EXTENSIONS)


def _walk(root, suffixes=None):
    root, num = pathlib.Path(root), 0
    depth = len(root.parts)
    for parent, folders, names in os.walk(root):
        folders[:] = sorted(name for name in folders if name[0] != ".")
        if len(pathlib.Path(parent).parts) - depth >= DEPTH:
            folders[:] = []
        for name in sorted(names):
            if name[0] != ".":
                num += 1
                if num > MOST_FILES:
                    return
                # No path of each: of a hundred thousand images they take a second.
                if not suffixes or os.path.splitext(name)[1].lower() in suffixes:
                    yield pathlib.Path(parent, name)


def json_form(path):
    """Form of a JSON file by the keys at its two ends, such as "coco", or None."""
    text = ends_of(path)
    if '"shapes"' in text and re.search('"image(Path|Data|Height)"', text):
        return "labelme"
    if '"_via_img_metadata"' in text or '"shape_attributes"' in text:
        return "via"
    if '"regions"' in text and '"filename"' in text:
        return "via"
    tasks = re.match(r"\s*\[", text) and re.search('"(annotations|completions)"', text)
    if tasks and '"data"' in text and re.search('"(result|predictions)"', text):
        return "label_studio"
    if re.match(r"\s*\[", text) and '"annotation_id"' in text and '"annotator"' in text:
        return "Label Studio's JSON-MIN"
    if '"segments_info"' in text or '"isthing"' in text:
        return "panoptic"
    if '"images"' in text and re.search('"(annotations|categories)"', text):
        return "coco"
    if '"channel_names"' in text or '"modality"' in text:
        return "dataset.json"
    if '"classTitle"' in text:
        return "Supervisely's JSON"
    if '"annotations"' in text and '"coordinates"' in text:
        return "CreateML's JSON"
    return None


def json_files(root, form):
    """JSON files of one form; of many small ones, all if the first ones have it."""
    files = files_of(root, ".json")
    if len(files) > SAMPLE and not any(json_form(x) == form for x in files[:SAMPLE]):
        large = sorted(files, key=lambda path: -path.stat().st_size)[:SAMPLE]
        return sorted(path for path in large if json_form(path) == form)
    return [path for path in files if json_form(path) == form]


def ends_of(path, size=HEAD):
    """First and last bytes of a file as text; "" if it cannot be read."""
    try:
        with open(path, "rb") as file:
            head = file.read(size)
            length = os.fstat(file.fileno()).st_size
            if length > size:
                file.seek(max(size, length - size))
                head += b"\n" + file.read(size)
    except OSError:
        return ""
    return head.decode("utf-8-sig", "replace")


def yolo_lines(root):
    """Numbers of text files of polygons and of boxes among the first ones."""
    counts = collections.Counter()
    for path in files_of(root, ".txt"):
        lines = ends_of(path, 4096).splitlines()
        line = next((line for line in lines if line.strip()), "")
        counts["polygons"] += bool(POLYGON_LINE.fullmatch(line))
        counts["boxes"] += bool(BOX_LINE.fullmatch(line))
        if sum(counts.values()) >= SAMPLE:
            break
    return counts


def unreadable(root):
    """(what a folder looks like, fix) of forms that hold no masks or are not read."""
    files = list(_walk(root))
    by_suffix = collections.Counter("".join(p.suffixes[-2:]).lower() for p in files)
    if yolo_lines(root)["boxes"]:
        yield (
            "YOLO's text files of boxes, which have no outlines",
            "Export polygons (YOLO segmentation); boxes alone cannot be segmented",
        )
    for path in files_of(root, ".xml")[:SAMPLE]:
        if "<annotation" in (text := ends_of(path)) and "<bndbox" in text:
            yield (
                f"Pascal VOC's XML of boxes ({path.name}), which have no outlines",
                "Export the masks (SegmentationClass), polygons or COCO JSON",
            )
            break
    for path in files_of(root, ".json")[:SAMPLE]:
        form = json_form(path)
        if form in UNREAD:
            yield f"{form} ({path.name})", UNREAD[form]
            break
    for suffix, name in (
        (".nii", "NIfTI volumes"),
        (".nii.gz", "NIfTI volumes"),
        (".dcm", "DICOM files"),
        (".mha", "MetaImage volumes"),
        (".tfrecord", "TFRecord files"),
        (".mat", "MATLAB files"),
        (".zip", "zip archives"),
    ):
        num = sum(count for key, count in by_suffix.items() if key.endswith(suffix))
        if num and (suffix != ".zip" or not by_suffix.keys() & EXTENSIONS):
            fix = "Save images or slices as PNG or TIFF, and masks as PNG"
            if suffix == ".tfrecord":
                fix += (
                    "; only those with shards.json, as `kerasseg convert` writes, are"
                )
            if suffix == ".zip":
                fix = "Unpack them"
            yield f"{num} {name}, which are not read", fix
    images = sum(by_suffix[suffix] for suffix in EXTENSIONS)
    others = [p for p in files if p.suffix.lower() in (".json", ".csv", ".xml")]
    if images and others:
        listed = ", ".join(str(path.relative_to(root)) for path in others[:3])
        yield (
            f"{images} images and {listed}, in none of these forms",
            "Export as COCO JSON, or as masks",
        )


def summary(root):
    """Text about the files of a folder: "12 .jpg, 1 .csv"."""
    counts = collections.Counter(
        path.suffix.lower() or path.name for path in _walk(root)
    )
    listed = [f"{num} {suffix}" for suffix, num in counts.most_common(6)]
    return ", ".join(listed) + ", ..." * (len(counts) > 6) or "nothing in it"
