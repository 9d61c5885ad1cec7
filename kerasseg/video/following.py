"""Objects of a film that stay near where they were: no look-alikes elsewhere."""

import math
import numbers

import cv2
import numpy as np

from kerasseg.video.flow import motion, warp

LOST = 0.2  # share of its area below which an object is hidden, or not recognised


class Follower:
    """Limit what a model finds to the surroundings of what it found a frame before.

    Optical flow moves the objects of the last frame along; the probability of all
    classes but the first falls with the distance to them as a Gaussian. Where less than
    a fifth of them is found again, they wait at their place.

    Args:
        reach: standard deviation of the Gaussian, as a share of the diagonal, 0 to 1.

    Raises:
        ValueError: if `reach` is out of its range.

    Example:
        >>> follower, frame = Follower(0.02), np.zeros([64, 64, 3], "uint8")
        >>> found = np.zeros([64, 64, 2], "float32")
        >>> found[..., 0] = 1
        >>> found[8:16, 8:16] = found[40:48, 40:48] = (0, 1)
        >>> first = found.copy()
        >>> first[40:48, 40:48] = (1, 0)
        >>> int(follower(frame, first)[..., 1].sum())
        64
        >>> int(follower(frame, found)[..., 1].sum())  # the other one is far away
        64
    """

    def __init__(self, reach=0.05):
        right = isinstance(reach, numbers.Real) and not isinstance(reach, bool)
        if not (right and 0 < reach <= 1):
            raise ValueError(f"`reach` must be above 0, up to 1. Received: {reach!r}.")
        self.reach, self._frame, self._mask = float(reach), None, None

    def __call__(self, frame, probabilities):
        """Probabilities of the next frame without what is far from the last objects.

        Args:
            frame: uint8 [H, W, 3].
            probabilities: float32 [H, W, K], the first class the background; [H, W, 1]
                of a binary model.

        Returns:
            float32 [H, W, K]. The first frame is returned as it is.
        """
        shares, moved = np.array(probabilities, "float32"), None
        if self._mask is not None and self._mask.shape == shares.shape[:2]:
            flow = motion(self._frame, frame)
            moved = warp(self._mask.astype("float32"), flow) > 0.5
            shares = _near(shares, moved, self.reach)
        found = shares[..., 0] > 0.5 if shares.shape[2] == 1 else shares.argmax(-1) > 0
        is_lost = moved is not None and found.sum() < LOST * moved.sum()
        self._frame, self._mask = np.array(frame), moved if is_lost else found
        return shares


def _near(shares, mask, reach):
    """Probabilities that fall with the distance to a mask; none where it is empty."""
    if not mask.any():
        return shares
    far = cv2.distanceTransform((~mask).astype("uint8"), cv2.DIST_L2, 5)
    near = np.exp(-0.5 * (far / (reach * math.hypot(*mask.shape))) ** 2)[..., None]
    if shares.shape[2] == 1:
        return shares * near
    objects = shares[..., 1:] * near
    return np.concatenate([1 - objects.sum(-1, keepdims=True), objects], axis=-1)
