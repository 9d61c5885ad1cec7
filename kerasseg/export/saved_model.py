"""SavedModels for TF Serving."""

import json
import os
import pathlib
import shutil
import tempfile

import keras

from kerasseg import tasks
from kerasseg.export import warm_up
from kerasseg.export.about import BYTE, describe, digests, tensors
from kerasseg.predict import forward

MAX_PIXELS = 50_000_000  # of an encoded image in a request


def saved_model(
    model,
    path,
    *,
    class_names=None,
    palette=None,
    ignore_label=255,
    warm_up_sizes=((256, 256),),
    max_pixels=MAX_PIXELS,
    value_range=None,
):
    """Write a SavedModel that turns images into class ids or objects, for TF Serving.

    Signatures:

    - `serving_default`: `images` uint8 [N, H, W, C], raw RGB: 0..255, unless the
      `value_range` lies within and is that of bytes, too.
    - `float`: `images` float32 [N, H, W, C], values 0..255.
    - `encoded` (1 or 3 channels): `image_bytes` string [N], JPEG or PNG files of one
      size, read as `images.read_image` does, PNG files of 16 bits in the numbers of the
      `value_range`; a file that is neither, broken or too large, or whose range is not
      known, is an error that says so. The EXIF orientation is not applied.
    - `data` (where `value_range` is not 0..255): `images` float32 [N, H, W, C] in the
      numbers of the data, which are scaled inside.

    The model's task says what they return, and kerasseg.json repeats it: `class_ids`
    int32 [N, H, W] and `confidence` float32 [N, H, W], the probability of the chosen
    class, of semantic models, which have signatures with smaller replies, too (`ids`,
    `encoded_ids` and `encoded_png`, see `predict.replies`); `boxes`, `classes`,
    `scores`, `masks` and `num` of instance models, which take images of any size and
    resize them with their proportions (boxes are in pixels of the images, and masks
    [N, K, h, w] span them: resize each to the size, and the object is where it exceeds
    0.5); their `encoded` takes files of several sizes, and also returns `sizes` int32
    [N, 2]. StarDist and Panoptic-DeepLab return their maps, for
    `instance.star_polygons.decode` and `instance.panoptic.decode`.

    `{path}_float/N` is its twin with `serving_default` on float32 images only: without
    operations that decode images, it can be read by OpenVINO and other converters.

    Args:
        model: keras.Model, image -> logits [N, H, W, K] or a dict with "logits".
        path: folder of versions; a new one, the next free number, is made in it. It
            appears complete or not at all, and none is ever overwritten.
        class_names: names by class id, for kerasseg.json; models of objects have none
            for the background, and instance models must be given them.
        palette: uint8 [K, 3], for kerasseg.json; None for `viz.palette`.
        ignore_label: for kerasseg.json.
        warm_up_sizes: (height, width) of the images TF Serving sends to each
            signature while it loads; () for none.
        max_pixels: larger encoded images are refused.
        value_range: (black, white), the numbers of the images that the model was
            trained on before they were scaled to 0..255, see `images.values`; None for
            0..255. It is "data_range" in kerasseg.json.

    Returns:
        pathlib.Path of the version folder, with the SavedModel, kerasseg.json and
        assets.extra/tf_serving_warmup_requests.

    Raises:
        ValueError: if names do not fit the model, or the backend is not TensorFlow.
    """
    if keras.backend.backend() != "tensorflow":
        raise ValueError(
            "A SavedModel needs KERAS_BACKEND=tensorflow. "
            f"Received: {keras.backend.backend()!r}."
        )
    path = pathlib.Path(path)
    twin = path.with_name(path.name + "_float")
    functions = _functions(model, max_pixels, value_range)
    about = describe(
        model,
        class_names,
        palette=palette,
        ignore_label=ignore_label,
        value_range=value_range,
    )
    sizes = _warm_up_sizes(model, warm_up_sizes)
    only = {"serving_default": functions["float"]}
    version = _next_version(path, twin)
    _write_version(model, twin / version, only, about, sizes)
    return _write_version(model, path / version, functions, about, sizes)


