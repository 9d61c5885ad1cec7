"""Mirrored and turned views of images, over which answers are averaged."""

from typing import NamedTuple

import numpy as np


class View(NamedTuple):
    """One of the eight ways to lay an image.

    rows, columns: whether their order is reversed.
    turned: whether rows and columns are then exchanged.

    Example:
        >>> batch = np.arange(6).reshape([1, 2, 3, 1])
        >>> view = View(rows=True, columns=False, turned=True)
        >>> view.of(batch)[0, :, :, 0].tolist()
        [[3, 0], [4, 1], [5, 2]]
        >>> np.array_equal(view.undo(view.of(batch)), batch)
        True
    """

    rows: bool = False
    columns: bool = False
    turned: bool = False

    def of(self, batch):
        """Images [N, H, W, ...], or answers to them, seen so; no copy."""
        seen = np.flip(batch, self._axes())
        return seen.swapaxes(1, 2) if self.turned else seen

    def undo(self, batch):
        """Images or answers as they were before `of`; no copy."""
        return np.flip(batch.swapaxes(1, 2) if self.turned else batch, self._axes())

    def _axes(self):
        return tuple(
            axis for axis, is_so in ((1, self.rows), (2, self.columns)) if is_so
        )


_SIDEWAYS = (View(), View(columns=True))
_UPRIGHT = (*_SIDEWAYS, View(rows=True), View(rows=True, columns=True))
# Value of the option `flips` -> views, the image as it is first.
VIEWS = {
    False: (View(),),
    True: _SIDEWAYS,
    "horizontal": _SIDEWAYS,
    "both": _UPRIGHT,
    "all": (*_UPRIGHT, *(view._replace(turned=True) for view in _UPRIGHT)),
}


def check_flips(flips):
    """Refuse anything but a key of `VIEWS`."""
    if flips not in list(VIEWS):  # a list is not hashable
        raise ValueError(
            "`flips` must be False, True, 'horizontal', 'both' or 'all'. "
            f"Received: flips={flips!r}."
        )
