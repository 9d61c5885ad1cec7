"""`read`: one dictionary of arrays from .npz, .safetensors, .pth and .h5 files."""

import json
import math
import os

import numpy as np

from kerasseg.names import bounded
from kerasseg.weights.checks import (
    WeightsError,
    check_finite,
    check_size,
    widen_bfloat16,
)
from kerasseg.weights.npz import read_npz
from kerasseg.weights.torch_files import read_torch

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


def read(path, *, finite=True, max_bytes=4 * 2**30):
    """Arrays of a weight file by name, read without running anything in it.

    Args:
        path: `.npz`, `.safetensors`, `.pth`/`.pt`/`.bin` (PyTorch, legacy or zip; a
            wrapping "state_dict", "model_state_dict" or "model" and a "module." before
            every name are taken off), or Keras' `.weights.h5`.
        finite: refuse NaN and Inf.
        max_bytes: refuse files that are larger, or whose arrays are; while it reads,
            no more than twice this is in memory.

    Returns:
        dict of str to numpy.ndarray in the order of the file. bfloat16 becomes float32;
        other dtypes stay as they are stored.

    Raises:
        WeightsError: if the file is missing, damaged, larger than it claims, of an
            unknown format, asks for anything to be executed, or is not finite.
    """
    path = os.fspath(path)
    suffix = os.path.splitext(path)[1].lower()
    if suffix not in READERS:
        raise WeightsError(
            f"weight files end in one of {', '.join(READERS)}. Received: {suffix!r}.",
            path,
        )
    if not os.path.isfile(path):
        raise WeightsError("there is no such weight file.", path)
    if os.path.getsize(path) > max_bytes:
        raise WeightsError(
            f"at most {max_bytes} bytes are read. Received: {os.path.getsize(path)}. "
            "Pass a larger `max_bytes` if you trust the file.",
            path,
        )
    try:
        arrays = READERS[suffix](path, max_bytes)
    except WeightsError:
        raise
    except Exception as error:  # no list holds all that parsers raise on damaged bytes
        raise WeightsError(
            f"not a readable {suffix} file ({type(error).__name__}: "
            f"{bounded(error, 500)}). Download or export it again.",
            path,
        ) from error
    if finite:
        check_finite(arrays, path)
    return arrays


def _read_safetensors(path, max_bytes):
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


def _read_h5(path, max_bytes):
    import h5py  # only this format needs it

    arrays = {}
    with h5py.File(path, "r") as file:
        _read_group(file, "", arrays, {"seen": set(), "bytes": 0}, path)
    return arrays


def read_layers(path):
    """Arrays of a `.h5` that `read` has read, by the name of their layer.

    Returns:
        dict from name to a list of arrays, in the order of the layer's variables; empty
        where the file has no names.
    """
    import h5py

    with h5py.File(path, "r") as file:
        return {
            name: [item[()] for item in items]
            for name, items in _layers(file).items()
            if items
        }


def layer_names(path):
    """Names of all layers in a `.h5` that `read` has read, those without weights too.

    Keras 3 writes them beside the variables, older ones in a list.
    """
    import h5py

    with h5py.File(path, "r") as file:
        return set(_layers(file))


def _layers(file):
    """The data sets of each layer by its name."""
    import h5py

    found = {}
    for name in map(_text, file.attrs.get("layer_names", ())):  # up to Keras 2
        group = file.get(name)
        weights = map(_text, group.attrs.get("weight_names", ()) if group else ())
        found[name] = [group[weight] for weight in weights if weight in group]

    def visit(_, item):
        name = item.attrs.get("name")
        numbered = isinstance(item, h5py.Group) and all(map(str.isdigit, item))
        if numbered and isinstance(name, str):
            found.setdefault(name, [item[key] for key in sorted(item, key=int)])

    file.visititems(visit)
    return found


def _text(name):
    return name.decode() if isinstance(name, bytes) else str(name)


def _read_group(group, prefix, arrays, state, path):
    import h5py

    for key in group:
        name = f"{prefix}{key}"
        if not isinstance(group.get(key, getlink=True), h5py.HardLink):
            raise WeightsError(
                f"links to other places are not followed. Received: {name!r}.", path
            )
        item = group[key]
        address = h5py.h5o.get_info(item.id).addr
        if address in state["seen"]:
            raise WeightsError(f"{name!r} is linked twice.", path)
        state["seen"].add(address)
        if isinstance(item, h5py.Group):
            _read_group(item, f"{name}/", arrays, state, path)
        else:
            arrays[name] = _read_dataset(item, name, state, path)


def _read_dataset(item, name, state, path):
    if item.external or item.is_virtual:
        raise WeightsError(f"{name!r} keeps its data in another file.", path)
    if item.dtype.kind not in "biuf":
        raise WeightsError(
            f"arrays hold numbers only. Received: {name!r} of dtype {item.dtype}.", path
        )
    # A data set can claim any size and store nothing; Keras stores all, uncompressed.
    state["bytes"] += item.nbytes
    chunk = math.prod(item.chunks or ()) * item.dtype.itemsize  # unpacked as a whole
    if max(state["bytes"], item.nbytes, chunk) > os.path.getsize(path):
        raise WeightsError(f"{name!r} claims more bytes than the file has.", path)
    return item[()]


READERS = {
    ".npz": read_npz,
    ".safetensors": _read_safetensors,
    ".pth": read_torch,
    ".pt": read_torch,
    ".bin": read_torch,
    ".h5": _read_h5,
}
