"""`.keras` files: a zip of a configuration and weights."""

import json
import os
import pathlib
import tempfile
import zipfile
import zlib

from kerasseg import weights
from kerasseg.loading.errors import ModelFileError

MEMBERS = {"metadata.json", "config.json", "model.weights.h5"}
MAX_JSON_BYTES = 50_000_000
# Modules whose classes compute and do nothing else, with all that is below them.
MODULES = tuple(
    f"{root}.{part}"
    for root in ("keras", "keras.src")
    for part in (
        *("activations", "constraints", "dtype_policies", "initializers", "layers"),
        *("losses", "metrics", "models", "ops", "optimizers", "random", "regularizers"),
    )
)
ROOT_CLASSES = {"DTypePolicy", "DTypePolicyMap", "Functional", "Model", "Sequential"}
# Layers that run code of the file or read other files.
REFUSED = {
    *("FlaxLayer", "IndexLookup", "IntegerLookup", "JaxLayer", "Lambda"),
    *("StringLookup", "TFSMLayer", "TextVectorization", "TorchModuleWrapper"),
    "__lambda__",
}
# Values that Keras writes as dictionaries of one class name.
VALUES = {
    "__ellipsis__",
    "__keras_tensor__",
    "__numpy__",
    "__slice__",
    "__tensor__",
    "__typespec__",
}


def load_keras(path, *, max_bytes=4 * 2**30):
    """Load a `.keras` file whose layers are of Keras or of kerasseg.

    Args:
        path: file that `model.save("NAME.keras")` wrote.
        max_bytes: refuse files that unpack to more.

    Returns:
        keras.Model, not compiled.

    Raises:
        ModelFileError: if it is no such file, is damaged, unpacks to more than it may,
            holds other files, or names a Lambda, a function, or a class of any other
            package.
        weights.WeightsError: if its weights are damaged or not finite.
    """
    path = pathlib.Path(path)
    if not path.is_file():
        raise ModelFileError("there is no such file.", path)
    try:
        with zipfile.ZipFile(path) as archive, tempfile.TemporaryDirectory() as folder:
            _check_members(archive, path, max_bytes)
            config = json.loads(archive.read("config.json"))
            config.pop("compile_config", None)  # never read
            _check_config(config, path)
            # Under a name of our own: nothing of the archive decides where it goes.
            copy = os.path.join(folder, "model.weights.h5")
            with archive.open("model.weights.h5") as source, open(copy, "wb") as target:
                while block := source.read(2**20):
                    target.write(block)
            # Refuses NaN, for example, which Keras 3.15 loads without a word.
            weights.read(copy, max_bytes=max_bytes)
        return _open(path)
    except ModelFileError:
        raise
    except weights.WeightsError as error:
        reason = str(error).removeprefix(f"{error.path}: ")
        raise weights.WeightsError(f"its weights: {reason}", str(path)) from error
    except (
        *(zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError),
        *(RecursionError, RuntimeError, KeyError, TypeError, ValueError),
    ) as error:
        raise ModelFileError(
            f"not a readable .keras file ({type(error).__name__}: {error}). "
            "Save or download it again.",
            path,
        ) from error


def _check_members(archive, path, max_bytes):
    members = archive.infolist()
    found = [member.filename for member in members]
    if sorted(found) != sorted(MEMBERS):
        raise ModelFileError(
            f"a .keras file holds {', '.join(sorted(MEMBERS))} and nothing else. "
            f"Received: {', '.join(found[:5])}.",
            path,
        )
    for member in members:
        limit = max_bytes if member.filename.endswith(".h5") else MAX_JSON_BYTES
        if member.file_size > limit:
            raise ModelFileError(
                f"{member.filename} unpacks to {member.file_size} bytes, at most "
                f"{limit} are read.",
                path,
            )


def _check_config(config, path):
    """Refuse a configuration that names anything but known classes."""
    stack = [config]
    while stack:
        node = stack.pop()
        if isinstance(node, dict):
            if "class_name" in node:
                _check_class(node, path)
            stack += node.values()
        elif isinstance(node, list):
            stack += node


def _check_class(node, path):
    """Refuse a dictionary that does not name one of the classes that may be made."""
    import keras

    from kerasseg import layers, losses, metrics, zoo  # registers what is ours

    del layers, losses, metrics, zoo
    name, module = node["class_name"], node.get("module")
    registered = node.get("registered_name")
    ours = str(registered).startswith("kerasseg>")
    if ours:
        known = registered in keras.saving.get_custom_objects()
    elif module in ("keras", "builtins", None):
        known = name in ROOT_CLASSES | VALUES
    else:
        parts = str(module) + "."
        known = parts.startswith(tuple(f"{allowed}." for allowed in MODULES))
        # "function" stands for any function of the module; activations only compute.
        known = known and (name != "function" or "activations" in parts)
    if not known or name in REFUSED:
        raise ModelFileError(
            "only layers of Keras and kerasseg that compute and do nothing else are "
            f"loaded. Received: class {name!r} of module {module!r}. If you trust the "
            "file, load it with keras.saving.load_model.",
            path,
        )


def _open(path):
    import keras

    return keras.saving.load_model(path, compile=False, safe_mode=True)
