"""Shared fixtures: the seed, and the optional real data."""

import os
import pathlib
import signal

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")

# Shells start background jobs with Ctrl-C ignored, and so would be what tests start.
if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

import numpy as np
import pytest

DATA = pathlib.Path(
    os.environ.get(
        "KERASSEG_DATA", pathlib.Path(__file__).parents[1] / "../shared/data"
    )
)


@pytest.fixture
def rng():
    """The same random numbers in every run."""
    return np.random.default_rng(0)


@pytest.fixture
def data_root():
    """Function from a data set's name to its folder; skips the test without it."""

    def find(name):
        folder = DATA / name
        if not folder.is_dir():
            pytest.skip(f"needs the data set {name!r} in {DATA} (set KERASSEG_DATA)")
        return folder

    return find
