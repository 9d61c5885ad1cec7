"""Files of other runtimes, opened as functions of images."""

import numpy as np
import pytest

from kerasseg.predict import runtimes


def test_openvino_opens_files_with_old_gathers(tmp_path):
    openvino = pytest.importorskip("openvino")
    images = openvino.opset1.parameter([-1, -1, -1, 2], np.uint8)
    images.output(0).get_tensor().set_names({"images"})
    places = openvino.opset1.constant(np.array([1, 0], "int32"))
    axis = openvino.opset1.constant(np.int32(3))
    found = openvino.opset1.gather(images, places, axis)
    found.output(0).get_tensor().set_names({"swapped"})
    openvino.save_model(openvino.Model([found], [images]), tmp_path / "a.xml")
    program = runtimes.open_file(tmp_path / "a.xml", "openvino")
    image = np.arange(24, dtype="uint8").reshape(1, 3, 4, 2)
    for _ in range(3):
        np.testing.assert_array_equal(program.run(image)["swapped"], image[..., ::-1])
    with pytest.raises(ValueError, match=r"uint8\. Received: float32"):
        program.run(image / np.float32(255))  # it would be cast to zeros


def test_openvino_survives_gathers_when_a_size_comes_again(tmp_path):
    """It crashed with a program for one size, where all shapes are known."""
    openvino = pytest.importorskip("openvino")
    op = openvino.opset13
    images = op.parameter([-1, -1, -1, 2], np.uint8)
    images.output(0).get_tensor().set_names({"images"})
    rows = op.reshape(op.convert(images, "f32"), op.constant([-1, 1024, 2]), False)
    # The first number of each of the first hundred is the place of another.
    some = [op.constant(x) for x in ([0, 0, 0], [9, 100, 1], [1, 1, 1])]
    places = op.squeeze(op.convert(op.slice(rows, *some), "i32"), op.constant([2]))
    found = op.gather(rows, places, op.constant(1), batch_dims=1)
    found.output(0).get_tensor().set_names({"rows"})
    model = openvino.Model([found], [images])
    openvino.save_model(model, tmp_path / "a.xml", compress_to_fp16=False)
    program = runtimes.open_file(tmp_path / "a.xml", "openvino")
    image = np.random.default_rng(0).integers(0, 256, [1, 32, 32, 2], "uint8")
    expected = image.reshape(1024, 2)[image.reshape(1024, 2)[:100, 0]]
    for _ in range(3):
        np.testing.assert_array_equal(program.run(image)["rows"][0], expected)
