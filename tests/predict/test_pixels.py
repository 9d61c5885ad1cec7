"""Prediction: whole images, flips, tiles."""

import keras
import numpy as np
import pytest
from PIL import Image
from scipy import ndimage
from scipy.special import expit, softmax

from kerasseg import predict, zoo
from kerasseg.crf import dense_crf
from kerasseg.layers import ResizeLike
from tests.predict.models import conv_model


def reference_logits(model, image):
    """The model by scipy: correlation with zeros outside, [H, W, K]."""
    x = image.astype("float64")
    for layer in model.layers[1:3]:
        kernel, bias = layer.get_weights()
        x = np.stack(
            [
                sum(
                    ndimage.correlate(x[..., c], kernel[:, :, c, k], mode="constant")
                    for c in range(kernel.shape[2])
                )
                + bias[k]
                for k in range(kernel.shape[3])
            ],
            -1,
        )
    return x


@pytest.mark.parametrize("size", [(1, 1), (1, 9), (33, 20)])
def test_probabilities_are_the_softmax_of_the_logits(model, size, rng):
    image = rng.integers(0, 256, [*size, 3], "uint8")
    probabilities = predict.probabilities(model, image)
    expected = reference_logits(model, image)
    np.testing.assert_allclose(probabilities, softmax(expected, -1), atol=1e-6)
    np.testing.assert_array_equal(predict.class_ids(model, image), expected.argmax(-1))
    assert probabilities.dtype == np.float32


def test_one_logit_is_thresholded_at_one_half(rng):
    model = conv_model(classes=1)
    image = rng.integers(0, 256, [8, 9, 3], "uint8")
    probabilities = predict.probabilities(model, image)
    logits = reference_logits(model, image)
    np.testing.assert_allclose(probabilities, expit(logits), atol=1e-6)
    for options in ({}, {"tile_px": 40}):
        ids = predict.class_ids(model, image, **options)
        np.testing.assert_array_equal(ids, logits[..., 0] > 0)
        assert ids.dtype == np.int32


@pytest.mark.parametrize(
    "flips, axes", [(True, [1]), ("both", [0, 1]), ("all", [0, 1])]
)
def test_flips_make_the_prediction_symmetric(model, flips, axes, rng):
    image = rng.integers(0, 256, [7, 10, 3], "uint8")
    probabilities = predict.probabilities(model, image, flips=flips)
    for axis in axes:
        mirrored = predict.probabilities(model, np.flip(image, axis), flips=flips)
        np.testing.assert_allclose(np.flip(mirrored, axis), probabilities, atol=1e-6)
    ids = predict.class_ids(model, image, flips=flips)
    np.testing.assert_array_equal(ids, probabilities.argmax(-1))


def test_all_flips_do_not_tell_rows_from_columns(model, rng):
    image = rng.integers(0, 256, [7, 10, 3], "uint8")
    found = predict.probabilities(model, image, flips="all")
    turned = predict.probabilities(model, image.swapaxes(0, 1), flips="all")
    np.testing.assert_allclose(turned.swapaxes(0, 1), found, atol=1e-6)


def test_horizontal_flips_average_two_runs(model, rng):
    image = rng.integers(0, 256, [7, 10, 3], "uint8")
    mirrored = predict.probabilities(model, image[:, ::-1])[:, ::-1]
    expected = (predict.probabilities(model, image) + mirrored) / 2
    found = predict.probabilities(model, image, flips="horizontal")
    np.testing.assert_allclose(found, expected, atol=1e-7)


def test_unknown_flips_are_refused(model):
    with pytest.raises(ValueError, match="Received: flips='up'"):
        predict.class_ids(model, np.zeros([4, 4]), flips="up")


