"""Devices, strategy and precision of a run, and a line that says so."""

import contextlib
import json
import os
import pathlib
import shutil
import typing

from kerasseg import machine

DISTRIBUTE = ("auto", "none", "mirrored", "multiworker")
# Processors whose matrix units take bfloat16; elsewhere it is emulated, and slower.
BFLOAT16_FLAGS = {"avx512_bf16", "amx_bf16"}


class Devices(typing.NamedTuple):
    """Devices that `prepare` found and chose.

    Attributes:
        strategy: tf.distribute.Strategy to build and train in.
        precision: Keras dtype policy.
        writes: False for the workers that leave the run folder to the first.
        text: one line for people.
    """

    strategy: object
    precision: str
    writes: bool
    text: str


def prepare(precision="auto", distribute="auto", *, deterministic=False):
    """Choose devices for a run; call it before anything touches TensorFlow.

    Args:
        precision: Keras dtype policy, or "auto": mixed_bfloat16 on GPUs of compute
            capability 8 and on CPUs with bfloat16 instructions, mixed_float16 on GPUs
            of capability 7, else float32.
        distribute: "none", "mirrored" (all GPUs of this machine), "multiworker" (the
            machines of TF_CONFIG), or "auto": mirrored from two GPUs on.
        deterministic: make every TensorFlow operation deterministic.

    Returns:
        Devices. Memory growth is set on every GPU, nothing else is changed.

    Raises:
        RuntimeError: in a fork of a process that has used TensorFlow.
        ValueError: for an unknown `distribute`, or without a usable TF_CONFIG.
    """
    if distribute not in DISTRIBUTE:
        raise ValueError(
            f"`distribute` must be in {DISTRIBUTE}. Received: {distribute!r}."
        )
    import tensorflow as tf

    from kerasseg import training

    machine.check_process()
    gpus = tf.config.list_physical_devices("GPU")
    # TensorFlow otherwise takes nearly all memory of every GPU when it starts.
    for gpu in gpus:
        tf.config.experimental.set_memory_growth(gpu, True)
    if deterministic:
        tf.config.experimental.enable_op_determinism()
    strategy, writes = tf.distribute.get_strategy(), True
    if distribute == "multiworker":
        # Collective ops must be configured before TensorFlow runs its first operation.
        _check_cluster()
        strategy = tf.distribute.MultiWorkerMirroredStrategy()
        writes = training.is_first_worker(strategy)
    elif distribute == "mirrored" or (distribute == "auto" and len(gpus) > 1):
        strategy = tf.distribute.MirroredStrategy()
    if precision == "auto":
        precision = _precision(gpus)
    replicas = strategy.num_replicas_in_sync
    parts = [_names(gpus), f"{replicas} replicas" if replicas > 1 else "", precision]
    return Devices(strategy, precision, writes, ", ".join(filter(None, parts)))


@contextlib.contextmanager
def precision_policy(name):
    """Keras' dtype policy of the models that are built inside; put back afterwards."""
    import keras

    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(name)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)


def _precision(gpus):
    if gpus:
        # One policy for all replicas: the oldest GPU decides.
        capability = min(
            _details(gpu).get("compute_capability", (0, 0)) for gpu in gpus
        )
        # Tensor cores take float16 since Volta (7.0), bfloat16 since Ampere (8.0).
        if capability >= (8, 0):
            return "mixed_bfloat16"
        return "mixed_float16" if capability >= (7, 0) else "float32"
    return "mixed_bfloat16" if BFLOAT16_FLAGS & machine.cpu_flags() else "float32"


def _names(gpus):
    """Name the GPUs, or say why there is none."""
    if gpus:
        names = [_details(gpu).get("device_name", "GPU") for gpu in gpus]
        return " and ".join(names)
    # The driver lists GPUs that TensorFlow, installed without CUDA wheels, cannot see.
    if pathlib.Path("/proc/driver/nvidia/gpus").exists() or shutil.which("nvidia-smi"):
        return (
            "CPU (this machine has a GPU, but TensorFlow does not see it: "
            "pip install 'kerasseg[gpu]')"
        )
    return "CPU"


def _details(gpu):
    import tensorflow as tf

    return tf.config.experimental.get_device_details(gpu)


def _check_cluster():
    """Refuse a TF_CONFIG that TensorFlow would answer with a stack trace."""
    try:
        config = json.loads(os.environ["TF_CONFIG"])
        places = config["cluster"][config["task"]["type"]]
        index = int(config["task"]["index"])
        if not 0 <= index < len(places):
            raise IndexError(index)
    except (KeyError, IndexError, ValueError, TypeError) as error:
        raise ValueError(
            'distribute="multiworker" needs the environment variable TF_CONFIG, as in '
            '{"cluster": {"worker": ["a:2222", "b:2222"]}, '
            '"task": {"type": "worker", "index": 0}}. '
            f"Received: {os.environ.get('TF_CONFIG')!r}."
        ) from error
