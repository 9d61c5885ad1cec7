"""ONNX, OpenVINO and LiteRT files, written, opened by their runtimes and compared."""

import gc
import hashlib
import json
import weakref

import keras
import numpy as np
import pytest
import tensorflow as tf

from kerasseg import encoders, export, predict
from kerasseg.export import formats
from kerasseg.predict import runtimes
from tests.contracts import cases, objects
from tests.export.small import every_format, needs, small_model

ANSWERS = {"class_ids", "confidence"}


@every_format
def test_written_files_answer_what_prediction_does_at_odd_sizes(format, tmp_path):
    needs(format)
    model = small_model()
    path = export.save(model, tmp_path / "model", format=format, class_names="abcd")
    program = runtimes.open_file(path, format)
    assert program.dtype == "uint8" and set(program.outputs) == ANSWERS
    # A position falls between two pixels of 64 where 65 are wanted, and so on.
    for size in [(65, 97), (64, 33), (129, 1), (96, 7)]:
        image = np.random.default_rng(0).integers(0, 256, (*size, 3), "uint8")
        found = program.run(image[None])
        probabilities = predict.probabilities(model, image)
        assert found["class_ids"].dtype == "int32"
        np.testing.assert_array_equal(found["class_ids"][0], probabilities.argmax(-1))
        np.testing.assert_allclose(
            found["confidence"][0], probabilities.max(-1), atol=1e-4
        )
    about = json.loads(path.with_name(f"{path.name}.json").read_text())
    assert [one["name"] for one in about["classes"]] == list("abcd")
    assert about["files"][path.name] == hashlib.sha256(path.read_bytes()).hexdigest()
    tensors = about["tensors"]
    assert tensors["inputs"]["images"]["shape"] == [None, None, None, 3]
    assert set(tensors["outputs"]) == ANSWERS


def test_a_program_that_does_not_resize_litert_gets_images_of_a_usable_size(tmp_path):
    needs("litert")
    from ai_edge_litert.interpreter import Interpreter

    path = export.save(small_model(), tmp_path / "model", format="litert")
    interpreter = Interpreter(str(path))
    interpreter.allocate_tensors()
    (image,) = interpreter.get_input_details()
    assert image["shape"].tolist() == [1, 256, 256, 3]
    interpreter.set_tensor(image["index"], np.zeros((1, 256, 256, 3), "uint8"))
    interpreter.invoke()
    shapes = [x["shape"].tolist() for x in interpreter.get_output_details()]
    assert shapes == [[1, 256, 256]] * 2


@every_format
def test_files_of_another_range_take_its_numbers(format, tmp_path):
    needs(format)
    model, deep = small_model(), (0, 4095)
    path = export.save(model, tmp_path / "x", format=format, value_range=deep)
    program = runtimes.open_file(path, format)
    image = np.random.default_rng(0).integers(0, 4096, (32, 33, 3)).astype("float32")
    expected = predict.class_ids(model, image, value_range=deep)
    assert program.dtype == "float32"
    np.testing.assert_array_equal(program.run(image[None])["class_ids"][0], expected)


@every_format
def test_raw_files_return_logits(format, tmp_path):
    needs(format)
    model = small_model()
    path = export.save_raw(model, tmp_path / "model", format=format)
    image = np.random.default_rng(0).integers(0, 256, (1, 31, 40, 3), "uint8")
    found = runtimes.open_file(path, format).run(image)
    # Of the image continued to a multiple of the network's stride, as in predictions.
    expected = model(np.pad(image, [(0, 0), (0, 1), (0, 0), (0, 0)], "reflect"))[:, :31]
    np.testing.assert_allclose(found["logits"], expected, atol=1e-3)


@every_format
def test_float16_halves_the_weights(format, tmp_path):
    needs(format)
    image = keras.Input((None, None, 3))
    model = keras.Model(image, keras.layers.Conv2D(64, 15, padding="same")(image))
    sizes = {}
    for precision in ("float32", "float16"):
        out = tmp_path / precision / "model"
        path = export.save(model, out, format=format, precision=precision)
        files = [
            x for x in path.parent.iterdir() if x.suffix in (".onnx", ".bin", ".tflite")
        ]
        sizes[precision] = sum(x.stat().st_size for x in files)
    assert sizes["float16"] < 0.6 * sizes["float32"]


