"""The file format of checkpoints: safetensors with a checksum, no pickle.

Eight bytes of length, then JSON, then the tensors as they are, so that other tools can
look into it: https://github.com/huggingface/safetensors. The metadata of the JSON hold
the step, the extra JSON and a SHA-256 over everything.
"""

import hashlib
import json
import pathlib
import typing

import numpy as np

from kerasseg import names

_DTYPES = {
    "bool": "BOOL",
    "uint8": "U8",
    "int8": "I8",
    "uint16": "U16",
    "int16": "I16",
    "float16": "F16",
    "bfloat16": "BF16",
    "uint32": "U32",
    "int32": "I32",
    "float32": "F32",
    "uint64": "U64",
    "int64": "I64",
    "float64": "F64",
}


class CheckpointError(RuntimeError):
    """Error of a checkpoint that is damaged, or not one of this model."""


class Checkpoint(typing.NamedTuple):
    """Contents of a checkpoint file."""

    step: int
    extra: dict
    arrays: dict


def to_array(variable):
    """Copy a variable to the host, in C order and little endian."""
    array = variable.numpy() if hasattr(variable, "numpy") else variable
    array = np.asarray(array, order="C")
    return array.astype(array.dtype.newbyteorder("<"), copy=False)


def encode(step, arrays, extra):
    """Contents of a checkpoint file, part by part.

    Args:
        step: int.
        arrays: dict name -> array of `to_array`.
        extra: JSON values.

    Yields:
        bytes or memoryviews: the header, then the arrays without copying them.
    """
    yield _header(step, arrays, extra)
    for array in arrays.values():
        yield _bytes(array)


def read(path):
    """Read a checkpoint file and check that it is whole.

    Args:
        path: a file that `save` wrote.

    Returns:
        Checkpoint(step, extra, arrays); arrays is a dict name -> NumPy array.

    Raises:
        CheckpointError: if the file is missing, damaged or of another kind.
    """
    try:
        data = pathlib.Path(path).read_bytes()
    except OSError as error:
        raise CheckpointError(
            f"Cannot read the checkpoint {path}: {error.strerror}."
        ) from error
    try:
        end = 8 + int.from_bytes(data[:8], "little")
        header = json.loads(data[8:end])
        meta = header.pop("__metadata__")
        step, extra = int(meta["step"]), meta["extra"]
        if _digest(step, extra, header, [memoryview(data)[end:]]) != meta["sha256"]:
            raise ValueError("its checksum is wrong")
        arrays = {name: _view(data, end, entry) for name, entry in header.items()}
        return Checkpoint(step, json.loads(extra), arrays)
    except Exception as error:  # no list holds all that parsers raise on damaged bytes
        raise CheckpointError(
            f"The checkpoint {path} is damaged or cut off ({len(data)} bytes): "
            f"{names.bounded(error, 500)}."
        ) from error


def _bytes(array):
    return array.reshape(-1).view("uint8").data


def _header(step, arrays, extra):
    """Make the start of the file: 8 bytes of length, then JSON, padded to 8."""
    entries, start = {}, 0
    for name, array in arrays.items():
        stop = start + array.nbytes
        entries[name] = {
            "dtype": names.look_up(array.dtype.name, _DTYPES, f"dtype of {name}"),
            "shape": list(array.shape),
            "data_offsets": [start, stop],
        }
        start = stop
    extra = json.dumps(extra)
    metadata = {
        "step": str(step),  # safetensors allows only strings here
        "extra": extra,
        "sha256": _digest(step, extra, entries, map(_bytes, arrays.values())),
    }
    text = json.dumps({"__metadata__": metadata, **entries}).encode()
    text += b" " * (-len(text) % 8)
    return len(text).to_bytes(8, "little") + text


def _digest(step, extra, entries, payload):
    """SHA-256 over everything that a checkpoint says, the payload last."""
    digest = hashlib.sha256(json.dumps([step, extra, entries]).encode())
    for part in payload:
        digest.update(part)
    return digest.hexdigest()


def _view(data, start, entry):
    """Return the array of one header entry, without copying it."""
    name = {code: name for name, code in _DTYPES.items()}[entry["dtype"]]
    if name == "bfloat16":
        import ml_dtypes  # noqa: F401  (makes the name known to NumPy)
    first, last = entry["data_offsets"]
    array = np.ndarray(entry["shape"], np.dtype(name), data, start + first)
    if array.nbytes != last - first:
        raise ValueError("its shapes do not fit its contents")
    return array
