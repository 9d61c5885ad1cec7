import cv2
import numpy as np
import pytest
import tensorflow as tf

from kerasseg import augment


@pytest.fixture
def image(rng):
    return rng.integers(0, 256, (24, 32, 3)).astype(np.uint8)


def run(image, seed=(0, 1), label=None, **options):
    label = np.zeros(image.shape[:2], np.int32) if label is None else label
    function = augment.quality(**options)
    sample = {"image": image, "label": label}
    eager = function(sample, tf.constant(seed))
    compiled = tf.function(function)(sample, tf.constant(seed))
    for key in sample:
        np.testing.assert_array_equal(eager[key], compiled[key])
    assert eager["image"].dtype == image.dtype
    return np.asarray(eager["image"]), np.asarray(eager["label"])


@pytest.mark.parametrize("shape", [(24, 32, 3), (1, 5, 1), (2, 2, 7)])
def test_nothing_asked_for_changes_nothing(rng, shape):
    image = rng.integers(0, 60000, shape).astype(np.uint16)
    np.testing.assert_array_equal(run(image)[0], image)
    run(image, blur=3.0, sharpen=1.0, jpeg=10, grey=1.0, cutout=1.0)


def test_blur_is_opencvs_with_a_random_width(image):
    result, _ = run(image.astype(np.float32), blur=2.0)
    distances = {
        std: np.abs(
            cv2.GaussianBlur(
                image.astype(np.float32), (13, 13), std, None, std, cv2.BORDER_REPLICATE
            )
            - result
        ).max()
        for std in np.linspace(0.05, 2, 391)
    }
    assert min(distances.values()) < 2.0  # of 255, between two of the widths tried


def test_sharpening_adds_what_a_blur_takes(image):
    x = image.astype(np.float32)
    soft = cv2.GaussianBlur(x, (7, 7), 1, None, 1, cv2.BORDER_REPLICATE)
    result, _ = run(x, sharpen=1.0)
    factors = ((result - x) / np.where(np.abs(x - soft) < 5, np.nan, x - soft)).ravel()
    factors = factors[np.isfinite(factors)]
    assert 0 < np.median(factors) <= 1 and np.ptp(factors) < 0.02


def test_a_share_loses_its_colour(image):
    results = [run(image, (0, k), grey=0.5)[0] for k in range(20)]
    grey = [np.ptp(x.astype(int), axis=-1).max() == 0 for x in results]
    assert 4 <= sum(grey) <= 16
    assert all(g or (x == image).all() for g, x in zip(grey, results))


def test_compression_costs_detail_and_keeps_the_mean(image):
    result, _ = run(image, jpeg=10)
    assert result.shape == image.shape and (result != image).any()
    assert abs(result.astype(float).mean() - image.mean()) < 3
    grey, _ = run(image[..., :1], jpeg=10)
    assert grey.shape == (24, 32, 1)


def test_what_is_hidden_is_ignored(image):
    areas = []
    for k in range(20):
        result, label = run(image, (0, k), cutout=0.5)
        hidden = label == 255
        np.testing.assert_array_equal(result[~hidden], image[~hidden])
        assert len(np.unique(result[hidden].reshape(-1, 3), axis=0)) <= 1
        rows, columns = hidden.any(1).sum(), hidden.any(0).sum()
        assert hidden.sum() == rows * columns and rows <= 12 and columns <= 16
        areas.append(hidden.sum())
    assert len({*areas}) > 10


@pytest.mark.parametrize(
    "options",
    [
        *({"blur": 11}, {"jpeg": -1}, {"grey": 2}, {"cutout": "half"}),
        *({"jpeg": 0.5}, {"blur": True}, {"jpeg": True}),
    ],
)
def test_options_out_of_range_are_refused(options):
    with pytest.raises(ValueError, match=next(iter(options))):
        augment.quality(**options)


@pytest.mark.parametrize("name", sorted(augment.PRESETS))
def test_every_preset_keeps_its_promise(image, name):
    label = np.repeat([0, 1], 12)[:, None].repeat(32, 1).astype(np.int32)
    function = augment.PRESETS[name](size=(16, 16))
    sample = {"image": image, "label": label}
    results = [function(sample, tf.constant([0, k])) for k in range(4)]
    assert all(x["image"].shape == (16, 16, 3) for x in results)
    assert {*np.unique([x["label"] for x in results])} <= {0, 1, 255}
    again = function(sample, tf.constant([0, 3]))
    np.testing.assert_array_equal(again["image"], results[3]["image"])


@pytest.mark.parametrize("name", sorted(augment.PRESETS))
def test_presets_cut_crops_out_as_they_are(name):
    """Those of a label, which no change of light and no blur touches."""
    label = np.arange(40 * 40, dtype=np.int32).reshape(40, 40)
    image = np.zeros((40, 40, 3), np.uint8)
    function = augment.PRESETS[name](size=(16, 16), flip=None, exact=1.0)
    crop = function({"image": image, "label": label}, tf.constant([0, 1]))["label"]
    row, column = divmod(int(crop[0][0]), 40)
    expected = label[row : row + 16, column : column + 16]
    np.testing.assert_array_equal(crop, expected)
