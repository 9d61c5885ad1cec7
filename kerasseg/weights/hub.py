"""Files of the Hugging Face Hub whose checksum only the hub itself states.

An answer for `https://huggingface.co/REPOSITORY/resolve/REVISION/FILE` redirects to
another server, which sends the file. The answer itself states the file's SHA-256, as
`X-Linked-Etag`, and its bytes, as `X-Linked-Size`: with a revision in the address they
are of one file for ever. The SHA-256 is kept beside the file, in the form of sha256sum,
so that the file is checked without a network, too.
"""

import http.client
import re
import time
import urllib.error
import urllib.parse
import urllib.request

from kerasseg import files
from kerasseg.weights import downloads

HOPS = 5  # redirects within the hub, as of a repository that has another name now
SUFFIX = ".sha256"


def fetch(url, *, folder="", mirrored=None, progress=None):
    """Path of a file, checked by the SHA-256 and the size that its server states.

    A mirror states them by the same headers, or by a file of the same name and
    ".sha256", such as the cache holds.

    Args:
        url: address of a file on the hub.
        folder, mirrored, progress: see `downloads.fetch`.

    Returns:
        pathlib.Path.

    Raises:
        downloads.DownloadError: if it cannot be had, is another file, or nobody states
            its SHA-256; names the address, the folder, and how to put it there by hand.
        OSError: if the cache cannot be written.
    """
    path = downloads.place(url, folder)
    note, size = path.with_name(path.name + SUFFIX), None
    sha256 = _noted(note, url) if path.is_file() else None
    if sha256 is None:
        downloads.make_folder(path.parent)
        source = downloads.source_of(url, mirrored)
        try:
            sha256, size = stated(source, url)
        except (OSError, ValueError, http.client.HTTPException) as error:
            raise downloads.DownloadError(
                f"The SHA-256 of {path.name} could not be had from {source}: "
                f"{downloads.reason_of(error)}. To do without, put the file into "
                f"{path.parent}, and beside it {note.name}, a text file with the "
                f"SHA-256 that {url.replace('/resolve/', '/blob/')} shows; or set "
                "KERASSEG_MIRROR to an address that holds both."
            ) from error
        # Before the file, which without it could not be checked.
        files.replace_text(note, f"# {url}\n{sha256}  {path.name}\n")
    return downloads.fetch(
        url,
        folder=folder,
        mirrored=mirrored,
        sha256=sha256,
        size=size,
        progress=progress,
    )


def stated(source, url=None):
    """SHA-256 and size of a file, as the server at its address states them.

    Args:
        source: http or https address; a mirror may state the SHA-256 in a file beside
            it instead.
        url: address of the file on the hub; None is the same one.

    Returns:
        (64 hexadecimal digits, bytes or None).

    Raises:
        ValueError: if it states none, or something else.
        OSError: if it does not answer, or not about a file.
    """
    headers = _headers(source)
    if (given := headers.get("X-Linked-Etag")) is None:
        return _beside(source, url or source), None
    # As any entity tag it may be quoted, and marked as weak.
    found = re.fullmatch(r'(?:W/)?"?([0-9a-fA-F]{64})"?', given.strip())
    size = headers.get("X-Linked-Size", "")
    if not found or not re.fullmatch(r"\d{0,15}", size):
        raise ValueError(
            f"it must state a SHA-256 and a size. Received: X-Linked-Etag {given!r}, "
            f"X-Linked-Size {size!r}"
        )
    return found[1].lower(), int(size) if size else None


def _headers(url):
    """Headers of the last answer of the server that is asked, before any other's."""
    request = urllib.request.Request(url, method="HEAD")
    for _ in range(HOPS):
        try:
            with _opened(request) as answer:
                return answer.headers
        except urllib.error.HTTPError as error:
            error.close()
            if error.code // 100 != 3:
                raise
            target = urllib.parse.urljoin(request.full_url, error.headers["Location"])
            if "X-Linked-Etag" in error.headers or not _is_same(target, url):
                return error.headers
            request = urllib.request.Request(target, method="HEAD")
    raise ValueError(f"it redirects more than {HOPS} times")


def _opened(request):
    """An answer, in as many attempts as a download has."""
    request.add_header("User-Agent", "kerasseg")
    for attempt in range(downloads.ATTEMPTS):
        try:
            return _OPENER.open(request, timeout=downloads.TIMEOUT_S)
        except (OSError, http.client.HTTPException) as error:
            if downloads.is_final(error) or attempt == downloads.ATTEMPTS - 1:
                raise
        time.sleep(downloads.PAUSE_S * 2**attempt)


def _beside(source, url):
    """SHA-256 in a text file beside the address of a mirror."""
    try:
        with _opened(urllib.request.Request(source + SUFFIX)) as answer:
            found = _sum_in(answer.read(4096).decode("utf-8", "replace"), url)
    except urllib.error.HTTPError as error:
        error.close()
        found = None
    if not found:
        raise ValueError(
            f"it states none, neither as X-Linked-Etag nor in a file {SUFFIX} beside it"
        )
    return found


def _noted(note, url):
    """SHA-256 in a file of the cache; None if there is none for this address."""
    try:
        found = _sum_in(note.read_text("utf-8", "replace"), url)
    except FileNotFoundError:
        return None
    if found == "":
        raise downloads.DownloadError(
            f"{note} must begin with a SHA-256, 64 hexadecimal digits. Write the one "
            f"that {url.replace('/resolve/', '/blob/')} shows, or delete it."
        )
    return found


def _sum_in(text, url):
    """SHA-256 of a note; "" if it has none, None if it is of another revision."""
    if text.startswith("#") and url not in text:
        return None
    found = re.search(r"^\s*([0-9a-fA-F]{64})\b", text, re.MULTILINE)
    return found[1].lower() if found else ""


def _is_same(url, other):
    """Whether two addresses are of one server."""
    url, other = urllib.parse.urlsplit(url), urllib.parse.urlsplit(other)
    return (url.scheme, url.netloc) == (other.scheme, other.netloc)


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """Raises redirects as errors, whose headers can be read."""

    def redirect_request(self, *_):
        return None


_OPENER = urllib.request.build_opener(downloads.HttpOnly, _NoRedirects)
