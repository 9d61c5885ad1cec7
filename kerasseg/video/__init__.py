"""Clips and cameras: frames in, clips out, and what moves between frames.

Frames are RGB, uint8 [H, W, 3], one at a time: memory does not grow with the length of
a clip. Needs numpy and OpenCV, not tensorflow.

    >>> import pathlib, tempfile
    >>> import numpy as np
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "grey.webm"
    >>> with write_clip(path, fps=10) as writer:
    ...     for level in (50, 100, 150):
    ...         writer.add(np.full([32, 48, 3], level, "uint8"))
    >>> with Clip(path) as clip:
    ...     clip.fps, clip.size, [int(frame.mean().round(-1)) for frame in clip]
    (10.0, (32, 48), [50, 100, 150])
"""

from kerasseg.video.flow import motion, visible, warp
from kerasseg.video.following import Follower
from kerasseg.video.options import ClipOptions
from kerasseg.video.processing import process
from kerasseg.video.reading import EXTENSIONS, Clip, is_clip
from kerasseg.video.smoothing import Smoother
from kerasseg.video.writing import write_clip

__all__ = [
    "EXTENSIONS",
    "Clip",
    "ClipOptions",
    "Follower",
    "Smoother",
    "is_clip",
    "motion",
    "process",
    "visible",
    "warp",
    "write_clip",
]
