import numpy as np
import pytest
import tensorflow as tf

from kerasseg.augment import geometry, resampling


@pytest.fixture
def image(rng):
    return rng.integers(0, 256, (16, 24, 3)).astype(np.uint8)


def test_a_quarter_turn_equals_numpys(image):
    shape, size = (16, 24), (24, 16)
    place = (shape, size, 1.0, tf.constant([-4.0, 4.0]), (False, False))
    grid = resampling.warp_grid(*place, angle=np.pi / 2, shift=0.0)
    turned = resampling.warp_image(image, grid, None, mirrored=False)
    # The cosine of 90 degrees is 4e-8 in float32.
    np.testing.assert_allclose(turned, np.rot90(image), atol=0.01)
    label = resampling.sample_nearest(tf.constant(image[..., 0]), grid, 255)
    np.testing.assert_array_equal(label, np.rot90(image[..., 0]))


def test_without_turn_or_shift_both_grids_are_the_same():
    place = ((16, 24), (9, 7), 1.7, tf.constant([3.0, -2.0]), (True, False))
    rows, columns = resampling.crop_grid(*place)
    grid = resampling.warp_grid(*place, angle=0.0, shift=0.0)
    expected = np.meshgrid(rows, columns, indexing="ij")
    np.testing.assert_allclose(grid, expected, atol=1e-5)


def test_both_ways_of_sampling_give_the_same_magnified_image(image):
    place = ((16, 24), (30, 30), 1.7, tf.constant([-3.0, 5.0]), (True, True))
    straight = resampling.crop_image(image, *place[1:])
    grid = resampling.warp_grid(*place, angle=0.0, shift=0.0)
    warped = resampling.warp_image(image, grid, None, mirrored=False)
    np.testing.assert_allclose(straight, warped, atol=0.01)


@pytest.mark.parametrize("factor", [0.35, 0.5, 0.71, 0.9])
def test_a_warp_that_shrinks_filters_as_a_crop_does(image, factor):
    place = ((16, 24), (9, 13), factor, tf.constant([1.0, 2.0]), (False, False))
    inside = np.s_[: int(16 * factor) - 2, : int(24 * factor) - 3]
    straight = resampling.crop_image(image, *place[1:])[inside]
    grid = resampling.warp_grid(*place, angle=0.0, shift=0.0)
    warped = resampling.warp_image(image, grid, factor, mirrored=False)[inside]
    np.testing.assert_allclose(straight, warped, atol=0.02)


@pytest.mark.parametrize("scale", [0.5, 0.6, 0.75])
@pytest.mark.parametrize("options", [{"rotation": 45}, {"elastic": 1e-3}])
def test_fine_stripes_shrink_to_grey_when_turned_or_warped(scale, options):
    stripes = np.zeros([128, 128, 1], "float32")
    stripes[:, ::2] = 200  # one pixel on, one off: nothing is left below scale 1
    sample = {"image": stripes, "label": np.zeros([128, 128], "int32")}
    size = {"size": (32, 32), "scale": (scale, scale)}
    functions = geometry(**size), geometry(**size, **options)
    crop, warp = (f(sample, tf.constant([0, 3]))["image"].numpy() for f in functions)
    # Without a filter the deviation was 55 to 64.
    assert warp.std() < crop.std() + 0.5 and abs(warp.mean() - 100) < 2


def test_elastic_shift_is_smooth_and_as_large_as_asked():
    shifts = [resampling.elastic_shift((64, 64), 10.0, [0, seed]) for seed in range(40)]
    shifts = np.stack(shifts)
    assert shifts.shape == (40, 64, 64, 2)
    # 40 fields of 2 x 9 normal draws; the control points are at 1/6, 1/2, 5/6.
    points = shifts[:, 10::21, 10::21]
    assert points.std() == pytest.approx(10, rel=0.15)
    # Independent draws for every pixel would bend by tens of pixels.
    assert np.abs(np.diff(shifts, n=2, axis=1)).max() < 1


@pytest.mark.parametrize("dtype", [np.int32, np.uint8, bool])
def test_labels_keep_their_dtype_and_values(rng, dtype):
    values = rng.integers(0, 2, (3, 8, 9)).astype(dtype)
    grid = resampling.crop_grid((8, 9), (20, 20), 2.0, [0.0, 0.0], (False, False))
    sampled = resampling.sample_nearest(values, grid, False)
    assert sampled.dtype == dtype
    expected = np.zeros((3, 20, 20), dtype)
    expected[:, :16, :18] = values.repeat(2, axis=1).repeat(2, axis=2)
    np.testing.assert_array_equal(sampled, expected)
