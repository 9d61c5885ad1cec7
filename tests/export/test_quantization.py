"""Files in integers of 8 bits."""

import logging

import cv2
import keras
import numpy as np
import pytest
import tensorflow as tf

from kerasseg import datasets, export, predict, zoo
from kerasseg.export import quantization
from kerasseg.predict import runtimes
from tests.contracts import cases
from tests.export.small import every_format, needs, small_model


@pytest.mark.slow
@every_format
def test_int8_keeps_most_class_ids_and_quarters_the_weights(format, tmp_path):
    needs(format)
    pytest.importorskip("nncf" if format == "openvino" else "ai_edge_quantizer")
    model, samples = zoo.load("shapes"), datasets.shapes(10, size=(64, 96), seed=3)
    pictures = [samples[i]["image"] for i in range(10)]
    path = export.save(
        model, tmp_path / "x", format=format, precision="int8", pictures=pictures
    )
    program = runtimes.open_file(path, format)
    found = [program.run(image[None])["class_ids"][0] for image in pictures]
    expected = [predict.class_ids(model, image) for image in pictures]
    assert np.mean(np.array(found) == np.array(expected)) > 0.98
    size = sum(x.stat().st_size for x in tmp_path.iterdir() if x.suffix != ".json")
    assert size < 1_000_000  # 2 MB in float32; the graph itself takes some of it


@pytest.mark.slow
@every_format
def test_atrous_networks_can_be_of_int8(format, tmp_path):
    """OpenVINO 2026.4 fails on the pieces that TensorFlow makes of a dilation."""
    needs(format)
    pytest.importorskip("nncf" if format == "openvino" else "ai_edge_quantizer")
    keras.utils.set_random_seed(0)
    model = cases.build("deeplab_v3_plus", "tiny", output_stride=8)
    pictures = np.random.default_rng(0).integers(0, 256, (8, 70, 90, 3), "uint8")
    path = export.save(
        model, tmp_path / "x", format=format, precision="int8", pictures=pictures
    )
    found = runtimes.open_file(path, format).run(pictures[:1])["class_ids"]
    expected = predict.class_ids_of_batch(model, pictures[:1])
    assert np.mean(found == expected) > 0.9


def nuclei(seed):
    """A picture [96, 96, 3] of discs on black, of which every third one is bright."""
    rng, picture = np.random.default_rng(seed), np.full((96, 96), 12, "uint8")
    light = 80 if seed % 3 else 250
    for row in range(16, 96, 32):
        for column in range(16, 96, 32):
            at = row + int(rng.integers(-4, 5)), column + int(rng.integers(-4, 5))
            color = int(rng.uniform(0.5, 1) * light)
            cv2.circle(picture, at, int(rng.integers(6, 12)), color, cv2.FILLED)
    noisy = cv2.GaussianBlur(picture, (0, 0), 1) + rng.normal(0, 3, picture.shape)
    return np.repeat(noisy.clip(0, 255).astype("uint8")[..., None], 3, -1)


@pytest.mark.slow
@every_format
def test_nuclei_are_as_large_in_int8(format, tmp_path):
    needs(format)
    pytest.importorskip("nncf" if format == "openvino" else "ai_edge_quantizer")
    model, found = zoo.load("nuclei"), {}
    pictures = [nuclei(seed) for seed in range(12)]
    for precision in ("float32", "int8"):
        options = {"precision": precision, "pictures": pictures}
        path = export.save(model, tmp_path / precision, format=format, **options)
        run = runtimes.open_file(path, format).run
        found[precision] = [run(picture[None]) for picture in pictures]
    right, other = (
        np.concatenate([one["distances"] for one in found[x]]) for x in found
    )
    inside = np.concatenate([one["logits"] > 0 for one in found["float32"]])[..., 0]
    assert inside.sum() > 2000  # about 9 discs of 12 px in each, at half the size
    error = (other - right)[inside]
    assert abs(error.mean()) < 0.05 and np.abs(error).mean() < 0.15  # px


def test_first_convolutions_are_those_that_no_other_precedes():
    """Two branches begin at the picture, as in BiSeNet."""
    reads = {
        **{"images": [], "weights": [], "scaled": ["images"]},
        **{"conv1": ["scaled", "weights"], "conv2": ["scaled"], "act": ["conv1"]},
        **{"conv3": ["act", "weights"], "sum": ["conv3", "conv2"], "conv4": ["sum"]},
    }
    operations = [(name, name[:4] == "conv", reads[name]) for name in reads]
    assert quantization.first_convolutions(operations) == ["conv1", "conv2"]


def test_int8_without_pictures_says_what_it_needs(tmp_path):
    pytest.importorskip("onnxruntime")
    needs("onnx")
    with pytest.raises(ValueError, match=r"at least 8 `pictures`.*Received: 0"):
        export.save(small_model(), tmp_path / "x", format="onnx", precision="int8")


@pytest.mark.parametrize(
    ("picture", "message"),
    [
        (np.zeros([9, 9, 3], "float32"), r"uint8 \[H, W, 3\].*float32 \[9, 9, 3\]"),
        (np.zeros([9, 9], "uint8"), r"uint8 \[9, 9\]"),
        (np.zeros([9, 9, 4], "uint8"), r"uint8 \[9, 9, 4\]"),
        ("photo.png", r"Received: <U9 \[\]"),
    ],
)
def test_pictures_that_the_file_would_not_take_are_refused(picture, message):
    spec = tf.TensorSpec([None, None, None, 3], tf.uint8)
    fit = np.zeros([5, 7, 3], "uint8")
    assert quantization.fitting([fit], spec) == [fit]
    with pytest.raises(ValueError, match=rf"pictures\[1\] must be.*{message}"):
        quantization.fitting([fit, picture], spec)


def test_missing_packages_are_named_with_their_extra(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(ImportError, match=r"openvino and nncf.*'kerasseg\[int8\]'"):
        quantization.check("openvino", None)


def test_packages_that_talk_are_silent_and_logging_goes_on_after_an_error(
    capsys, caplog
):
    with pytest.raises(ZeroDivisionError), quantization._quiet():
        print("advice")
        logging.warning("more advice")
        raise ZeroDivisionError
    assert not caplog.messages and not capsys.readouterr().out
    logging.warning("a warning of others")
    assert caplog.messages == ["a warning of others"]
