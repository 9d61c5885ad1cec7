"""A result as text and as results.json, with what a number needs beside it."""

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


def table(result):
    """The result as text: one line a class, then the means, in percent."""
    width = max(map(len, ["class", *result["classes"]]))
    lines = [f"{'class':{width}}     IoU    Dice    prec.  recall        pixels"]
    for name, scores in result["classes"].items():
        cells = [scores[key] for key in ("iou", "dice", "precision", "recall")]
        cells = "".join(_percent(value) for value in cells)
        lines.append(f"{name:{width}}{cells}{scores['pixels']:14,}")
    means = [f"{'mean':{width}}"]
    means += [_percent(result["mean_iou"]), _percent(result["mean_dice"])]
    accuracy = _percent(result["pixel_accuracy"]).strip()
    lines += ["".join(means), f"pixel accuracy {accuracy} %"]
    return "\n".join(lines)


def instance_table(result):
    """The result of `evaluate.instances` as text, in percent."""
    width = max(map(len, ["class", *result["classes"]]))
    lines = [f"{'class':{width}} mask AP  box AP  objects"]
    for name, scores in result["classes"].items():
        cells = "".join(_percent(scores[key]) for key in ("mask_ap", "box_ap"))
        lines.append(f"{name:{width}}{cells}{scores['objects']:9,}")
    means = _percent(result["mask_ap"]) + _percent(result["box_ap"])
    lines.append(f"{'mean':{width}}{means}")
    for name, keys in (
        ("AP at IoU 0.5", ("mask_ap50", "box_ap50")),
        ("label maps: AP, AP at IoU 0.5", ("label_ap", "label_ap50")),
        ("F1, PQ, AJI", ("f1", "pq", "aji")),
    ):
        lines.append(f"{name} {', '.join(_percent(result[k]).strip() for k in keys)} %")
    return "\n".join(lines)


def _percent(value):
    return f"{'-' if value is None else format(100 * value, '.2f'):>8}"


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
        result: of `evaluate.class_maps` or `evaluate.instances`; more keys are kept.
        split: name of the split that was measured.
        seeds: seeds of the training runs behind the number.

    Returns:
        dict as written: `result`, "split", "seeds", "date" (UTC) and "environment".
    """
    date = datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds")
    facts = {"split": split, "seeds": list(seeds), "date": date}
    content = {**result, **facts, "environment": environment()}
    text = json.dumps(content, indent=1, allow_nan=False, ensure_ascii=False) + "\n"
    files.replace(path, lambda part: part.write_text(text, encoding="utf-8"))
    return content