@pytest.mark.parametrize("given", [{"precision": "int8"}, {"precision": "float16"}])
def test_precisions_are_refused_where_they_cannot_be(given, tmp_path):
    with pytest.raises(ValueError, match="'onnx' or 'openvino' or 'litert'"):
        export.save(small_model(), tmp_path / "x", format="keras", **given)


def test_copies_of_graphs_are_freed_while_files_are_written(tmp_path, monkeypatch):
    needs("onnx")
    import tf2onnx

    class Graph:
        """A copy of a graph: it refers to itself."""

        def __init__(self):
            self.weights, self.graph = [[x] for x in range(10_000)], self

    left, most, write = weakref.WeakSet(), [], tf2onnx.convert.from_function

    def copying(*args, **options):
        for _ in range(50):
            left.add(Graph())
            most.append(len(left))
        return write(*args, **options)

    before = gc.get_threshold(), gc.isenabled(), gc.get_freeze_count() > 0
    monkeypatch.setattr(tf2onnx.convert, "from_function", copying)
    export.save(small_model(), tmp_path / "x", format="onnx")
    assert max(most) <= 3
    after = gc.get_threshold(), gc.isenabled(), gc.get_freeze_count() > 0
    assert after == before


@pytest.mark.slow
@every_format
@pytest.mark.parametrize("name", ["unet", "linknet", "segnet", "center_mask"])
def test_files_of_models_that_once_were_wrong_are_written(name, format, tmp_path):
    needs(format)
    is_instance = name == "center_mask"
    encoder = encoders.plain(base_filters=4)
    model = objects.build(name) if is_instance else cases.build(name, encoder)
    names = ("a", "b") if is_instance else None
    path = export.save(model, tmp_path / "model", format=format, class_names=names)
    told = json.loads(path.with_name(f"{path.name}.json").read_text())
    assert set(told["outputs"]) == set(told["tensors"]["outputs"])


@pytest.mark.parametrize("signature", ["serving_default", "float", "encoded"])
def test_every_signature_of_a_fixed_size_says_it(signature, tmp_path):
    image = keras.Input((32, 64, 3))
    model = keras.Model(image, keras.layers.Conv2D(2, 1)(image))
    export.saved_model(model, tmp_path / "model", warm_up_sizes=())
    run = tf.saved_model.load(tmp_path / "model/1").signatures[signature]

    def ask(height, width):
        pixels = np.zeros((1, height, width, 3), "uint8")
        if signature == "encoded":
            return run(image_bytes=tf.constant([tf.io.encode_png(pixels[0]).numpy()]))
        dtype = "uint8" if signature == "serving_default" else "float32"
        return run(images=tf.constant(pixels.astype(dtype)))

    assert ask(32, 64)["class_ids"].shape == (1, 32, 64)
    with pytest.raises(tf.errors.OpError, match=r"takes only(.|\n)*32 64(.|\n)*16 16"):
        ask(16, 16)


def test_without_its_runtime_a_file_tells_its_tensors_all_the_same(
    monkeypatch, tmp_path
):
    """TensorFlow writes LiteRT's files itself: only who reads them needs a package."""
    missing = runtimes.RUNTIMES["litert"]._replace(module="no_such_module")
    monkeypatch.setitem(runtimes.RUNTIMES, "litert", missing)
    path = export.save(small_model(), tmp_path / "model", format="litert")
    told = json.loads(path.with_name(f"{path.name}.json").read_text())["tensors"]
    assert list(told["inputs"]) == ["images"]
    assert sorted(told["outputs"]) == ["class_ids", "confidence"]


def test_a_format_of_ones_own_is_a_row(tmp_path, monkeypatch):
    def write(model, path):
        np.savez(path, *model.get_weights())

    monkeypatch.setitem(formats.FORMATS, "npz", formats.Format(".npz", write))
    model = keras.Sequential([keras.Input((4, 4, 3)), keras.layers.Conv2D(2, 1)])
    path = export.save(model, tmp_path / "model", format="npz")
    assert path.name == "model.npz" and len(np.load(path).files) == 2


@pytest.mark.parametrize("format", ["keras", "weights"])
def test_models_themselves_are_said_to_return_logits(format, tmp_path):
    path = export.save(small_model(), tmp_path / "model", format=format)
    about = json.loads((path.parent / f"{path.name}.json").read_text())
    assert set(about["outputs"]) == {"logits"}
    assert about["outputs"]["logits"].startswith("float32 [N, None, None, ")
