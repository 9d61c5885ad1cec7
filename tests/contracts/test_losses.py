"""Promises of every loss of the package."""

import inspect

import keras
import numpy as np
import pytest
import tensorflow as tf

from kerasseg import losses
from kerasseg.layers import ResizeLike

REGION = ("Dice", "Jaccard", "Lovasz", "Tversky")
PIXEL = ("CrossEntropy", "Focal", "TopK")
NAMES = tuple(losses.LOSSES)
BATCH = ("CrossEntropy", "Focal", *REGION)  # those that can score a batch as one
SIZE = (3, 4, 5)


def make(name, **options):
    if name == "Weighted":
        parts = [(1.0, losses.CrossEntropy(**options)), (0.5, losses.Dice(**options))]
        return losses.Weighted(parts)
    return getattr(losses, name)(**options)


def batch(kind, rng):
    """Labels with about a fifth ignored, and logits."""
    classes = 1 if kind == "binary" else 3
    logits = rng.normal(size=(*SIZE, classes)).astype("float32")
    shape = (*SIZE, classes) if kind == "multilabel" else SIZE
    labels = rng.integers(0, 3 if kind == "multiclass" else 2, shape)
    labels[rng.random(shape) < 0.2] = 255
    return labels.astype("int32"), logits


def value_and_gradient(loss, labels, logits, weights=None):
    logits = tf.convert_to_tensor(logits)
    with tf.GradientTape() as tape:
        tape.watch(logits)
        value = loss(labels, logits, weights)
    return float(value), tape.gradient(value, logits)


every_loss = pytest.mark.parametrize("name", NAMES)
every_kind = pytest.mark.parametrize("kind", ["binary", "multiclass", "multilabel"])


@every_loss
@every_kind
def test_call_returns_one_float32_an_image(name, kind, rng):
    values = make(name).call(*batch(kind, rng))
    assert tuple(values.shape) == (SIZE[0],)
    assert values.dtype == tf.float32


@every_loss
@every_kind
def test_images_of_a_batch_do_not_influence_each_other(name, kind, rng):
    labels, logits = batch(kind, rng)
    loss = make(name)
    alone = [float(loss.call(labels[i : i + 1], logits[i : i + 1])[0]) for i in (0, 2)]
    together = loss.call(labels, logits).numpy()
    np.testing.assert_allclose(together[[0, 2]], alone, rtol=1e-6)


@every_loss
@every_kind
def test_ignored_pixels_change_nothing_and_get_no_gradient(name, kind, rng):
    labels, logits = batch(kind, rng)
    ignored = np.broadcast_to(
        labels == 255 if kind == "multilabel" else (labels == 255)[..., None],
        logits.shape,
    )
    value, gradient = value_and_gradient(make(name), labels, logits)
    assert np.all(gradient.numpy()[ignored] == 0)
    if kind != "multilabel":  # there a softmax or a sum does not mix the classes
        assert np.any(gradient.numpy()[~ignored] != 0)
    other = np.where(ignored, logits + 7, logits)
    assert value_and_gradient(make(name), labels, other)[0] == value


@every_loss
@every_kind
def test_only_ignored_pixels_give_zero_and_no_gradient(name, kind, rng):
    labels, logits = batch(kind, rng)
    value, gradient = value_and_gradient(make(name), labels * 0 + 255, logits)
    assert value == 0
    assert np.all(gradient.numpy() == 0)


@every_loss
@every_kind
@pytest.mark.parametrize("dtype", ["float32", "bfloat16", "float16"])
def test_extreme_logits_give_finite_value_and_gradient(name, kind, dtype, rng):
    labels, logits = batch(kind, rng)
    extreme = tf.cast(np.where(logits > 0, 1e4, -1e4), dtype)
    value, gradient = value_and_gradient(make(name), labels, extreme)
    assert np.isfinite(value)
    assert gradient.dtype == extreme.dtype
    assert np.all(np.isfinite(tf.cast(gradient, "float32")))


@every_loss
@every_kind
def test_certain_and_right_costs_nothing(name, kind, rng):
    labels, logits = batch(kind, rng)
    truth = np.eye(3)[labels % 3] if kind == "multiclass" else labels == 1
    right = np.reshape(np.where(truth, 50.0, -50.0), logits.shape).astype("float32")
    value, _ = value_and_gradient(make(name), labels, right)
    assert value == pytest.approx(0, abs=1e-6)
    if name != "Boundary":  # on 4 x 5 pixels every outline is near every other
        assert value_and_gradient(make(name), labels, -right)[0] > 0.4


