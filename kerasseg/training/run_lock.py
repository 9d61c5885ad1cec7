"""The lock of a run folder: one process at a time writes into it."""

import contextlib
import datetime
import json
import os
import pathlib
import platform

from kerasseg import files

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None

NAME = "run.lock"


class FolderInUseError(OSError):
    """Error of a run folder that another process trains in; names the process."""


@contextlib.contextmanager
def held(folder):
    """Hold the lock of a run folder; inside another `held` of this process, do nothing.

    The system releases it when the process ends, however that comes about. The file
    `run.lock` is there to be read: host, process, since when. On a file system without
    locks (some network disks) it is the lock, which is then stale if its process is
    gone from this host.

    Args:
        folder: the run folder; made if missing. What earlier processes left of files
            that they were writing when they were killed is removed.

    Raises:
        FolderInUseError: if another process holds it.
        files.WriteError: if nothing can be written there.
    """
    path = pathlib.Path(folder) / NAME
    handle = _take(path)
    if handle is None:
        yield
        return
    try:
        for place in (path.parent, path.parent / "checkpoints"):
            files.remove_leftovers(place)
        yield
    finally:
        _give_back(path, handle)


def _give_back(path, handle):
    """Delete the file and close it: once it is closed, it may be another's.

    Windows deletes no file that is open, another's neither, so that it closes first.
    """
    steps = [lambda: path.unlink(missing_ok=True), lambda: os.close(handle)]
    for step in steps if fcntl else steps[::-1]:
        with contextlib.suppress(OSError):
            step()


def _take(path):
    """Open and lock the file; None if this process holds it already."""
    while True:
        with files.explained(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            holder = _holder(path)
            locked = _try_lock(handle)
            if locked is None:  # no locks here: the content decides
                locked = not holder or _is_gone(holder)
            if locked and _is_at(path, handle):
                with files.explained(path):
                    os.ftruncate(handle, 0)
                    os.write(handle, json.dumps(_own()).encode())
                kept, handle = handle, None
                return kept
            if locked:
                continue  # its holder has deleted the file in between
            own = _own()
            if all(holder.get(key) == own[key] for key in own.keys() - {"since"}):
                return None
            if not holder or not _is_gone(holder):
                raise FolderInUseError(_explain(path, holder))
            # A fork of a process that is gone keeps its lock open, and does not train.
            if _is_at(path, handle):
                path.unlink(missing_ok=True)
        finally:
            if handle is not None:
                os.close(handle)


def _try_lock(handle):
    """Lock an open file: True, False if it is locked, None if that is impossible."""
    try:
        if fcntl is None:
            import msvcrt

            os.lseek(handle, 1 << 20, os.SEEK_SET)  # the content stays readable
            msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
            os.lseek(handle, 0, os.SEEK_SET)
        else:
            # Not lockf: its locks end when any handle of the process is closed.
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):
        return False
    except OSError:
        return None
    return True


def _is_at(path, handle):
    """Whether an open file is still the one of this path."""
    with contextlib.suppress(OSError):
        return os.path.samestat(os.fstat(handle), os.stat(path))
    return False


def _holder(path):
    """Content of the file; {} if it is not yet, or no longer, written."""
    try:
        content = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}


def _own():
    """Description of this process."""
    now = datetime.datetime.now(datetime.UTC)
    return {
        "host": platform.node(),
        "process": os.getpid(),
        "started": _started(os.getpid()),
        "since": now.isoformat(timespec="seconds"),
    }


def _started(pid):
    """Start of a process in the system's ticks: numbers of processes come again."""
    try:
        status = pathlib.Path(f"/proc/{pid}/stat").read_text(errors="replace")
        return int(status.rpartition(")")[2].split()[19])
    except (OSError, ValueError, IndexError):
        return None


def _is_gone(holder):
    """Whether the process that a lock names has ended; False if it cannot be known."""
    pid = holder.get("process")
    if holder.get("host") != platform.node() or not isinstance(pid, int):
        return False
    return not files.is_alive(pid) or _started(pid) != holder.get("started")


def _explain(path, holder):
    who = "another process"
    if holder:
        who = (
            f"process {holder.get('process')} on {holder.get('host')}, since "
            f"{holder.get('since')}"
        )
    return (
        f"A run folder must be free: one process at a time trains in it. {path.parent} "
        f"is in use by {who}. Wait for its end, stop it, or choose another folder "
        f"(--out). If it is surely gone, delete {path}."
    )
