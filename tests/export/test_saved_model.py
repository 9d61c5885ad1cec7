"""Exported models: served answers, versions, warm-up requests, other formats."""

import hashlib
import importlib.util
import json
import os
import subprocess
import sys

import cv2
import keras
import numpy as np
import pytest
import tensorflow as tf
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from tensorflow.core.framework import tensor_pb2
from tensorflow.core.protobuf import saved_model_pb2

from kerasseg import export, predict
from kerasseg.export import warm_up
from kerasseg.layers import ResizeLike

SIZES = [(33, 45), (64, 48), (1, 1)]
# Runs where kerasseg cannot be imported: a server knows TensorFlow only.
SERVE = """
import sys
sys.modules["kerasseg"] = None
import numpy as np
import tensorflow as tf
images = dict(np.load("images.npz"))
answers = {}
for place in ("model", "model_float"):
    served = tf.saved_model.load(f"{place}/1")
    before = [v.numpy() for v in served.model_variables]
    for signature in served.signatures:
        run = served.signatures[signature]
        for name, image in images.items():
            if signature.startswith("encoded"):
                files = [tf.io.encode_png(one).numpy() for one in image]
                answer = run(image_bytes=tf.constant(files))
            else:
                dtype = run.structured_input_signature[1]["images"].dtype.name
                answer = run(images=image.astype(dtype))
            for key, value in answer.items():
                answers[f"{place}/{signature}/{name}/{key}"] = value.numpy()
    after = [v.numpy() for v in served.model_variables]
    same = all(a.tobytes() == b.tobytes() for a, b in zip(before, after))
    answers[f"{place}/unchanged"] = bool(before) and same
np.savez("answers.npz", **answers)
"""


def make_model(classes=3, channels=3, size=(None, None)):
    """A model with what goes wrong: BatchNorm, Dropout, a resize, an extra output."""
    keras.utils.set_random_seed(0)
    layers = keras.layers
    x = keras.Input([*size, channels])
    y = layers.Conv2D(8, 3, strides=2, padding="same")(x / 255)
    norm = layers.BatchNormalization()
    y = layers.Dropout(0.5)(layers.ReLU()(norm(y)))
    logits = ResizeLike()([layers.Conv2D(classes, 1)(y), x])
    norm.set_weights(np.random.default_rng(1).random([4, 8]) + 0.5)
    return keras.Model(x, {"logits": logits, "aux": y})


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    """(model, folder with images.npz, model/1, model_float/1)."""
    folder, model = tmp_path_factory.mktemp("export"), make_model()
    names = ["dark", "grün", "$3"]
    export.saved_model(model, folder / "model", class_names=names)
    rng = np.random.default_rng(2)
    images = {f"{h}x{w}": rng.integers(0, 256, [2, h, w, 3], "uint8") for h, w in SIZES}
    np.savez(folder / "images.npz", **images)
    return model, folder, images


@pytest.fixture(scope="module")
def served(exported):
    return tf.saved_model.load(str(exported[1] / "model/1"))


@pytest.fixture(scope="module")
def answers(exported):
    """Answers of a fresh process with TensorFlow and NumPy alone."""
    folder = exported[1]
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
    command = [sys.executable, "-c", SERVE]
    options = {"cwd": folder, "env": environment, "capture_output": True, "text": True}
    child = subprocess.run(command, **options)
    assert child.returncode == 0, child.stderr
    return np.load(folder / "answers.npz", allow_pickle=True)  # files are objects


