"""Atomic replacement of files: old or new, whenever the program stops."""

import contextlib
import os
import pathlib
import shutil

TEMPORARY = ".writing-{}"  # a prefix: Keras and OpenCV select formats by extension


class WriteError(OSError):
    """Error of a file that cannot be written; names it, the reason and the disk."""


def replace(path, write, *, durable=True):
    """Write a file atomically: readers find the old or the new one, never a part.

    Args:
        path: the file to create or replace; its folder is created if missing.
        write: function that writes the file at the temporary path that it is given.
        durable: flush it to the disk (fsync), so that it also survives a power failure;
            takes a few ms, which files that can be made again may save.

    Raises:
        WriteError: if it cannot be written, for example because the disk is full. The
            old file is then unchanged.

    Example:
        >>> import tempfile
        >>> path = pathlib.Path(tempfile.mkdtemp()) / "note.txt"
        >>> replace(path, lambda temporary: temporary.write_text("whole"))
        >>> path.read_text()
        'whole'
    """
    path = pathlib.Path(path)
    temporary = path.with_name(TEMPORARY.format(path.name))
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write(temporary)
        if durable:
            with open(temporary, "rb+") as file:
                os.fsync(file.fileno())
        os.replace(temporary, path)  # atomic on one file system, on Windows as well
        if durable:
            _sync_folder(path.parent)
    except OSError as error:
        raise WriteError(
            f"Could not write {path}: {error.strerror or error}. {_disk(path.parent)} "
            "What was there before is untouched."
        ) from error
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink()


def _sync_folder(folder):
    """Flush a rename in this folder to the disk, where the system can."""
    if os.name == "nt":  # Windows has no handle to a folder
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _disk(folder):
    """Disk that a folder is on and its free space, as a sentence."""
    place = pathlib.Path(folder).absolute()
    while not place.exists():
        place = place.parent
    free = shutil.disk_usage(place).free
    while not place.is_mount():
        place = place.parent
    return f"The disk mounted at {place} has {free / 1e6:.1f} MB free."
