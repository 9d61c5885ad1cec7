"""Foreground, markers, thresholds and merging on pictures that can be checked."""

import cv2
import numpy as np
import pytest
from skimage import data, filters

from kerasseg import classical

HALVES = np.repeat([[0] * 10 + [200] * 10], 16, axis=0).astype("uint8")


def disks(*places, size=(60, 90)):
    """bool [H, W], True in disks (row, column, radius)."""
    y, x = np.indices(size)
    return np.any([(y - r) ** 2 + (x - c) ** 2 <= d**2 for r, c, d in places], axis=0)


def test_otsu_equals_opencv():
    image = data.camera()[::4, ::4]
    _, expected = cv2.threshold(image, 0, 1, cv2.THRESH_BINARY | cv2.THRESH_OTSU)
    np.testing.assert_array_equal(classical.threshold(image), expected)


def test_multi_otsu_equals_skimage():
    image = data.camera()[::4, ::4]
    limits = filters.threshold_multiotsu(image, 3)
    labels = classical.threshold(image, method="multi_otsu")
    # Their histogram is of 256 bins of the image's own range: a bin at most apart.
    differs = labels != np.digitize(image, limits, right=True)
    assert differs.mean() < 0.01


def test_adaptive_finds_spots_under_uneven_light():
    spots = disks((15, 15, 4), (15, 70, 4), (45, 40, 4))
    image = (np.linspace(0, 150, 90) + 60 * spots).astype("uint8")
    found = classical.threshold(image, method="adaptive", block_size=31, offset=15.0)
    np.testing.assert_array_equal(found == 1, spots)
    assert (classical.threshold(image) != found).mean() > 0.2


@pytest.mark.parametrize("options", [{"block_size": 4}, {"method": "mean"}])
def test_threshold_refuses_bad_options(options):
    with pytest.raises(ValueError, match="Received"):
        classical.threshold(HALVES, **options)


def test_touching_disks_are_split():
    mask = disks((30, 25, 15), (30, 50, 15), (30, 78, 9))
    labels = classical.split_instances(mask)
    np.testing.assert_array_equal(labels > 0, mask)
    assert labels.max() == 3
    assert len({labels[30, 25], labels[30, 50], labels[30, 78]}) == 3


def test_one_lumpy_object_stays_one():
    mask = disks((30, 30, 15), (30, 35, 15))
    assert classical.split_instances(mask).max() == 1


@pytest.mark.parametrize("value", [0, 1])
def test_an_even_mask_has_one_object_or_none(value):
    mask = np.full([9, 12], value)
    np.testing.assert_array_equal(classical.split_instances(mask), mask)


def test_objects_that_touch_at_a_corner_are_two():
    mask = np.kron(np.eye(2), np.ones([8, 8])).astype(bool)
    assert classical.split_instances(mask).max() == 2


def test_a_smooth_distance_sees_past_scratches_in_an_outline():
    bar = np.zeros([41, 80], "uint8")
    bar[14:27, 10:70] = 1
    bar[np.ix_([14, 15, 25, 26], [22, 34, 46, 58])] = 0  # half width 5 instead of 7
    assert classical.split_instances(bar, min_depth=0.5).max() == 5
    assert classical.split_instances(bar, min_depth=0.5, sigma=4.0).max() == 1


def test_small_objects_are_dropped():
    mask = disks((30, 25, 15), (5, 80, 1))
    assert classical.split_instances(mask, min_size=10).max() == 1


@pytest.fixture
def scene(rng):
    """A textured disk on a textured ground: image, and what is foreground."""
    mask = disks((30, 45, 16))
    noise = rng.normal(0, 12, [60, 90, 3])
    image = np.where(mask[..., None], [180, 90, 60], [70, 120, 90]) + noise
    return np.clip(image, 0, 255).astype("uint8"), mask


def hints(mask):
    scribbles = np.full(mask.shape, 255)
    scribbles[28:33, 40:50], scribbles[:4] = 1, 0
    return {
        "box": {"box": (20, 8, 70, 55)},
        "probabilities": {"probabilities": np.where(disks((28, 42, 14)), 0.8, 0.2)},
        "scribbles": {"scribbles": scribbles},
    }