@pytest.mark.parametrize(
    "signature",
    [
        "model/serving_default",
        "model/float",
        "model/encoded",
        "model_float/serving_default",
    ],
)
@pytest.mark.parametrize("size", SIZES)
def test_served_answers_equal_prediction(exported, answers, signature, size):
    model, _, images = exported
    name = f"{size[0]}x{size[1]}"
    batch = images[name]
    ids = answers[f"{signature}/{name}/class_ids"]
    confidence = answers[f"{signature}/{name}/confidence"]
    assert ids.dtype == np.int32 and confidence.dtype == np.float32
    # Odd sides are continued by one pixel, see `predict.strides`.
    even = [(0, n % 2) for n in size]
    shown = np.pad(batch.astype("float32"), [(0, 0), *even, (0, 0)], mode="reflect")
    logits = model(shown, training=False)["logits"][:, : size[0], : size[1]]
    np.testing.assert_array_equal(ids, np.argmax(logits, -1))
    for image, found, sure in zip(batch, ids, confidence):
        np.testing.assert_array_equal(found, predict.class_ids(model, image))
        probabilities = predict.probabilities(model, image)
        np.testing.assert_allclose(sure, probabilities.max(-1), atol=1e-6)


@pytest.mark.parametrize("size", SIZES)
def test_small_replies_hold_the_same_class_ids(answers, size):
    def answer(signature, key="class_ids"):
        return answers[f"model/{signature}/{size[0]}x{size[1]}/{key}"]

    for signature in ("ids", "encoded_ids"):
        assert answer(signature).dtype == np.uint8
        np.testing.assert_array_equal(answer(signature), answer("serving_default"))
    for file, ids in zip(answer("encoded_png", "mask_bytes"), answer("ids")):
        found = cv2.imdecode(np.frombuffer(file, "uint8"), cv2.IMREAD_UNCHANGED)
        np.testing.assert_array_equal(found, ids)


@pytest.mark.parametrize("place", ["model", "model_float"])
def test_serving_changes_no_variable(answers, place):
    assert answers[f"{place}/unchanged"]


def test_the_twin_has_no_image_decoding_operations(exported):
    def operations(folder):
        saved = saved_model_pb2.SavedModel()
        saved.ParseFromString((folder / "saved_model.pb").read_bytes())
        graph = saved.meta_graphs[0].graph_def
        nodes = [*graph.node, *(n for f in graph.library.function for n in f.node_def)]
        return {node.op for node in nodes}

    _, folder, _ = exported
    assert {"DecodeJpeg", "DecodePng"} <= operations(folder / "model/1")
    twin = operations(folder / "model_float/1")
    # Bitcast comes from keras.ops.argmax; OpenVINO reads neither.
    assert not {op for op in twin if "Decode" in op or "Jpeg" in op or op == "Bitcast"}


def test_encoded_jpeg_equals_opencvs_pixels(exported, served, rng):
    model = exported[0]
    photo = cv2.GaussianBlur(rng.integers(0, 256, [40, 56, 3], "uint8"), (9, 9), 2)
    data = cv2.imencode(".jpg", photo)[1].tobytes()
    pixels = cv2.imdecode(np.frombuffer(data, "uint8"), cv2.IMREAD_COLOR_RGB)
    answer = served.signatures["encoded"](image_bytes=tf.constant([data]))
    expected = predict.class_ids(model, pixels)
    assert (answer["class_ids"][0].numpy() == expected).mean() > 0.999


def png(*size):
    return tf.io.encode_png(np.zeros([*size, 3], "uint8")).numpy()


@pytest.mark.parametrize(
    "files, message",
    [
        ([], "must hold an image"),
        ([b""], r"File\] \[0\] \[is neither"),
        ([png(4, 4), b"GIF89a"], r"File\] \[1\] \[is neither"),
        ([png(40, 40)[:60]], "Invalid PNG data"),
        ([b"\xff\xd8\xff broken"], "Invalid JPEG data"),
        ([png(4, 4), png(4, 5)], r"must have one size. .*\[\[4 4\]\[4 5\]\]"),
        ([png(4, 4)[:16] + b"\0\0\x7f\xff" * 2 + png(4, 4)[24:]], "1..50000000 pixels"),
    ],
)
def test_bad_encoded_images_are_clear_errors(served, files, message):
    with pytest.raises(tf.errors.InvalidArgumentError, match=message):
        served.signatures["encoded"](image_bytes=tf.constant(files, tf.string))


