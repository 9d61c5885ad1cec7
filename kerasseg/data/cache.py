"""Decoded samples in memory. No TensorFlow here."""

import os
import threading
import warnings

import numpy as np

AUTO_BYTES = 2**30


class SampleCache:
    """Arrays of decoded samples by index, up to a number of bytes; for many threads.

    Args:
        mode: "auto", True or False, see `pipeline.Reading`.
    """

    def __init__(self, mode):
        self._free_bytes = max_bytes(mode)
        self._warns_when_full = mode is True
        self._samples = {}
        self._lock = threading.Lock()

    def __len__(self):
        return len(self._samples)

    def get(self, index):
        """Return the arrays of a sample, or None."""
        return self._samples.get(index)

    def add(self, index, arrays):
        """Keep the image and the other arrays of a sample, if there is room."""
        if self._free_bytes <= 0:
            return
        arrays = [arrays[0], *map(_packed, arrays[1:])]
        with self._lock:
            self._free_bytes -= sum(array.nbytes for array in arrays)
            if self._free_bytes >= 0:
                self._samples[index] = arrays
                return
            warns, self._warns_when_full = self._warns_when_full, False
        if warns:
            warnings.warn(
                f"The cache is full: {len(self)} samples stay in memory, the others "
                "are read every time.",
                stacklevel=2,
            )


def max_bytes(mode):
    """Size of a cache: "auto" 1 GiB, True half of the machine's memory, False 0."""
    if mode == "auto":
        return AUTO_BYTES
    if not mode:
        return 0
    if not hasattr(os, "sysconf"):  # Windows does not tell the size of its memory
        return 4 * AUTO_BYTES
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2


def _packed(array):
    """The same numbers in a quarter of the memory, where they are small enough."""
    small = array.size and array.min() >= 0 and array.max() <= 255
    return array.astype(np.uint8) if small else array
