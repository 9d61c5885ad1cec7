"""The selfie segmenter with Google's weights."""

import numpy as np
import pytest

from kerasseg import predict, zoo
from tests.portraits import person, portrait

# Input of the last sigmoid of Google's file for `portrait()` / 255, by (row, column):
# LiteRT 2.3.0's, with TRANSPOSE_CONV for its custom operator.
LITERT = {
    (0, 0): -63.66135025024414,
    (10, 250): -95.72869873046875,
    (60, 70): -101.12311553955078,
    (60, 128): 197.60679626464844,
    (112, 84): 122.69310760498047,
    (112, 128): 248.93211364746094,
    (200, 60): -88.52864837646484,
    (200, 128): 219.41590881347656,
    (230, 40): -19.9715576171875,
    (255, 10): -77.06961822509766,
    (255, 128): 132.0025177001953,
}


@pytest.fixture(scope="module")
def model():
    return zoo.load("people")


def test_logits_are_those_of_litert(model):
    logits = model(portrait()[None].astype("float32"))[0, ..., 0]
    found = [float(logits[place]) for place in LITERT]
    # They reach 740: float32 rounds sums of such numbers by some 1e-3.
    np.testing.assert_allclose(found, list(LITERT.values()), atol=0.02)


def test_without_resizing_the_published_size_gives_the_same(model):
    as_it_is = zoo.selfie_segmenter()
    as_it_is.set_weights(model.get_weights())
    image = portrait()[None].astype("float32")
    np.testing.assert_allclose(as_it_is(image), model(image), atol=0.02)


@pytest.mark.parametrize("size", [100, 256, 1500])
def test_people_are_found_at_any_size_of_the_photo(model, size):
    found = predict.class_ids(model, portrait(size)) == 1
    truth = person(size)
    assert (found & truth).sum() / (found | truth).sum() > 0.97


def test_logits_are_as_large_as_the_image(model):
    for size in [(1, 1), (65, 97), (300, 257)]:
        logits = model(np.zeros((1, *size, 3), "float32"))
        assert logits.shape == (1, *size, 1) and np.isfinite(logits).all()


@pytest.mark.parametrize("size", [256, (256,), (0, 256), (256.0, 256.0), "256"])
def test_another_resize_to_is_refused(size):
    with pytest.raises(ValueError, match="`resize_to` must be"):
        zoo.selfie_segmenter(resize_to=size)