def read_warm_up(path):
    """Requests of a warm-up file, by descriptors written from the .proto files."""
    file = descriptor_pb2.FileDescriptorProto(name="p", package="p", syntax="proto3")

    def message(name, *fields):
        added = file.message_type.add(name=name)
        for number, field, kind in fields:
            label = 3 if field == "inputs" else 1
            new = added.field.add(name=field, number=number, label=label)
            new.type = {"string": 9, "bytes": 12}.get(kind, 11)
            if new.type == 11:
                new.type_name = f".p.{kind}"

    message("Spec", (1, "name", "string"), (3, "signature_name", "string"))
    message("Entry", (1, "key", "string"), (2, "value", "bytes"))  # of the map
    message("Request", (1, "model_spec", "Spec"), (2, "inputs", "Entry"))
    message("PredictLog", (1, "request", "Request"))
    message("PredictionLog", (6, "predict_log", "PredictLog"))
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    log = message_factory.GetMessageClass(pool.FindMessageTypeByName("p.PredictionLog"))
    for record in tf.data.TFRecordDataset(str(path)).as_numpy_iterator():
        yield log.FromString(record).predict_log.request


@pytest.mark.parametrize("place, num", [("model", 6), ("model_float", 1)])
def test_warm_up_requests_run_on_their_signatures(exported, place, num):
    folder = exported[1] / place / "1"
    served = tf.saved_model.load(str(folder))
    requests = list(read_warm_up(folder / warm_up.PLACE))
    assert {r.model_spec.name for r in requests} == {place}
    assert {r.model_spec.signature_name for r in requests} == {*served.signatures}
    assert len(requests) == num
    for request in requests:
        (entry,) = request.inputs
        tensor = tf.make_ndarray(tensor_pb2.TensorProto.FromString(entry.value))
        run = served.signatures[request.model_spec.signature_name]
        answer = run(**{entry.key: tf.constant(tensor)})
        assert {x.shape[0] for x in answer.values()} == {1}


def test_description_tells_classes_input_and_signatures(exported):
    text = (exported[1] / "model/1/kerasseg.json").read_text(encoding="utf-8")
    about = json.loads(text)
    assert about["classes"][1] == {"id": 1, "name": "grün", "color": [230, 159, 0]}
    assert about["ignore_label"] == 255 and about["input"]["channels"] == 3
    images = {"dtype": "uint8", "shape": [None, None, None, 3]}
    assert about["signatures"]["serving_default"] == {"images": images}
    small = {"ids", "encoded_ids", "encoded_png"}
    assert {*about["signatures"]} == {"serving_default", "float", "encoded", *small}
    ids = {"dtype": "uint8", "shape": [None, None, None]}
    assert about["replies"]["ids"] == {"class_ids": ids}
    files = {"dtype": "string", "shape": [None]}
    assert about["replies"]["encoded_png"] == {"mask_bytes": files}
    assert about["versions"]["keras"] == keras.__version__


def test_versions_are_numbered_and_never_overwritten(tmp_path):
    model = keras.Sequential([keras.Input([8, 8, 2]), keras.layers.Conv2D(1, 1)])
    (tmp_path / "model_float/6").mkdir(parents=True)
    paths = [export.saved_model(model, tmp_path / "model", warm_up_sizes=())]
    paths.append(export.save(model, tmp_path / "model", format="tf_saved_model"))
    assert paths == [tmp_path / "model/7", tmp_path / "model/8"]
    served = tf.saved_model.load(str(paths[0]))
    assert {*served.signatures} == {"serving_default", "float", "ids"}  # two channels
    left = [p.name for p in tmp_path.rglob("*") if p.name.startswith(".")]
    assert not left and not (paths[0] / "assets.extra").exists()
    with pytest.raises(ValueError, match="which is a SavedModel itself"):
        export.saved_model(model, paths[0])


