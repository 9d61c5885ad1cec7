"""Written models against the model in TensorFlow, on real pictures."""

import pathlib

import cv2
import keras
import numpy as np

from kerasseg import tasks
from kerasseg.export.about import BYTE
from kerasseg.predict import forward, runtimes, trials

REPEATS = 3  # timed runs on each picture
COLUMNS = ("picture", "pixels", "same %", "error", "IoU", "TensorFlow ms")


def compare(model, path, format, pictures, *, names=None, value_range=None):
    """Differences and time of a written model, picture by picture.

    Args:
        model: keras.Model.
        path: what `save` wrote of it.
        format: that it was written in, none of "weights".
        pictures: arrays [H, W, C] in the numbers that the file takes. They are resized
            for a model of one size that does not do it itself.
        names: of the pictures.
        value_range: that it was written with.

    Returns:
        dict, ready for JSON: "runtime"; "pictures", a list of dicts of "name", "size",
        "agreement" (share of pixels with the same class, or of objects found again),
        "error" (the largest difference of confidence, or of scores), "iou" of what both
        found, None if that is nothing, "tensorflow_ms" and "runtime_ms" (medians, in
        turn); and the least "agreement", the largest "error", the mean "iou" and the
        medians of times of all.

    Raises:
        ValueError: if there is no picture, or the format holds no program.
        ImportError: if the runtime is not installed.
    """
    if not len(pictures):
        raise ValueError("`pictures` must hold one at least. Received: none.")
    task = tasks.of(model)
    function = task.program(model, value_range)
    (spec,) = function.input_signature
    title, run = _opened(model, path, format, value_range)
    rows = []
    for index, picture in enumerate(pictures):
        images = fitted(picture, spec)[None]
        cases = {"tensorflow": lambda: forward.to_arrays(function(images))}  # noqa: B023
        cases["runtime"] = lambda: run(images)  # noqa: B023
        expected, found = (case() for case in cases.values())
        times = trials.medians(cases, REPEATS)
        rows.append(
            {
                "name": str(names[index] if names else index),
                "size": list(images.shape[1:3]),
                **task.differences(expected, found),
                **{f"{name}_ms": ms for name, ms in times.items()},
            }
        )
    return {"runtime": title, "pictures": rows, **_all(rows)}


def fitted(picture, spec):
    """A picture of the size and dtype that a tf.TensorSpec of images says."""
    height, width, channels = spec.shape[1:]
    size = (height or picture.shape[0], width or picture.shape[1])
    if size != picture.shape[:2]:
        picture = cv2.resize(picture, size[::-1], interpolation=cv2.INTER_AREA)
    return picture.reshape(*size, channels).astype(spec.dtype.name)


def table(result):
    """The result of `compare` as text: a line per picture, and one for all."""
    columns = (*COLUMNS, f"{result['runtime']} ms")
    whole = {**result, "name": f"all {len(result['pictures'])}", "size": None}
    rows = [_cells(row) for row in [*result["pictures"], whole]]
    widths = [max(map(len, cells)) for cells in zip(columns, *rows)]
    lines = []
    for cells in (columns, *rows):
        texts = [cells[0].ljust(widths[0])]
        texts += [cell.rjust(width) for cell, width in zip(cells[1:], widths[1:])]
        lines.append("  ".join(texts).rstrip())
    return "\n".join(lines)


def _cells(row):
    size, iou = row["size"], row["iou"]
    return (
        row["name"],
        "" if size is None else "x".join(map(str, size)),
        f"{100 * row['agreement']:.2f}",
        f"{row['error']:.1e}",
        "-" if iou is None else f"{iou:.4f}",
        f"{row['tensorflow_ms']:.1f}",
        f"{row['runtime_ms']:.1f}",
    )


def _all(rows):
    ious = [row["iou"] for row in rows if row["iou"] is not None]
    times = ("tensorflow_ms", "runtime_ms")
    return {
        "agreement": min(row["agreement"] for row in rows),
        "error": max(row["error"] for row in rows),
        "iou": float(np.mean(ious)) if ious else None,
        **{key: float(np.median([row[key] for row in rows])) for key in times},
    }


def _opened(model, path, format, value_range):
    """Title of the runtime of a file, and its function of images."""
    if format in runtimes.RUNTIMES:
        title = runtimes.RUNTIMES[format].title
        return title, runtimes.open_file(path, format).run
    if format == "keras":
        loaded = keras.saving.load_model(path)
        loaded.task = tasks.of(model).name
        function = tasks.of(model).program(loaded, value_range)
        return "loaded", lambda images: forward.to_arrays(function(images))
    if not (pathlib.Path(path) / "saved_model.pb").is_file():
        raise ValueError(
            "`format` must be one whose files are programs: saved_model, keras, "
            f"{', '.join(runtimes.RUNTIMES)}. Received: format={format!r}."
        )
    import tensorflow as tf

    signatures = tf.saved_model.load(str(path)).signatures
    plain = list(value_range or BYTE) == list(BYTE)
    run = signatures["serving_default" if plain else "data"]
    return "served", lambda images: forward.to_arrays(run(images=tf.constant(images)))
