"""results.json: scores, and what a number needs beside it."""

import datetime
import importlib.metadata
import json
import os
import platform

import keras

import kerasseg
from kerasseg import files, machine

PACKAGES = ("tensorflow", "keras", "numpy", "opencv-python-headless")
FLAGS = (
    "CUDA_VISIBLE_DEVICES",
    "KERAS_BACKEND",
    "OMP_NUM_THREADS",
    "TF_DETERMINISTIC_OPS",
    "TF_ENABLE_ONEDNN_OPTS",
    "TF_NUM_INTEROP_THREADS",
    "TF_NUM_INTRAOP_THREADS",
    "XLA_FLAGS",
)


def environment():
    """Versions, device and flags that a number depends on: a dict ready for JSON."""
    versions = {"kerasseg": kerasseg.__version__, "python": platform.python_version()}
    for package in PACKAGES:
        try:
            versions[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            versions[package] = None
    return {
        "versions": versions,
        "backend": keras.backend.backend(),
        "devices": _devices(),
        "cpu": machine.cpu_name(),
        "cpu_count": os.cpu_count(),
        "platform": platform.platform(),
        "precision": keras.config.dtype_policy().name,
        "flags": {name: os.environ[name] for name in FLAGS if name in os.environ},
    }


def _devices():
    if keras.backend.backend() != "tensorflow":
        return []
    import tensorflow as tf

    gpus = tf.config.list_physical_devices("GPU")
    details = [tf.config.experimental.get_device_details(gpu) for gpu in gpus]
    return [detail.get("device_name", "GPU") for detail in details] or ["CPU"]


def write_results(path, result, *, split=None, seeds=()):
    """Write results.json: the scores and everything that a number needs beside it.

    Args:
        path: file to write; it appears complete or not at all.
        result: of `evaluate.score`; more keys are kept.
        split: name of the split that was measured.
        seeds: seeds of the training runs behind the number.

    Returns:
        dict as written: `result`, "split", "seeds", "date" (UTC) and "environment".
    """
    date = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
    facts = {"split": split, "seeds": list(seeds), "date": date}
    content = {**result, **facts, "environment": environment()}
    # NaN is no JSON; scorers give None where there is nothing to score.
    text = json.dumps(content, indent=1, allow_nan=False, ensure_ascii=False) + "\n"
    files.replace(path, lambda part: part.write_text(text, encoding="utf-8"))
    return content