@pytest.mark.parametrize("hint", ["box", "probabilities", "scribbles"])
def test_grabcut_finds_the_disk(scene, hint):
    image, mask = scene
    found = classical.grabcut(image, **hints(mask)[hint])
    assert (found == mask).mean() > 0.99


def test_grabcut_does_not_depend_on_opencvs_random_state(scene):
    image, _ = scene
    results = []
    for seed in (1, 2):
        cv2.setRNGSeed(seed)
        results.append(classical.grabcut(image, box=(20, 8, 70, 55)))
    np.testing.assert_array_equal(*results)


@pytest.mark.parametrize("value", [0.0, 0.4, 1.0])
def test_grabcut_of_one_class_is_that_class(scene, value):
    found = classical.grabcut(scene[0], probabilities=np.full([60, 90], value))
    assert (found == round(value)).all()


@pytest.mark.parametrize(
    "hint",
    [
        {},
        {"box": (0, 0, 90, 60)},
        {"box": (10, 10, 95, 20)},
        {"box": (10, 10, 10, 20)},
        {"box": (1, 2, 3)},
        {"box": (1, 2, np.nan, 4)},
        {"box": (1, 1, 9, 9), "scribbles": np.zeros([60, 90], int)},
        {"probabilities": np.full([60, 90], 1.5)},
        {"probabilities": np.full([60, 90], np.nan)},
        {"probabilities": np.zeros([60, 90, 2])},
        {"scribbles": np.zeros([60, 90], int)},
        {"scribbles": np.full([60, 90], 7)},
        {"scribbles": np.zeros([6, 9], int)},
    ],
)
def test_grabcut_refuses_bad_hints(scene, hint):
    with pytest.raises(ValueError, match="Received"):
        classical.grabcut(scene[0], **hint)


@pytest.mark.parametrize("method", [classical.watershed, classical.random_walker])
def test_markers_share_the_picture_at_its_edge(method):
    markers = np.zeros([16, 20], int)
    markers[8, 1], markers[2, 17] = 7, 3  # numbers with gaps, in another order
    labels = method(HALVES, markers)
    np.testing.assert_array_equal(labels, HALVES == 0)


@pytest.mark.parametrize("method", [classical.watershed, classical.random_walker])
def test_bad_markers_are_refused(method):
    bad = [np.zeros([16, 20], int), np.ones([16, 19], int), -np.ones([16, 20], int)]
    for markers in bad:
        with pytest.raises(ValueError, match="`markers` must"):
            method(HALVES, markers)


def test_random_walker_on_an_even_image_goes_to_the_nearer_marker():
    markers = np.zeros([9, 10], int)
    markers[:, 0], markers[:, 9] = 1, 2
    labels = classical.random_walker(np.full([9, 10], 90, "uint8"), markers)
    np.testing.assert_array_equal(labels, np.indices([9, 10])[1] >= 5)


def test_chan_vese_takes_the_bright_phase_as_one():
    mask = disks((30, 45, 16))
    for inside, outside in ((200, 40), (40, 200)):
        image = np.where(mask, inside, outside).astype("uint8")
        found = classical.chan_vese(image)
        assert ((found == 1) == (image == 200)).mean() > 0.99


def test_merging_leaves_only_neighbours_that_differ(rng):
    image = cv2.blur(rng.random([40, 50]).astype("float32"), (5, 5))
    cells = np.arange(80).reshape(8, 10).repeat(5, 0).repeat(5, 1)
    merged = classical.merge_regions(cells, image, threshold=5.0)
    lab = classical.slic.__globals__["lab"](image)
    mean = np.array([lab[merged == k].mean(0) for k in range(merged.max() + 1)])
    pairs = {(a, b) for a, b in zip(merged[:, :-1].flat, merged[:, 1:].flat) if a != b}
    pairs |= {(a, b) for a, b in zip(merged[:-1].flat, merged[1:].flat) if a != b}
    assert 1 < len(mean) < 80
    assert min(np.linalg.norm(mean[a] - mean[b]) for a, b in pairs) > 5


