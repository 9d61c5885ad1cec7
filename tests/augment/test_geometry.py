import cv2
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from kerasseg import augment
from tests.augment.arrays import run

INSIDE = 6  # pixels from the border: filters that shrink see one side only there


def ramp(height, width):
    """Image of its own coordinates, label of its own pixel numbers."""
    rows, columns = np.mgrid[:height, :width]
    image = np.stack([rows, columns], axis=-1).astype(np.float32) + 0.5
    return {"image": image, "label": (rows * width + columns).astype(np.int32)}


def picture(rng, height=40, width=56, channels=3, dtype=np.uint8):
    top = 60000 if dtype != np.uint8 else 256
    image = rng.integers(0, top, (height, width, channels)).astype(dtype)
    label = rng.integers(0, 20, (height, width)).astype(np.int32)
    return {"image": image, "label": label}


@pytest.mark.parametrize("outside", ["zero", "reflect"])
@pytest.mark.parametrize("channels", [1, 3, 5])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_nothing_to_change_returns_the_image_bit_for_bit(rng, dtype, channels, outside):
    sample = picture(rng, channels=channels, dtype=dtype)
    result = run(augment.geometry(size=(40, 56), outside=outside), sample)
    assert result["image"].dtype == dtype and result["label"].dtype == np.int32
    np.testing.assert_array_equal(result["image"], sample["image"])
    np.testing.assert_array_equal(result["label"], sample["label"])


@pytest.mark.parametrize("outside", ["zero", "reflect"])
def test_flips_are_exact_and_all_four_occur(rng, outside):
    sample = picture(rng)
    flip = augment.geometry(size=(40, 56), flip="both", outside=outside)
    seen = set()
    for seed in range(16):
        result = run(flip, sample, (0, seed))
        for name, steps in {
            "": (1, 1),
            "h": (1, -1),
            "v": (-1, 1),
            "hv": (-1, -1),
        }.items():
            if (result["image"] == sample["image"][:: steps[0], :: steps[1]]).all():
                seen.add(name)
                expected = sample["label"][:: steps[0], :: steps[1]]
                np.testing.assert_array_equal(result["label"], expected)
    assert seen == {"", "h", "v", "hv"}


@pytest.mark.parametrize("outside", ["zero", "reflect"])
def test_a_share_of_the_crops_is_cut_out_as_it_is(rng, outside):
    sample = picture(rng)
    options = {"rotation": 40.0, "elastic": 2.0, "scale": (0.5, 2.0)}
    cut = augment.geometry(size=(40, 56), exact=0.5, outside=outside, **options)
    plain = augment.geometry(size=(40, 56), outside=outside, **options)
    same = []
    for seed in range(40):
        found = run(cut, sample, (0, seed))
        same.append(bool((found["image"] == sample["image"]).all()))
        if same[-1]:
            np.testing.assert_array_equal(found["label"], sample["label"])
        else:  # drawn as without the option
            other = run(plain, sample, (0, seed))
            np.testing.assert_array_equal(found["image"], other["image"])
    assert 10 <= sum(same) <= 30


def test_crops_as_they_are_need_a_scale_that_holds_1():
    with pytest.raises(ValueError, match=r"holds 1.*Received: exact=0\.3"):
        augment.geometry(size=(8, 8), exact=0.3, scale=(1.5, 3.0))


@pytest.mark.parametrize(("flip", "axis"), [("horizontal", 1), ("vertical", 0)])
def test_one_kind_of_flip_leaves_the_other_axis(rng, flip, axis):
    sample = picture(rng)
    function = augment.geometry(size=(40, 56), flip=flip)
    for seed in range(6):
        image = run(function, sample, (0, seed))["image"]
        flipped = np.flip(sample["image"], axis)
        assert (image == sample["image"]).all() or (image == flipped).all()


def test_a_crop_at_scale_one_is_a_copy_from_anywhere():
    corners = set()
    for seed in range(12):
        result = run(augment.geometry(size=(9, 11)), ramp(20, 30), (0, seed))
        row, column = divmod(int(result["label"][0, 0]), 30)
        expected = ramp(20, 30)["image"][row : row + 9, column : column + 11]
        np.testing.assert_array_equal(result["image"], expected)
        corners.add((row, column))
    assert len(corners) > 8


