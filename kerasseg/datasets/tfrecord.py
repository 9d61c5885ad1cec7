"""Data sets in shards: many samples in few TFRecord files, for disks far away."""

import functools
import json
import pathlib
import zlib

from kerasseg.datasets import _shards, _tf_example
from kerasseg.datasets._forms import reads
from kerasseg.datasets._splits import given_splits, usual
from kerasseg.datasets.samples import Samples
from kerasseg.images import ImageError
from kerasseg.names import bounded

FIX = "Write it again: kerasseg convert SOURCE --to tfrecord --out NEW"


def _found(root):
    return _shards.INDEX if (pathlib.Path(root) / _shards.INDEX).is_file() else None


@reads("TFRecord shards", _found)
def tfrecord(root, split=None):
    """Samples in the shards that `kerasseg convert --to tfrecord` writes.

    `shards.json` says where in which file each sample lies, so that samples are read in
    any order, and a resumed training gets the same ones. TensorFlow is not needed.

    Args:
        root: folder of the shards.
        split: None for all, or "train", "val", "test" as they were converted. Where the
            source gave none, they are those by the rule of its reader.

    Returns:
        Samples like those that were converted.

    Raises:
        ImageError: if files are missing, cut off or changed, or there is no such split.
    """
    root = pathlib.Path(root)
    index = _read_index(root / _shards.INDEX)
    places = [
        (number, name, entry["split"], root / file, *place)
        for file, entry in index["files"].items()
        for name, number, *place in entry["samples"]
    ]
    # Splits have files of their own, but their samples may alternate in the source.
    places = [place for _, *place in sorted(places)]
    sides = [place[1] for place in places]
    known = list(dict.fromkeys(filter(None, sides)))
    if split is not None:
        if split not in known:
            known = ", ".join(known) or "none"
            raise ImageError(root, f"a split of {known}", repr(split), "Choose one")
        places = [place for place in places if place[1] == split]
    return Samples(
        tuple(place[0] for place in places),
        functools.partial(_read, tuple(place[2:] for place in places), index["bands"]),
        tuple(index["classes"]),
        index["ignore_label"],
        index["colors"] and tuple(map(tuple, index["colors"])),
        value_range=index["value_range"] and tuple(index["value_range"]),
        splits=given_splits(split, sides),
    )


def _read_index(path):
    """The dict of shards.json, or an ImageError."""
    try:
        index = json.loads(path.read_text(encoding="utf-8"))
        _check(index)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        received = bounded(str(error), 200) if path.exists() else "nothing"
        required = f"an index of shards of version {_shards.VERSION}"
        raise ImageError(path, required, received, FIX) from error
    for file, entry in index["files"].items():
        file = path.with_name(file)
        end = max((sum(place[2:4]) for place in entry["samples"]), default=0)
        size = file.stat().st_size if file.is_file() else None
        if size is None or size < end + _shards.HEADER:
            received = "no such file" if size is None else f"{size} bytes"
            raise ImageError(file, f"a shard of {end} bytes or more", received, FIX)
    return index


def _check(index):
    """Raise an error of any kind unless an index holds what is read."""
    if index["version"] != _shards.VERSION:
        raise ValueError(f"version {index['version']}")
    numbers, texts = [index["bands"], index["ignore_label"]], [*index["classes"]]
    for file, entry in index["files"].items():
        entry["split"] = entry["split"] and usual(entry["split"])
        for name, number, offset, length, check in entry["samples"]:
            numbers += number, offset, length, check
            texts.append(name)
        if pathlib.PurePath(file).name != file:
            raise ValueError(f"a file {file!r}")
    for row in (index["value_range"] or (0, 1), *(index["colors"] or ())):
        texts += map(str, map(float, row))
    if not all(isinstance(x, int) and x >= 0 for x in numbers):
        raise ValueError("a number that is none, or below 0")
    if not all(isinstance(x, str) for x in texts):
        raise ValueError("a name that is no text")


def _read(places, bands, index):
    """A sample: bytes at a place of a file, checked, parsed and decoded."""
    file, offset, length, check = places[index]
    try:
        with open(file, "rb") as stream:
            stream.seek(offset + _shards.HEADER)
            data = stream.read(length)
    except OSError as error:
        raise ImageError(file, "a shard that can be read", str(error), FIX) from error
    if len(data) != length or zlib.crc32(data) != check:
        received = "fewer bytes" if len(data) != length else "other bytes"
        raise ImageError(
            file, f"the {length} bytes of sample {index} at {offset}", received, FIX
        )
    try:
        return _shards.decoded(_tf_example.parse(data), bands)
    except (ValueError, LookupError) as error:
        raise ImageError(
            file, f"a sample at {offset}", bounded(str(error), 200), FIX
        ) from error
