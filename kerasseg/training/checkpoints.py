"""Checkpoints of a run: one file each, checked on reading, two kept, no pickle.

The file is a `.safetensors` file, so that other tools can look into it: tensors by
name, and in its metadata the step, the extra JSON and a SHA-256 over everything.
"""

import contextlib
import hashlib
import json
import pathlib
import re
import typing
import warnings

import numpy as np

from kerasseg import files, names

_NAME = "checkpoint-{:09d}.safetensors"
_PATTERN = re.compile(r"checkpoint-(\d{9,})\.safetensors")
_KEPT = 2
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


def save(folder, step, variables, extra=None):
    """Write all variables to one new file; keep the two newest files.

    A crash or a full disk at any instant leaves the earlier files as they were.

    Args:
        folder: where to; made if missing.
        step: global step, part of the file's name.
        variables: dict name -> tf or keras variable or array. The names must mean
            the same in the next process; `TrainStep.variables` sees to that.
        extra: JSON values to come back from `load` and `read`.

    Returns:
        pathlib.Path of the new file.

    Raises:
        files.WriteError: if the file cannot be written; names the disk.
    """
    folder = pathlib.Path(folder)
    arrays = {name: _array(variable) for name, variable in variables.items()}
    header = _header(int(step), arrays, {} if extra is None else extra)
    path = folder / _NAME.format(int(step))

    def write(temporary):
        with open(temporary, "wb") as file:
            file.write(header)
            for array in arrays.values():
                file.write(_bytes(array))

    files.replace(path, write)
    older = [old for number, old in _files(folder) if number < int(step)]
    killed = folder.glob(files.TEMPORARY.format("checkpoint-*.safetensors"))
    for old in [*older[_KEPT - 1 :], *killed]:
        old.unlink(missing_ok=True)
    return path


def latest(folder):
    """Path of the newest checkpoint that is not damaged, or None.

    A damaged newer file is reported, set aside as `*.damaged`, and the one before
    it is used.

    Args:
        folder: where `save` wrote to; need not exist.

    Raises:
        CheckpointError: if there are checkpoints and every one is damaged.
    """
    damaged = []
    for _, path in _files(pathlib.Path(folder)):
        try:
            read(path)
        except CheckpointError as error:
            damaged.append((path, error))
            continue
        for bad, error in damaged:
            warnings.warn(f"{error} Using {path.name} instead.", stacklevel=2)
            # A reader on a read-only disk still gets its checkpoint.
            with contextlib.suppress(OSError):
                bad.rename(bad.with_name(bad.name + ".damaged"))
        return path
    if damaged:
        reasons = " ".join(str(error) for _, error in damaged)
        raise CheckpointError(
            f"No checkpoint in {folder} can be used. {reasons} Delete them to start "
            "from the beginning."
        )
    return None


def load(path, variables):
    """Set every variable to its value in a checkpoint, or none of them.

    Args:
        path: a file that `save` wrote.
        variables: dict name -> tf or keras variable, the same names as were saved.

    Returns:
        (step, extra) as they were saved.

    Raises:
        CheckpointError: if the file is damaged, or holds other variables than
            these; lists the missing, unexpected and misshapen ones.
    """
    checkpoint = read(path)
    problems = _differences(variables, checkpoint.arrays)
    if problems:
        raise CheckpointError(
            f"{path} is a checkpoint of another model, optimizer or setting. "
            + " ".join(problems)
            + " Build what was saved, or start in a new folder."
        )
    for name, variable in variables.items():
        variable.assign(checkpoint.arrays[name])
    return checkpoint.step, checkpoint.extra


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
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise CheckpointError(
            f"The checkpoint {path} is damaged or cut off ({len(data)} bytes): {error}."
        ) from error


def _files(folder):
    """List (step, path) of the checkpoints in a folder, newest first."""
    found = []
    for path in folder.glob("checkpoint-*"):
        match = _PATTERN.fullmatch(path.name)
        if match:
            found.append((int(match[1]), path))
    return sorted(found, reverse=True)


def _array(variable):
    """Copy a variable to the host, in C order and little endian."""
    array = variable.numpy() if hasattr(variable, "numpy") else variable
    array = np.asarray(array, order="C")
    return array.astype(array.dtype.newbyteorder("<"), copy=False)


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
        "step": str(step),
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


def _differences(variables, arrays):
    """Sentences on how the variables differ from the arrays of a checkpoint."""
    missing = [name for name in variables if name not in arrays]
    unexpected = [name for name in arrays if name not in variables]
    misshapen = []
    for name in variables.keys() & arrays.keys():
        wanted = _description(variables[name])
        received = _description(arrays[name])
        if wanted != received:
            misshapen.append(f"{name} (wanted {wanted}, received {received})")
    problems = []
    for what, found in [
        ("Missing in the file", missing),
        ("Unexpected in the file", unexpected),
        ("Misshapen", sorted(misshapen)),
    ]:
        if found:
            more = f" and {len(found) - 6} more" if len(found) > 6 else ""
            problems.append(f"{what}: {', '.join(found[:6])}{more}.")
    return problems


def _description(variable):
    dtype = getattr(variable.dtype, "name", variable.dtype)
    return f"{dtype} {[int(size) for size in variable.shape]}"
