"""Promises of every instance model, tried on small ones of 128 x 128 pixels."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from kerasseg import encoders, zoo
from tests.contracts.objects import (
    MASK_SIZE,
    NUM,
    SIZE,
    STEPS,
    assert_the_loss_reaches_every_weight,
    build,
    gradients,
    losses,
    scene,
)


@pytest.fixture(scope="module", params=zoo.names("instance"))
def model(request):
    return build(request.param)


@pytest.fixture(scope="module")
def found(model):
    """Outputs for noise with squares, and for a black image."""
    images = np.concatenate([scene()[0], np.zeros([1, SIZE, SIZE, 3], "float32")])
    return {name: np.array(value) for name, value in model(images).items()}


def test_outputs_have_fixed_shapes_and_types(model, found):
    shapes = {
        "boxes": ((NUM, 4), "float32"),
        "classes": ((NUM,), "int32"),
        "scores": ((NUM,), "float32"),
        "masks": ((NUM, *MASK_SIZE), "float32"),
        "num": ((), "int32"),
    }
    assert {k: (x.shape[1:], x.dtype) for k, x in found.items()} == shapes
    assert {k: (x.shape[1:], x.dtype) for k, x in model.output.items()} == shapes


def test_outputs_are_finite_and_in_range(found):
    for values in found.values():
        assert np.isfinite(values).all()
    assert found["boxes"].min() >= 0 and found["boxes"].max() <= SIZE
    assert found["masks"].min() >= 0 and found["masks"].max() <= 1
    assert (np.diff(found["scores"]) <= 0).all()


def test_padding_follows_what_was_found(found):
    padding = np.arange(NUM) >= found["num"][:, None]
    np.testing.assert_array_equal(found["classes"] < 0, padding)
    for name in ("boxes", "scores", "masks"):
        assert not found[name][padding].any()


def test_an_image_is_judged_alone(model, found):
    alone = model(scene()[0][1:])
    for name, values in alone.items():
        np.testing.assert_allclose(values[0], found[name][1], rtol=1e-4, atol=1e-4)


def test_a_saved_model_finds_the_same(model, found, tmp_path):
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    again = loaded(scene()[0])
    for name, values in again.items():
        np.testing.assert_allclose(values, found[name][:2], rtol=1e-5, atol=1e-4)
    assert encoders.of(loaded).name == "tiny"


def test_the_loss_reaches_every_weight(model):
    assert_the_loss_reaches_every_weight(model)


def test_padding_changes_no_loss(model):
    images, truth = scene(padding=0)
    expected = losses(model, images, truth)
    for name, value in losses(model, *scene(padding=5)).items():
        if model.name != "mask_rcnn":  # which samples other boxes
            np.testing.assert_allclose(value, expected[name], rtol=1e-4)
        assert np.isfinite(value)


def test_images_without_objects_give_finite_losses_and_gradients(model):
    images, truth = scene()
    truth["classes"] = np.full_like(truth["classes"], -1)
    truth["boxes"] *= 0
    terms, found = gradients(model, images, truth)
    assert all(np.isfinite(value) for value in terms.values())
    for gradient in found:
        assert gradient is None or np.isfinite(gradient).all()


def test_many_objects_one_upon_the_other_give_finite_losses(model):
    images, truth = scene(padding=0)
    truth = {
        name: np.tile(x[:1, :1], (2, 40, *x[0, 0].ndim * [1]))
        for name, x in truth.items()
    }
    assert all(np.isfinite(x) for x in losses(model, images, truth).values())


def test_a_frozen_encoder_leaves_the_other_parts_free():
    model = zoo.freeze(build("yolact"), "encoder")
    assert not encoders.of(model).trainable_variables
    assert model.get_layer("fpn").trainable_variables


@pytest.mark.parametrize("name", ["mask_rcnn", "yolact"])
def test_an_unknown_option_of_nms_is_refused(name):
    with pytest.raises(ValueError, match="Did you mean 'num_detections'"):
        build(name, nms={"num_detection": 3})


@pytest.mark.slow
def test_compiled_by_xla_it_finds_the_same(model):
    compiled = tf.function(model, jit_compile=True)(scene()[0])
    for name, expected in model(scene()[0]).items():
        np.testing.assert_allclose(compiled[name], expected, rtol=1e-3, atol=1e-3)


@pytest.mark.slow
@pytest.mark.parametrize("name", zoo.names("instance"))
def test_half_precision_keeps_outputs_in_float32(name):
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        model = build(name)
        found = model(scene()[0])
        terms = losses(model, *scene())
    finally:
        keras.config.set_dtype_policy("float32")
    for key, values in found.items():
        assert values.dtype == ("int32" if key in ("classes", "num") else "float32")
        assert np.isfinite(values).all()
    assert all(x.dtype == "float32" and np.isfinite(x) for x in terms.values())


@pytest.mark.slow
@pytest.mark.parametrize("name", zoo.names("instance"))
def test_a_few_steps_learn_two_pictures_by_heart(name):
    model, (images, truth) = build(name), scene()
    optimizer = keras.optimizers.Adam(STEPS[name][1])
    seed = keras.random.SeedGenerator(0)

    @tf.function
    def step():
        with tf.GradientTape() as tape:
            total = tf.add_n(list(losses(model, images, truth, seed).values()))
        weights = model.trainable_variables
        optimizer.apply(tape.gradient(total, [w.value for w in weights]), weights)

    optimizer.build(model.trainable_variables)
    for _ in range(STEPS[name][0]):
        step()
    found = {key: np.array(values) for key, values in model(images).items()}
    for n, g in np.argwhere(truth["classes"] >= 0):
        of_class = found["classes"][n] == truth["classes"][n, g]
        masks = found["masks"][n][of_class] > 0.5
        object_mask = truth["masks"][n, g] > 0
        shared = (masks & object_mask).sum((1, 2)) / (masks | object_mask).sum((1, 2))
        assert of_class.any()
        assert shared[0] > 0.8  # the best score of its class


@pytest.mark.parametrize("name", zoo.names("instance"))
def test_images_may_have_other_channels(name):
    model = build(name, channels=5)
    assert model.input_shape == (None, SIZE, SIZE, 5)
    found = model(np.zeros([1, SIZE, SIZE, 5], "float32"))
    assert found["boxes"].shape == (1, NUM, 4)
