"""Downloads of weight files into a cache: resumed, checked, whole or not there.

Two environment variables change where files come from and go to: `KERASSEG_HOME` is the
folder of the cache, `KERASSEG_MIRROR` an address that holds the files by their names
(those that share one, as pytorch_model.bin, as NAME/pytorch_model.bin).
"""

import contextlib
import http.client
import os
import pathlib
import re
import socket
import time
import urllib.error
import urllib.parse
import urllib.request

from kerasseg import files
from kerasseg.names import bounded

MAX_BYTES = 4 * 2**30
ATTEMPTS = 4
PAUSE_S = 0.5  # after an attempt that got further, doubled by each that did not
TIMEOUT_S = 30
CHUNK = 2**18
PASSING = {408, 425, 429, 500, 502, 503, 504}  # answers that may differ soon


class DownloadError(OSError):
    """A weight file that cannot be had; names its address and where to put it."""


class _Refused(Exception):
    """An answer of the server that another attempt would not change."""


def fetch(url, *, folder="", mirrored=None, sha256=None, size=None, progress=None):
    """Path of a published file, downloaded unless it lies in the cache already.

    A download that was cut off goes on where it stopped, in this process or a later
    one. Processes that ask for one file at once do not disturb each other. A file gets
    its name only when it is complete and its checksum is right; those in the cache are
    checked, too.

    Args:
        url: http or https address.
        folder: folder in the cache, for files that share a name.
        mirrored: where it lies below `KERASSEG_MIRROR`; None is the file's name.
        sha256: what its SHA-256 must be, or begin with, in hexadecimal digits; None
            takes the digits before the extension, where PyTorch's file names have
            them ("resnet50-0676ba61.pth"), and checks nothing otherwise.
        size: its bytes, if known; files of another size are refused at once.
        progress: function of (bytes so far, all bytes or None), called often; None
            draws a bar where stderr is a terminal.

    Returns:
        pathlib.Path.

    Raises:
        DownloadError: if it cannot be had, or is another file; names the address and
            the place where a file from elsewhere is found.
        OSError: if the cache cannot be written.
    """
    path = place(url, folder)
    name = path.name
    promised = re.search(r"-([0-9a-f]{8,64})\.", name)
    sha256 = sha256 or (promised[1] if promised else "")
    if path.is_file():
        check(path, sha256, size, f"Delete {path}, and it is downloaded again.")
        return path
    make_folder(path.parent)
    source = source_of(url, mirrored)
    part = _adopt(path)
    with contextlib.ExitStack() as stack:
        progress = progress or stack.enter_context(_bar(name))
        try:
            _download(source, part, size, progress)
            _check_part(part, sha256, size, source, progress)
        except files.WriteError:
            raise
        # ValueError: an address that is none.
        except (OSError, ValueError, http.client.HTTPException, _Refused) as error:
            raise DownloadError(
                f"{name} could not be had from {source}: {reason_of(error)}. Put the "
                f"file into {path.parent} if you have it from elsewhere, or set "
                "KERASSEG_MIRROR to an address that holds it."
            ) from error
    with files.explained(path):
        os.replace(part, path)
    return path


def place(url, folder=""):
    """Path in the cache of the file at an address; see `fetch`."""
    name = pathlib.PurePosixPath(urllib.parse.urlsplit(url).path).name
    return files.cache_folder() / folder / name


def source_of(url, mirrored=None):
    """Address that a file is loaded from: its own, or below `KERASSEG_MIRROR`."""
    mirror = os.environ.get("KERASSEG_MIRROR")
    if not mirror:
        return url
    return f"{mirror.rstrip('/')}/{mirrored or place(url).name}"


