"""Zip archives of strangers: their directory and members have limits of memory."""

import contextlib
import os
import zipfile

from kerasseg.weights.checks import WeightsError

# Deflate cannot pack better than this: a member that claims more is lying.
MAX_DEFLATE_RATIO = 1032
# The directory becomes Python objects of about 13 times its size.
DIRECTORY_SHARE = 16
MIN_DIRECTORY_BYTES = 2**17  # some 1,000 members
BLOCK_BYTES = 2**20
# bzip2 and LZMA unpack a block to any size at once, and nobody's writer uses them.
METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)


class _FirstReads:
    """A binary file whose single reads are limited until `limit` is taken away."""

    def __init__(self, file, limit):
        self.file, self.limit = file, limit
        self.seek, self.tell, self.close = file.seek, file.tell, file.close
        self.seekable = file.seekable

    def read(self, size=-1):
        if self.limit is None:
            return self.file.read(size)
        size = self.limit + 1 if size is None or size < 0 else size
        if size > self.limit + 1:
            raise zipfile.BadZipFile(
                f"its directory claims {size} bytes, at most {self.limit} are read"
            )
        return self.file.read(size)


@contextlib.contextmanager
def open_zip(file, max_bytes):
    """Open a zip archive whose directory takes no more than `max_bytes` as objects.

    Args:
        file: binary file, open for reading.
        max_bytes: limit of memory.

    Yields:
        zipfile.ZipFile; read its members with `blocks` or `content`.
    """
    limit = max(max_bytes // DIRECTORY_SHARE, MIN_DIRECTORY_BYTES)
    reads = _FirstReads(file, limit)
    with zipfile.ZipFile(reads) as archive:
        reads.limit = None
        yield archive


def check_members(archive, size, max_bytes, path):
    """Refuse members that overlap, lie about their size, or unpack to too much.

    Args:
        archive: zipfile.ZipFile.
        size: bytes of its file.
        max_bytes: limit of what all members together unpack to.
        path: for messages.

    Raises:
        WeightsError: names the member.
    """
    members = archive.infolist()
    if sum(member.file_size for member in members) > max_bytes:
        raise WeightsError(f"unpacks to more than {max_bytes} bytes.", path)
    if sum(member.compress_size for member in members) > size:
        raise WeightsError("its members overlap.", path)
    for member in members:
        if member.compress_type not in METHODS:
            raise WeightsError(
                f"members must be stored or deflated. Received: {member.filename!r} "
                f"of method {member.compress_type}.",
                path,
            )
        if member.file_size > MAX_DEFLATE_RATIO * (member.compress_size + 1):
            raise WeightsError(f"the size of {member.filename!r} is false.", path)


def blocks(file):
    """Yield the content of a member piece by piece, 1 MiB at most.

    A read without a size unpacks all that there is, whatever the directory claims.
    """
    while block := file.read(BLOCK_BYTES):
        yield block


def content(archive, name):
    """Bytes of a small member; never more than its entry claims."""
    member = archive.getinfo(name)
    data = bytearray()
    with archive.open(member) as file:
        for block in blocks(file):
            data += block
    return bytes(data)


def member_of(path, name, max_bytes, largest=None):
    """Bytes of the one file of a zip archive that has a name, in whichever folder.

    Args:
        path: of the archive.
        name: of the file, without folders.
        max_bytes: limit of what all files together unpack to.
        largest: limit of this file; None for the same.

    Returns:
        bytes; None if there is no such file.

    Raises:
        WeightsError: if there are several, or the archive lies or is too large.
    """
    with open(path, "rb") as file, open_zip(file, max_bytes) as archive:
        names = [x.filename for x in archive.infolist()]
        names = [x for x in names if x.rpartition("/")[2] == name]
        if not names:
            return None
        if len(names) > 1:
            raise WeightsError(
                f"it must hold one {name}. Received: {len(names)}.", path
            )
        check_members(archive, os.path.getsize(path), max_bytes, path)
        size = archive.getinfo(names[0]).file_size
        if largest is not None and size > largest:
            raise WeightsError(f"{name} has {size} bytes, more than {largest}.", path)
        return content(archive, names[0])
