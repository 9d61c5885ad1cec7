import numpy as np
import pytest
import tensorflow as tf

from kerasseg import augment

SIZE = (16, 16)


def spots(height=64, width=96):
    """A picture with one pixel of class 2, many of class 1 and an ignored border."""
    label = np.zeros((height, width), np.int32)
    label[:8] = 255
    label[20:60, 4:40] = 1
    label[50, 80] = 2
    image = np.repeat(label[..., None], 3, axis=-1).astype(np.uint8)
    return {"image": image, "label": label}


def shares(function, sample, key, num=60):
    """How many of the crops show each id."""
    found = np.zeros(4)
    for seed in range(num):
        result = function(sample, tf.constant([0, seed]))
        found += np.isin(np.arange(4), result[key].numpy())
    return found / num


@pytest.mark.parametrize("flip", [None, "both"])
def test_crops_are_laid_over_classes_in_equal_parts(flip):
    sample = spots()
    anywhere = shares(augment.geometry(size=SIZE, flip=flip), sample, "label")
    focused = shares(augment.geometry(size=SIZE, flip=flip, focus=1.0), sample, "label")
    assert anywhere[2] < 0.2
    # Every crop is over one of the two, drawn alike; few show both.
    assert focused[2] == pytest.approx(0.5, abs=0.2)
    assert focused[1] + focused[2] >= 1.0


@pytest.mark.parametrize("scale", [(0.5, 0.5), (2.0, 2.0)])
def test_the_point_is_found_at_any_scale(scale):
    sample = spots()
    sample["label"][sample["label"] == 1] = 0
    sample["label"][49:52, 79:82] = 2  # seen at half the size, too
    found = augment.geometry(size=SIZE, scale=scale, focus=1.0, flip="both")
    assert shares(found, sample, "label", num=20)[2] == 1.0


def test_objects_are_drawn_whatever_their_size():
    sample = spots()
    ids = np.where(sample.pop("label") % 255 > 0, 1, 0).astype(np.int32)
    ids[50, 80] = 3
    sample |= {"instances": np.stack([0 * ids, ids])}
    focused = shares(augment.geometry(size=SIZE, focus=1.0), sample, "instances")
    assert focused[3] == pytest.approx(0.5, abs=0.2)


@pytest.mark.parametrize("value", [0, 255])
def test_without_a_class_crops_lie_as_without_focus(value):
    sample = spots()
    sample["label"] = np.full_like(sample["label"], value)
    seed = tf.constant([3, 4])
    plain = augment.geometry(size=SIZE)(sample, seed)
    focused = augment.geometry(size=SIZE, focus=1.0)(sample, seed)
    np.testing.assert_array_equal(plain["image"], focused["image"])


def test_a_small_image_lies_anywhere_in_the_crop():
    sample = {"image": np.ones((4, 4, 3), np.uint8), "label": np.ones((4, 4), np.int32)}
    result = augment.geometry(size=SIZE, focus=1.0)(sample, tf.constant([0, 1]))
    assert np.count_nonzero(result["label"] == 1) == 16


def test_the_share_is_checked():
    with pytest.raises(ValueError, match=r"`focus` must be a number in 0\.\.1"):
        augment.geometry(size=SIZE, focus=2)


@pytest.mark.parametrize("outside", ["zero", "reflect"])
@pytest.mark.parametrize(
    "warp",
    [
        {"rotation": 180},
        {"elastic": 6},
        {"shear": 30, "perspective": 0.5},
        {"rotation": 45, "shear": 10, "perspective": 0.2, "elastic": 4, "exact": 0.3},
    ],
)
def test_warped_crops_show_the_point_too(rng, warp, outside):
    options = {"size": (24, 20), "flip": "both", "outside": outside, **warp}
    move = tf.function(augment.geometry(scale=(0.7, 1.5), focus=1.0, **options))
    for number in range(40):
        label = np.zeros((50, 60), "int32")
        row, column = rng.integers(0, (48, 58))
        label[row : row + 3, column : column + 3] = 1
        sample = {"image": np.zeros((50, 60, 1), "uint8"), "label": label}
        found = move(sample, tf.constant([3, number]))["label"].numpy()
        assert (found == 1).any(), number
