"""ONNX, OpenVINO and LiteRT files, written, opened by their runtimes and compared."""

import importlib.util

import keras
import numpy as np
import pytest
import tensorflow as tf

from kerasseg import export
from kerasseg.export import checks, formats
from kerasseg.layers import ResizeLike
from tests.contracts import cases, objects

NEEDED = {
    "onnx": ("onnx", "tf2onnx", "onnxruntime"),
    "openvino": ("openvino",),
    "litert": ("ai_edge_litert",),
}


def small_model():
    image = keras.Input((None, None, 3))
    x = keras.layers.Conv2D(4, 3, 2, "same")(image)
    return keras.Model(image, ResizeLike("nearest")([x, image]), name="small")


def needs(format):
    missing = [x for x in NEEDED[format] if importlib.util.find_spec(x) is None]
    if missing:
        pytest.skip(f"needs {', '.join(missing)}")


every_format = pytest.mark.parametrize("format", list(NEEDED))


@pytest.mark.filterwarnings("ignore")  # of converters
@every_format
def test_nearest_pixels_of_written_files_are_the_models(format, tmp_path):
    needs(format)
    model = small_model()
    path = export.save(model, tmp_path / "model", format=format)
    run = checks.RUNTIMES[format][2](str(path))
    # A position falls between two pixels of 64 where 65 are wanted, and so on.
    for size in [(65, 97), (64, 33), (129, 1), (96, 7)]:
        images = np.random.default_rng(0).normal(size=(1, *size, 3)).astype("float32")
        (found,) = run(images).values()
        np.testing.assert_allclose(found, model(images), atol=1e-4)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
@every_format
@pytest.mark.parametrize("name", ["unet", "linknet", "segnet", "center_mask"])
def test_files_of_models_that_once_were_wrong_are_written(name, format, tmp_path):
    needs(format)
    build = objects.build if name == "center_mask" else cases.build
    model = build(name) if name == "center_mask" else build(name, "plain")
    assert export.save(model, tmp_path / "model", format=format).exists()


@pytest.fixture
def written_wrongly(monkeypatch):
    """Files that answer `found` whatever the model says, without any runtime."""

    def pretend(found):
        def write(model, target, format):
            target.write_bytes(b"wrong")

        monkeypatch.setattr("kerasseg.export.formats._export", write)
        runtime = ("A runtime", "json", lambda path: found)
        monkeypatch.setitem(checks.RUNTIMES, "litert", runtime)

    return pretend


def test_a_file_that_answers_otherwise_is_refused_and_not_left_behind(
    written_wrongly, tmp_path
):
    written_wrongly(lambda images: {"output": images[..., :1].repeat(4, -1) * 0})
    with pytest.raises(export.ExportError, match=r"'output' differs .*64x96"):
        export.save(small_model(), tmp_path / "model", format="litert")
    assert not list(tmp_path.iterdir())


def test_a_file_that_does_not_run_is_refused_with_the_reason(written_wrongly, tmp_path):
    written_wrongly(lambda images: 1 / 0)
    with pytest.raises(export.ExportError, match=r"64x96: division by zero"):
        export.save(small_model(), tmp_path / "model", format="litert")
    assert not list(tmp_path.iterdir())


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


def test_a_format_of_ones_own_is_a_row(tmp_path, monkeypatch):
    def write(model, path):
        np.savez(path, *model.get_weights())

    monkeypatch.setitem(formats.FORMATS, "npz", formats.Format(".npz", write))
    model = keras.Sequential([keras.Input((4, 4, 3)), keras.layers.Conv2D(2, 1)])
    path = export.save(model, tmp_path / "model", format="npz")
    assert path.name == "model.npz" and len(np.load(path).files) == 2
