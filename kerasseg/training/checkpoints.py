"""Checkpoints of a run: one file each, checked on reading, two kept."""

# Not keras.callbacks.BackupAndRestore or `.keras` files: with Keras 3.15, kill -9 in a
# save and a full disk destroy the previous file, and flipped bytes load silently.

import contextlib
import pathlib
import re
import warnings

from kerasseg import files
from kerasseg.training.checkpoint_format import (
    Checkpoint,
    CheckpointError,
    encode,
    read,
    to_array,
)

__all__ = ["Checkpoint", "CheckpointError", "latest", "load", "read", "save"]

_NAME = "checkpoint-{:09d}.safetensors"
_PATTERN = re.compile(r"checkpoint-(\d{9,})\.safetensors")
_KEPT = 2  # if the newest is damaged, the one before it is used


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
    arrays = {name: to_array(variable) for name, variable in variables.items()}
    parts = encode(int(step), arrays, {} if extra is None else extra)
    path = folder / _NAME.format(int(step))

    def write(temporary):
        with open(temporary, "wb") as file:
            file.writelines(parts)

    files.replace(path, write)
    prune(folder, path)
    return path


def prune(folder, newest=None):
    """Delete all but two checkpoints, and the rests of saves that were killed.

    Args:
        folder: where `save` wrote to; need not exist.
        newest: path to keep with the newest other one; None: the two newest.
    """
    folder = pathlib.Path(folder)
    found = sorted(_files(folder), key=lambda one: one[1] != newest)
    for _, path in found[_KEPT:]:
        path.unlink(missing_ok=True)
    if len(found) >= _KEPT:  # a damaged one is of no use once two are newer
        oldest = min(number for number, _ in found[:_KEPT])
        for number, path in _files(folder, ".damaged"):
            if number < oldest:
                path.unlink(missing_ok=True)
    files.remove_leftovers(folder, "*checkpoint-*.safetensors")


def latest(folder):
    """Path of the newest checkpoint that is not damaged, or None.

    A damaged newer file is reported, set aside as `*.damaged`, and the one before
    it is used.

    Args:
        folder: where `save` wrote to; need not exist.

    Raises:
        CheckpointError: if there are checkpoints and every one is damaged.
    """
    damaged, vanished = [], False
    for _, path in _files(pathlib.Path(folder)):
        try:
            read(path)
        except CheckpointError as error:
            if path.exists():
                damaged.append((path, error))
            else:  # the process that trains has deleted it for newer ones
                vanished = True
            continue
        for bad, error in damaged:
            warnings.warn(f"{error} Using {path.name} instead.", stacklevel=2)
            # A reader on a read-only disk still gets its checkpoint.
            with contextlib.suppress(OSError):
                bad.rename(bad.with_name(bad.name + ".damaged"))
        return path
    if vanished:
        return latest(folder)
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


def _files(folder, suffix=""):
    """List (step, path) of the checkpoints in a folder, newest first."""
    found = []
    for path in folder.glob(f"checkpoint-*{suffix}"):
        match = _PATTERN.fullmatch(path.name.removesuffix(suffix))
        if match:
            found.append((int(match[1]), path))
    return sorted(found, reverse=True)


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
