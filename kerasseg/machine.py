"""The machine: processor, memory, oneDNN and XLA in TensorFlow, versions, flags."""

import contextlib
import contextvars
import ctypes
import functools
import importlib.metadata
import logging
import os
import pathlib
import platform
import sys

VARIABLE = "TF_ENABLE_ONEDNN_OPTS"
PACKAGES = ("kerasseg", "tensorflow", "keras", "numpy", "opencv-python-headless")
RUNTIMES = ("openvino", "onnxruntime", "ai-edge-litert")  # where they are there
FLAGS = (
    "CUDA_VISIBLE_DEVICES",
    "KERAS_BACKEND",
    "OMP_NUM_THREADS",
    "TF_DETERMINISTIC_OPS",
    VARIABLE,
    "TF_NUM_INTEROP_THREADS",
    "TF_NUM_INTRAOP_THREADS",
    "XLA_FLAGS",
)
_CONVERTING = contextvars.ContextVar("converting", default=False)


def cpu_name():
    """Model name of the processor; its architecture where the system has no name."""
    return _entry("model name") or platform.processor() or platform.machine()


def cpu_flags():
    """Set of CPU flags, such as "avx2"; empty where the system does not list them."""
    return set((_entry("flags") or "").split())


def use_onednn():
    """Enable oneDNN on processors with AVX2 alone, if TensorFlow is not imported yet.

    TensorFlow 2.21 enables it by itself only with AVX512. With AVX2 alone, training
    takes 0.6 to 0.7 of the time with it, and `predict` no longer for single images
    (benchmarks/README.md). TF_ENABLE_ONEDNN_OPTS=0 in the environment keeps it off.

    Returns:
        Whether it has been enabled now.
    """
    if "tensorflow" in sys.modules or not _lacks_onednn() or VARIABLE in os.environ:
        return False
    os.environ[VARIABLE] = "1"
    return True


def prepare_notebook():
    """Enable oneDNN where `import kerasseg` comes before TensorFlow, and say so.

    For notebooks, whose users neither start the program nor read about processors. A
    library in a program of others leaves their process alone.
    """
    if os.environ.get("KERAS_BACKEND", "tensorflow") != "tensorflow":
        return
    if use_onednn():
        logging.getLogger("kerasseg").warning(
            "oneDNN is on: training on this processor takes 0.6 to 0.7 of the time "
            "with it. %s=0 before kerasseg is imported leaves it off.",
            VARIABLE,
        )
    elif "tensorflow" in sys.modules:
        advise_onednn()


@functools.cache  # once
def advise_onednn():
    """Log what a process loses that uses TensorFlow without oneDNN: too late for it."""
    if VARIABLE in os.environ or not _lacks_onednn() or _has_gpu():
        return
    logging.getLogger("kerasseg").warning(
        "TensorFlow leaves oneDNN off on this processor. With it, training takes 0.6 "
        "to 0.7 of the time: import kerasseg before TensorFlow and Keras in a "
        "notebook, or set %s=1 before. 0 hides this line.",
        VARIABLE,
    )


def _lacks_onednn():
    """Whether oneDNN could be used by this processor, but is not by default."""
    flags = cpu_flags()
    return "avx2" in flags and "avx512f" not in flags


def computes_with_onednn():
    """Whether oneDNN was enabled by the environment and there is no GPU."""
    if os.environ.get(VARIABLE) != "1":
        return False
    return not _has_gpu()


def is_slow_for_one_image():
    """Whether oneDNN computes here, and takes slow ways for a batch of one."""
    return _lacks_onednn() and computes_with_onednn()


def _has_gpu():
    import tensorflow as tf

    return bool(tf.config.list_physical_devices("GPU"))


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


@contextlib.contextmanager
def converting():
    """Trace TensorFlow functions inside it for another runtime: see `converts`."""
    token = _CONVERTING.set(True)
    try:
        yield
    finally:
        _CONVERTING.reset(token)


def converts():
    """Whether what is being traced will run in another runtime than TensorFlow.

    For operations that TensorFlow's file formats have, but not its own kernels.
    """
    return _CONVERTING.get()


def look_at(look, *tensors, times=3):
    """Show the values of tensors to a function wherever Python can see them.

    At once where operations run at once. In a graph of TensorFlow, as `fit` makes it,
    in its first runs; never in one that XLA compiles, nor under other backends.

    Args:
        look: function of arrays; what it raises ends the run.
        tensors: arrays, tensors, or symbols of a graph.
        times: runs of a graph after which nothing is looked at any more.
    """
    import keras

    if keras.backend.backend() != "tensorflow":
        return
    import numpy as np
    import tensorflow as tf

    if tf.executing_eagerly():
        if not any(isinstance(x, keras.KerasTensor) for x in tensors):
            look(*map(keras.ops.convert_to_numpy, tensors))
        return
    if traces_for_xla():
        return
    left = iter(range(times))

    def run(*arrays):
        look(*arrays)
        return np.float32(0)

    # The tensors are copied in the first runs only: they may be large, or on a GPU.
    tf.cond(
        tf.numpy_function(lambda: np.bool_(next(left, None) is not None), [], tf.bool),
        lambda: tf.numpy_function(run, map(tf.stop_gradient, tensors), tf.float32),
        lambda: tf.constant(0.0),
    )