def test_a_small_image_is_padded_with_zeros_and_ignored_labels(rng):
    sample = picture(rng, 10, 12)
    sample["image"] = np.maximum(sample["image"], 1)
    result = run(augment.geometry(size=(16, 20), ignore_label=99), sample)
    inside = result["label"] != 99
    np.testing.assert_array_equal(result["image"].min(-1) > 0, inside)
    np.testing.assert_array_equal(
        result["image"][inside], sample["image"].reshape(-1, 3)
    )
    np.testing.assert_array_equal(result["label"][inside], sample["label"].ravel())


def test_reflection_mirrors_the_image_but_not_the_label(rng):
    sample = picture(rng, 10, 12)
    result = run(augment.geometry(size=(24, 30), outside="reflect"), sample)
    rows, columns = np.nonzero(result["label"] != 255)
    assert len(rows) == 10 * 12
    before = (rows[0], columns[0])
    pad = [(b, n - b - m) for b, n, m in zip(before, (24, 30), (10, 12))]
    expected = np.pad(sample["image"], [*pad, (0, 0)], "symmetric")
    np.testing.assert_array_equal(result["image"], expected)


def test_weights_of_pixels_are_not_left_where_they_were():
    sample = {"image": np.zeros([4, 4, 3], "uint8"), "weights": np.ones([4, 4], "f4")}
    with pytest.raises(ValueError, match="put `border_weights` after"):
        augment.geometry(size=(4, 4))(sample, (0, 0))


def test_boxes_of_the_file_do_not_outlive_a_move(rng):
    sample = {**picture(rng), "boxes": np.zeros([0, 4]), "areas": np.zeros(0)}
    found = run(augment.geometry(size=(8, 8)), sample)
    assert found.keys() == {"image", "label"}


@pytest.mark.parametrize("outside", ["zero", "reflect"])
def test_magnified_image_equals_opencv_and_label_repeats_pixels(rng, outside):
    sample = picture(rng)
    function = augment.geometry(size=(80, 112), scale=(2, 2), outside=outside)
    result = run(function, sample)
    expected = cv2.resize(sample["image"], (112, 80), interpolation=cv2.INTER_LINEAR)
    # OpenCV rounds its weights to 1 / 2048.
    assert np.abs(result["image"].astype(int) - expected).max() <= 1
    expected = sample["label"].repeat(2, axis=0).repeat(2, axis=1)
    np.testing.assert_array_equal(result["label"], expected)


def test_shrunk_image_equals_the_triangle_filter_of_pillow(rng):
    sample = picture(rng)
    result = run(augment.geometry(size=(20, 28), scale=(0.5, 0.5)), sample)
    expected = Image.fromarray(sample["image"]).resize((28, 20), Image.BILINEAR)
    assert np.abs(result["image"].astype(int) - np.asarray(expected)).max() <= 1


@pytest.mark.parametrize("rotation", [0.0, 10.0])
def test_shrinking_stripes_gives_grey_not_stripes(rotation):
    stripes = np.zeros((96, 96, 1), np.uint8)
    stripes[:, ::2] = 200
    sample = {"image": stripes, "label": np.zeros((96, 96), np.int32)}
    function = augment.geometry(size=(12, 12), scale=(0.3, 0.3), rotation=rotation)
    image = run(function, sample)["image"].astype(float)
    assert np.abs(image - 100).max() < 25  # every third pixel alone would give 0 or 200


@settings(max_examples=16, deadline=None, derandomize=True)
@given(
    seed=st.integers(0, 10**6),
    scale=st.sampled_from([(1.0, 1.0), (0.4, 0.9), (1.0, 3.0)]),
    rotation=st.sampled_from([0.0, 45.0, 180.0]),
    elastic=st.sampled_from([0.0, 4.0]),
    shear=st.sampled_from([0.0, 20.0]),
    perspective=st.sampled_from([0.0, 0.3]),
    flip=st.sampled_from([None, "both"]),
)
def test_every_label_comes_from_the_pixel_its_image_comes_from(
    seed, scale, flip, **warp
):
    function = augment.geometry(size=(37, 50), scale=scale, flip=flip, **warp)
    result = run(function, ramp(60, 45), (7, seed))
    inside = result["label"] != 255  # one pixel has this very number: no harm
    pixel = np.stack(np.divmod(result["label"], 45), axis=-1)
    for end, axis in ((60, 0), (45, 1)):
        inside &= (pixel[..., axis] >= INSIDE) & (pixel[..., axis] < end - INSIDE)
    # Bilinear sampling of coordinates gives the place itself, and the label must be
    # that of the pixel that holds it. Wider filters miss by hundredths of a pixel.
    distance = np.abs(result["image"] - (pixel + 0.5))[inside]
    assert inside.any() and distance.max() <= 0.5 + (0.001 if scale[0] >= 1 else 0.1)


