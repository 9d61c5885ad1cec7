"""Models converted for other runtimes, checked, and kept in the cache folder."""

import hashlib
import importlib.metadata
import json
import pathlib
import shutil
import tempfile

import keras
import numpy as np
import tensorflow as tf

from kerasseg import files
from kerasseg.predict import converters, forward, in_graph, runtimes
from kerasseg.predict.activations import call

FOLDER = "engines"  # in the cache folder
MOST = 16  # files that are kept, those used last
# Of probabilities, scores and class ids that may differ from TensorFlow's on the first
# image, and of other numbers in relation to their largest.
TOLERANCE = 1e-3


class EngineError(RuntimeError):
    """An engine that does not compute a model, or computes something else."""


def compiled(model, name, answer):
    """`forward.compiled(model, answer)` by another runtime, checked at its first call.

    Args:
        model: keras.Model.
        name: of `runtimes.RUNTIMES`.
        answer: as of `forward.compiled`.
    """
    try:
        program = open_converted(model, name, answer)
    except Exception as error:  # converters and runtimes raise what they like
        raise refusal(model, name, f"it fails: {str(error)[:300]}") from error
    checked = []

    def run(images):
        try:
            found = program.run(images)
        except Exception as error:
            reason = f"it fails for {images.shape}: {str(error)[:300]}"
            raise refusal(model, name, reason) from error
        found = found if answer is dict else found["answer"]
        if not checked:
            _compare(model, name, answer, images, found)
            checked.append(True)
        return found

    return run


def _compare(model, name, answer, images, found):
    """Refuse what differs from TensorFlow's answer."""
    expected = forward.compiled(model, answer)(images)
    expected = keras.tree.map_structure(keras.ops.convert_to_numpy, expected)
    pairs = [("answer", expected, found)]
    if answer is dict:
        # Near ties of scores may change the places of objects.
        keys = ("scores",) if "num" in expected else expected
        pairs = [(key, expected[key], found[key]) for key in keys]
    for key, right, other in pairs:
        if right.shape != other.shape:
            reason = f"{key!r} has shape {other.shape}, not {right.shape}"
            raise refusal(model, name, reason)
        if right.dtype.kind in "iu":
            error = float(np.mean(right != other))
        else:
            scale = max(1.0, float(np.abs(right).max(initial=0)))
            error = float(np.abs(other - right).max(initial=0)) / scale
        if not error <= TOLERANCE:  # NaN, too
            reason = f"{key!r} differs from TensorFlow's by {error:.2g} ({TOLERANCE}"
            raise refusal(model, name, f"{reason} is allowed)")


def refusal(model, name, reason):
    """The error of an engine that is not used, with a way out."""
    title = runtimes.RUNTIMES[name].title
    return EngineError(
        f"{title} cannot compute {model.name!r}: {reason}. Use engine='tensorflow'."
    )


def open_converted(model, name, answer):
    """Open a model as a program of another runtime, converted if it was not before.

    Args:
        model: keras.Model.
        name: of `runtimes.RUNTIMES`.
        answer: as of `forward.compiled`.

    Returns:
        `runtimes.Program` of float32 images: what the model returns, or "answer".
    """
    runtime = runtimes.RUNTIMES[name]
    packages = (*runtime.packages, "tensorflow", "kerasseg")
    versions = [importlib.metadata.version(x) for x in packages]
    key = f"{digest(model)} {answer.__module__} {answer.__qualname__} {versions}"
    root = files.cache_folder() / FOLDER
    folder = root / hashlib.sha256(f"{name} {key}".encode()).hexdigest()[:32]
    path = folder / f"{model.name}{runtime.suffix}"
    if path.is_file():
        folder.touch()
        return runtimes.open_file(path, name)
    try:
        root.mkdir(parents=True, exist_ok=True)
    except OSError:  # a home that cannot be written: convert each time
        root = None
    with tempfile.TemporaryDirectory(prefix=".part-", dir=root) as part:
        part = pathlib.Path(part) / "files"
        part.mkdir()
        converters.convert(model, _function(model, answer), part / path.name, name)
        if root is None:
            return runtimes.open_file(part / path.name, name)
        if not folder.exists():
            part.rename(folder)
    _forget(root)
    return runtimes.open_file(path, name)


def digest(model):
    """SHA-256 of the layers and the weights of a model, in hexadecimal digits."""
    found = hashlib.sha256(model.to_json().encode())
    for variable in model.variables:
        found.update(keras.ops.convert_to_numpy(variable).tobytes())
    return found.hexdigest()


def _function(model, answer):
    @tf.function(input_signature=[in_graph.image_spec(model, tf.float32)])
    def run(images):
        outputs = call(model, images)
        if answer is dict:
            return dict(outputs)
        return {"answer": answer(forward.logits_of(outputs))}

    return run


def _forget(root):
    """Remove the folders that were used longest ago."""
    found = [path for path in root.iterdir() if path.is_dir() and path.name[0] != "."]
    found.sort(key=lambda path: path.stat().st_mtime)
    for path in found[:-MOST]:
        shutil.rmtree(path, ignore_errors=True)


def remembered(name):
    """Content of a JSON file of the cache folder: a dict, empty if there is none."""
    try:
        content = json.loads((files.cache_folder() / FOLDER / name).read_text())
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}
