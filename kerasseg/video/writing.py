"""Clips that browsers play, written frame by frame."""

import contextlib
import pathlib

import cv2
import numpy as np

from kerasseg import files
from kerasseg.images.content import ImageError
from kerasseg.video.reading import Clip

# The wheel of OpenCV has no H.264 encoder, and browsers do not play mp4v.
CODEC, EXTENSION = "VP80", ".webm"
LEAST_PX = 16  # below, the encoder writes files that nobody can read


@contextlib.contextmanager
def write_clip(path, fps):
    """Write a .webm (VP8) frame by frame; it appears complete or not at all.

    Before the file gets its name its frames are counted by reading: OpenCV does not
    tell of a full disk.

    Args:
        path: file to write, ending in .webm.
        fps: frames per second.

    Yields:
        Object with `add(frame)`, and `num`, the frames so far.

    Raises:
        ImageError: if it has another extension, cannot be written, or not be read.
    """
    path = pathlib.Path(path)
    if path.suffix.lower() != EXTENSION:
        fix = f"Call it {path.with_suffix(EXTENSION).name}"
        raise ImageError(path, "a name that ends in .webm", path.name, fix)
    with files.replacing(path) as part:
        frames = Frames(part, path, fps)
        try:
            yield frames
        finally:
            frames.close()
        with Clip(part) as clip:
            found = sum(1 for _ in clip)
        if found != frames.num:
            wanted = f"the {frames.num} frames that were written"
            fix = "Look whether the disk is full"
            raise ImageError(path, wanted, f"{found} that can be read", fix)


class Frames:
    """The frames of a clip that is being written.

    Args:
        part: file to write at.
        path: that file as messages call it.
        fps: frames per second.

    Attributes:
        num: frames so far.
    """

    def __init__(self, part, path, fps):
        self.part, self.path, self.fps, self.num = part, path, fps, 0
        self._writer = self._shape = None

    def add(self, frame):
        """Append a frame.

        Args:
            frame: uint8 [H, W, 3], RGB, of the size of the first. Its last row and
                column are repeated up to even sides of at least 16, as VP8 needs.

        Raises:
            ValueError: if it is none.
        """
        frame = np.asarray(frame)
        fits = frame.dtype == "uint8" and frame.ndim == 3 and frame.shape[2] == 3
        if not fits or frame.shape != (self._shape or frame.shape):
            first = self._shape or "[H, W, 3]"
            raise ValueError(
                f"`frame` must be uint8 {first}, as all frames of a clip. "
                f"Received: {frame.dtype} {frame.shape}."
            )
        self._shape = frame.shape
        pads = [max(LEAST_PX, side + side % 2) - side for side in frame.shape[:2]]
        if any(pads):
            frame = np.pad(frame, [*((0, pad) for pad in pads), (0, 0)], mode="edge")
        if self._writer is None:
            self._writer = self._open(frame.shape[1::-1])
        self._writer.write(cv2.cvtColor(frame, cv2.COLOR_RGB2BGR))
        self.num += 1

    def close(self):
        """Write what is left."""
        if self._writer is not None:
            self._writer.release()

    def _open(self, size):
        code = cv2.VideoWriter_fourcc(*CODEC)
        writer = cv2.VideoWriter(str(self.part), code, self.fps, size)
        if not writer.isOpened():  # it says nothing by itself
            fix = "Check the folder, the disk, and the build of OpenCV"
            raise ImageError(self.path, "a clip to write", "no VP8 encoder", fix)
        return writer
