"""Tables of the colours of classes that lie beside masks. Private."""

import csv
import re

from kerasseg.datasets._splits import read_lines
from kerasseg.images import ImageError
from kerasseg.images.decode import decode

CSV = ("class_dict.csv", "class_dict_seg.csv")  # as on Kaggle; SUIM's, DeepGlobe's
TEXT = ("label_colors.txt",)  # CamVid's, and CVAT's of that form
MOST_COLORS = 4096


def find(root, masks_of):
    """Class names and {color: class id} of a table beside masks in colour, or Nones.

    Args:
        root: folder of the table.
        masks_of: function without arguments -> mask files.

    Raises:
        ImageError: if the table is malformed.
    """
    path = next((root / n for n in (*CSV, *TEXT) if (root / n).is_file()), None)
    if path is None or not _are_colored(masks_of()):
        return None, None
    rows = list(_rows_of_csv(path) if path.suffix == ".csv" else _rows_of_text(path))
    colors = {color: class_id for class_id, (_, color) in enumerate(rows)}
    names = [name for name, _ in rows]
    if not rows or len(colors) < len(rows) or len({*names}) < len(rows):
        raise ImageError(
            path,
            "names of classes and their colours, each once",
            f"{len(rows)} rows, {len({*names})} names, {len(colors)} colours",
            "Correct it, or give `colors` and `classes`",
        )
    return names, colors


def _are_colored(masks):
    for path in masks[:8]:
        try:
            pixels, _ = decode(path, as_ids=True)
        except (ValueError, OSError):  # whoever reads the sample learns what is wrong
            continue
        return pixels.ndim == 3 and bool((pixels[..., :1] != pixels[..., 1:]).any())
    return False


def _rows_of_csv(path):
    lines = list(read_lines(path))[: MOST_COLORS + 1]
    for number, row in enumerate(csv.DictReader(lines, skipinitialspace=True), 2):
        row = {str(key).strip().lower(): value for key, value in row.items()}
        numbers = [str(row.get(key)).strip() for key in "rgb"]
        yield _row(path, number, row.get("name") or row.get("class"), numbers)


def _rows_of_text(path):
    for number, line in enumerate(list(read_lines(path))[:MOST_COLORS], 1):
        match = re.match(r"(\d+)\s+(\d+)\s+(\d+)\s+(\S.*)", line)
        numbers, name = (match.groups()[:3], match[4]) if match else ((), line)
        yield _row(path, number, name, numbers)


def _row(path, number, name, numbers):
    known = len(numbers) == 3 and all(re.fullmatch(r"\d{1,3}", n) for n in numbers)
    if not known or not name or max(map(int, numbers)) > 255:
        raise ImageError(
            path,
            "a name and the three numbers r, g, b of 0..255 in each row",
            f"line {number}: {name!r}, {', '.join(map(str, numbers))}"[:80],
            "Correct it, or give `colors` and `classes`",
        )
    return str(name).strip(), tuple(map(int, numbers))
