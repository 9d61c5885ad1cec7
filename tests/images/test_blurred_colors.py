"""Colours that were meant in masks that were smoothed or saved as JPEG."""

import collections

import cv2
import numpy as np
import pytest

from kerasseg.images import ImageError, blurred_colors, read_mask, write_image

COLORS = np.array([[0, 0, 0], [255, 255, 255], [128, 128, 128], [200, 30, 0]], "uint8")


def drawing():
    """Class map of grey, red and white on black, which mix to grey."""
    label = np.zeros([96, 128], int)
    label[10:50, 10:60], label[60:90, 20:50], label[20:80, 80:120] = 1, 2, 3
    return label


def jpeg(quality):
    def change(mask):
        stored = cv2.imencode(".jpg", mask[..., ::-1], [1, quality])[1]
        return np.ascontiguousarray(cv2.imdecode(stored, 1)[..., ::-1])

    return change


def halved(mask):
    small = cv2.resize(mask, None, fx=0.6, fy=0.6, interpolation=cv2.INTER_LINEAR)
    return cv2.resize(small, mask.shape[1::-1], interpolation=cv2.INTER_LINEAR)


CHANGES = {
    "jpeg 50": jpeg(50),
    "jpeg 75": jpeg(75),
    "jpeg 95": jpeg(95),
    "blurred": lambda mask: cv2.blur(mask, (3, 3)),
    "resampled": halved,
}


@pytest.mark.parametrize("name", CHANGES)
def test_classes_are_found_and_edges_take_one_of_theirs(name):
    mask = CHANGES[name](COLORS[drawing()])
    counts = blurred_colors.count_colors(mask)
    colors, share = blurred_colors.meant_colors(
        blurred_colors.flat_colors(mask), counts
    )
    assert len(colors) == 4 and 0.01 < share < 0.15
    places = [int(np.abs(COLORS - np.array(c)).max(1).argmin()) for c in colors]
    assert sorted(places) == [0, 1, 2, 3]
    ids = blurred_colors.ids_around(mask, dict(zip(colors, places)))
    # Black and white mix to the grey of class 2, which is not there.
    assert not (ids[:55, :70] == 2).any()
    assert (ids == drawing()).mean() > 0.99  # edges, which moved by half a pixel


@pytest.mark.parametrize("kind", ["sharp", "thin", "photograph"])
def test_what_is_no_blurred_mask_is_left_alone(kind, rng):
    mask = COLORS[drawing()]
    if kind == "thin":  # classes without a flat place
        mask[5], mask[94], mask[:, 4] = (9, 200, 7), (70, 3, 90), (1, 2, 99)
    if kind == "photograph":
        mask = cv2.resize(rng.integers(0, 255, [6, 8, 3], "uint8"), (128, 96))
    flat, counts = collections.Counter(), collections.Counter()
    flat.update(blurred_colors.flat_colors(mask))
    counts.update(blurred_colors.count_colors(mask))
    assert blurred_colors.meant_colors(flat, counts) is None


@pytest.mark.parametrize("suffix", ["jpg", "png"])
def test_readers_advise_the_copy(tmp_path, suffix):
    path = tmp_path / f"a.{suffix}"
    write_image(path, jpeg(80)(COLORS[drawing()]))
    with pytest.raises(ImageError, match="4 colours that were smoothed") as error:
        read_mask(path)
    assert "check-data --data FOLDER --fix OUT" in str(error.value)