def test_one_grey_logit_of_fixed_size_is_served(tmp_path, rng):
    model = make_model(classes=1, channels=1, size=(16, 24))
    path = export.saved_model(model, tmp_path / "model", class_names=["no", "yes"])
    served = tf.saved_model.load(str(path)).signatures["encoded"]
    image = rng.integers(0, 256, [16, 24, 1], "uint8")
    answer = served(image_bytes=tf.constant([tf.io.encode_png(image).numpy()]))
    np.testing.assert_array_equal(
        answer["class_ids"][0], predict.class_ids(model, image)
    )
    assert float(tf.reduce_min(answer["confidence"])) >= 0.5
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"only.*\[16 24\]"):
        served(image_bytes=tf.constant([png(4, 4)]))


def test_keras_and_weights_files_load_again(tmp_path, rng):
    model, image = make_model(), rng.integers(0, 256, [9, 9, 3], "uint8")
    whole = keras.saving.load_model(export.save(model, tmp_path / "m", format="keras"))
    filled = make_model()
    filled.set_weights([w * 0 for w in filled.get_weights()])
    filled.load_weights(export.save(model, tmp_path / "m.weights.h5", format="weights"))
    for same in (whole, filled):
        np.testing.assert_array_equal(
            predict.probabilities(same, image), predict.probabilities(model, image)
        )
    files = ["m.keras", "m.keras.json", "m.weights.h5", "m.weights.h5.json"]
    assert sorted(p.name for p in tmp_path.iterdir()) == files


def test_unknown_formats_are_refused(tmp_path):
    with pytest.raises(ValueError, match="Did you mean 'onnx'"):
        export.save(make_model(), tmp_path / "m", format="onxx")


def test_a_missing_package_is_named_with_its_extra(tmp_path, monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ImportError, match=r"needs openvino.*'kerasseg\[openvino\]'"):
        export.save(make_model(), tmp_path / "m", format="openvino")


def test_a_served_model_knows_the_range_of_its_data(tmp_path, rng):
    model = make_model()
    folder = export.saved_model(
        model, tmp_path / "model", value_range=(-1, 4095), warm_up_sizes=[(16, 16)]
    )
    about = json.loads((folder / "kerasseg.json").read_text())
    assert about["input"]["range"] == [0, 255]
    assert about["input"]["data_range"] == [-1, 4095]
    served = tf.saved_model.load(str(folder))
    run = served.signatures["data"]
    words = rng.integers(0, 4096, [17, 20, 3], "uint16")
    file = tf.io.encode_png(words).numpy()
    found = served.signatures["encoded"](image_bytes=tf.constant([file]))["class_ids"]
    expected = predict.class_ids(model, words, value_range=(-1, 4095))
    np.testing.assert_array_equal(found[0], expected)
    image = rng.uniform(-1, 4095, [17, 20, 3]).astype("float32")
    found = run(images=tf.constant(image[None]))["class_ids"][0]
    expected = predict.class_ids(model, image, value_range=(-1, 4095))
    np.testing.assert_array_equal(found, expected)
    assert "data_range" in about["input"] and "data" in about["signatures"]
    # What TensorFlow's C API asks for, and what lies there.
    assert about["tensors"]["data"]["inputs"] == {"images": "data_images:0"}
    assert set(about["tensors"]["encoded"]["outputs"]) == {"class_ids", "confidence"}
    graph = (folder / "saved_model.pb").read_bytes()
    assert about["files"]["saved_model.pb"] == hashlib.sha256(graph).hexdigest()
    files = {str(x.relative_to(folder)) for x in folder.rglob("*") if x.is_file()}
    assert {*about["files"]} == files - {"kerasseg.json"}
    plain = export.saved_model(model, tmp_path / "plain", warm_up_sizes=())
    about = json.loads((plain / "kerasseg.json").read_text())
    assert about["input"]["data_range"] == [0, 255]
    assert "data" not in about["signatures"]
