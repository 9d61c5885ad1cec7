"""Small films: a square that moves to the right over a texture."""

import cv2
import numpy as np

from kerasseg import video

SIDE, STEP = 20, 3


def texture(height, width):
    """A smooth random picture, which flow can follow: uint8 [height, width, 3]."""
    noise = np.random.default_rng(0).integers(0, 256, [height, width, 3])
    smooth = cv2.GaussianBlur(noise.astype("float32"), (0, 0), 2)
    return cv2.normalize(smooth, None, 20, 235, cv2.NORM_MINMAX).astype("uint8")


def square(index, size=(72, 96)):
    """A frame, and the class ids of the square in it."""
    frame, ids = texture(*size), np.zeros(size, "int32")
    place = np.s_[26 : 26 + SIDE, 10 + STEP * index : 10 + STEP * index + SIDE]
    # Its own texture moves along.
    frame[place] = texture(SIDE, SIDE)[..., ::-1] // 2 + 120
    ids[place] = 1
    return frame, ids


def write(path, num=6, size=(72, 96), fps=10):
    """A .webm of so many frames."""
    with video.write_clip(path, fps) as clip:
        for index in range(num):
            clip.add(square(index, size)[0])
    return path


def declares(path, num, fps, size=(48, 64)):
    """An .avi of grey frames, whose header counts them."""
    code = cv2.VideoWriter_fourcc(*"MJPG")
    writer = cv2.VideoWriter(str(path), code, fps, size[::-1])
    for level in range(num):
        writer.write(np.full([*size, 3], min(10 * level, 250), "uint8"))
    writer.release()
    return path
