"""Small files of every kind that kerasseg reads, and its readers, for fuzzing.

What once did harm is among the seeds, so that its neighbours are tried in every run.
"""

import contextlib
import functools
import io
import itertools
import json
import pathlib
import shutil
import struct
import tempfile
import zipfile

import fuzz_forms
import h5py
import numpy as np
import tifffile
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


def tiff_seeds():
    """Bands in every layout, pages that are bands, and the codes of BMP."""
    bands = np.stack([IDS, IDS + 1, IDS + 2, IDS + 3], 2).astype("uint16")
    planes = np.moveaxis(bands, 2, 0)
    for array, options in (
        (bands, {"planarconfig": "contig", "compression": "zlib", "predictor": True}),
        (bands, {"planarconfig": "contig", "tile": (16, 16), "bigtiff": True}),
        (planes, {"planarconfig": "separate", "byteorder": ">"}),
        (planes, {"imagej": True}),
        (planes, {"ome": True, "metadata": {"axes": "CYX"}}),
    ):
        stream = io.BytesIO()
        if "imagej" not in options:
            options = {"photometric": "minisblack", **options}
        tifffile.imwrite(stream, array, **options)
        yield stream.getvalue()
    stream = io.BytesIO()
    word = "<OME><Pixels " + "a" * 100_000 + "></OME>"  # once by the square of it
    with tifffile.TiffWriter(stream) as file:
        for text in (word, None):
            file.write(IDS, photometric="minisblack", description=text, metadata=None)
    yield stream.getvalue()
    for compression in ("tiff_lzw", "packbits", "jpeg"):
        stream = io.BytesIO()
        Image.fromarray(IDS).save(stream, "TIFF", compression=compression)
        yield stream.getvalue()
    codes = b"\2\1\0\3\7\7\7\0\0\0\5\1\0\2\0\1\5\1"
    head = struct.pack("<IiiHHIIiiII", 40, 5, 3, 1, 8, 1, len(codes), 0, 0, 2, 0)
    start = struct.pack("<2sIHHI", b"BM", 62 + len(codes), 0, 0, 62)
    yield start + head + bytes([0, 0, 0, 0, 255, 255, 255, 0]) + codes


def annotation_seeds():
    """COCO's forms: polygons, codes as lists and texts, lists that are objects."""
    one = {"id": 1, "image_id": 1, "category_id": 1, "iscrowd": 0, "area": 4.0}
    entry = {"id": 1, "file_name": "a.png", "height": 4, "width": 4}
    for outline in (
        [[0, 0, 2, 0, 2, 2, 0, 2]],
        [[0.5, 0.5], [2, 0], [2, 2]],
        {"size": [4, 4], "counts": [5, 2, 9]},
        {"size": [4, 4], "counts": "52N"},
        [[10**400, 0, 2, 0, 2, 2]],
    ):
        annotation = {**one, "segmentation": outline, "bbox": [0, 0, 2, 2]}
        document = {
            "images": [entry],
            "categories": [{"id": 1, "name": "cell", "supercategory": "none"}],
            "annotations": [annotation],
        }
        yield json.dumps(document).encode()
    document["annotations"] = {"1": {**one, "area": 10**400}}
    yield json.dumps(document).encode()
    yield b'{"images": [' + b"[]," * 1000 + b"[]]}"


def list_seeds():
    """Lists of names of a split."""
    yield b"images/a.png labels/a.png\nb\n"
    yield b"\xef\xbb\xbfa\r\n/\n"


def facts_seeds():
    """The run.json of a run folder."""
    facts = {"classes": ["a", "b"], "channels": 3, "colors": None, "root": "/x"}
    yield json.dumps(facts, indent=1).encode()
    yield b"[" * 5000


def checkpoint_seeds():
    from kerasseg.training import checkpoint_format

    arrays = {"a": IDS, "b": IDS.astype("float32")}
    yield b"".join(map(bytes, checkpoint_format.encode(3, arrays, {"rows": 2})))
    yield (5000).to_bytes(8, "little") + b"[" * 5000


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


