"""kerasseg.json: what a program must know that uses a written model."""

import hashlib
import importlib.metadata
import pathlib

import keras

import kerasseg
from kerasseg import tasks, viz
from kerasseg.predict import forward

BYTE = (0, 255)  # the numbers that models take


def describe(
    model, class_names=None, *, palette=None, ignore_label=255, value_range=BYTE
):
    """Content of kerasseg.json: input, classes with names and colours, versions.

    Args:
        model, class_names, palette, ignore_label, value_range: as for `saved_model`.

    Returns:
        dict, ready for JSON.
    """
    height, width, channels = forward.input_shape(model)
    task = tasks.of(model)
    num = task.num_classes(model) or len(class_names or ())
    if not num or (class_names is not None and len(class_names) != num):
        raise ValueError(
            f"`class_names` must be {num or 'given, K'} names. "
            f"Received: class_names={class_names}."
        )
    named = class_names or [str(class_id) for class_id in range(num)]
    colors = viz.palette(num) if palette is None else palette
    if len(colors) < num:
        raise ValueError(f"`palette` must be [{num}, 3]. Received: {len(colors)} rows.")
    classes = [
        {"id": i, "name": str(named[i]), "color": [int(c) for c in colors[i]]}
        for i in range(num)
    ]
    packages = ("kerasseg", "keras", "tensorflow")
    known = {"kerasseg": kerasseg.__version__, "keras": keras.__version__}
    return {
        "format": 1,
        "model": model.name,
        "input": {
            "height": height,
            "width": width,
            "channels": channels,
            "range": [0, 255],
            "data_range": list(value_range or BYTE),
            "order": "RGB",
        },
        "task": task.name,
        "outputs": task.outputs,
        "classes": classes,
        "ignore_label": ignore_label,
        # Of published weights; a run's belong to whoever trained it.
        "licence": getattr(model, "licence", None),
        "versions": {
            name: known.get(name) or importlib.metadata.version(name)
            for name in packages
        },
    }


def digests(folder):
    """SHA-256 of all files in a folder: dict by path in it."""
    folder = pathlib.Path(folder)
    return {
        path.relative_to(folder).as_posix(): _digest(path)
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def _digest(path):
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def tensors(inputs, outputs):
    """Inputs and outputs for kerasseg.json, from TensorFlow's signatures of them.

    Args:
        inputs, outputs: dict from each name to a tensor or tf.TensorSpec.
    """
    return {
        kind: {
            name: {"dtype": x.dtype.name, "shape": x.shape.as_list()}
            for name, x in sorted(table.items())
        }
        for kind, table in (("inputs", inputs), ("outputs", outputs))
    }
