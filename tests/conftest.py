"""Shared fixtures: the seed, and the optional real data."""

import gc
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


def pytest_collection_finish():
    """Leave out of later collections what importing has made, 400,000 objects."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="module", autouse=True)
def free_models():
    """Free the models and graphs of a file of tests.

    Left to themselves they pile up, since Python collects the less often the more
    there is: a single collection then took 100 CPU seconds (TensorFlow 2.21).
    """
    yield
    gc.collect()


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