def make_folder(folder):
    """Make a folder of the cache.

    Raises:
        DownloadError: if it cannot be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DownloadError(
            f"The cache folder {folder} cannot be made: {error.strerror}. Set "
            "KERASSEG_HOME to a folder that can be written."
        ) from error


def _adopt(path):
    """Where this process writes a file: what a dead one left becomes its own."""
    own = path.with_name(f".{path.name}.part-{os.getpid()}")
    for left in sorted(path.parent.glob(f".{path.name}.part-*")):
        pid = left.name.rpartition("-")[2]
        if not own.exists() and pid.isdigit() and not files.is_alive(int(pid)):
            with contextlib.suppress(OSError):  # another process was faster
                os.rename(left, own)
    return own


def _download(url, part, size, progress):
    """Write a file, in as many attempts as it takes while most make headway."""
    failures = 0
    while True:
        before = part.stat().st_size if part.exists() else 0
        try:
            return _attempt(url, part, size, progress)
        except files.WriteError:
            raise
        except (OSError, http.client.HTTPException) as error:
            after = part.stat().st_size if part.exists() else 0
            # Headway buys one more attempt, not a new start: servers may lie for ever.
            failures += 1 if after <= before else 1 / 8
            if is_final(error) or failures >= ATTEMPTS:
                raise
        time.sleep(PAUSE_S * 2 ** int(failures))


def is_final(error):
    """Whether another attempt would meet the same error."""
    if isinstance(error, urllib.error.HTTPError):
        return error.code not in PASSING
    reason = getattr(error, "reason", error)
    return isinstance(reason, (socket.gaierror, ConnectionRefusedError))


def _attempt(url, part, size, progress):
    """Read what is missing of a file and append it."""
    begin = part.stat().st_size if part.exists() else 0
    if size is not None and begin >= size:
        return  # the check of the whole file decides
    request = urllib.request.Request(url, headers={"User-Agent": "kerasseg"})
    request.add_header("Accept-Encoding", "identity")
    if begin:
        request.add_header("Range", f"bytes={begin}-")
    try:
        answer = _OPENER.open(request, timeout=TIMEOUT_S)
    except urllib.error.HTTPError as error:
        error.close()  # it holds the connection
        if error.code == 416 and begin:  # there is nothing after what we have
            return
        raise
    with answer:
        total, begin = _sizes(answer, begin)
        if size is not None and total not in (None, size):
            raise _Refused(f"the server has {total} bytes, the file is of {size}")
        most = min(MAX_BYTES, MAX_BYTES if size is None else size)
        with files.explained(part), open(part, "ab") as file:
            file.truncate(begin)
        _append(answer, part, begin, total, most, progress)


def _append(answer, part, begin, total, most, progress):
    done = begin
    with open(part, "ab") as file:
        while chunk := answer.read(CHUNK):
            done += len(chunk)
            if done > most:
                raise _Refused(f"the server sends more than {most} bytes")
            with files.explained(part):
                file.write(chunk)
                file.flush()
            progress(done, total)
    if total is not None and done < total:
        raise ConnectionError(f"the connection ended after {done} of {total} bytes")


def _sizes(answer, begin):
    """All bytes of a file as the server counts them, or None, and where it begins."""
    length = answer.headers.get("Content-Length", "")
    length = int(length) if length.isdigit() else None
    if answer.status != 206:  # the whole file, whatever was asked for
        return length, 0
    span = re.fullmatch(
        r"bytes (\d+)-(\d+)/(\d+|\*)", answer.headers.get("Content-Range", "")
    )
    if not span or int(span[1]) != begin:
        raise _Refused("the server answers with another part than was asked for")
    return (None if span[3] == "*" else int(span[3])), begin


def _check_part(part, sha256, size, url, progress):
    """Check a complete download; one that was put together is read anew once."""
    try:
        return check(part, sha256, size, "")
    except DownloadError:
        part.unlink()  # the file may have changed between the parts
    _download(url, part, size, progress)
    try:
        check(part, sha256, size, "")
    except DownloadError as error:
        part.unlink()
        raise _Refused(str(error).rstrip(". ")) from error


def check(path, sha256, size, fix):
    """Compare a file with its size and checksum.

    Args:
        path: of the file.
        sha256: hexadecimal digits that its SHA-256 begins with; "" checks only that it
            is no page of a portal or a pointer of Git LFS.
        size: bytes; None checks nothing.
        fix: last sentence of the error.

    Raises:
        DownloadError: if it differs.
    """
    found, name = path.stat().st_size, re.sub(r"^\.(.+)\.part-\d+$", r"\1", path.name)
    if size is not None and found != size:
        raise DownloadError(f"{name} must have {size} bytes, not {found}. {fix}")
    if not sha256:
        with open(path, "rb") as file:  # no format of weights begins like that
            if file.read(64).lstrip().startswith((b"<", b"version https://git-lfs")):
                raise DownloadError(f"{path.name} is a page, not the weights. {fix}")
        return
    digest = files.sha256(path)
    if not digest.startswith(sha256.lower()):
        raise DownloadError(
            f"{name} must have a SHA-256 that begins with {sha256[:16]}. "
            f"Received: {digest[:16]}. {fix}"
        )


def reason_of(error):
    """Why something could not be had, without a full stop."""
    if isinstance(error, urllib.error.HTTPError):
        return f"the server answers {error.code} {error.reason}"
    return bounded(getattr(error, "reason", None) or error, 300).rstrip(".")


class _SafeRedirects(urllib.request.HTTPRedirectHandler):
    """Follows redirects to other http addresses, never from https to anything less."""

    def redirect_request(self, request, file, code, message, headers, url):
        old, new = (urllib.parse.urlsplit(x).scheme for x in (request.full_url, url))
        if new != "https" and new != old:
            raise _Refused(f"it redirects to {bounded(url, 200)}")
        return super().redirect_request(request, file, code, message, headers, url)


class HttpOnly(urllib.request.BaseHandler):
    """Refuses addresses that are neither http nor https."""

    def default_open(self, request):
        if request.type not in ("http", "https"):
            raise _Refused(f"its address must begin with https, not {request.type}")


# Not the module's own opener, which reads files and ftp, too.
_OPENER = urllib.request.build_opener(HttpOnly, _SafeRedirects)


@contextlib.contextmanager
def _bar(name):
    """A progress bar on stderr, where that is a terminal."""
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TransferSpeedColumn

    console = Console(stderr=True)
    columns = "{task.description}", BarColumn(), DownloadColumn(), TransferSpeedColumn()
    with Progress(*columns, console=console, disable=not console.is_terminal) as bar:
        task = bar.add_task(name, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)
