"""The processor: name, instruction sets (Linux); oneDNN and XLA in TensorFlow."""

import os
import pathlib
import platform
import sys


def cpu_name():
    """Model name of the processor; its architecture where the system has no name."""
    return _entry("model name") or platform.processor() or platform.machine()


def cpu_flags():
    """Set of CPU flags, such as "avx2"; empty where the system does not list them."""
    return set((_entry("flags") or "").split())


def use_onednn():
    """Enable oneDNN on processors with AVX2 alone, if TensorFlow is not imported yet.

    TensorFlow 2.21 enables it by itself only with AVX512. With AVX2 alone, training
    takes 0.6 to 0.7 of the time with it, and one image at a time far longer
    (benchmarks/README.md). TF_ENABLE_ONEDNN_OPTS=0 in the environment keeps it off.
    For programs that train: a library does not change its process.
    """
    flags = cpu_flags()
    if "tensorflow" not in sys.modules and "avx2" in flags and "avx512f" not in flags:
        os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")


def computes_with_onednn():
    """Whether oneDNN was enabled by the environment and there is no GPU."""
    if os.environ.get("TF_ENABLE_ONEDNN_OPTS") != "1":
        return False
    import tensorflow as tf

    return not tf.config.list_physical_devices("GPU")


def traces_for_xla():
    """Whether the TensorFlow function that is being traced will be compiled by XLA.

    For operations that XLA lacks or computes wrongly.
    """
    import tensorflow as tf
    from tensorflow.python.ops import control_flow_util

    if tf.config.optimizer.get_jit():  # it compiles parts of any function
        return True
    graph = tf.compat.v1.get_default_graph()
    return control_flow_util.GraphOrParentsInXlaContext(graph)


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