@contextlib.contextmanager
def gradients_are_forgotten():
    """Drop the custom gradients of what is traced within, which nobody derives.

    TensorFlow 2.21 keeps each of them until the process ends, and with it the graph and
    the weights of its training. Optimizers of Keras 3.15 have one, of `all_reduce`.
    """
    from tensorflow.python.framework import ops

    known = ops.gradient_registry._registry
    before = list(known)
    try:
        yield
    finally:
        for name in set(known).difference(before):
            if name.startswith("CustomGradient-"):
                del known[name]


def check_process():
    """Refuse a fork of a process that has used TensorFlow: it would wait for ever.

    Raises:
        RuntimeError: in such a fork, which has none of TensorFlow's threads.
    """
    _check_process(os.getpid())


@functools.cache  # 2 ms, which a prediction of a small image would notice
def _check_process(pid):
    if "tensorflow" not in sys.modules:
        return
    from tensorflow.python.eager import context

    # Private, but nothing public in TensorFlow 2.21 says whether it has started its
    # threads.
    if not getattr(context.context_safe(), "_initialized", False):
        return
    names = []
    for path in pathlib.Path("/proc/self/task").glob("*/comm"):
        with contextlib.suppress(OSError):  # a thread that has just ended
            names.append(path.read_text())
    # Without /proc, no name is known, and no fork either.
    if names and not any(name.startswith("tf_") for name in names):
        raise RuntimeError(
            "TensorFlow must be used in a process of its own. Received: a fork "
            f"(process {pid}) of one that had used it, where it would wait for ever. "
            "Fork before the first use of TensorFlow, or start processes by "
            "multiprocessing.get_context('spawn')."
        )


def peak_memory_mb():
    """Peak resident memory of this process so far, in MB.

    Read from VmHWM where there is /proc: `ru_maxrss` of a child process starts at the
    size of its parent.
    """
    try:
        return _kilobytes("/proc/self/status", "VmHWM") / 1024
    except OSError:
        import resource

        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def reset_peak_memory():
    """Forget the peak so far, where the system can; returns the peak now, in MB."""
    with contextlib.suppress(OSError, AttributeError):  # give back what is not in use
        ctypes.CDLL(None).malloc_trim(0)
    with contextlib.suppress(OSError), open("/proc/self/clear_refs", "w") as file:
        file.write("5")
    return peak_memory_mb()


def free_memory_mb():
    """Memory that programs can still take, in MB; infinity where nothing tells.

    The least of what the machine has available and of what the limits of a container
    (cgroups, version 2) leave.
    """
    left = []
    with contextlib.suppress(OSError):
        left.append(_kilobytes("/proc/meminfo", "MemAvailable") / 1024)
    with contextlib.suppress(OSError, ValueError):  # "max": there is no limit
        limit, used = (
            int(pathlib.Path("/sys/fs/cgroup", name).read_text())
            for name in ("memory.max", "memory.current")
        )
        left.append((limit - used) / 2**20)
    return min(left, default=float("inf"))


def _kilobytes(path, key):
    with open(path, encoding="ascii") as file:
        for line in file:
            if line.startswith(f"{key}:"):
                return int(line.split()[1])
    raise OSError(f"{path} has no {key}.")


def environment():
    """Versions, device and flags that a number depends on: a dict ready for JSON."""
    import keras

    versions = {"python": platform.python_version()}
    for package in (*PACKAGES, *RUNTIMES):
        try:
            versions[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            if package in PACKAGES:
                versions[package] = None
    return {
        "versions": versions,
        "backend": keras.backend.backend(),
        "devices": _devices(),
        "cpu": cpu_name(),
        "cpu_count": os.cpu_count(),
        "platform": platform.platform(),
        "precision": keras.config.dtype_policy().name,
        "flags": {name: os.environ[name] for name in FLAGS if name in os.environ},
    }


def _devices():
    import keras

    if keras.backend.backend() != "tensorflow":
        return []
    import tensorflow as tf

    gpus = tf.config.list_physical_devices("GPU")
    details = [tf.config.experimental.get_device_details(gpu) for gpu in gpus]
    return [detail.get("device_name", "GPU") for detail in details] or ["CPU"]


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
