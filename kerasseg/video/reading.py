"""Frames of clips and cameras, one by one."""

import math
import os
import pathlib

import cv2

from kerasseg.images.content import ImageError, detect_format, nearest_entry

EXTENSIONS = frozenset(
    (
        *(".mp4", ".m4v", ".mov", ".webm", ".mkv", ".avi", ".mpg", ".mpeg"),
        *(".wmv", ".flv", ".ts", ".mts", ".m2ts", ".3gp", ".ogv"),
    )
)
USUAL_FPS = 25.0  # where a source does not say
# Containers count frames by duration and rate, which may be a few off.
SPARE, SPARE_SHARE = 2, 0.05
CONVERT = "Convert it to H.264 or VP9: ffmpeg -i {} converted.mp4"


def is_clip(source):
    """Whether a source is a camera, by a number, or a file with a clip's extension.

    Args:
        source: path, or the number of a camera, also as text where no such file is.

    Example:
        >>> is_clip("walk.MP4"), is_clip("0"), is_clip("photo.jpg")
        (True, True, False)
    """
    return _camera(source) is not None or (
        pathlib.Path(source).suffix.lower() in EXTENSIONS
    )


class Clip:
    """Frames of a clip or a camera, as a context manager and an iterator.

    Args:
        source: path of a clip, or the number of a camera, 0 for the first.

    Attributes:
        name: of the file without extension, or "camera_0".
        fps: frames per second that the source says, 25 where it does not.
        is_camera: whether it is one.
        path: of the clip.
        size: (height, width).
        num_read: frames so far.
        declared: number of frames that the file says, which may be wrong; None where it
            says none, as cameras do.

    Raises:
        ImageError: if the file is missing, no clip, or has no frame that can be read,
            or there is no such camera; while iterating, if the size changes.
    """

    def __init__(self, source):
        camera = _camera(source)
        self.path, self.is_camera = pathlib.Path(str(source)), camera is not None
        self.name = self.path.stem if camera is None else f"camera_{camera}"
        if camera is None:
            _check_file(self.path)
        self._capture = cv2.VideoCapture(str(source) if camera is None else camera)
        # A clip can open and yet hold nothing that this OpenCV decodes, such as AV1.
        is_open, (is_there, first) = self._capture.isOpened(), self._capture.read()
        if not is_there:
            self.close()
            raise _unreadable(self.path, camera, is_open)
        self._next = first
        self.size, self.num_read = first.shape[:2], 0
        fps = self._capture.get(cv2.CAP_PROP_FPS)
        self.fps = float(fps) if 0 < fps <= 1000 else USUAL_FPS
        declared = self._capture.get(cv2.CAP_PROP_FRAME_COUNT)
        known = camera is None and math.isfinite(declared) and declared > 0
        self.declared = round(declared) if known else None

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.close()

    def close(self):
        """Let go of the file or the camera."""
        self._capture.release()

    def __iter__(self):
        while self._next is not None:
            frame = self._next
            if frame.shape[:2] != self.size:
                raise ImageError(
                    self.path,
                    f"frames of one size, {self.size} as the first",
                    f"{frame.shape[:2]} at frame {self.num_read}",
                    "Cut the clip where its size changes",
                )
            self.num_read += 1
            yield cv2.cvtColor(frame, cv2.COLOR_BGR2RGB)
            is_there, frame = self._capture.read()
            self._next = frame if is_there else None

    def missing(self):
        """Message about frames that the file declares and that could not be read.

        Returns:
            str, or None if all are there, give or take a few. To be asked at the end.
        """
        if self.declared is None:
            return None
        if self.num_read >= self.declared * (1 - SPARE_SHARE) - SPARE:
            return None
        return str(
            ImageError(
                self.path,
                f"the {self.declared} frames that the file declares",
                f"{self.num_read} that can be read; it is truncated or damaged",
                "Copy, download or export the file again",
            )
        )


def _camera(source):
    """Number of a camera; None if the source is a file."""
    text = os.fspath(source) if isinstance(source, os.PathLike) else str(source)
    is_number = text.isascii() and text.isdigit() and len(text) < 4
    return int(text) if is_number and not os.path.exists(text) else None


def _check_file(path):
    """Say what a file is that is no clip, where that can be told."""
    if not path.is_file():
        received = "a folder" if path.is_dir() else "no such file"
        fix = f"Check the path.{nearest_entry(path)}".rstrip(".?")
        raise ImageError(path, "a clip", received, fix)
    with open(path, "rb") as stream:
        start = stream.read(512)
    if not start:
        fix = "Copy, download or export the file again"
        raise ImageError(path, "a clip", "an empty file", fix)
    try:
        kind = detect_format(path, start)
    except ImageError:
        return
    if kind not in ("GIF", "WebP"):  # which may be animated
        raise ImageError(path, "a clip", f"a picture ({kind})", "Rename it")


def _unreadable(path, camera, is_open):
    if camera is not None:
        return ImageError(
            path, "the number of a camera", "none that opens", "Is it plugged in, free?"
        )
    if is_open:
        received = "a clip of 0 readable frames, as AV1 in some builds of OpenCV"
    else:
        received = "a file that OpenCV cannot open: no clip, or truncated"
    return ImageError(path, "a clip", received, CONVERT.format(path.name))