@pytest.mark.parametrize(
    "tile_px, overlap_px",
    [(16, 8), (33, 8), (64, 32), ((20, 300), 12), (24, 20), (90, 8)],
)
def test_tiles_equal_the_whole_image(model, tile_px, overlap_px, rng):
    # Two 3x3 convolutions reach 2 pixels far: a quarter of the smallest overlap, 8.
    image = rng.integers(0, 256, [101, 77, 3], "uint8")
    options = {"tile_px": tile_px, "overlap_px": overlap_px}
    whole, tiled = (predict.probabilities(model, image, **o) for o in ({}, options))
    np.testing.assert_allclose(tiled, whole, atol=2e-7)
    np.testing.assert_array_equal(
        predict.class_ids(model, image, **options), predict.class_ids(model, image)
    )


def test_tiles_equal_the_whole_image_for_a_strided_model(rng):
    x = keras.Input([None, None, 3])
    y = keras.layers.Conv2D(4, 3, strides=4, padding="same")(x / 255)
    model = keras.Model(x, ResizeLike("nearest")([keras.layers.Conv2D(3, 1)(y), x]))
    image = rng.integers(0, 256, [200, 160, 3], "uint8")
    whole = predict.probabilities(model, image)
    tiled = predict.probabilities(model, image, tile_px=96, overlap_px=32)
    np.testing.assert_allclose(tiled, whole, atol=1e-6)


def test_a_tile_larger_than_the_image_is_the_image(model, rng):
    image = rng.integers(0, 256, [5, 1, 3], "uint8")
    found = predict.class_ids(model, image, tile_px=512)
    np.testing.assert_array_equal(found, predict.class_ids(model, image))


@pytest.mark.parametrize("overlap_px", [-1, 16, 20])
def test_an_overlap_that_is_no_overlap_is_refused(model, overlap_px):
    with pytest.raises(ValueError, match="must be above `overlap_px`"):
        predict.class_ids(model, np.zeros([40, 40]), tile_px=16, overlap_px=overlap_px)


def test_tiled_prediction_writes_class_ids_and_confidence(model, rng, tmp_path):
    image = rng.integers(0, 256, [70, 50, 3], "uint8")
    out = {
        "class_ids": np.lib.format.open_memmap(
            tmp_path / "a.npy", "w+", "u1", (70, 50)
        ),
        "confidence": np.zeros([70, 50], "f4"),
    }
    predict.predict_tiled(model, image, tile_px=32, overlap_px=8, out=out)
    probabilities = predict.probabilities(model, image)
    np.testing.assert_array_equal(np.load(tmp_path / "a.npy"), probabilities.argmax(-1))
    np.testing.assert_allclose(out["confidence"], probabilities.max(-1), atol=1e-6)


def test_tiled_prediction_refuses_wrong_outputs(model):
    image = np.zeros([8, 8, 3])
    with pytest.raises(ValueError, match="size of the image"):
        predict.predict_tiled(model, image, out={"class_ids": np.zeros([8, 9])})
    with pytest.raises(ValueError, match="Did you mean 'class_ids'"):
        predict.predict_tiled(model, image, out={"class_id": np.zeros([8, 8])})


def test_a_model_of_fixed_size_takes_tiles_and_smaller_images(model, rng):
    fixed = conv_model(size=(32, 32))
    image = rng.integers(0, 256, [70, 50, 3], "uint8")
    found = predict.class_ids(fixed, image, tile_px=32, overlap_px=8)
    # The last tiles are continued beyond the image, where the whole image sees zeros.
    whole = predict.class_ids(model, image)
    np.testing.assert_array_equal(found[:-2, :-2], whole[:-2, :-2])
    assert predict.class_ids(fixed, image[:5, :9]).shape == (5, 9)
    with pytest.raises(ValueError, match=r"Use tile_px=\(32, 32\)"):
        predict.class_ids(fixed, image)


def red_model(num_logits):
    """Bright red speaks for the last class, weakly."""
    x = keras.Input([None, None, 3])
    layer = keras.layers.Conv2D(num_logits, 1)
    model = keras.Model(x, layer(x))
    kernel = np.zeros([1, 1, 3, num_logits], "float32")
    kernel[0, 0, 0, -1] = 0.02
    layer.set_weights([kernel, np.full(num_logits, -2.5 if num_logits == 1 else 0)])
    return model


