"""SLIC and SLICO: counts, connectedness, and quality beside scikit-image."""

import cv2
import numpy as np
import pytest
import scipy.io
from skimage import data, measure, segmentation

from kerasseg.classical import slic, slico
from kerasseg.metrics import superpixel


@pytest.fixture(scope="module")
def cat():
    return data.chelsea()[:240:2, :360:2]


@pytest.mark.parametrize("method", [slic, slico])
@pytest.mark.parametrize("num", [1, 2, 7, 13, 50, 200, 401])
def test_the_number_of_segments_is_met(cat, method, num):
    labels = method(cat, num)
    found = np.unique(labels)
    np.testing.assert_array_equal(found, np.arange(len(found)))
    assert abs(len(found) - num) <= 0.05 * num
    assert measure.label(labels + 1, connectivity=1).max() == len(found)


def test_segments_follow_the_edges_of_quadrants():
    image = np.kron([[0, 200], [90, 255]], np.ones([31, 44])).astype("uint8")
    labels = slic(image, 60, sigma=0)
    truth = np.kron([[0, 1], [2, 3]], np.ones([31, 44], int))
    assert superpixel.achievable_accuracy(labels, truth) == 1


def test_compact_segments_are_rounder(cat):
    loose, tight = (slic(cat, 150, compactness=c) for c in (3.0, 40.0))
    assert superpixel.compactness(tight) > superpixel.compactness(loose) + 0.15


def test_as_many_segments_as_pixels():
    labels = slic(np.zeros([5, 7], "uint8"), 35)
    np.testing.assert_array_equal(labels.ravel(), np.arange(35))


def test_range_and_channels_do_not_matter(cat):
    grey = cat[..., 0]
    expected = slic(grey, 80)
    for image in (grey / 255, grey.astype("float64"), np.stack([grey] * 3, 2)):
        np.testing.assert_array_equal(slic(image, 80), expected)


@pytest.mark.parametrize("method, options", [(slic, {}), (slico, {"slic_zero": True})])
def test_scores_on_photos_beat_scikit_image(data_root, method, options):
    folder = data_root("bsds500") / "train"
    ours, theirs = [], []
    for path in sorted((folder / "images").glob("*.jpg"))[1:200:50]:
        image = cv2.imread(str(path))[..., ::-1]
        file = scipy.io.loadmat(folder / "groundTruth" / f"{path.stem}.mat")
        truth = [one["Segmentation"][0, 0] for one in file["groundTruth"][0]]
        other = segmentation.slic(image, 230, sigma=1, **options)
        same = method(image, len(np.unique(other)))
        for scores, labels in ((ours, same), (theirs, other)):
            recall = superpixel.boundary_recall(labels, truth)
            error = superpixel.undersegmentation_error(labels, truth)
            scores.append([recall, error])
    ours, theirs = np.mean(ours, 0), np.mean(theirs, 0)
    assert ours[0] >= theirs[0] and ours[1] <= theirs[1]


@pytest.mark.parametrize(
    "options",
    [
        {"num_segments": 0},
        {"num_segments": 120 * 180 + 1},
        {"num_segments": 2.5},
        {"compactness": 0},
        {"sigma": -1.0},
        {"iterations": -1},
    ],
)
def test_options_out_of_range_are_refused(cat, options):
    with pytest.raises(ValueError, match="Received"):
        slic(cat, **options)


@pytest.mark.parametrize("compactness", [1e-6, 1e-3, 0.1, 1.0, 1e3, 1e9, 1e200, 10**30])
def test_every_compactness_that_is_accepted_works(compactness, rng):
    # Regions of one colour each, much larger than a cell: weight of colour or place.
    image = np.kron(rng.integers(0, 255, [4, 4, 3]), np.ones([16, 16, 1]))
    labels = slic(image, 64, compactness=compactness, sigma=0)
    sizes = np.bincount(labels.ravel())
    assert 16 <= len(sizes) <= 64
    if compactness <= 1:  # no superpixel crosses a border of colours
        for label in range(len(sizes)):
            assert len(np.unique(image[labels == label], axis=0)) == 1
    if compactness >= 1e3:
        assert len(sizes) == 64 and set(sizes) == {64}


@pytest.mark.parametrize("method", [slic, slico])
def test_a_mask_limits_superpixels_to_a_region(method, rng):
    image = rng.integers(0, 255, [60, 80, 3]).astype("uint8")
    y, x = np.mgrid[:60, :80]
    mask = ((y - 30) ** 2 + (x - 40) ** 2 < 400) | ((y < 6) & (x < 6))
    labels = method(image, 20, mask=mask)
    np.testing.assert_array_equal(labels >= 0, mask)
    num = labels.max() + 1
    assert 14 <= num <= 20
    assert measure.label(labels + 1, connectivity=1).max() == num  # connected
    # Pixels outside have no part in it, but for those that the blur brings in.
    other = np.where(mask[..., None], image, 255 - image)
    for picture in (image, other):  # of one range
        picture[0, 79], picture[59, 0] = 0, 255
    np.testing.assert_array_equal(
        method(other, 20, mask=mask, sigma=0), method(image, 20, mask=mask, sigma=0)
    )


def test_a_mask_of_nothing_or_of_all(rng):
    image = rng.integers(0, 255, [30, 40, 3]).astype("uint8")
    assert (slic(image, mask=np.zeros([30, 40], bool)) == -1).all()
    np.testing.assert_array_equal(
        slic(image, 12, mask=np.ones([30, 40], int)),
        slic(image, 12),
    )
    with pytest.raises(ValueError, match="`mask` must have the size"):
        slic(image, 12, mask=np.ones([30, 41], int))