def _functions(model, max_pixels, value_range):
    if forward.input_shape(model)[2] is None:
        raise ValueError(
            "`model` must know the channels of its input. Build it with "
            "input_shape=(None, None, 3). Received: None."
        )
    functions = tasks.of(model).signatures(model, max_pixels, value_range)
    if list(value_range or BYTE) != list(BYTE):
        from kerasseg.predict import in_graph

        functions["data"] = in_graph.of_data(functions["float"], value_range)
    return functions


def _next_version(*folders):
    """The first number above every version in the folders, as a string."""
    taken = [0]
    for folder in folders:
        if folder.exists() and not folder.is_dir():
            raise ValueError(f"`path` must be a folder. Received: {folder}, a file.")
        if (folder / "saved_model.pb").exists():
            raise ValueError(
                "`path` must be a folder of versions (1, 2, ...). Received: "
                f"{folder}, which is a SavedModel itself."
            )
        if folder.is_dir():
            taken += [int(p.name) for p in folder.iterdir() if p.name.isdecimal()]
    return str(max(taken) + 1)


def _write_version(model, folder, functions, about, sizes):
    from kerasseg.predict import converters

    folder.parent.mkdir(parents=True, exist_ok=True)
    part = pathlib.Path(tempfile.mkdtemp(prefix=".part-", dir=folder.parent))
    try:
        part.chmod(0o755)  # mkdtemp's 700 would shut out the server's user
        converters.write_saved_model(model, functions, part)
        requests = [
            (name, function.input_signature[0].name, _example(function, size))
            for name, function in functions.items()
            for size in sizes
        ]
        if requests:
            warm_up.write(part, requests, name=folder.parent.name)
        about = {**about, "signatures": _signatures(functions)}
        about["replies"] = _replies(functions)
        about |= {"tensors": _tensors(part), "files": digests(part)}
        text = json.dumps(about, indent=1, ensure_ascii=False) + "\n"
        (part / "kerasseg.json").write_text(text, encoding="utf-8")
        # Servers load a folder as soon as it has a number for a name.
        os.rename(part, folder)
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return folder


def _warm_up_sizes(model, sizes):
    height, width, _ = forward.input_shape(model)
    return sorted({(height or h, width or w) for h, w in sizes})


def _example(function, size):
    """A black image of that size as the signature takes it: a tf.TensorProto."""
    import tensorflow as tf

    spec = function.input_signature[0]
    if spec.dtype == tf.string:
        data = tf.io.encode_png(tf.zeros([*size, 1], tf.uint8))  # decoded to any C
        return tf.make_tensor_proto([data.numpy()])
    shape = [1, *size, spec.shape[-1]]
    return tf.make_tensor_proto(0, spec.dtype, shape)  # one number, repeated


def _signatures(functions):
    """{signature: {input: {"dtype", "shape"}}} for kerasseg.json."""
    specs = {name: x.input_signature[0] for name, x in functions.items()}
    found = {name: tensors({x.name: x}, {}) for name, x in specs.items()}
    return {name: x["inputs"] for name, x in found.items()}


def _replies(functions):
    """{signature: {output: {"dtype", "shape"}}} for kerasseg.json."""
    calls = {name: x.get_concrete_function() for name, x in functions.items()}
    found = {name: tensors({}, x.structured_outputs) for name, x in calls.items()}
    return {name: x["outputs"] for name, x in found.items()}


def _tensors(folder):
    """Names in the graph, which TensorFlow's C API asks for, by signature."""
    from tensorflow.core.protobuf import saved_model_pb2

    saved = saved_model_pb2.SavedModel()
    saved.ParseFromString((folder / "saved_model.pb").read_bytes())
    known = saved.meta_graphs[0].signature_def
    return {
        name: {
            kind: {key: x.name for key, x in sorted(getattr(one, kind).items())}
            for kind in ("inputs", "outputs")
        }
        for name, one in sorted(known.items())
        if not name.startswith("__")
    }
