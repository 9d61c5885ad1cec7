"""Reading and format detection of image files, and the error of this package."""

import os
import pathlib
import stat

from kerasseg.names import bounded, nearest

RETRY_FIX = "Copy, download or export the file again"


class ImageError(ValueError):
    """Error of an image or mask file that cannot be used as it is.

    Args:
        path: the file; also the attribute `path`.
        required: requirement, for the message: "an image file".
        received: what was found instead.
        fix: advice to the reader of the message.

    Example:
        >>> print(ImageError("a.png", "a file", "a folder", "Give one of its files"))
        a.png: required: a file. Received: a folder. Fix: Give one of its files.
    """

    def __init__(self, path, required, received, fix):
        super().__init__(path, required, received, fix)
        self.path = pathlib.Path(path)

    def __str__(self):
        _, *parts = self.args
        # `received` may be another message, which ends in a full stop of its own.
        parts = zip(parts, (1000, 1000, 3000))
        required, received, fix = (bounded(x, n).removesuffix(".") for x, n in parts)
        path = bounded(self.path, 500)
        return f"{path}: required: {required}. Received: {received}. Fix: {fix}."


def check_folder(path, kind="folder"):
    """Raise an ImageError, with the nearest name, if `path` is not a folder.

    Args:
        path: of the folder.
        kind: what the message calls it, if nothing is there.
    """
    path = pathlib.Path(path)
    if not path.is_dir():
        received = f"no such {kind}"
        if path.exists():
            fix = f"Give the folder that holds it, {path.parent}"
            if path.suffix.lower() == ".zip":
                fix = f"Unpack it: unzip '{path}' -d '{path.with_suffix('')}'"
            raise ImageError(path, "a folder", "a file", fix)
        fix = f"Check the path.{nearest_entry(path)}".rstrip(".?")
        raise ImageError(path, f"a {kind}", received, fix)


def read_bytes(source, max_pixels):
    """Content of a regular file, of a file object, or the bytes themselves.

    Returns:
        (pathlib.Path, or a name in brackets where there is none; bytes).

    Raises:
        ImageError: if it is missing, unreadable, empty, not a regular file, or larger
            than an image of `max_pixels` can be.
    """
    path = name_of(source)
    if isinstance(source, (bytes, bytearray)):
        data = bytes(source)
    elif hasattr(source, "read"):
        data = source.read(16 * max_pixels + 2**26 + 1)
        if not isinstance(data, bytes):
            received = f"{type(data).__name__} from its `read`"
            raise ImageError(path, "a binary file", received, 'Open it with mode "rb"')
    elif isinstance(source, (str, os.PathLike)):
        data = _file_content(path, max_pixels)
    else:
        raise ImageError(
            path,
            "a path, the bytes of a file, or a file object",
            type(source).__name__,
            "kerasseg.images.as_array(image) makes an array of pictures and tensors",
        )
    _check_bytes(path, len(data), max_pixels)
    if not data:
        raise ImageError(path, "an image file", "an empty file", RETRY_FIX)
    return path, data


def name_of(source):
    """Path of a file for messages; a name in brackets where there is none."""
    if isinstance(source, (bytes, bytearray)):
        return pathlib.Path("<bytes>")
    if hasattr(source, "read"):
        return pathlib.Path(str(getattr(source, "name", "<file object>")))
    if isinstance(source, (str, os.PathLike)):
        return pathlib.Path(source)
    return pathlib.Path("<no file>")


def _check_bytes(path, num, max_pixels):
    # 16 bytes per pixel (four float32 channels) and 64 MB of metadata.
    if num > 16 * max_pixels + 2**26:
        raise ImageError(
            path,
            f"at most {max_pixels} pixels (`max_pixels`)",
            f"a file of {num} bytes",
            "Cut the picture into tiles",
        )


def check_regular(path):
    """Refuse folders, and pipes and devices, whose reading may never end."""
    mode = path.stat().st_mode
    if stat.S_ISDIR(mode):
        received, fix = "a folder", "Give one of its files"
        raise ImageError(path, "an image file", received, fix)
    if not stat.S_ISREG(mode):
        received, fix = "a special file", "Give a plain file"
        raise ImageError(path, "an image file", received, fix)


def _file_content(path, max_pixels):
    try:
        check_regular(path)
        _check_bytes(path, path.stat().st_size, max_pixels)
        data = path.read_bytes()
    except FileNotFoundError:
        if path.is_symlink():
            received, fix = "a link to nothing", f"Check {os.readlink(path)!r}"
            raise ImageError(path, "an image file", received, fix) from None
        fix = f"Check the path.{nearest_entry(path)}".rstrip(".?")
        raise ImageError(path, "an image file", "no such file", fix) from None
    except ImageError:
        raise
    except (OSError, ValueError) as error:  # ValueError: NUL or half a character in it
        fix = "Check its name and its permissions"
        raise ImageError(path, "a readable file", f"{error}", fix) from error
    return data


def nearest_entry(path):
    """Sentence about what lies where a file does not: the nearest name, if any."""
    if not path.parent.is_dir():
        return f" The folder {path.parent} does not exist."
    return nearest(path.name, [entry.name for entry in path.parent.iterdir()])


_SIGNATURES = (
    ("PNG", b"\x89PNG\r\n\x1a\n"),
    ("JPEG", b"\xff\xd8\xff"),
    ("TIFF", b"II*\0"),
    ("TIFF", b"MM\0*"),
    ("TIFF", b"II+\0"),
    ("TIFF", b"MM\0+"),
    ("BMP", b"BM"),
    ("GIF", b"GIF8"),
    *(("PNM", b"P%d" % number) for number in range(1, 7)),
    ("NumPy", b"\x93NUMPY"),
)


def detect_format(path, data):
    """Format of a file by its signature, such as "PNG": file names are less reliable.

    Raises:
        ImageError: if it is none of the supported formats.
    """
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "WebP"
    for kind, signature in _SIGNATURES:
        if data.startswith(signature):
            return kind
    if data.startswith(b"version https://git-lfs"):
        received, fix = "a Git LFS pointer, not the file itself", "Run `git lfs pull`"
    elif b"\0" not in data[:256] and data[:64].isascii():
        start = data[:40].decode().strip()
        received, fix = f"a text file that starts with {start!r}", RETRY_FIX
    elif _is_clip(data):
        received = "a clip"
        fix = "Take a frame of it, or give `kerasseg predict` the whole file"
    else:
        received = f"unknown content that starts with {data[:8]!r}"
        fix = "Convert it to PNG, or to JPEG for photographs"
    known = "PNG, JPEG, TIFF, BMP, GIF, WebP, PNM or .npy"
    raise ImageError(path, f"an image file ({known})", received, fix)


def _is_clip(data):
    """Whether these are the bytes of a film: MP4, QuickTime, AVI, Matroska or WebM."""
    if data[4:8] == b"ftyp":  # of photographs in HEIC and AVIF, too
        return data[8:11] not in (b"hei", b"hev", b"mif", b"msf", b"avi")
    return data[8:12] == b"AVI " or data.startswith(b"\x1aE\xdf\xa3")
