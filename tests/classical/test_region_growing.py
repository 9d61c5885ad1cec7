"""Region growing against flood fills and plain queues."""

import collections

import cv2
import numpy as np
import pytest
from skimage import segmentation

from kerasseg import images
from kerasseg.classical import region_growing

STEPS = {
    4: [(-1, 0), (1, 0), (0, -1), (0, 1)],
    8: [(y, x) for y in (-1, 0, 1) for x in (-1, 0, 1) if y or x],
}


@pytest.fixture
def photo(rng):
    noise = cv2.blur(rng.random([40, 50, 3]).astype("float32"), (5, 5))
    return cv2.normalize(noise, None, 0, 255, cv2.NORM_MINMAX).astype("uint8")


def plain_queue(image, seed, reference, tolerance, connectivity, taken):
    image = np.atleast_3d(image).astype("float32")
    fits = (np.abs(image - np.float32(reference)) <= np.float32(tolerance)).all(-1)
    region, queue = {seed}, collections.deque([seed])
    while queue:
        row, col = queue.popleft()
        for down, right in STEPS[connectivity]:
            near = row + down, col + right
            inside = 0 <= near[0] < fits.shape[0] and 0 <= near[1] < fits.shape[1]
            if inside and near not in region and fits[near] and not taken[near]:
                region.add(near)
                queue.append(near)
    return region


@pytest.mark.parametrize("connectivity", [4, 8])
@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
def test_fixed_equals_flood_fill_and_a_plain_queue(photo, connectivity, dtype):
    image, tolerance = photo.astype(dtype), 30
    if dtype == "uint16":
        image = image * np.uint16(257)
    for seed in [(5, 7), (20, 30), (39, 49)]:
        labels = region_growing(
            image, seed, tolerance=tolerance, connectivity=connectivity
        )
        mask = np.zeros([42, 52], "uint8")
        flags = connectivity | 255 << 8 | cv2.FLOODFILL_FIXED_RANGE
        flags |= cv2.FLOODFILL_MASK_ONLY
        filled = photo.astype("float32") if dtype == "uint16" else image.copy()
        limits = [tolerance] * 3
        cv2.floodFill(filled, mask, seed[::-1], 0, limits, limits, flags)
        np.testing.assert_array_equal(labels == 0, mask[1:-1, 1:-1] == 255)
        taken = np.zeros([40, 50], bool)
        region = plain_queue(photo, seed, photo[seed], tolerance, connectivity, taken)
        np.testing.assert_array_equal(np.argwhere(labels == 0), sorted(region))


@pytest.mark.parametrize("mode", ["fixed", "adaptive", "best_first"])
def test_forms_of_one_picture_grow_alike(photo, mode):
    expected = region_growing(photo, (5, 7), mode=mode)
    for image in (photo.astype("int32") * 257, photo / 255, photo.astype("float32")):
        np.testing.assert_array_equal(
            region_growing(image, (5, 7), mode=mode), expected
        )
    twelve_bits = photo.astype("uint16") * 16
    with pytest.raises(ValueError, match=r"`value_range`.* must be given"):
        region_growing(twelve_bits, (5, 7), mode=mode)
    scaled = images.scale(twelve_bits, (0, 255 * 16))
    np.testing.assert_array_equal(region_growing(scaled, (5, 7), mode=mode), expected)


@pytest.mark.parametrize("connectivity", [4, 8])
def test_fixed_equals_skimage_flood(photo, connectivity):
    grey = photo[..., 0]
    labels = region_growing(grey, (9, 9), tolerance=25, connectivity=connectivity)
    flooded = segmentation.flood(
        grey, (9, 9), tolerance=25, connectivity=connectivity // 4
    )
    np.testing.assert_array_equal(labels == 0, flooded)


@pytest.mark.parametrize("mode", ["fixed", "adaptive"])
@pytest.mark.parametrize("num", [5, 600])
def test_many_seeds_grow_one_after_the_other(photo, mode, num, rng):
    seeds = np.stack([rng.integers(0, 40, num), rng.integers(0, 50, num)], 1)
    labels = region_growing(photo, seeds, tolerance=12, mode=mode)
    expected = np.full([40, 50], -1)
    number = 0
    for seed in map(tuple, seeds.tolist()):
        if expected[seed] >= 0:
            continue
        region, before = {seed}, 0
        while len(region) > before:
            before = len(region)
            mean = np.mean([photo[p] for p in sorted(region)], axis=0)
            found = plain_queue_from(photo, region, mean, 12, expected >= 0)
            region = found
            if mode == "fixed":
                break
        for pixel in region:
            expected[pixel] = number
        number += 1
    np.testing.assert_array_equal(labels, expected)


def plain_queue_from(image, region, reference, tolerance, taken):
    found = set(region)
    for pixel in sorted(region):
        found |= plain_queue(image, pixel, reference, tolerance, 4, taken)
    return found


def test_a_marker_is_one_seed_of_its_mean():
    image = np.array([[10, 20, 15, 24, 26, 90]], "uint8")
    markers = np.array([[1, 1, 0, 0, 0, 2]])
    labels = region_growing(image, markers, tolerance=10)
    assert labels.tolist() == [[0, 0, 0, 0, -1, 1]]  # mean 15


