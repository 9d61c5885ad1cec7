import numpy as np
import pytest
import tensorflow as tf

from kerasseg.augment import resampling


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
