"""The dense CRF of images: the published program, exact inference, bad input."""

import pathlib
import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import io

from kerasseg import images
from kerasseg.crf import (
    Appearance,
    Smoothness,
    dense_crf,
    exact_kernel,
    image_kernels,
    mean_field,
)

PUBLISHED = pathlib.Path(__file__).parent / "pydensecrf2.npz"


def two_halves(size=24, noise=1.5, seed=0):
    """Blue left, yellow right; noisy probabilities of right, [H, W, 2]; the label."""
    rng = np.random.default_rng(seed)
    label = np.repeat([[0, 1]], size // 2, axis=1).repeat(size, axis=0)
    image = np.array([[20, 40, 200], [220, 180, 30]])[label]
    image = np.clip(image + rng.normal(0, 8, image.shape), 0, 255).astype("uint8")
    logit = 2.0 * label - 1 + rng.normal(0, noise, label.shape)
    right = 1 / (1 + np.exp(-logit))
    return image, np.stack([1 - right, right], -1), label


def noisy_probabilities(label, num_classes, seed=0):
    """Blurred one-hot labels times noise, [H, W, K]."""
    rng = np.random.default_rng(seed)
    shares = np.eye(num_classes)[label]
    for axis in (0, 1):
        shares = sum(np.roll(shares, shift, axis) for shift in range(-4, 5)) / 9
    shares = (shares + 0.05) * np.exp(rng.normal(0, 0.8, shares.shape))
    return shares / shares.sum(-1, keepdims=True)


@pytest.mark.parametrize("name", ["potts", "full"])
def test_marginals_equal_the_published_programs(name):
    """Written by benchmarks/crf_reference.py, where pydensecrf2 is installed."""
    with np.load(PUBLISHED) as file:
        saved = dict(file)
    options = {
        "potts": {"appearance": Appearance(sxy=80, srgb=13, weight=10)},
        "full": {
            "smoothness": Smoothness(sxy=2, weight=1.5),
            "appearance": Appearance(sxy=15, srgb=20, weight=4),
            "iterations": 3,
            "compatibility": saved["compatibility"],
        },
    }
    found = dense_crf(saved["image"], saved["probabilities"], **options[name])
    np.testing.assert_allclose(found, saved[name], atol=1e-4)


def test_noise_goes_and_the_edge_stays():
    image, probabilities, label = two_halves()
    assert (probabilities.argmax(-1) == label).mean() < 0.8
    np.testing.assert_array_equal(dense_crf(image, probabilities).argmax(-1), label)


def same_as_exact(image, label, num_classes):
    """Share of the pixels of a crop that get the class of exact inference."""
    probabilities = noisy_probabilities(label, num_classes)
    right = mean_field(probabilities, image_kernels(image, kernel=exact_kernel))
    found = dense_crf(image, probabilities)
    return (found.argmax(-1) == right.argmax(-1)).mean()


# Crops of 48 px take a quarter of the time of the 72 px of benchmarks/dense_crf.py.
def test_crops_of_photographs_get_the_classes_of_exact_inference(data_root):
    folder = data_root("bsds500") / "train"
    part, shares = np.s_[136:184, 216:264], []
    for name in ("100075", "100098", "105019"):
        truth = io.loadmat(folder / f"groundTruth/{name}.mat")["groundTruth"]
        label = truth[0, 0]["Segmentation"][0, 0][part] % 21
        image = images.read_image(folder / f"images/{name}.jpg")[part]
        shares.append(same_as_exact(image, label, 21))
    assert np.mean(shares) >= 0.997


def test_hard_crops_lose_little_to_the_lattice(data_root):
    """Many thin classes: .984 are exact in crops of 72 px, for pydensecrf2 as well."""
    folder = data_root("camvid") / "train"
    part, shares = np.s_[162:210, 212:260], []
    for name in ("0001TP_006690", "0006R0_f03570", "0016E5_06420"):
        label = images.read_mask(folder / f"labels/{name}.png")[part]
        image = images.read_image(folder / f"images/{name}.jpg")[part]
        shares.append(same_as_exact(image, label, 12))
    assert np.mean(shares) >= 0.98


def test_kernels_made_once_serve_several_maps():
    image, probabilities, _ = two_halves()
    kernels = image_kernels(image)
    for map_ in (probabilities, probabilities[..., ::-1]):
        expected = dense_crf(image, map_)
        np.testing.assert_array_equal(mean_field(map_, kernels), expected)


def test_a_kernel_without_weight_is_left_out():
    image, probabilities, _ = two_halves()
    off = {"smoothness": Smoothness(weight=0), "appearance": Appearance(weight=0)}
    kernels = image_kernels(image, smoothness=off["smoothness"])
    assert [weight for weight, _ in kernels] == [10]
    found = dense_crf(image, probabilities, **off)
    np.testing.assert_allclose(found, probabilities, atol=1e-6)


@pytest.mark.parametrize(
    "convert",
    [
        lambda image: image.astype("uint16") * 257,
        lambda image: image.astype("float64"),
        lambda image: image / 255,
        lambda image: (image / 255).astype("float32"),
        lambda image: image.astype("int32"),
        lambda image: np.asfortranarray(image),
        lambda image: image[::-1][::-1],
    ],
)
def test_the_same_image_in_another_form_gives_the_same(convert):
    image, probabilities, _ = two_halves()
    expected = dense_crf(image, probabilities)
    found = dense_crf(convert(image), probabilities)
    np.testing.assert_allclose(found, expected, atol=1e-4)


def test_a_given_range_is_that_of_a_12_bit_camera():
    image, probabilities, _ = two_halves()
    expected = dense_crf(image, probabilities)
    image = image.astype("uint16") * 16
    found = dense_crf(image, probabilities, value_range=(0, 16 * 255))
    np.testing.assert_allclose(found, expected, atol=1e-4)


def test_grey_images_are_one_channel():
    image, probabilities, label = two_halves()
    grey = image[..., 0]
    found = dense_crf(grey, probabilities)
    np.testing.assert_array_equal(found, dense_crf(grey[..., None], probabilities))
    np.testing.assert_array_equal(found.argmax(-1), label)
    mask = dense_crf(label.astype(bool), probabilities)
    np.testing.assert_array_equal(mask.argmax(-1), label)


def test_a_constant_image_leaves_smoothing_in_space():
    image, probabilities, label = two_halves()
    even = np.full_like(image, 90)
    found = dense_crf(even, probabilities, appearance=Appearance(sxy=3))
    accuracy = (found.argmax(-1) == label).mean()
    assert accuracy > (probabilities.argmax(-1) == label).mean() + 0.1


def test_one_pixel_keeps_its_class():
    found = dense_crf(np.zeros([1, 1, 3], "uint8"), [[[0.2, 0.5, 0.3]]])
    assert found.argmax() == 1 and found.sum() == pytest.approx(1)


def test_peak_memory_is_linear_in_the_pixels():
    peaks = []
    for size in (64, 128, 256):
        rng = np.random.default_rng(0)
        image = rng.integers(100, 140, [size, size, 3], "uint8")
        probabilities = np.full([size, size, 5], 0.2, "float32")
        tracemalloc.start()
        dense_crf(image, probabilities, iterations=1)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    # Constants and the lattice's growth with texture may only make it less than 4.
    assert peaks[1] < 4.2 * peaks[0] and peaks[2] < 4.2 * peaks[1]


@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_any_image_gives_probabilities_and_stays_as_it_is(data):
    shape = [data.draw(st.integers(1, 9)) for _ in range(2)]
    shape += data.draw(st.sampled_from([[], [1], [2], [3], [5]]))
    dtype = data.draw(st.sampled_from(["uint8", "uint16", "float32", "float64"]))
    rng = np.random.default_rng(data.draw(st.integers(0, 99)))
    white = 65535 if dtype == "uint16" else 255
    image = (rng.random(shape) * white).astype(dtype)
    image.flat[0] = white  # a dim image would not tell its range
    num_classes = data.draw(st.integers(1, 5))
    shares = rng.dirichlet(np.ones(max(num_classes, 2)), shape[:2])[..., -num_classes:]
    shares = shares.astype(data.draw(st.sampled_from(["float32", "float64"])))
    before = image.copy(), shares.copy()
    image.flags.writeable = shares.flags.writeable = False
    appearance = Appearance(srgb=data.draw(st.floats(0.01, 1e4)))
    found = dense_crf(image, shares, appearance=appearance)
    assert found.shape == shares.shape and found.dtype == "float32"
    assert found.min() >= 0 and found.max() <= 1.00001
    if num_classes > 1:
        np.testing.assert_allclose(found.sum(-1), 1, atol=1e-5)
    np.testing.assert_array_equal(image, before[0])
    np.testing.assert_array_equal(shares, before[1])


IMAGE, SHARES = np.zeros([4, 5, 3], "uint8"), np.full([4, 5, 2], 0.5)


@pytest.mark.parametrize(
    "image, probabilities, message",
    [
        (IMAGE, SHARES[:3], "`probabilities` must be .* image's size"),
        (IMAGE, SHARES[..., 0], "`probabilities` must be .* image's size"),
        (IMAGE, SHARES.transpose(2, 0, 1), "`probabilities` must be .* image's size"),
        (IMAGE, SHARES[..., :0], "`probabilities` must be .* at least one class"),
        (IMAGE, SHARES * 0.7, "`probabilities` must sum to 1"),
        (IMAGE, np.full([4, 5, 2], np.nan), "`probabilities` must be within"),
        (IMAGE[:0], SHARES[:0], "`image` must be numbers"),
        (IMAGE[..., :0], SHARES, "`image` must be numbers"),
        (IMAGE[None], SHARES[None], "`probabilities` must be"),
        (IMAGE.astype("U1"), SHARES, "`image` must be numbers"),
        (np.full([4, 5], np.nan), SHARES, "`image` must be finite"),
        (np.full([4, 5], 256), SHARES, "`value_range`.* must be given"),
        (np.full([4, 5], -1), SHARES, "`value_range`.* must be given"),
        (np.full([4, 5], 1e300), SHARES, "`value_range`.* must be given"),
    ],
)
def test_bad_images_and_probabilities_are_named(image, probabilities, message):
    with pytest.raises(ValueError, match=message):
        dense_crf(image, probabilities)


@pytest.mark.parametrize(
    "options, name",
    [
        ({"smoothness": Smoothness(sxy=0)}, "smoothness.sxy"),
        ({"appearance": Appearance(sxy=-1)}, "appearance.sxy"),
        ({"appearance": Appearance(srgb=np.nan)}, "appearance.srgb"),
        ({"appearance": Appearance(srgb="13")}, "appearance.srgb"),
        ({"smoothness": Smoothness(weight=-1)}, "smoothness.weight"),
        ({"appearance": Appearance(weight=np.inf)}, "appearance.weight"),
    ],
)
def test_bad_parameters_are_named(options, name):
    with pytest.raises(ValueError, match=f"`{name}` must be a number within"):
        dense_crf(IMAGE, SHARES, **options)


@pytest.mark.parametrize("value", [(3, 3), Smoothness(), None])
def test_a_kernel_of_another_kind_is_refused(value):
    with pytest.raises(ValueError, match=r"crf.Appearance\(sxy, srgb, weight\)"):
        dense_crf(IMAGE, SHARES, appearance=value)
