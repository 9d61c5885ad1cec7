"""`.keras` files: a zip of a configuration and weights."""

import json
import os
import pathlib
import tempfile
import warnings

from kerasseg import weights
from kerasseg.loading import keras_config, keras_sizes
from kerasseg.loading.errors import ModelFileError
from kerasseg.names import bounded
from kerasseg.weights import archives

MEMBERS = {"metadata.json", "config.json", "model.weights.h5"}
# Of the configuration: it becomes Python objects of some 30 times its size.
MAX_JSON_BYTES = 20_000_000


def load_keras(path, *, max_bytes=4 * 2**30):
    """Load a `.keras` file whose layers are of Keras or of kerasseg.

    Args:
        path: file that `model.save("NAME.keras")` wrote.
        max_bytes: refuse files that unpack to more; while it loads, no more than twice
            this is in memory.

    Returns:
        keras.Model, not compiled.

    Raises:
        ModelFileError: if it is no such file, is damaged, unpacks to more than it may,
            holds other files, names a Lambda, a function, or a class of any other
            package, or asks for more numbers than it stores.
        weights.WeightsError: if its weights are damaged or not finite.
    """
    path = pathlib.Path(path)
    if not path.is_file():
        raise ModelFileError("there is no such file.", path)
    if path.stat().st_size > max_bytes:
        raise ModelFileError(
            f"at most {max_bytes} bytes are read. Received: {path.stat().st_size}.",
            path,
        )
    try:
        with (
            open(path, "rb") as file,
            archives.open_zip(file, max_bytes) as archive,
            tempfile.TemporaryDirectory() as folder,
        ):
            _check_members(archive, path, max_bytes)
            config = json.loads(archives.content(archive, "config.json"))
            # Under a name of our own: nothing of the archive decides where it goes.
            copy = os.path.join(folder, "model.weights.h5")
            with archive.open("model.weights.h5") as source, open(copy, "wb") as target:
                target.writelines(archives.blocks(source))
            return _build(config, copy, max_bytes, path)
    except ModelFileError:
        raise
    except weights.WeightsError as error:
        reason = str(error).removeprefix(f"{error.path}: ")
        raise weights.WeightsError(f"its weights: {reason}", str(path)) from error
    except Exception as error:  # no list holds all that Keras raises on what it reads
        raise ModelFileError(
            f"not a readable .keras file ({type(error).__name__}: "
            f"{bounded(error, 500)}). Save or download it again.",
            path,
        ) from error


def _build(config, copy, max_bytes, path):
    """The model of a configuration, with the weights of a file of our own."""
    import keras

    if not isinstance(config, dict):
        raise ValueError("its configuration is no dictionary")
    keras_config.check_config(config, path)
    keras_sizes.check_sizes(config, weights.read(copy, max_bytes=max_bytes), path)
    # What was checked is built: the file itself may have changed since.
    model = keras_sizes.make(config)
    if not isinstance(model, keras.Model):
        raise ValueError(f"it holds no model, but {type(model).__name__}")
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)  # of weights that do not fit
        model.load_weights(copy)
    return model


def _check_members(archive, path, max_bytes):
    members = archive.infolist()
    found = [member.filename for member in members]
    if sorted(found) != sorted(MEMBERS):
        raise ModelFileError(
            f"a .keras file holds {', '.join(sorted(MEMBERS))} and nothing else. "
            f"Received: {', '.join(found[:5])}.",
            path,
        )
    archives.check_members(archive, path.stat().st_size, 2 * max_bytes, path)
    for member in members:
        limit = max_bytes if member.filename.endswith(".h5") else MAX_JSON_BYTES
        if member.file_size > limit:
            raise ModelFileError(
                f"{member.filename} unpacks to {member.file_size} bytes, at most "
                f"{limit} are read.",
                path,
            )