def test_a_marked_pixel_stays_marked_in_image_and_label():
    image, label = np.zeros((33, 47, 1), np.uint8), np.zeros((33, 47), np.int32)
    image[12, 30], label[12, 30] = 255, 1
    function = augment.geometry(size=(99, 141), scale=(3, 3), flip="both")
    for seed in range(4):
        result = run(function, {"image": image, "label": label}, (0, seed))
        assert (result["label"] == 1).sum() == 9
        peak = np.unravel_index(result["image"][..., 0].argmax(), (99, 141))
        middle = np.argwhere(result["label"] == 1).mean(axis=0)
        np.testing.assert_array_equal(peak, middle)


def test_masks_move_like_the_label(rng):
    sample = picture(rng)
    sample["masks"] = np.stack([sample["label"] == k for k in range(3)])
    function = augment.geometry(size=(30, 30), scale=(0.5, 2), rotation=30, flip="both")
    for seed in range(3):
        result = run(function, sample, (3, seed))
        expected = np.stack([result["label"] == k for k in range(3)])
        np.testing.assert_array_equal(result["masks"], expected)


def test_maps_of_instances_move_like_the_label_and_end_outside(rng):
    sample = picture(rng)
    sample["instances"] = np.stack([sample["label"], sample["label"] // 2])
    for rotation in (0, 30):
        function = augment.geometry(size=(60, 70), scale=(0.5, 2), rotation=rotation)
        result = run(function, sample)
        ids = np.where(result["label"] == 255, 0, result["label"])
        assert result["instances"].dtype == np.int32
        np.testing.assert_array_equal(result["instances"], [ids, ids // 2])


def test_the_seed_alone_decides(rng):
    sample = picture(rng)
    function = augment.microscopy(size=(32, 32), noise=0.1)
    first, again = run(function, sample, (1, 2)), run(function, sample, (1, 2))
    np.testing.assert_array_equal(first["image"], again["image"])
    assert (run(function, sample, (1, 3))["image"] != first["image"]).any()
    assert (run(function, sample, (2, 2))["image"] != first["image"]).any()


@pytest.mark.parametrize("preset", [augment.standard, augment.microscopy])
@pytest.mark.parametrize("channels", [1, 3])
def test_presets_do_the_same_in_tf_data_and_give_static_shapes(rng, preset, channels):
    sample, function = picture(rng, channels=channels), preset(size=(32, 48))
    dataset = tf.data.Dataset.from_tensors(sample)
    spec = {"image": [None, None, channels], "label": [None, None]}
    dataset = dataset.map(
        lambda s: {k: tf.ensure_shape(v, spec[k]) for k, v in s.items()}
    )
    dataset = dataset.map(lambda s: function(s, tf.constant([4, 2])))
    assert dataset.element_spec["image"].shape == (32, 48, channels)
    assert dataset.element_spec["label"].shape == (32, 48)
    result, eager = next(iter(dataset)), run(function, sample, (4, 2))
    np.testing.assert_array_equal(result["label"], eager["label"])
    # Fused multiply-adds of the graph may move a rounding.
    assert np.abs(result["image"].numpy().astype(int) - eager["image"]).max() <= 1


@pytest.mark.parametrize(
    "options",
    [
        {"size": 32},
        {"size": (0, 4)},
        {"size": (32.0, 32)},
        {"scale": 2},
        {"scale": (2, 1)},
        {"scale": (0, 1)},
        {"scale": ("half", "double")},
        {"size": (True, 4)},
        {"rotation": True},
        {"flip": "left"},
        {"flip": True},
        {"rotation": -10},
        {"rotation": float("nan")},
        {"shear": 31},
        {"perspective": 0.6},
        {"elastic": "yes"},
        {"outside": "wrap"},
    ],
)
def test_options_out_of_range_say_what_was_received(options):
    with pytest.raises(ValueError, match=r"Received: .*"):
        augment.geometry(**{"size": (8, 8), **options})