@functools.cache
def _exported():
    """Folder of a SavedModel."""
    import tensorflow as tf

    module = tf.Module()
    module.weight = tf.Variable([1.0])
    signature = [tf.TensorSpec([None], tf.float32)]
    module.call = tf.function(lambda x: x * module.weight, input_signature=signature)
    folder = tempfile.mkdtemp()
    tf.saved_model.save(module, folder, signatures=module.call)
    return pathlib.Path(folder)


def saved_model_seeds():
    yield (_exported() / "saved_model.pb").read_bytes()


def index_seeds():
    """The table of a SavedModel's variables."""
    yield (_exported() / INDEX).read_bytes()


INDEX = "variables/variables.index"
KERAS = {}
SEEDS = {
    "image": image_seeds,
    "tiff": tiff_seeds,
    "annotation": annotation_seeds,
    "list": list_seeds,
    "facts": facts_seeds,
    "checkpoint": checkpoint_seeds,
    "npz": npz_seeds,
    "safetensors": safetensors_seeds,
    "pth": pth_seeds,
    "h5": h5_seeds,
    "recipe": recipe_seeds,
    "keras": keras_seeds,
    "saved_model": saved_model_seeds,
    "index": index_seeds,
    **{kind: functools.partial(fuzz_forms.seeds, kind) for kind in fuzz_forms.FORMS},
}


def read(data, kind, folder):
    """Read a file; only the typed errors of the readers are right."""
    path = pathlib.Path(folder, f"input.{'png' if kind == 'image' else kind}")
    if kind == "keras":
        with zipfile.ZipFile(path, "w") as archive:
            for name, content in {**KERAS, "config.json": data}.items():
                archive.writestr(name, content)
    elif kind in ("annotation", "list"):
        _make_data_set(folder)
        name = {"annotation": "instances.json", "list": "train.txt"}[kind]
        path = pathlib.Path(folder, "data", name)
        path.write_bytes(data)
    elif kind == "facts":
        path = pathlib.Path(folder, "run.json")
        path.write_bytes(data)
    elif kind in fuzz_forms.FORMS:
        path = fuzz_forms.place(data, kind, folder)
    elif kind == "saved_model":
        path = pathlib.Path(folder, "model")
        path.mkdir(exist_ok=True)
        (path / "saved_model.pb").write_bytes(data)
    elif kind == "index":
        path = pathlib.Path(folder, "with_variables")
        if not path.exists():
            shutil.copytree(_exported(), path)
        (path / INDEX).write_bytes(data)
    else:
        path.write_bytes(data)
    for reader, error in _readers(kind):
        try:
            reader(path)
        except error as found:
            if len(str(found)) > 5000:
                raise RuntimeError("a message without bound") from found


def _make_data_set(folder):
    for part, name in itertools.product(("images", "labels"), "ab"):
        path = pathlib.Path(folder, "data", part, f"{name}.png")
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            Image.fromarray(IDS[:4, :4]).save(path)


def _readers(kind):
    """Pairs of a reader and its typed error."""
    from kerasseg import datasets, images, loading, recipes, weights
    from kerasseg.runs import folder as run_folder
    from kerasseg.training import checkpoint_format

    typed = (loading.ModelFileError, weights.WeightsError)
    if kind in ("image", "tiff"):
        few = {"max_pixels": 10**6}
        yield lambda path: images.read_image(path, **few), images.ImageError
        bands = {"channels": None, **few}
        yield lambda path: images.read_image(path, **bands), images.ImageError
        yield lambda path: images.read_mask(path, **few), images.ImageError
    elif kind == "annotation":
        yield lambda path: _read_all(datasets.coco(path.parent)), images.ImageError
    elif kind == "list":
        yield lambda path: datasets.folder(path.parent, "train"), images.ImageError
    elif kind == "facts":
        yield lambda path: run_folder.read_facts(path.parent), run_folder.RunError
    elif kind == "checkpoint":
        yield checkpoint_format.read, checkpoint_format.CheckpointError
    elif kind == "recipe":
        yield recipes.read, recipes.RecipeError
    elif kind == "keras":
        yield loading.load_keras, typed
    elif kind in fuzz_forms.FORMS:
        for reader in fuzz_forms.readers(kind):
            yield reader, images.ImageError
    elif kind in ("saved_model", "index"):
        yield loading.check_saved_model, typed
    else:
        yield weights.read, typed


def _read_all(samples):
    return [samples[index] for index in range(len(samples))]
