import numpy as np
import pytest
import tensorflow as tf

from kerasseg import augment

LUMA = np.array([0.299, 0.587, 0.114])


@pytest.fixture
def image(rng):
    return rng.uniform(60, 180, (20, 24, 3)).astype(np.float32)


def run(image, seed=(0, 1), **options):
    label = np.zeros(image.shape[:2], np.int32)
    sample = {"image": image, "label": label}
    result = augment.color(**options)(sample, tf.constant(seed))
    np.testing.assert_array_equal(result["label"], label)
    return result["image"].numpy()


def test_brightness_multiplies_by_one_number(image):
    ratios = [(run(image, (0, k), brightness=0.3) / image).ravel() for k in range(20)]
    assert np.ptp(ratios, axis=1).max() < 1e-5
    factors = np.median(ratios, axis=1)
    assert 0.7 <= factors.min() < 0.85 and 1.15 < factors.max() <= 1.3


def test_contrast_keeps_the_mean_of_each_channel_and_scales_the_rest(image):
    result = run(image, contrast=0.5)
    mean = image.mean((0, 1))
    np.testing.assert_allclose(result.mean((0, 1)), mean, rtol=1e-5)
    factor = result.std() / image.std()
    assert 0.5 <= factor <= 1.5 and abs(factor - 1) > 0.01
    np.testing.assert_allclose(result, (image - mean) * factor + mean, atol=0.5)


def test_saturation_scales_the_distance_from_grey(image):
    result = run(image, saturation=0.5)
    np.testing.assert_allclose(result @ LUMA, image @ LUMA, rtol=1e-5)
    grey = (image @ LUMA)[..., None]
    factors = (result - grey) / (image - grey)
    assert 0.5 <= np.median(factors) <= 1.5
    np.testing.assert_allclose(factors, np.median(factors), rtol=0.02)


def test_hue_turns_colours_and_leaves_luma_and_greys(image):
    result = run(image, hue=0.5)
    np.testing.assert_allclose(result @ LUMA, image @ LUMA, rtol=1e-4)
    assert np.abs(result - image).max() > 5
    grey = np.repeat(image[..., :1], 3, axis=-1)
    np.testing.assert_allclose(run(grey, hue=0.5), grey, rtol=1e-4)


def test_saturation_and_brightness_and_contrast_together_keep_the_scaled_mean(image):
    result = run(image, brightness=0.3, contrast=0.3, saturation=0.3)
    ratios = (result.mean((0, 1)) @ LUMA) / (image.mean((0, 1)) @ LUMA)
    alone = run(image, brightness=0.3) / image  # the draw does not depend on the others
    np.testing.assert_allclose(ratios, alone.mean(), rtol=1e-4)


def test_gamma_keeps_zero_the_maximum_and_the_order(image):
    image[0, 0], image[1, 1] = 0, 200
    result = run(image, gamma=1.0)
    assert result[0, 0, 0] == 0 and result[1, 1, 0] == pytest.approx(200, rel=1e-5)
    exponent = np.log(result[2:] / 200) / np.log(image[2:] / 200)
    assert 0.5 <= exponent.mean() <= 2
    np.testing.assert_allclose(exponent, exponent.mean(), rtol=1e-3)


def test_gamma_keeps_the_sign_of_numbers_below_zero(rng):
    image = rng.uniform(-1000, 400, (8, 9, 1)).astype(np.float32)
    result = run(image, gamma=1.0)
    np.testing.assert_array_equal(np.sign(result), np.sign(image))
    assert np.abs(result).max() == pytest.approx(np.abs(image).max(), rel=1e-5)
    order = np.argsort(image.ravel())
    assert np.all(np.diff(result.ravel()[order]) >= 0)
    assert not np.allclose(result, image, rtol=0.01)


def test_noise_is_normal_and_relative_to_the_image():
    image = np.tile(np.float32([0, 100]), (64, 32))[..., None]
    noise = run(image, (0, 3), noise=0.2) - image
    assert 0 < noise.std() <= 0.2 * 50 * 1.05
    assert abs(noise.mean()) < 0.1 * noise.std()
    # 68 % of a normal distribution lie within one standard deviation.
    assert np.mean(np.abs(noise) < noise.std()) == pytest.approx(0.68, abs=0.03)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_integers_are_clipped_and_never_wrap(dtype):
    top = np.iinfo(dtype).max
    image = np.full((4, 4, 3), top, dtype)
    results = [run(image, (0, k), brightness=1.0) for k in range(8)]
    # At its top the image stays, or gets darker; wrapping would make it nearly black.
    factors = [np.unique(x) for x in results]
    assert all(x.dtype == dtype and len(x) == 1 for x in factors)
    assert sum(x[0] == top for x in factors) >= 2


@pytest.mark.parametrize("channels", [1, 4])
def test_images_without_three_channels_have_no_hue(rng, channels):
    image = rng.integers(0, 256, (8, 8, channels)).astype(np.uint8)
    np.testing.assert_array_equal(run(image, saturation=1.0, hue=0.5), image)


def test_no_options_change_nothing(rng):
    image = rng.integers(0, 256, (8, 8, 3)).astype(np.uint8)
    np.testing.assert_array_equal(run(image), image)


@pytest.mark.parametrize("option", ["brightness", "contrast", "saturation", "hue"])
def test_options_out_of_range_say_what_was_received(option):
    with pytest.raises(ValueError, match=f"Received: {option}=1.5"):
        augment.color(**{option: 1.5})
    with pytest.raises(ValueError, match=f"Received: {option}=-0.1"):
        augment.color(**{option: -0.1})
