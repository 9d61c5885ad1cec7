"""Atomic replacement of files: old or new, whenever the program stops."""

import contextlib
import csv
import errno
import functools
import hashlib
import io
import json
import os
import pathlib
import re
import shutil
import sys
import threading
import zlib

# A prefix, not a suffix: Keras and OpenCV select formats by extension.
_PREFIX = ".writing-"
_TEMPORARY = re.compile(r"\.writing-(?:(\d+)\.(\d+)-)?.*", re.DOTALL)
_MAX_NAME = 255  # bytes of a file's name on the usual file systems


class WriteError(OSError):
    """Error of a file that cannot be written; names it, the reason and the disk."""


def cache_folder():
    """Folder of what can be had again: `KERASSEG_HOME`, or the platform's cache.

    Returns:
        pathlib.Path; it need not exist.
    """
    if home := os.environ.get("KERASSEG_HOME"):
        return pathlib.Path(home).expanduser()
    home = pathlib.Path.home()
    if sys.platform == "win32":
        return pathlib.Path(os.environ.get("LOCALAPPDATA", home), "kerasseg", "Cache")
    if sys.platform == "darwin":
        return home / "Library" / "Caches" / "kerasseg"
    return pathlib.Path(os.environ.get("XDG_CACHE_HOME") or home / ".cache", "kerasseg")


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
    with replacing(path, durable=durable) as temporary, explained(path):
        write(temporary)


@contextlib.contextmanager
def replacing(path, *, durable=True):
    """As `replace`, for a file that grows over many steps.

    Args:
        path, durable: as for `replace`.

    Yields:
        Temporary path to write at, which becomes `path` where no error leaves the
        block.
    """
    path = pathlib.Path(path)
    temporary = path.with_name(_temporary_name(path.name))
    try:
        with explained(path):
            path.parent.mkdir(parents=True, exist_ok=True)
        yield temporary
        with explained(path):
            if durable:
                with open(temporary, "rb+") as file:
                    os.fsync(file.fileno())
            os.replace(temporary, path)  # atomic on one file system, on Windows as well
            if durable:
                _sync_folder(path.parent)
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink()


def replace_text(path, text):
    """Write a UTF-8 text file atomically, unless it says the same already.

    Args:
        path: the file to create or replace.
        text: its content.

    Raises:
        WriteError: as `replace`.
    """
    path, data = pathlib.Path(path), text.encode()
    with contextlib.suppress(OSError):
        if path.read_bytes() == data:
            return
    replace(path, lambda temporary: temporary.write_bytes(data))


def reserve(path, num_bytes):
    """Take this much of the disk for a new file, where the system can.

    For writers that do not survive a full disk.

    Args:
        path: file to create, or to make longer.
        num_bytes: its size.

    Raises:
        OSError: if the disk has less.
    """
    if not hasattr(os, "posix_fallocate"):
        return
    with open(path, "ab") as file:
        try:
            os.posix_fallocate(file.fileno(), 0, num_bytes)
        except OSError as error:
            if error.errno not in (errno.EOPNOTSUPP, errno.EINVAL, errno.ENOSYS):
                raise


@contextlib.contextmanager
def explained(path):
    """Turn errors of the system on writing a file into WriteError."""
    try:
        yield
    except OSError as error:
        folder = pathlib.Path(path).parent
        raise WriteError(
            f"Could not write {path}: {error.strerror or error}. {_disk(folder)} "
            "What was there before is untouched."
        ) from error


def sha256(path):
    """SHA-256 of a file, 64 hexadecimal digits; reads it bit by bit."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def remove_leftovers(folder, name="*"):
    """Delete temporary files of processes that were killed while they wrote.

    Those of processes that still run are left alone.

    Args:
        folder: where to; need not exist.
        name: pattern of the files that were being written.
    """
    for path in pathlib.Path(folder).glob(f"{_PREFIX}{name}"):
        pid, thread = _TEMPORARY.fullmatch(path.name).groups()
        # The same numbers again: a container that began anew counts from 1.
        own = (pid, thread) == (str(os.getpid()), str(threading.get_native_id()))
        # On Windows, the system itself refuses to delete what is open.
        if pid is None or own or os.name == "nt" or not is_alive(int(pid)):
            with contextlib.suppress(OSError):
                path.unlink()


def is_temporary(name):
    """Whether a name is one of those that `replace` writes at."""
    return name.startswith(_PREFIX)


def is_alive(pid):
    """Whether a process of this number runs on this machine; True if unknown."""
    if os.name == "nt":  # where os.kill(pid, 0) would stop it
        return True
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except (OSError, OverflowError):  # it is another user's
        return True
    return True


def _temporary_name(name):
    """Name to write at: of this thread alone, and not longer than names may be."""
    own = f"{_PREFIX}{os.getpid()}.{threading.get_native_id()}-"
    if len(os.fsencode(own + name)) <= _MAX_NAME:
        return own + name
    own += f"{zlib.crc32(os.fsencode(name)):08x}-"
    while len(os.fsencode(own + name)) > _MAX_NAME:
        name = name[1:]  # its end holds the extension
    return own + name


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


def write_json(path, content):
    """Write a JSON file that appears complete or not at all."""
    replace(path, functools.partial(_write, json.dumps(content, ensure_ascii=False)))


def write_csv(path, rows, columns=()):
    """Write a table of dicts: `columns`, then others in the order they occur in."""
    stream = io.StringIO()
    columns = list(dict.fromkeys([*columns, *(key for row in rows for key in row)]))
    writer = csv.DictWriter(stream, columns, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    replace(path, functools.partial(_write, stream.getvalue()))


def _write(text, path):
    # Linux has names that are no Unicode; JSON reads "\\udcff" as half a character.
    path.write_text(text, encoding="utf-8", errors="backslashreplace")