@pytest.fixture
def photo(rng):
    image = np.repeat([[60, 190]], 10, axis=1).repeat(17, axis=0)[..., None]
    return np.clip(image + rng.normal(0, 30, [17, 20, 3]), 0, 255).astype("uint8")


@pytest.mark.parametrize("num_logits", [1, 3])
@pytest.mark.parametrize("options", [{}, {"tile_px": 8}, {"flips": True}])
def test_refined_probabilities_are_those_of_the_crf(num_logits, options, photo):
    model = red_model(num_logits)
    plain = predict.probabilities(model, photo, **options)
    expected = dense_crf(photo, plain)
    refined = predict.probabilities(model, photo, **options, refine="crf")
    np.testing.assert_allclose(refined, expected, atol=1e-5)
    ids = expected[..., 0] > 0.5 if num_logits == 1 else expected.argmax(-1)
    found = predict.class_ids(model, photo, **options, refine="crf")
    np.testing.assert_array_equal(found, ids)
    assert found.dtype == "int32"


def test_a_function_refines_with_other_parameters(photo):
    def invert(image, probabilities):
        assert image is photo
        return 1 - probabilities

    model = red_model(1)
    plain = predict.class_ids(model, photo)
    found = predict.class_ids(model, photo, refine=invert)
    np.testing.assert_array_equal(found, 1 - plain)


def test_an_unknown_refinement_is_named(photo):
    with pytest.raises(ValueError, match="`refine` must be None, 'crf' or a function"):
        predict.probabilities(red_model(2), photo, refine="cfr")


@pytest.mark.parametrize("num_classes, activation", [(1, "sigmoid"), (3, "softmax")])
@pytest.mark.parametrize("own_layer", [False, True])
def test_probabilities_of_other_models_are_not_taken_for_logits(
    num_classes, activation, own_layer, rng
):
    inputs = keras.Input([None, None, 3])
    layer = keras.layers.Conv2D(num_classes, 1, activation=activation)
    x = layer(inputs)
    if own_layer:
        layer = keras.layers.Conv2D(num_classes, 1)
        x = keras.layers.Activation(activation)(layer(inputs))
    model = keras.Model(inputs, x)
    layer.set_weights(
        [rng.normal(0, 0.01, [1, 1, 3, num_classes]), -np.ones(num_classes)]
    )
    image = rng.integers(0, 256, [9, 11, 3]).astype("uint8")
    expected = model.predict_on_batch(image[None].astype("float32"))[0]
    found = predict.probabilities(model, image)
    np.testing.assert_allclose(found, expected, atol=1e-6)
    ids = expected[..., 0] > 0.5 if num_classes == 1 else expected.argmax(-1)
    np.testing.assert_array_equal(predict.class_ids(model, image), ids)


def test_classes_that_may_overlap_are_not_taken_for_exclusive_ones():
    inputs = keras.Input([8, 8, 3])
    x = keras.layers.Conv2D(3, 1, activation="sigmoid")(inputs)
    with pytest.raises(ValueError, match=r"a sigmoid for each of 3 classes.* > 0\.5"):
        predict.class_ids(keras.Model(inputs, x), np.zeros([8, 8, 3], "uint8"))


def test_scales_average_runs_on_resized_images(model, rng):
    image = rng.integers(0, 256, [21, 30, 3], "uint8")

    def at(*scales, **more):
        return predict.probabilities(model, image, scales=scales, **more)

    np.testing.assert_array_equal(at(1), predict.probabilities(model, image))
    np.testing.assert_allclose(at(0.5, 1), (at(0.5) + at(1)) / 2, atol=1e-6)
    assert at(0.5, 1.7, 0.1).shape == (21, 30, 3)
    both = at(0.5, flips=True)
    np.testing.assert_allclose(
        np.flip(both, 1),
        predict.probabilities(model, np.flip(image, 1), scales=[0.5], flips=True),
        atol=1e-4,  # the resized sides are not whole halves
    )
    ids = predict.class_ids(model, image, scales=(0.5, 1))
    np.testing.assert_array_equal(ids, at(0.5, 1).argmax(-1))


