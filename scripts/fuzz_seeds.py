"""Small files of every kind that kerasseg reads, and its readers, for fuzzing.

What once did harm is among the seeds, so that its neighbours are tried in every run.
"""

import contextlib
import io
import json
import pathlib
import tempfile
import zipfile

import h5py
import numpy as np
from PIL import Image

ROOT = pathlib.Path(__file__).parents[1]
IDS = (np.indices((24, 32)).sum(0) % 5).astype("uint8")


def image_seeds():
    """Grey, with a palette, in colour, of every format."""
    for kind in ("png", "jpeg", "tiff", "gif", "bmp", "webp", "ppm"):
        for mode in ("L", "P", "RGB"):
            with contextlib.suppress(OSError):  # JPEG and PPM have no palette
                stream = io.BytesIO()
                Image.fromarray(IDS).convert(mode).save(stream, kind)
                yield stream.getvalue()


def npz_seeds():
    for save in (np.savez, np.savez_compressed):
        stream = io.BytesIO()
        save(stream, a=IDS, b=IDS.astype("float32"))
        yield stream.getvalue()


def safetensors_seeds():
    for dtype, num in (("U8", IDS.size), ("BF16", IDS.size // 2)):
        entry = {"dtype": dtype, "shape": [num], "data_offsets": [0, IDS.size]}
        header = json.dumps({"a": entry}).encode()
        yield len(header).to_bytes(8, "little") + header + IDS.tobytes()


def pth_seeds():
    for path in sorted((ROOT / "tests/files").glob("*.pth")):
        yield path.read_bytes()
    for end in (b"h\0\x93.", b"0}h\0K\x01s.", b"](h\0e."):  # 2^20 long, written out
        data = b"\x80\x04)q\0" + b"h\0h\0\x86q\0" * 20 + end
        stream = io.BytesIO()
        with zipfile.ZipFile(stream, "w") as archive:
            archive.writestr("archive/data.pkl", data)
        yield stream.getvalue()


def h5_seeds():
    stream = io.BytesIO()
    with h5py.File(stream, "w") as file:
        file["layers/conv/vars/0"] = IDS.astype("float32")
    yield stream.getvalue()


def recipe_seeds():
    for path in sorted(ROOT.glob("zoo/*/recipe.toml"))[:3]:
        yield path.read_bytes()
    yield b'[model]\narchitecture = ["unet"]\n[train]\nepochs = nan'


def keras_seeds():
    """Configurations without the zip around them, whose mutations are all alike."""
    import keras

    x = keras.Input((8, 8, 3))
    y = keras.layers.Conv2D(2, 3, activation="relu", name="conv")(x)
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder, "model.keras")
        keras.Model(x, keras.layers.Dropout(0.1)(y)).save(path)
        with zipfile.ZipFile(path) as archive:
            KERAS.update({name: archive.read(name) for name in archive.namelist()})
    yield KERAS["config.json"]
    yield KERAS["config.json"].replace(b'"filters": 2', b'"filters": 300000000')


def saved_model_seeds():
    import tensorflow as tf

    module = tf.Module()
    module.weight = tf.Variable([1.0])
    signature = [tf.TensorSpec([None], tf.float32)]
    module.call = tf.function(lambda x: x * module.weight, input_signature=signature)
    folder = tempfile.mkdtemp()
    tf.saved_model.save(module, folder, signatures=module.call)
    yield pathlib.Path(folder, "saved_model.pb").read_bytes()


KERAS = {}
SEEDS = {
    "image": image_seeds,
    "npz": npz_seeds,
    "safetensors": safetensors_seeds,
    "pth": pth_seeds,
    "h5": h5_seeds,
    "recipe": recipe_seeds,
    "keras": keras_seeds,
    "saved_model": saved_model_seeds,
}


def read(data, kind, folder):
    """Read a file; only the typed errors of the readers are right."""
    path = pathlib.Path(folder, f"input.{'png' if kind == 'image' else kind}")
    if kind == "keras":
        with zipfile.ZipFile(path, "w") as archive:
            for name, content in {**KERAS, "config.json": data}.items():
                archive.writestr(name, content)
    elif kind == "saved_model":
        path = pathlib.Path(folder, "model")
        path.mkdir(exist_ok=True)
        (path / "saved_model.pb").write_bytes(data)
    else:
        path.write_bytes(data)
    for reader, error in _readers(kind):
        try:
            reader(path)
        except error as found:
            if len(str(found)) > 5000:
                raise RuntimeError("a message without bound") from found


def _readers(kind):
    """Pairs of a reader and its typed error."""
    from kerasseg import images, loading, recipes, weights

    typed = (loading.ModelFileError, weights.WeightsError)
    if kind == "image":
        few = {"max_pixels": 10**6}
        yield lambda path: images.read_image(path, **few), images.ImageError
        yield lambda path: images.read_mask(path, **few), images.ImageError
    elif kind == "recipe":
        yield recipes.read, recipes.RecipeError
    elif kind == "keras":
        yield loading.load_keras, typed
    elif kind == "saved_model":
        yield loading.check_saved_model, typed
    else:
        yield weights.read, typed
