"""Cut-outs and blurred backgrounds."""

import cv2
import numpy as np
import pytest

from kerasseg import viz

HALVES = np.zeros([20, 40, 3], "uint8")
HALVES[:, :20], HALVES[:, 20:] = (255, 0, 0), (0, 0, 255)  # red, blue
RIGHT = np.arange(40)[None].repeat(20, 0) >= 20


def test_a_cut_out_keeps_the_colors_and_gets_the_opacity():
    alpha = np.linspace(0, 1, 40, dtype="float32")[None].repeat(20, 0)
    found = viz.cut_out(HALVES, alpha)
    assert found.shape == (20, 40, 4) and found.dtype == "uint8"
    np.testing.assert_array_equal(found[..., :3], HALVES)
    np.testing.assert_array_equal(found[0, :, 3], np.round(np.linspace(0, 255, 40)))


@pytest.mark.parametrize(
    "alpha", [RIGHT, RIGHT.astype("int32"), RIGHT[..., None].astype("float32")]
)
def test_masks_and_probabilities_are_opacities(alpha):
    opacity = viz.cut_out(HALVES, alpha)[..., 3]
    np.testing.assert_array_equal(opacity, np.where(RIGHT, 255, 0))


def test_the_object_leaves_no_halo_in_the_background():
    found = viz.blur_background(HALVES, RIGHT, sigma=5)
    np.testing.assert_allclose(found, HALVES, atol=1)  # a plain blur: purple at 19


def test_the_background_is_blurred_as_by_a_gaussian_and_the_object_is_not(rng):
    noise = rng.integers(0, 256, [60, 80, 3]).astype("uint8")
    mask = np.zeros([60, 80])
    mask[:, 70:] = 1
    found = viz.blur_background(noise, mask, sigma=2.0)
    np.testing.assert_array_equal(found[:, 70:], noise[:, 70:])
    blurred = cv2.GaussianBlur(noise.astype("float32"), (0, 0), 2.0)
    # Ten sigmas from the object nothing is left out.
    np.testing.assert_allclose(found[:, :50], blurred[:, :50], atol=0.51)


def test_half_an_object_is_half_way_between():
    image = np.full([9, 9], 100, "uint8")
    image[4, 4] = 200
    alpha = np.zeros([9, 9])
    alpha[4, 4] = 0.5
    # Of the background's mean the spot is a small part: half of 200 and of some 100.
    assert 150 <= viz.blur_background(image, alpha, 50)[4, 4, 0] <= 151


def test_any_size_and_sigma_work():
    for size in [(1, 1), (1, 7), (7, 1)]:
        picture = np.full(size, 77, "uint8")
        for sigma in (0.1, 3, 1e9):
            for alpha in (np.zeros(size), np.ones(size)):
                assert (viz.blur_background(picture, alpha, sigma) == 77).all()


@pytest.mark.parametrize(
    "alpha, message",
    [
        (np.zeros([20, 39]), "size of the image"),
        (np.full([20, 40], 255, "uint8"), "divide a mask of 0 and 255"),
        (np.full([20, 40], np.nan), "in 0..1"),
        (np.full([20, 40], -0.1), "in 0..1"),
        (np.zeros([20, 40, 2]), r"numbers \[H, W\]"),
        (np.zeros(40), r"numbers \[H, W\]"),
        (np.full([20, 40], "a"), r"numbers \[H, W\]"),
    ],
)
def test_other_opacities_are_refused(alpha, message):
    with pytest.raises(ValueError, match=message):
        viz.cut_out(HALVES, alpha)
    with pytest.raises(ValueError, match=message):
        viz.blur_background(HALVES, alpha, 3)


@pytest.mark.parametrize("sigma", [0, -1, np.nan, np.inf, None, "3", True])
def test_other_sigmas_are_refused(sigma):
    with pytest.raises(ValueError, match="`sigma` must be a positive number"):
        viz.blur_background(HALVES, RIGHT, sigma)


def disc(size=96, soft_px=6.0):
    """Opacity of a disc with a soft edge."""
    y, x = np.mgrid[:size, :size] - size / 2 + 0.5
    return np.clip((30 - np.hypot(x, y)) / soft_px + 0.5, 0, 1).astype("float32")


def test_another_background_shows_nothing_of_the_old_one():
    alpha = disc()
    red, green, blue = (
        np.float32(c) for c in ((220, 40, 40), (20, 230, 20), (0, 0, 90))
    )
    photo = alpha[..., None] * red + (1 - alpha[..., None]) * green
    truth = alpha[..., None] * red + (1 - alpha[..., None]) * blue
    found = viz.replace_background(photo.round().astype("uint8"), alpha, (0, 0, 90))
    edge = (alpha > 0) & (alpha < 1)
    assert edge.sum() > 500
    assert np.abs(found - truth)[edge].mean() < 4
    naive = alpha[..., None] * photo + (1 - alpha[..., None]) * blue
    assert np.abs(naive - truth)[edge].mean() > 15  # with its green rim


def test_the_foreground_is_the_image_where_it_is_opaque(rng):
    noise = rng.integers(0, 256, [96, 96, 3]).astype("uint8")
    found = viz.foreground(noise, disc())
    np.testing.assert_array_equal(found[disc() == 1], noise[disc() == 1])
    assert found.dtype == "uint8" and found.shape == noise.shape


@pytest.mark.parametrize("size", [(10, 10), (100, 30), (20, 40), (90, 90)])
def test_a_picture_of_any_size_covers_the_background(size):
    behind = np.zeros([*size, 3], "uint8")
    behind[:, : size[1] // 2], behind[:, size[1] // 2 :] = (0, 250, 0), (250, 250, 0)
    found = viz.replace_background(HALVES, np.zeros([20, 40]), behind)
    assert found.shape == (20, 40, 3)
    # Cut in the middle: green to the left, yellow to the right, no border between.
    np.testing.assert_array_equal(found[:, :10], np.full([20, 10, 3], (0, 250, 0)))
    np.testing.assert_array_equal(found[:, 30:], np.full([20, 10, 3], (250, 250, 0)))


@pytest.mark.parametrize(
    ("background", "message"),
    [
        ((1, 2), "`background` must be an image, or"),
        ((0, 0, 256), "`background` must be an image, or"),
        ((0, 0, float("nan")), "`background` must be an image, or"),
        ("sky", "sky: required: an image file"),
    ],
)
def test_what_is_no_background_is_refused(background, message):
    with pytest.raises(ValueError, match=message):
        viz.replace_background(HALVES, RIGHT, background)


def test_only_the_object_stays_in_color():
    found = viz.grey_background(HALVES, RIGHT)
    np.testing.assert_array_equal(found[:, 20:], HALVES[:, 20:])
    assert (found[:, :20] == found[:, :20, :1]).all() and 70 < found[0, 0, 0] < 80