@every_loss
@every_kind
def test_half_precision_logits_are_computed_in_float32(name, kind, rng):
    labels, logits = batch(kind, rng)
    half = tf.cast(logits, "bfloat16")
    value, _ = value_and_gradient(make(name), labels, half)
    same, _ = value_and_gradient(make(name), labels, tf.cast(half, "float32"))
    assert value == same


@every_loss
@every_kind
def test_gradient_is_the_slope_of_the_value(name, kind, rng):
    labels, logits = batch(kind, rng)
    direction = rng.normal(size=logits.shape).astype("float32")
    loss = make(name)
    _, gradient = value_and_gradient(loss, labels, logits)
    step = 1e-3  # float32 values of order 1: the slope is good to about 1e-4
    ahead = loss(labels, logits + step * direction)
    behind = loss(labels, logits - step * direction)
    slope = float(ahead - behind) / (2 * step)
    assert np.sum(gradient.numpy() * direction) == pytest.approx(slope, abs=2e-3)


@pytest.mark.filterwarnings("ignore:Labels must be class ids")
@every_loss
@every_kind
def test_labels_that_are_no_class_count_as_ignored(name, kind, rng):
    labels, logits = batch(kind, rng)
    wrong = np.where(labels == 255, np.resize([7, -1, 1000], labels.shape), labels)
    assert float(make(name)(wrong, logits)) == float(make(name)(labels, logits))


@pytest.mark.filterwarnings("ignore:Labels must be class ids")
@every_loss
def test_ignore_label_can_be_a_class_or_none(name, rng):
    labels, logits = batch("multiclass", rng)
    without = np.where(labels == 1, 255, labels)
    ignored = make(name, ignore_label=1)(labels, logits)
    assert float(ignored) == float(make(name)(without, logits))
    kept = make(name, ignore_label=None)(labels, logits)
    assert float(kept) == float(make(name)(labels, logits))


@every_loss
def test_sample_weight_weighs_images(name, rng):
    labels, logits = batch("multiclass", rng)
    loss = make(name)
    values = loss.call(labels, logits).numpy()
    weighted = loss(labels, logits, sample_weight=np.array([1.0, 0.0, 2.0]))
    assert float(weighted) == pytest.approx((values[0] + 2 * values[2]) / 3, rel=1e-6)


@every_loss
def test_compiled_for_any_size_it_gives_the_same(name, rng):
    labels, logits = batch("multiclass", rng)
    signature = [
        tf.TensorSpec([None, None, None], "int32"),
        tf.TensorSpec([None, None, None, 3], "float32"),
    ]
    compiled = tf.function(make(name).call, input_signature=signature)
    expected = make(name).call(labels, logits)
    np.testing.assert_allclose(compiled(labels, logits), expected, rtol=1e-6)
    # A replica may get no image at the end of an epoch.
    assert compiled(labels[:0], logits[:0]).shape == (0,)


@pytest.mark.slow
@every_kind
def test_xla_compiles_value_and_gradient_of_every_loss(kind, rng):
    # Keras switches XLA on by itself where there is a GPU. One compilation for all of
    # them takes a fifth of the time.
    labels, logits = batch(kind, rng)
    weights = rng.random(SIZE, dtype="float32")
    made = {name: make(name) for name in NAMES}
    made |= {f"{x}_batch": make(x, per_image=False) for x in BATCH}

    @tf.function(jit_compile=True)
    def compiled(labels, logits, weights):
        with tf.GradientTape(persistent=True) as tape:
            tape.watch(logits)
            plain = {x: loss(labels, logits) for x, loss in made.items()}
            weighted = {x: loss(labels, logits, weights) for x, loss in made.items()}
        values = [plain, weighted]
        return [{x: tape.gradient(some[x], logits) for x in made} for some in values]

    found = compiled(tf.constant(labels), tf.constant(logits), tf.constant(weights))
    for name, loss in made.items():
        for gradients, weight in zip(found, (None, weights)):
            _, expected = value_and_gradient(loss, labels, logits, weight)
            np.testing.assert_allclose(
                gradients[name], expected, atol=1e-6, err_msg=name
            )


