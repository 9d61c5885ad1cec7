"""Every method on every kind of array: the contract, or a clear ValueError."""

import hypothesis
import numpy as np
import pytest
from hypothesis import strategies
from hypothesis.extra import numpy as arrays
from skimage import measure

from kerasseg import classical, images
from kerasseg.images import values


def numbered(image):
    """A number for each pixel, from 0."""
    size = image.shape[:2]
    return np.arange(int(np.prod(size))).reshape(size)


PARTITIONS = {
    "slic": lambda image: classical.slic(image, min(5, image[..., :1].size)),
    "slico": lambda image: classical.slico(image, min(5, image[..., :1].size)),
    "kmeans": lambda image: classical.kmeans(image, 1),
    "mean_shift": lambda image: classical.mean_shift(image, spatial_radius=2.0),
    "felzenszwalb": classical.felzenszwalb,
    "quickshift": classical.quickshift,
    "compact_watershed": lambda image: classical.compact_watershed(image, 1),
    "watershed": classical.watershed,
    "merge_regions": lambda image: classical.merge_regions(numbered(image), image),
}
CLASSES = {
    "threshold": classical.threshold,
    "multi_otsu": lambda image: classical.threshold(image, method="multi_otsu"),
    "adaptive threshold": lambda image: classical.threshold(image, method="adaptive"),
    "chan_vese": lambda image: classical.chan_vese(image, iterations=5),
    "grabcut": lambda image: classical.grabcut(
        image, probabilities=np.full(image.shape[:2], 0.7)
    ),
    "random_walker": lambda image: classical.random_walker(image, 1 + numbered(image)),
}
GROWING = {
    f"{mode} growing": lambda image, mode=mode: classical.region_growing(
        image, 1, tolerance=30.0, mode=mode
    )
    for mode in ("fixed", "adaptive", "best_first")
}
METHODS = {**PARTITIONS, **CLASSES, **GROWING}

shapes = strategies.one_of(
    strategies.tuples(strategies.integers(1, 14), strategies.integers(1, 14)),
    strategies.tuples(
        strategies.integers(1, 14),
        strategies.integers(1, 14),
        strategies.sampled_from([1, 3]),
    ),
)
pixels = strategies.one_of(
    arrays.arrays(strategies.sampled_from(["u1", "u2", "bool"]), shapes),
    arrays.arrays(
        strategies.sampled_from(["f4", "f8"]),
        shapes,
        elements=strategies.floats(0, 1, width=32),
    ),
)


@pytest.mark.parametrize("name", sorted(METHODS))
@hypothesis.settings(max_examples=12, deadline=None, derandomize=True)
@hypothesis.given(image=pixels)
def test_any_image_gives_a_label_map(name, image):
    before = image.copy()
    image.setflags(write=False)
    if name in GROWING and image.dtype == "uint16":  # absolute: it would ask for bits
        image, before = (images.scale(x, (0, 65535)) for x in (image, before))
    if name in GROWING and image.dtype.kind == "f":  # they would ask, too
        hypothesis.assume(not 0 < image.max() < values.FAINT)
    labels = METHODS[name](image)
    np.testing.assert_array_equal(image, before)
    assert labels.dtype == np.int32 and labels.shape == image.shape[:2]
    if name in CLASSES:
        assert 0 <= labels.min() <= labels.max() <= image.size
        return
    found = np.unique(labels[labels >= 0])
    np.testing.assert_array_equal(found, np.arange(len(found)))
    if name in PARTITIONS:
        assert labels.min() == 0
        assert measure.label(labels + 1, connectivity=1).max() == len(found)


@pytest.mark.parametrize("name", sorted(METHODS))
@pytest.mark.parametrize(
    "image",
    [
        np.zeros([0, 5], "uint8"),
        np.zeros([5, 0, 3]),
        np.zeros([5]),
        np.zeros([4, 5, 2], "uint8"),
        np.zeros([4, 5, 4], "uint8"),
        np.zeros([4, 5, 5]),
        np.full([4, 5], np.nan),
        np.full([4, 5], np.inf, "float32"),
        np.zeros([4, 5], complex),
        np.full([4, 5], "a"),
    ],
    ids=lambda image: f"{image.dtype}{image.shape}",
)
def test_what_is_no_image_is_refused(name, image):
    with pytest.raises(ValueError, match=r"`image` must be .* Received"):
        METHODS[name](image)


@pytest.mark.parametrize("name", sorted(METHODS))
def test_views_give_the_same_as_copies(name, rng):
    image = rng.integers(0, 255, [20, 24, 3]).astype("uint8")
    view = image[::-1, ::2, ::-1]
    expected = METHODS[name](np.ascontiguousarray(view))
    np.testing.assert_array_equal(METHODS[name](view), expected)


@pytest.mark.parametrize("name", sorted(METHODS))
def test_results_repeat(name, rng):
    image = rng.integers(0, 255, [16, 18, 3]).astype("uint8")
    np.testing.assert_array_equal(METHODS[name](image), METHODS[name](image))
