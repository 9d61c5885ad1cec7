"""What every instance model promises, tried on small ones of 128 x 128 pixels."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from kerasseg import encoders, zoo

SIZE, NUM, CLASSES = 128, 8, 2
CANVAS = (SIZE // 4, SIZE // 4)
FEW = {"num_detections": NUM}
SMALL = {
    "center_mask": {"filters": 32, "head_filters": 32, "shape_size": 8, **FEW},
    "mask_rcnn": {"filters": 32, "hidden": 64, "num_proposals": 32, "nms": FEW},
    "yolact": {"filters": 32, "num_prototypes": 8, "nms": FEW},
}
# Updates and learning rates that suffice to learn two pictures.
STEPS = {"center_mask": (150, 3e-3), "mask_rcnn": (80, 3e-3), "yolact": (80, 3e-3)}
# (picture, class, box)
OBJECTS = [
    (0, 0, (16, 16, 64, 64)),
    (0, 1, (72, 56, 120, 112)),
    (1, 1, (40, 8, 120, 56)),
]
# One object for the anchors of each level of YOLACT.
OF_ALL_LEVELS = [
    (0, 0, (8, 8, 16, 16)),
    (0, 1, (16, 16, 32, 32)),
    (0, 1, (20, 20, 108, 108)),
    (1, 0, (4, 4, 28, 28)),
    (1, 1, (8, 8, 56, 56)),
]


def build(name, **options):
    keras.utils.set_random_seed(0)
    options = {"image_size": (SIZE, SIZE), **SMALL[name], **options}
    return zoo.BUILDERS[name](CLASSES, "tiny", **options)


def losses(model, images, truth, seed=0):
    function = zoo.BUILDERS[model.name].losses
    few = {"num_rois": 64} if model.name == "mask_rcnn" else {}
    return function(model, images, truth, seed=seed, **few)


def shape(class_id, box):
    """Mask on the canvas: class 0 fills its box, class 1 is a diamond in it."""
    x1, y1, x2, y2 = np.array(box) / 4
    y, x = np.indices(CANVAS) + 0.5
    far = np.stack([abs(x - (x1 + x2) / 2), abs(y - (y1 + y2) / 2)])
    far = far / np.array([(x2 - x1) / 2, (y2 - y1) / 2])[:, None, None]
    return (far.sum(0) if class_id else far.max(0)) <= 1


def scene(objects=OBJECTS, padding=1):
    """Two noisy pictures with red boxes and green diamonds, and their truth."""
    images = np.random.default_rng(0).integers(0, 60, (2, SIZE, SIZE, 3))
    num = max(sum(n == i for i, *_ in objects) for n in (0, 1)) + padding
    boxes, classes = np.zeros([2, num, 4], "float32"), np.full([2, num], -1)
    masks = np.zeros([2, num, *CANVAS], "uint8")
    places = [0, 0]
    for n, class_id, box in objects:
        at = n, places[n]
        places[n] += 1
        boxes[at], classes[at], masks[at] = box, class_id, shape(class_id, box)
        pixels = masks[at].repeat(4, 0).repeat(4, 1) > 0
        images[n][pixels] = [(250, 40, 40), (40, 250, 40)][class_id]
    truth = {"boxes": boxes, "classes": classes, "masks": masks}
    return images.astype("float32"), truth


def gradients(model, images, truth):
    """The terms of the loss, and the gradient of their sum."""
    with tf.GradientTape() as tape:
        terms = losses(model, images, truth)
        total = tf.add_n(list(terms.values()))
    return terms, tape.gradient(total, [w.value for w in model.trainable_variables])


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
        "masks": ((NUM, *CANVAS), "float32"),
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
    terms, found = gradients(model, *scene(OF_ALL_LEVELS))
    assert all(np.isfinite(value) and value >= 0 for value in terms.values())
    for weight, gradient in zip(model.trainable_variables, found):
        assert gradient is not None, weight.path
        assert np.isfinite(gradient).all() and np.any(gradient), weight.path


def test_padding_changes_no_loss(model):
    images, truth = scene(padding=0)
    expected = losses(model, images, truth)
    for name, value in losses(model, *scene(padding=5)).items():
        if model.name != "mask_rcnn":  # where other boxes are drawn by chance
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


@pytest.mark.parametrize("decoder", ["pyramid", "unet"])
def test_center_mask_decodes_by_finer_features_when_asked(decoder):
    model = build("center_mask", decoder=decoder)
    assert set(model.get_layer("decoder").input) == {"c2", "c3", "c4", "c5"}
    assert model(scene()[0])["masks"].shape == (2, NUM, *CANVAS)
    test_the_loss_reaches_every_weight(model)
    with pytest.raises(ValueError, match=r"Unknown decoder.*pyramid"):
        build("center_mask", decoder="pyramids")


def test_a_larger_canonical_box_is_read_from_finer_features():
    """Of all levels but the finest nothing reaches the second stage any more."""
    model = build("mask_rcnn", canonical_box=4.0)
    heads = [model.get_layer(f"{name}_features") for name in ("box", "mask")]
    pyramid = [np.full((1, 2**n, 2**n, 1), n, "float32") for n in (5, 4, 3, 2)]
    rois = np.array([[[0, 0, SIZE, SIZE], [8, 8, 16, 16]]], "float32")
    for head in heads:
        np.testing.assert_allclose(head([*pyramid, rois]), 5, rtol=1e-6)


def test_mask_rcnn_is_normalised_when_asked():
    model = build("mask_rcnn", norm="group")
    for part in ("fpn", "rpn_head", "mask_head"):
        kinds = {type(layer).__name__ for layer in model.get_layer(part).layers}
        assert "GroupNormalization" in kinds
    test_the_loss_reaches_every_weight(model)


def test_a_plain_encoder_has_as_many_filters_as_asked():
    model = zoo.yolact(1, "plain", base_filters=2, image_size=(64, 64), filters=4)
    assert encoders.of(model).output["c2"].shape[-1] == 8


def test_a_frozen_encoder_leaves_the_other_parts_free():
    model = zoo.freeze(build("yolact"), "encoder")
    assert not encoders.of(model).trainable_variables
    assert model.get_layer("fpn").trainable_variables


@pytest.mark.parametrize("name", ["mask_rcnn", "yolact"])
def test_an_unknown_option_of_the_selection_is_refused(name):
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