@pytest.mark.slow
@every_loss
def test_a_model_that_resizes_its_logits_trains_under_xla(name, rng):
    x = image = keras.Input((None, None, 3))
    x = keras.layers.Conv2D(3, 3, 2, padding="same")(x)
    model = keras.Model(image, ResizeLike()([x, image]))
    loss = make(name)
    model.compile("sgd", loss, jit_compile=True)
    images = rng.random((2, 9, 7, 3), "float32")
    labels = rng.integers(0, 3, (2, 9, 7))
    before = model.get_weights()
    expected = float(loss(labels, model(images, training=True)))
    found = model.fit(images, labels, verbose=0).history["loss"]
    assert found == pytest.approx([expected], rel=1e-4)
    assert all(np.any(x != y) for x, y in zip(before, model.get_weights()))


@every_loss
def test_config_holds_every_argument_and_gives_the_loss_back(name, rng):
    loss = make(name)
    config = keras.saving.serialize_keras_object(loss)
    copy = keras.saving.deserialize_keras_object(config)
    arguments = set(inspect.signature(type(loss).__init__).parameters) - {"self"}
    assert arguments == set(loss.get_config())
    assert keras.saving.serialize_keras_object(copy) == config
    labels, logits = batch("multiclass", rng)
    assert float(copy(labels, logits)) == float(loss(labels, logits))


@pytest.mark.slow
def test_a_compiled_model_comes_back_from_disk_with_every_loss(rng, tmp_path):
    labels, _ = batch("multiclass", rng)
    labels[labels == 255] = 2  # the ignore label below
    images = rng.random((*SIZE, 3), dtype="float32")
    inputs = keras.Input((None, None, 3))
    outputs = {name: keras.layers.Conv2D(3, 1, name=name)(inputs) for name in NAMES}
    model = keras.Model(inputs, outputs)
    model.compile("sgd", {name: make(name, ignore_label=2) for name in NAMES})
    targets = dict.fromkeys(NAMES, labels)
    expected = model.evaluate(images, targets, verbose=0, return_dict=True)
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    found = loaded.evaluate(images, targets, verbose=0, return_dict=True)
    assert found == pytest.approx(expected)
    assert len(found) == len(NAMES) + 1


@every_loss
@pytest.mark.parametrize(
    "shape", [(3, 4, 6), (3, 4, 6, 1), (3, 4, 5, 2), (3, 20), (4, 5)]
)
def test_labels_of_another_shape_are_refused(name, shape):
    with pytest.raises(ValueError, match=r"Labels must be .*Received: labels \["):
        make(name)(np.zeros(shape), np.zeros((*SIZE, 3)))


@every_loss
def test_several_outputs_are_refused_with_the_fix(name):
    with pytest.raises(ValueError, match=r"loss=\{'logits'.*\['aux', 'logits'\]"):
        make(name)(np.zeros(SIZE), {"logits": np.zeros((*SIZE, 3)), "aux": 0.0})


@pytest.mark.parametrize("name", REGION)
def test_classes_absent_from_an_image_are_left_out(name, rng):
    # Only class 1 occurs. Without the others, its loss alone is the mean.
    labels, logits = np.ones(SIZE, "int32"), batch("multiclass", rng)[1]
    only_class_1 = make(name, class_weights=[0.0, 1.0, 0.0])
    expected = float(only_class_1(labels, logits))
    assert float(make(name)(labels, logits)) == pytest.approx(expected)
    assert expected > 0.1


@pytest.mark.parametrize("name", REGION)
def test_a_binary_image_without_foreground_gives_zero(name, rng):
    labels, logits = np.zeros(SIZE, "int32"), batch("binary", rng)[1]
    value, gradient = value_and_gradient(make(name), labels, logits)
    assert value == 0
    assert np.all(gradient.numpy() == 0)


@pytest.mark.parametrize("name", [*REGION, *PIXEL])
@pytest.mark.parametrize(
    ("weights", "message"),
    [([1.0, 2.0], "must hold 3"), ([1.0, -1.0, 1.0], "finite"), ([], "finite")],
)
def test_class_weights_must_be_one_number_a_class(name, weights, message, rng):
    with pytest.raises(ValueError, match=f"`class_weights`.*{message}"):
        make(name, class_weights=weights)(*batch("multiclass", rng))
