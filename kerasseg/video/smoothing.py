"""Answers for a film that do not flicker: each frame remembers the one before."""

import numbers

import numpy as np

from kerasseg.video.flow import motion, visible, warp


class Smoother:
    """Mean of what a model says now and what it said, moved along with the picture.

    Optical flow carries the mean so far to the new frame, which has a part in it of at
    most `strength`, less where the colour says that something else is seen now.

    Args:
        strength: part of the past, 0 to below 1; 0.5 forgets half in each frame.

    Raises:
        ValueError: if `strength` is out of its range.

    Example:
        >>> smoother = Smoother(0.5)
        >>> frame, now = np.zeros([64, 64, 3], "uint8"), np.ones([64, 64, 1], "float32")
        >>> [float(smoother(frame, x * now)[32, 32, 0]) for x in (0, 1, 1)]
        [0.0, 0.5, 0.75]
    """

    def __init__(self, strength=0.5):
        right = isinstance(strength, numbers.Real) and not isinstance(strength, bool)
        if not (right and 0 <= strength < 1):
            raise ValueError(
                f"`strength` must be from 0 to below 1. Received: {strength!r}."
            )
        self.strength, self._frame, self._mean = float(strength), None, None

    def __call__(self, frame, probabilities):
        """Smoothed probabilities of the next frame.

        Args:
            frame: uint8 [H, W, 3].
            probabilities: float32 [H, W, K] of the model for this frame.

        Returns:
            float32 [H, W, K].
        """
        mean = np.asarray(probabilities, "float32")
        if self._mean is not None and self._mean.shape == mean.shape:
            flow = motion(self._frame, frame)
            part = self.strength * visible(self._frame, frame, flow)[..., None]
            mean = part * warp(self._mean, flow) + (1 - part) * mean
        self._frame, self._mean = np.array(frame), mean
        return mean