def slow_best_first(image, seeds, tolerance, steps):
    """The text of Adams and Bischof with a sorted list; one entry per pixel."""
    labels = np.full(image.shape[:2], -1)
    members = [[seed] for seed in seeds]
    for k, seed in enumerate(seeds):
        labels[seed] = k
    waiting, order = [], 0

    def far(pixel, k):
        mean = np.mean([image[p].astype(float) for p in members[k]], axis=0)
        return float(np.square(image[pixel] - mean).sum())

    def around(pixel):
        for down, right in steps:
            near = pixel[0] + down, pixel[1] + right
            if 0 <= near[0] < labels.shape[0] and 0 <= near[1] < labels.shape[1]:
                yield near

    fresh = list(seeds)
    while fresh or waiting:
        for pixel in fresh:
            for near in around(pixel):
                if labels[near] < 0 and near not in [entry[2] for entry in waiting]:
                    order += 1
                    waiting.append((far(near, labels[pixel]), order, near))
        fresh = []
        if not waiting:
            break
        waiting.sort()
        pixel = waiting.pop(0)[2]
        regions = sorted({int(labels[n]) for n in around(pixel) if labels[n] >= 0})
        distance, k = min((far(pixel, k), k) for k in regions)
        if tolerance is None or distance <= tolerance**2:
            labels[pixel] = k
            members[k].append(pixel)
            fresh = [pixel]
    return labels


@pytest.mark.parametrize("connectivity", [4, 8])
@pytest.mark.parametrize("tolerance", [None, 40])
def test_best_first_equals_a_sorted_list(photo, connectivity, tolerance):
    image = photo[:14, :17]
    seeds = [(2, 2), (11, 3), (7, 14)]
    labels = region_growing(
        image, seeds, tolerance=tolerance, connectivity=connectivity, mode="best_first"
    )
    # The same order of neighbours: left, right, above, below, then corners.
    steps = [(0, -1), (0, 1), (-1, 0), (1, 0)]
    if connectivity == 8:
        steps += [(-1, -1), (-1, 1), (1, -1), (1, 1)]
    expected = slow_best_first(image, seeds, tolerance, steps)
    np.testing.assert_array_equal(labels, expected)
    assert tolerance is not None or labels.min() == 0


def test_best_first_stops_at_an_edge_that_a_fixed_fill_of_that_width_leaks_through():
    image = np.tile(np.r_[np.arange(10), np.arange(30, 40)], [6, 1]).astype("uint8")
    labels = region_growing(image, [(3, 0), (3, 19)], tolerance=None, mode="best_first")
    np.testing.assert_array_equal(labels, np.tile(np.arange(20) >= 10, [6, 1]))


@pytest.mark.parametrize("mode", ["fixed", "adaptive", "best_first"])
def test_duplicated_seeds_make_one_region(photo, mode):
    seeds = [(5, 5), (5, 5), (30, 40)]
    labels = region_growing(photo, seeds, tolerance=3, mode=mode)
    assert labels.max() == 1 and labels[5, 5] == 0 and labels[30, 40] == 1


def test_random_seeds_repeat_with_their_seed(photo):
    first = region_growing(photo, 9, tolerance=9, seed=4)
    np.testing.assert_array_equal(first, region_growing(photo, 9, tolerance=9, seed=4))
    assert (first != region_growing(photo, 9, tolerance=9, seed=5)).any()


@pytest.mark.parametrize("mode", ["fixed", "adaptive", "best_first"])
def test_the_image_stays_as_it_is(photo, mode):
    photo.setflags(write=False)
    before = photo.copy()
    a = region_growing(photo[:, ::-1], [(0, 0), (30, 30)], tolerance=20, mode=mode)
    mirrored = np.ascontiguousarray(photo[:, ::-1])
    b = region_growing(mirrored, [(0, 0), (30, 30)], tolerance=20, mode=mode)
    np.testing.assert_array_equal(a, b)
    np.testing.assert_array_equal(photo, before)


@pytest.mark.parametrize(
    ("seeds", "message"),
    [
        ([(40, 0)], r"Received: \(40, 0\)"),
        ([(0, -1)], "inside the image"),
        ([(0.5, 1)], "float64"),
        ([], "shape"),
        (0, "seeds=0"),
        (np.zeros([40, 50], int), "all zero"),
        (np.zeros([40, 51], int), "size of the image"),
    ],
)
def test_bad_seeds_are_refused(photo, seeds, message):
    with pytest.raises(ValueError, match=message):
        region_growing(photo, seeds)


@pytest.mark.parametrize(
    "options",
    [
        {"tolerance": -1},
        {"tolerance": None},
        {"tolerance": float("nan")},
        {"tolerance": 6000},
        {"connectivity": 6},
        {"mode": "best"},
    ],
)
def test_bad_options_are_refused(photo, options):
    with pytest.raises(ValueError, match="Received"):
        region_growing(photo, (0, 0), **options)
