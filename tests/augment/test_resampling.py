import cv2
import numpy as np
import pytest
import tensorflow as tf

from kerasseg.augment import geometry, resampling


@pytest.fixture
def image(rng):
    return rng.integers(0, 256, (16, 24, 3)).astype(np.uint8)


def warp_grid(shape, size, *place, **warp):
    field = resampling.warp_field(size, **warp)
    return resampling.warp_grid(shape, size, *place, field=field)


def test_a_quarter_turn_equals_numpys(image):
    shape, size = (16, 24), (24, 16)
    place = (shape, size, 1.0, tf.constant([-4.0, 4.0]), (False, False))
    grid = warp_grid(*place, angle=np.pi / 2)
    turned = resampling.warp_image(image, grid, None, mirrored=False)
    # The cosine of 90 degrees is 4e-8 in float32.
    np.testing.assert_allclose(turned, np.rot90(image), atol=0.01)
    label = resampling.sample_nearest(tf.constant(image[..., 0]), grid, 255)
    np.testing.assert_array_equal(label, np.rot90(image[..., 0]))


def test_without_turn_or_shift_both_grids_are_the_same():
    place = ((16, 24), (9, 7), 1.7, tf.constant([3.0, -2.0]), (True, False))
    rows, columns = resampling.crop_grid(*place)
    grid = warp_grid(*place)
    expected = np.meshgrid(rows, columns, indexing="ij")
    np.testing.assert_allclose(grid, expected, atol=1e-5)


def test_both_ways_of_sampling_give_the_same_magnified_image(image):
    place = ((16, 24), (30, 30), 1.7, tf.constant([-3.0, 5.0]), (True, True))
    straight = resampling.crop_image(image, *place[1:])
    grid = warp_grid(*place)
    warped = resampling.warp_image(image, grid, None, mirrored=False)
    np.testing.assert_allclose(straight, warped, atol=0.01)


@pytest.mark.parametrize(
    "warp",
    [
        {"angle": 0.5},
        {"shears": (0.0, 0.4)},
        {"shears": (-0.3, 0.2)},
        {"tilts": (0.2, 0.0)},
        {"angle": -2.0, "shears": (0.1, -0.3), "tilts": (-0.1, 0.25)},
    ],
)
def test_warps_equal_opencvs_homographies(rng, warp):
    coarse = rng.uniform(0, 255, (6, 7, 3)).astype("float32")
    image = cv2.resize(coarse, (90, 70), interpolation=cv2.INTER_CUBIC)
    size, corner, factor = (40, 50), (12.0, -3.0), 1.25
    grid = warp_grid((70, 90), size, factor, corner, (False, False), **warp)
    found = resampling.warp_image(image, grid, None, mirrored=False)
    # (x, y) of the centres of pixels, as OpenCV has it.
    y, x = np.float64(warp.get("tilts", (0, 0))) * 2 / size
    down, across = np.tan(warp.get("shears", (0, 0)))
    leaning = np.array([[1, across, 0], [down, 1, 0], [x, y, 1]])
    cos, sin = np.cos(warp.get("angle", 0)), np.sin(warp.get("angle", 0))
    turn = np.array([[cos, -sin, 0], [sin, cos, 0], [0, 0, 1]])
    half = np.eye(3)
    half[:2, 2] = 0.5 - size[1] / 2, 0.5 - size[0] / 2
    back = np.diag([1 / factor, 1 / factor, 1])
    back[:2, 2] = (corner[1] + size[1] / 2, corner[0] + size[0] / 2)
    back[:2, 2] = back[:2, 2] / factor - 0.5
    matrix = back @ turn @ leaning @ half
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    wanted = cv2.warpPerspective(image, matrix, size[::-1], flags=flags)
    inside = cv2.warpPerspective(np.ones((70, 90)), matrix, size[::-1], flags=flags)
    inside = cv2.erode(inside, np.ones((3, 3))) > 0.999
    # OpenCV places pixels in steps of 1 / 32.
    assert inside.mean() > 0.5 and np.abs(found - wanted)[inside].max() < 1


@pytest.mark.parametrize("factor", [0.35, 0.5, 0.71, 0.9])
def test_a_warp_that_shrinks_filters_as_a_crop_does(image, factor):
    place = ((16, 24), (9, 13), factor, tf.constant([1.0, 2.0]), (False, False))
    inside = np.s_[: int(16 * factor) - 2, : int(24 * factor) - 3]
    straight = resampling.crop_image(image, *place[1:])[inside]
    grid = warp_grid(*place)
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
