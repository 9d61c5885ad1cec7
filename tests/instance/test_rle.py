"""Run-length codes against pycocotools; hostile ones refused."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis.extra.numpy import array_shapes, arrays
from pycocotools import mask as coco

from kerasseg.instance.rle import decode_rle, encode_rle

sizes = array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=12)


bitmaps = arrays(bool, sizes)


@settings(max_examples=100, deadline=None)
@given(bitmaps)
def test_codes_are_those_of_pycocotools(mask):
    code = encode_rle(mask)
    expected = coco.encode(np.asfortranarray(mask.astype("uint8")))
    assert code == {"size": list(mask.shape), "counts": expected["counts"].decode()}
    np.testing.assert_array_equal(decode_rle(code), mask)
    np.testing.assert_array_equal(decode_rle(expected, size=mask.shape), mask)


def test_packed_counts_are_read_as_pycocotools_reads_them(rng):
    # Runs up to a million pixels, so that numbers take up to five characters.
    for scale in (3, 40, 2000, 10**6):
        counts = rng.integers(0, scale, 9).tolist()
        size = [sum(counts), 1]
        packed = coco.frPyObjects({"size": size, "counts": counts}, *size)
        expected = coco.decode(packed).astype(bool)
        np.testing.assert_array_equal(decode_rle(packed), expected)
        np.testing.assert_array_equal(
            decode_rle({"size": size, "counts": counts}), expected
        )


def test_counts_go_down_the_columns():
    code = {"size": [3, 2], "counts": [1, 2, 1, 2]}
    expected = [[False, False], [True, True], [True, True]]
    np.testing.assert_array_equal(decode_rle(code), expected)
    assert encode_rle(np.array(expected)) == {"size": [3, 2], "counts": "1210"}


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("22", "must have `size`"),
        ({"size": [2], "counts": [4]}, "must have `size`"),
        ({"size": [0, 2], "counts": []}, "must have `size`"),
        ({"size": [2.0, 2], "counts": [4]}, "must have `size`"),
        ({"size": [2**31, 2**31], "counts": [4]}, "must have `size`"),
        ({"size": [3, 2], "counts": [6]}, "that of the image"),
        ({"size": [2, 2]}, "`counts` must be integers"),
        ({"size": [2, 2], "counts": [-1, 5]}, "`counts` must be integers"),
        ({"size": [2, 2], "counts": [1.5, 2.5]}, "`counts` must be integers"),
        ({"size": [2, 2], "counts": [3]}, "must add up to"),
        ({"size": [2, 2], "counts": [2**62, 2**62, 2**62, 2**62, 4]}, "must add up"),
        ({"size": [2, 2], "counts": "21"}, "must add up to"),
        ({"size": [2, 2], "counts": ""}, "must add up to"),
        ({"size": [2, 2], "counts": "2é"}, "no packed code"),
        ({"size": [2, 2], "counts": "2o"}, "no packed code"),
        ({"size": [2, 2], "counts": "o" * 60 + "0"}, "no packed code"),
    ],
)
def test_wrong_codes_are_refused(code, message):
    with pytest.raises(ValueError, match=message):
        decode_rle(code, size=(2, 2))


def test_a_mask_without_pixels_is_refused():
    with pytest.raises(ValueError, match=r"Received: shape=\(0, 2\)"):
        encode_rle(np.ones([0, 2]))