def test_merging_with_threshold_zero_joins_equal_regions_only():
    labels = np.arange(16 * 20).reshape(16, 20)
    merged = classical.merge_regions(labels, HALVES, threshold=0.0)
    np.testing.assert_array_equal(merged, HALVES == 200)


def test_pooling_averages_each_superpixel(rng):
    probabilities = rng.random([12, 15, 4])
    superpixels = rng.integers(3, 9, [12, 15]) * 10
    pooled = classical.pool_probabilities(probabilities, superpixels)
    for k in np.unique(superpixels):
        where = superpixels == k
        expected = np.broadcast_to(probabilities[where].mean(0), [where.sum(), 4])
        np.testing.assert_allclose(pooled[where], expected, rtol=1e-6)
    flat = classical.pool_probabilities(probabilities[..., 0], superpixels)
    np.testing.assert_array_equal(flat, pooled[..., 0])


def test_snapping_takes_the_majority_without_ignored_pixels():
    label = [[1, 1, 2, 255, 255, 255, 255, 3], [1, 2, 2, 255, 255, 255, 255, 255]]
    cells = [[0, 0, 0, 0, 1, 1, 2, 2], [0, 0, 0, 0, 1, 1, 2, 2]]
    snapped = classical.snap_to_superpixels(label, cells)
    assert snapped.tolist() == [[1] * 4 + [255] * 2 + [3] * 2] * 2


@pytest.mark.parametrize("name", ["pool_probabilities", "snap_to_superpixels"])
def test_superpixels_of_another_size_are_refused(name):
    with pytest.raises(ValueError, match="`superpixels` must have the size"):
        getattr(classical, name)(np.zeros([4, 5], int), np.zeros([5, 4], int))


def test_kmeans_finds_the_colors_of_a_picture():
    image = np.kron([[10, 90], [170, 250]], np.ones([9, 9])).astype("uint8")
    clusters = classical.kmeans(image, 4, sigma=0.0, connected=False)
    np.testing.assert_array_equal(clusters, (image.astype(int) - 10) // 80)
    checks = np.kron(np.indices([4, 4]).sum(0) % 2, np.ones([9, 9])).astype("uint8")
    assert classical.kmeans(checks * 255, 2, sigma=0.0).max() == 15
    both = classical.kmeans(checks * 255, 2, sigma=0.0, connected=False)
    np.testing.assert_array_equal(both, checks)


def test_kmeans_with_position_makes_compact_regions():
    labels = classical.kmeans(np.zeros([40, 60], "uint8"), 6, position_weight=100.0)
    assert labels.max() == 5
    assert np.bincount(labels.ravel()).min() > 200


def test_mean_shift_sees_through_noise(scene):
    image, mask = scene
    labels = classical.mean_shift(image, color_radius=20.0)
    inside = np.bincount(labels[mask]).argmax()
    assert ((labels == inside) == mask).mean() > 0.97


def test_mean_shift_keeps_small_regions_of_strong_contrast_only():
    image = np.full([60, 100, 3], 100, "uint8")
    image[20:28, 20:28] = 230  # 64 px, about 120 units of CIELAB in bytes
    image[20:28, 70:78] = 115  # 64 px, about 15 units
    labels = classical.mean_shift(image, spatial_radius=4.0)
    assert labels.max() == 1 and labels[24, 24] == 1 and labels[24, 74] == 0
    assert classical.mean_shift(image, spatial_radius=4.0, min_size=70).max() == 0
    finer = classical.mean_shift(image, spatial_radius=4.0, detail_size=50)
    assert finer.max() == 2


def test_statistics_of_two_regions():
    labels = np.array([[0, 0, -1], [0, 2, 2]])
    image = np.array([[1, 3, 99], [2, 5, 9]], "uint8")
    found = classical.region_statistics(labels, image)
    assert found["size"].tolist() == [3, 0, 2]
    assert found["box"].tolist() == [[0, 0, 2, 2], [0, 0, 0, 0], [1, 1, 3, 2]]
    assert found["mean"].tolist() == [[2], [0], [7]]
    np.testing.assert_allclose(found["std"], [[np.std([1, 3, 2])], [0], [2]])
    np.testing.assert_allclose(found["centroid"][0], [1 / 3, 1 / 3])