def test_a_plain_picture_is_the_same_at_every_scale(rng):
    x = keras.Input([None, None, 3])
    pointwise = keras.Model(x, keras.layers.Conv2D(3, 1)(x / 255))
    image = np.full([17, 23, 3], rng.integers(0, 256, 3), "uint8")
    scales = (0.5, 1, 1.75)
    np.testing.assert_allclose(
        predict.probabilities(pointwise, image, scales=scales),
        predict.probabilities(pointwise, image),
        atol=1e-6,
    )
    tiled = predict.predict_tiled(pointwise, image, tile_px=16, scales=scales)
    whole = predict.class_ids(pointwise, image)
    np.testing.assert_array_equal(tiled["class_ids"], whole)


@pytest.mark.parametrize("scales", [(), 1.0, (0.05,), (5,), ("a",), (1,) * 9])
def test_unusable_scales_are_refused(model, scales):
    with pytest.raises(ValueError, match="`scales` must be None or up to 8 numbers"):
        predict.class_ids(model, np.zeros([4, 4]), scales=scales)


def test_small_regions_become_background():
    ids = np.array([[1, 0, 2, 2], [0, 1, 2, 0], [3, 3, 0, 1]])
    # Regions of 4 neighbours: of class 1 three of 1 px, of 2 one of 3, of 3 one of 2.
    assert predict.largest_region_px(ids) == 3 > predict.largest_region_px(0 * ids)
    for least, expected in (
        (1, ids),
        (2, np.where(ids == 1, 0, ids)),
        (3, np.where(ids == 2, 2, 0)),
        (4, 0 * ids),
    ):
        np.testing.assert_array_equal(predict.without_small(ids, least), expected)
    assert ids.max() == 3  # untouched


@pytest.mark.parametrize("given", [{}, {"tile_px": 16}, {"refine": lambda i, p: p}])
def test_small_regions_go_in_every_way_of_prediction(model, rng, given):
    image = rng.integers(0, 256, [24, 24, 3], "uint8")
    found = predict.class_ids(model, image, min_area_px=9, **given)
    expected = predict.without_small(predict.class_ids(model, image, **given), 9)
    np.testing.assert_array_equal(found, expected)
    assert (found != predict.class_ids(model, image, **given)).any()


def test_last_tiles_may_be_of_a_few_pixels(rng):
    image = rng.integers(0, 256, (130, 65, 3), "uint8")
    model = zoo.unet(3, base_filters=4)
    found = predict.predict_tiled(model, image, tile_px=64, overlap_px=0)
    assert found["class_ids"].shape == (130, 65)


def test_one_image_is_no_batch():
    model = conv_model()
    image = np.zeros([6, 7, 3], "uint8")
    for one in (image, Image.fromarray(image)):
        with pytest.raises(ValueError, match=r"`class_ids\(model, image\)` takes it"):
            predict.class_ids_of_batch(model, one)
    assert predict.class_ids_of_batch(model, []) == []


@pytest.mark.parametrize("tile_px", [32.0, "32", (32, 32.0)])
def test_sides_of_tiles_are_whole_numbers(tile_px):
    with pytest.raises(ValueError, match="`tile_px` must be one whole number"):
        predict.class_ids(conv_model(), np.zeros([6, 7, 3]), tile_px=tile_px)


@pytest.mark.parametrize(
    "shape, fix", [((3, 6, 7), "moveaxis"), ((1, 6, 7, 3), "one after the other")]
)
def test_images_of_other_axes_get_a_fix(shape, fix):
    with pytest.raises(ValueError, match=fix):
        predict.class_ids(conv_model(), np.zeros(shape, "uint8"))
