"""Files by Pillow: what it decodes in its own way."""

import cv2
import numpy as np
from PIL import Image

from kerasseg.images import read_image


def test_16_bit_png_with_alpha_keeps_its_colours(tmp_path, rng):
    image = rng.integers(0, 65536, [9, 8, 4]).astype("uint16")
    image[..., 3] //= 2
    cv2.imwrite(str(tmp_path / "a.png"), image)  # BGRA
    np.testing.assert_array_equal(read_image(tmp_path / "a.png"), image[..., 2::-1])


def test_cmyk_and_transparent_palettes_are_their_colours(tmp_path):
    color = (200, 100, 50)
    picture = Image.new("RGB", (6, 5), color)
    picture.convert("CMYK").save(tmp_path / "a.tif")
    assert abs(read_image(tmp_path / "a.tif")[0, 0].astype(int) - color).max() <= 1
    palette = picture.convert("P", palette=Image.Palette.ADAPTIVE)
    for name in ("a.png", "a.gif"):
        palette.save(tmp_path / name, transparency=0)
        assert read_image(tmp_path / name)[0, 0].tolist() == list(color)
    palette.save(tmp_path / "p.tif")
    assert read_image(tmp_path / "p.tif")[0, 0].tolist() == list(color)
