"""Shared fixtures: the seed, and the optional real data."""

import gc
import os
import pathlib
import signal
import sys
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")
# What XLA compiles here runs once: optimising took half of its tests' time (TF 2.21).
os.environ.setdefault(
    "XLA_FLAGS",
    "--xla_backend_optimization_level=0 --xla_cpu_use_fusion_emitters=false",
)

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
    """Leave out of later collections what importing has made, 400,000 objects.

    Nor may Python collect when it likes: left to itself it does so the less often the
    more there is, and a single collection then took 100 CPU seconds (TensorFlow
    2.21).
    """
    gc.collect()
    gc.freeze()
    gc.disable()


@pytest.fixture(scope="module", autouse=True)
def free_models():
    """Free the models and graphs of a file of tests."""
    begin = time.process_time()
    yield
    if time.process_time() - begin > 1:  # others build hardly anything
        _forget_gradients()
        gc.collect()


@pytest.fixture(scope="session")
def collected():
    """When Python collected last within a file of tests, a list of one time."""
    return [time.process_time()]


@pytest.fixture(autouse=True)
def free_between(collected):
    """Collect within files that take long, too."""
    yield
    if time.process_time() - collected[0] > 20:
        gc.collect()
        collected[0] = time.process_time()


def _forget_gradients():
    """Drop the gradients of TensorFlow's that hold the graphs of all trainings.

    Each graph in which an optimizer of Keras updates weights registers a custom one of
    `all_reduce`, for ever.
    """
    if ops := sys.modules.get("tensorflow.python.framework.ops"):
        known = ops._gradient_registry._registry
        for name in [name for name in known if name.startswith("CustomGradient-")]:
            del known[name]


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
