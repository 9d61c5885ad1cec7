"""Files decoded inside a graph: the pixels and ranges that `read_image` gives."""

import io

import cv2
import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from kerasseg import images
from kerasseg.images import values
from kerasseg.predict import encoded


@pytest.fixture(scope="module")
def files():
    """Files of one small picture: dict from a name to bytes."""
    rng = np.random.default_rng(0)
    coarse = rng.integers(0, 256, (4, 5, 3), "uint8")
    rgb = cv2.resize(coarse, (37, 30), interpolation=cv2.INTER_CUBIC)
    picture, grey = Image.fromarray(rgb), np.ascontiguousarray(rgb[..., 1])
    alpha = np.dstack([rgb, grey[::-1]])
    words = alpha[..., [2, 1, 0, 3]].astype("uint16")
    made = {
        "rgb.png": picture,
        "rgba.png": Image.fromarray(alpha),
        "grey.png": Image.fromarray(grey),
        "grey_alpha.png": Image.fromarray(np.dstack([grey, grey[::-1]]), "LA"),
        "palette.png": picture.quantize(20),
        "bits.png": Image.fromarray(grey > 99),
        "rgb.jpg": picture,
        "grey.jpg": Image.fromarray(grey),
        "cmyk.jpg": picture.convert("CMYK"),
    }
    found = {}
    for name, one in made.items():
        stream = io.BytesIO()
        one.save(stream, "JPEG" if name.endswith("jpg") else "PNG")
        found[name] = stream.getvalue()
    for name, pixels in {
        "rgba16.png": words * 257,
        "grey16.png": words[..., 0] * 257,
        "rgb12.png": words[..., :3] * 16,
        "grey12.png": words[..., 0] * 16,
        "black16.png": words[..., 0] * 0,
    }.items():
        found[name] = cv2.imencode(".png", pixels)[1].tobytes()
    return found


BYTES = [f"{x}.png" for x in ("rgb", "rgba", "grey", "grey_alpha", "palette", "bits")]
BYTES += ["rgb.jpg", "grey.jpg", "cmyk.jpg"]
WORDS = ["rgba16.png", "grey16.png", "rgb12.png", "grey12.png", "black16.png"]


@pytest.mark.parametrize("value_range", [None, (0, 4095), (-100, 4095), (0, 1)])
@pytest.mark.parametrize("channels", [1, 3])
def test_pixels_are_those_that_predictions_read(files, channels, value_range):
    decode = tf.function(lambda x: encoded.decode(x, channels, value_range))
    accepted = 0
    for name in BYTES + WORDS:
        pixels = images.read_image(files[name], channels=channels)
        try:
            wanted = images.scale(pixels, value_range)
        except ValueError:
            with pytest.raises(tf.errors.InvalidArgumentError):
                decode(tf.constant(files[name]))
        else:
            found = decode(tf.constant(files[name])).numpy()
            # A graph multiplies by the inverse where NumPy divides.
            rtol = 0 if pixels.dtype == "uint8" else 3e-7
            np.testing.assert_allclose(found, wanted, rtol, err_msg=name)
            accepted += 1
    # Black, and either those of 12 bits or those of 16.
    assert accepted == len(BYTES) + 3


def test_a_range_within_bytes_is_that_of_bytes(files):
    dark = (np.arange(256).reshape(16, 16) % 100).astype("uint8")
    data = tf.io.encode_png(dark[..., None])
    found = encoded.decode(data, 1, (0, 100)).numpy()
    np.testing.assert_array_equal(found, images.scale(dark[..., None], (0, 100)))
    with pytest.raises(tf.errors.InvalidArgumentError, match="range of the model"):
        encoded.decode(tf.constant(files["rgb.png"]), 3, (0, 100))


def test_dim_words_ask_for_a_range(files):
    with pytest.raises(tf.errors.InvalidArgumentError, match="may hold fewer"):
        encoded.decode(tf.constant(files["grey12.png"]), 1)


@pytest.mark.parametrize(
    ("dtype", "value_range", "wanted"),
    [
        ("uint8", None, (0, 255)),
        ("uint8", (0, 4095), (0, 255)),
        ("uint8", (0, 1), (0, 255)),
        ("uint8", (10, 200), (10, 200)),
        ("uint16", None, None),
        ("uint16", (0, 255), None),
        ("uint16", (0, 1), None),
        ("uint16", (0, 4095), (0, 4095)),
    ],
)
def test_the_range_of_a_dtype(dtype, value_range, wanted):
    assert values.range_of_dtype(dtype, value_range) == wanted
