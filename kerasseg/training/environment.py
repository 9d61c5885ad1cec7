"""The environment that the bits of a run depend on: versions, threads, devices."""

import os
import warnings

import keras
import tensorflow as tf

from kerasseg import machine

# Variables that choose kernels, or the order in which they add numbers up.
FLAGS = (
    "TF_DETERMINISTIC_OPS",
    "TF_ENABLE_ONEDNN_OPTS",
    "TF_NUM_INTRAOP_THREADS",
    "XLA_FLAGS",
)


def describe(step):
    """Describe the environment of a training step.

    Args:
        step: TrainStep.

    Returns:
        JSON-able dict. Two runs are bit-identical only if theirs are equal.
    """
    threading = tf.config.threading
    return {
        "tensorflow": tf.__version__,
        "keras": keras.__version__,
        "processor": machine.cpu_name(),
        "cores": _cores(),
        "intra_op_threads": threading.get_intra_op_parallelism_threads(),
        "inter_op_threads": threading.get_inter_op_parallelism_threads(),
        **{name: os.environ.get(name) for name in FLAGS},
        "devices": [_device(device) for device in tf.config.list_physical_devices()],
        "dtype_policy": step.model.dtype_policy.name,
        "accumulate": step.options.accumulate,
        "jit_compile": step.options.jit_compile,
        "replicas": step.strategy.num_replicas_in_sync,
    }


def warn_if_changed(then, now):
    """Warn of what differs from the environment of a checkpoint.

    Args:
        then: result of `describe` when the checkpoint was written.
        now: its result in this process.
    """
    changes = [
        f"{key} was {then.get(key)!r}, is {now.get(key)!r}"
        for key in {**then, **now}
        if then.get(key) != now.get(key)
    ]
    if changes:
        warnings.warn(
            "The resumed run is correct, but it may not be bit-identical to one "
            f"without the break: {'; '.join(changes)}.",
            stacklevel=2,
        )


def _cores():
    """Count the cores that this process may use: the threads that TensorFlow starts."""
    # Of the process, not of the machine: containers and schedulers give a share. Linux
    # only.
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count()


def _device(device):
    details = tf.config.experimental.get_device_details(device)
    return details.get("device_name", device.device_type)
