"""Bytes, file objects and NumPy files."""

import io

import numpy as np
import pytest
from PIL import Image

from kerasseg.images import ImageError, read_image, read_mask


def test_numpy_files_are_pictures_and_masks(tmp_path, rng):
    image = rng.normal(size=[6, 5, 8])
    np.save(tmp_path / "a.npy", image)
    found = read_image(tmp_path / "a.npy", channels=8)
    np.testing.assert_array_equal(found, image.astype("float32"))
    np.save(tmp_path / "m.npy", np.array([[0, 1], [700, 2]]))
    assert read_mask(tmp_path / "m.npy").tolist() == [[0, 1], [700, 2]]
    np.save(tmp_path / "b.npy", np.array([[False, True]]))
    assert read_image(tmp_path / "b.npy", channels=1).ravel().tolist() == [0, 255]
    assert read_mask(tmp_path / "b.npy").tolist() == [[0, 1]]
    for wrong, match in [
        (np.zeros([4, 64, 80]), r"looks like \[C, H, W\]"),
        (np.zeros([4]), "of shape"),
        (np.array([{}]), "object of shape"),
        (np.zeros([4, 5], complex), "complex128"),
    ]:
        np.save(tmp_path / "w.npy", wrong, allow_pickle=True)
        with pytest.raises(ImageError, match=match):
            read_image(tmp_path / "w.npy", channels=None)
    data = (tmp_path / "a.npy").read_bytes()[:-9]
    (tmp_path / "w.npy").write_bytes(data)
    with pytest.raises(ImageError, match="a complete NumPy file"):
        read_image(tmp_path / "w.npy", channels=None)


def test_bytes_and_file_objects_are_read_as_files(tmp_path, rng):
    image = rng.integers(0, 256, [5, 6, 3]).astype("uint8")
    Image.fromarray(image).save(tmp_path / "a.png")
    data = (tmp_path / "a.png").read_bytes()
    for source in (data, bytearray(data), io.BytesIO(data)):
        np.testing.assert_array_equal(read_image(source), image)
    with open(tmp_path / "a.png", "rb") as file:
        np.testing.assert_array_equal(read_image(file), image)
    refused = pytest.raises(ImageError, match='Open it with mode "rb"')
    with open(tmp_path / "a.png", encoding="latin1") as file, refused:
        read_image(file)
    for source, name in ((data[:50], "<bytes>"), (io.BytesIO(b""), "<file object>")):
        with pytest.raises(ImageError, match=name):
            read_image(source)
