"""The processor: its name, its instruction sets (Linux), and how TensorFlow uses it."""

import os
import pathlib
import platform
import sys


def cpu_name():
    """Model of the processor; the bare architecture where the system does not say."""
    return _entry("model name") or platform.processor() or platform.machine()


def cpu_flags():
    """Set of instruction sets, such as "avx2"; empty where the system does not say."""
    return set((_entry("flags") or "").split())


def use_onednn():
    """Let TensorFlow, where it is not imported yet, compute with oneDNN.

    By itself it does so only on processors with AVX512. On those with AVX2 alone,
    training takes 0.6 to 0.7 of the time with it, and one image at a time far longer
    (benchmarks/README.md). TF_ENABLE_ONEDNN_OPTS=0 in the environment keeps it off.
    For programs that train: a library does not change its process.
    """
    flags = cpu_flags()
    if "tensorflow" not in sys.modules and "avx2" in flags and "avx512f" not in flags:
        os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")


def computes_with_onednn():
    """Whether TensorFlow was asked for oneDNN, and has no GPU to compute on."""
    if os.environ.get("TF_ENABLE_ONEDNN_OPTS") != "1":
        return False
    import tensorflow as tf

    return not tf.config.list_physical_devices("GPU")


def _entry(key):
    """Value of the first processor's line `key : value`, or None."""
    try:
        lines = pathlib.Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:  # not Linux
        return None
    for line in lines:
        name, _, value = line.partition(":")
        if name.strip() == key:
            return value.strip()
    return None
