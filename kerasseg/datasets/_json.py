"""Reading of JSON files of annotations, bounded. Private."""

import collections
import json
import operator

from kerasseg.images import ImageError

MAX_BYTES = 2 * 2**30  # COCO's own instances_train2017.json has 0.45 GB
# A text of this density becomes Python objects of 10 to 23 times its size; COCO's own
# of 5. Of empty lists it would be 30.
OBJECTS_PER_TEXT, FEW_BYTES = 16, 2**26
FEW_NAMES = 20  # of lists; COCO's files have four


def is_text(value):
    """Whether a value is text that can be written to a file: no half characters."""
    try:
        return isinstance(value, str) and bool(value.encode())
    except UnicodeEncodeError:
        return False


def load(path, hook=None, form="COCO's JSON"):
    """Content of a JSON file of at most MAX_BYTES; `hook` as of `json.loads`."""
    if not path.is_file():
        raise ImageError(path, "an annotation file", "no such file", "Check the path")
    if path.stat().st_size > MAX_BYTES:
        fail(path, f"at most {MAX_BYTES} bytes", f"{path.stat().st_size} bytes")
    try:
        # Not json.loads(bytes), which holds the bytes beside the text all along.
        with open(path, "rb") as file:
            encoding = json.detect_encoding(file.read(4))
        text = path.read_text(encoding, errors="surrogatepass")
        _check_density(path, text)
        document = json.loads(text, object_hook=hook)
        _check_names(path, text, document)
        return document
    except ImageError:
        raise
    except (ValueError, RecursionError) as error:
        raise ImageError(
            path, form, f"{type(error).__name__}: {error}", "Export it again"
        ) from error


def _check_density(path, text):
    """Refuse a text that is little more than brackets."""
    counts = {sign: text.count(sign) for sign in "{[:,"}
    # Bytes of a dict, a list, an entry and an item.
    num_bytes = sum(map(operator.mul, counts.values(), (100, 72, 80, 16)))
    if num_bytes > OBJECTS_PER_TEXT * len(text) + FEW_BYTES:
        num_lists = counts["{"] + counts["["]
        fail(path, "annotations", f"{num_lists} lists in {len(text)} characters")


def _check_names(path, text, document):
    """Refuse lists of one name in the outermost object: Python keeps the last one."""
    if not isinstance(document, dict):
        return
    names = [name for name, value in document.items() if isinstance(value, list)]
    # A name that is nowhere else is not looked for.
    if all(text.count(f'"{name}"') == 1 for name in names[:FEW_NAMES]):
        return
    given = json.loads(text, object_pairs_hook=lambda pairs: [x for x, _ in pairs])
    counts = collections.Counter(given)
    if twice := [name for name in names if counts[name] > 1]:
        fail(path, f"one list {twice[0]!r}", f"{counts[twice[0]]} of them")


def fail(path, required, received):
    """Raise an ImageError about a file of annotations."""
    raise ImageError(path, required, received, "Correct the file or export it again")
