"""Reads safetensors files, and the index of a model that is divided into several."""

import json
import os

import numpy as np

from kerasseg.names import bounded
from kerasseg.weights.checks import WeightsError, check_size, widen_bfloat16

MAX_JSON_BYTES = 100_000_000  # the limit of the safetensors format
# A header becomes Python objects of some 30 times its size.
JSON_SHARE = 32
MIN_JSON_BYTES = 2**16
SAFETENSORS_DTYPES = {
    "F64": "<f8",
    "F32": "<f4",
    "F16": "<f2",
    "BF16": "<u2",  # widened to float32 after reading
    "I64": "<i8",
    "I32": "<i4",
    "I16": "<i2",
    "I8": "|i1",
    "U64": "<u8",
    "U32": "<u4",
    "U16": "<u2",
    "U8": "|u1",
    "BOOL": "|b1",
}


def read_safetensors(path, max_bytes):
    """Arrays of a safetensors file by name; see `weights.read`."""
    with open(path, "rb") as file:
        size = os.path.getsize(path)
        length = int.from_bytes(file.read(8), "little")
        most = min(MAX_JSON_BYTES, max(max_bytes // JSON_SHARE, MIN_JSON_BYTES))
        if not 2 <= length <= min(size - 8, most):
            raise WeightsError(
                f"its header claims {length} of {size} bytes, at most {most} are read.",
                path,
            )
        header = json.loads(file.read(length), object_pairs_hook=_unique)
        header.pop("__metadata__", None)
        _check_entries(header, max_bytes, path)
        # In the order of the data, so that overlaps and holes show as a wrong start.
        entries = sorted(header.items(), key=lambda item: item[1]["data_offsets"])
        arrays, position = {}, 0
        for name, entry in entries:
            begin, end = entry["data_offsets"]
            if begin != position or end < begin or end > size - 8 - length:
                raise WeightsError(
                    f"data of {name!r} must start at byte {position} and lie within "
                    f"the file's {size - 8 - length}. Received: {begin} to {end}.",
                    path,
                )
            arrays[name] = _read_entry(file, name, entry, end - begin, path)
            position = end
    if position != size - 8 - length:
        raise WeightsError("bytes after the last array belong to nothing.", path)
    return {name: arrays[name] for name in header}


def _check_entries(header, max_bytes, path):
    """Check the types of all entries, and the bytes that their arrays need."""
    total = 0
    for name, entry in header.items():
        begin, end = entry["data_offsets"]
        if entry["dtype"] not in SAFETENSORS_DTYPES:
            raise WeightsError(
                f"dtype must be one of {', '.join(SAFETENSORS_DTYPES)}. "
                f"Received: {bounded(entry['dtype'], 100)!r} for {name!r}.",
                path,
            )
        factor = 2 if entry["dtype"] == "BF16" else 1  # widened
        total += factor * max(_whole(end) - _whole(begin), 0)
    if total > max_bytes:
        raise WeightsError(
            f"its arrays need {total} bytes, at most {max_bytes} are read.", path
        )


def _read_entry(file, name, entry, num_bytes, path):
    dtype = np.dtype(SAFETENSORS_DTYPES[entry["dtype"]])
    shape = tuple(entry["shape"])
    check_size(name, shape, dtype.itemsize, num_bytes, path)
    array = np.empty(shape, dtype)
    if file.readinto(memoryview(array.reshape(-1).view(np.uint8))) != num_bytes:
        raise EOFError(f"{name!r} ends early")
    return widen_bfloat16(array) if entry["dtype"] == "BF16" else array


def _unique(pairs):
    table = dict(pairs)
    if len(table) != len(pairs):
        raise ValueError("a name occurs twice in the header")
    return table


def _whole(number):
    if type(number) is not int or number < 0:  # True is an int, too
        raise ValueError(f"{bounded(number, 100)} is not a size")
    return number


def read_index(path, max_bytes):
    """Arrays of all files that a `model.safetensors.index.json` names.

    They must lie beside it, and hold what it says, and nothing else.
    """
    folder, limit = os.path.dirname(path), min(MAX_JSON_BYTES, max_bytes // JSON_SHARE)
    limit = max(limit, MIN_JSON_BYTES)
    if os.path.getsize(path) > limit:
        raise WeightsError(f"an index has at most {limit} bytes.", path)
    with open(path, encoding="utf-8") as file:
        places = json.load(file, object_pairs_hook=_unique)["weight_map"]
    if not isinstance(places, dict) or not places:
        raise WeightsError("an index must name arrays and their files.", path)
    files = dict.fromkeys(places.values())
    for name in files:
        plain = isinstance(name, str) and name == os.path.basename(name)
        if not plain or not name.endswith(".safetensors"):
            raise WeightsError(
                "an index names .safetensors files beside it. "
                f"Received: {bounded(name, 200)!r}.",
                path,
            )
    arrays = {}
    for name in files:
        part = os.path.join(folder, name)
        if not os.path.isfile(part):
            raise WeightsError(f"{name!r}, a part of the model, is missing.", path)
        found = read_safetensors(
            part, max_bytes - sum(x.nbytes for x in arrays.values())
        )
        if {*found} != {key for key, place in places.items() if place == name}:
            raise WeightsError(f"{name!r} holds other arrays than it says.", path)
        arrays |= found
    return {name: arrays[name] for name in places}
