"""Objects in an image that is mirrored beyond its border."""

import numpy as np
import pytest
from scipy import ndimage

from kerasseg import augment
from tests.augment.arrays import run


def blobs():
    """Ids of connected objects at a corner, at borders, through the image, inside."""
    ids = np.zeros([10, 12], "int32")
    ids[:2, :3], ids[4:6, 10:], ids[8:, 4:6], ids[5, 4:7], ids[:, 8] = 1, 2, 3, 4, 5
    return ids


@pytest.mark.parametrize("seed", range(3))
def test_mirrored_objects_are_objects(seed):
    ids, classes = blobs(), np.array([3, 1, 2, 7, 5], "int32")
    image = np.repeat(ids[..., None].astype("float32"), 3, -1)
    sample = {"image": image, "label": ids, "instances": ids[None], "classes": classes}
    sample["masks"] = np.stack([ids == number for number in range(1, 6)])
    sample["crowd"] = classes == 7
    function = augment.geometry(size=(40, 50), outside="reflect", flip="both")
    found = run(function, sample, (5, seed))
    # The image shows the true ids; connected pixels of one id are one object.
    shown = found["image"][..., 0].astype(int)
    objects = [
        (number, part == index)
        for number in range(1, 6)
        for part, num in [ndimage.label(shown == number)]
        for index in range(1, num + 1)
    ]
    assert len(objects) == found["instances"].max() == len(found["classes"])
    for number, mask in objects:
        (new,) = np.unique(found["instances"][0][mask])
        np.testing.assert_array_equal(found["instances"][0] == new, mask)
        np.testing.assert_array_equal(found["masks"][new - 1], mask)
        assert found["classes"][new - 1] == classes[number - 1]
        assert found["crowd"][new - 1] == (number == 4)
    inside = found["label"] != 255
    assert set(found["instances"][0][inside]) == {0, 1, 2, 3, 4, 5}
    plain = {key: sample[key] for key in ("image", "label", "instances")}
    np.testing.assert_array_equal(
        run(function, plain, (5, seed))["instances"][0], shown
    )


def test_no_mirrored_object_is_background_after_rotation_and_warp(rng):
    ids = blobs().repeat(8, 0).repeat(8, 1)
    image = np.repeat((ids[..., None] > 0) * np.float32(255), 3, -1)
    sample = {"image": image, "label": ids, "instances": ids[None]}
    function = augment.geometry(
        size=(96, 96), rotation=180, elastic=5, scale=(1, 1.5), outside="reflect"
    )
    for seed in range(3):
        found = run(function, sample, (6, seed))
        shown = found["image"][..., 0] > 127
        wrong = shown != (found["instances"][0] > 0)
        assert wrong.mean() < 0.05  # along the outlines
        assert (shown & (found["label"] == 255)).any()
