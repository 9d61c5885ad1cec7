"""Arrays of any kind."""

import keras
import numpy as np
import pytest
from PIL import Image

from kerasseg.images import as_array, read_image


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "P", "L", "LA", "1", "CMYK", "I;16"])
def test_pil_images_are_the_arrays_that_their_files_give(tmp_path, mode, rng):
    if mode == "I;16":
        picture = Image.fromarray(rng.integers(0, 65536, [5, 6]).astype("uint16"))
    else:
        noise = Image.fromarray(rng.integers(0, 256, [5, 6, 3]).astype("uint8"))
        picture = noise.convert(mode)
    name = tmp_path / ("a.tif" if mode == "CMYK" else "a.png")
    picture.save(name)
    expected = read_image(name, channels=None)
    np.testing.assert_array_equal(np.atleast_3d(as_array(picture)), expected)


def test_tensors_of_mixed_precision_are_arrays_that_numpy_knows():
    tensor = keras.ops.convert_to_tensor([[0.5, 0.25]], "bfloat16")
    found = as_array(tensor)
    assert found.dtype == "float32" and found.tolist() == [[0.5, 0.25]]
