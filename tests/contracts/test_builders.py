"""What every semantic builder promises, tried on small encoders."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from kerasseg import zoo

SMALL = {"unet": {"base_filters": 4, "decoder_filters": (16, 16, 8, 8, 8)}}
CASES = [(name, "tiny") for name in zoo.names()] + [("unet", "plain")]


def build(name, encoder, num_classes=3, **options):
    return zoo.BUILDERS[name](
        num_classes, encoder=encoder, **SMALL.get(name, {}), **options
    )


@pytest.fixture(scope="module", params=CASES, ids="-".join)
def model(request):
    return build(*request.param)


def images(shape, seed=0):
    return np.random.default_rng(seed).integers(0, 256, shape).astype("float32")


def test_logits_are_float32_at_the_size_of_any_image(model):
    for shape in [(1, 65, 97, 3), (2, 32, 64, 3)]:
        logits = model(images(shape), training=False)
        assert logits.shape == (*shape[:3], 3)
        assert logits.dtype == "float32"


def test_predict_and_call_agree_and_change_no_variable(model):
    before = [np.array(variable.numpy()) for variable in model.variables]
    image = images((1, 65, 97, 3))
    called = model(image)
    np.testing.assert_allclose(
        model.predict_on_batch(image), called, rtol=1e-4, atol=1e-5
    )
    for old, variable in zip(before, model.variables):
        np.testing.assert_array_equal(old, variable)


def test_every_weight_gets_a_gradient(model):
    labels = np.random.default_rng(1).integers(0, 3, (2, 64, 96))
    with tf.GradientTape() as tape:
        logits = model(images((2, 64, 96, 3)), training=True)
        losses = keras.losses.sparse_categorical_crossentropy(labels, logits, True)
        loss = tf.reduce_mean(losses)
    values = [variable.value for variable in model.trainable_variables]
    gradients = tape.gradient(loss, values)
    for variable, gradient in zip(model.trainable_variables, gradients):
        assert gradient is not None, variable.path
        assert np.any(np.asarray(gradient)), variable.path


def test_layer_names_are_given_by_hand_and_unique(model):
    variables = [variable.path for variable in model.variables]
    assert len(set(variables)) == len(variables)
    for layer in model._flatten_layers(include_self=False):
        automatic = keras.src.utils.naming.to_snake_case(type(layer).__name__)
        assert not layer.name.startswith(automatic + "_"), layer.name


def test_saving_and_loading_gives_identical_logits(model, tmp_path):
    model.save(tmp_path / "model.keras")
    model.save_weights(tmp_path / "model.weights.h5")
    image = images((1, 48, 40, 3))
    loaded = keras.models.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(loaded(image), model(image))
    for variable in loaded.variables:
        variable.assign(np.zeros(variable.shape))
    loaded.load_weights(tmp_path / "model.weights.h5")
    np.testing.assert_array_equal(loaded(image), model(image))


@pytest.mark.parametrize(("name", "encoder"), CASES)
@pytest.mark.parametrize(("num_classes", "channels"), [(1, 1), (2, 4), (21, 3)])
def test_classes_and_channels_are_free(name, encoder, num_classes, channels):
    model = build(name, encoder, num_classes, input_shape=(None, None, channels))
    assert model(images((1, 32, 48, channels))).shape == (1, 32, 48, num_classes)


@pytest.mark.parametrize(("name", "encoder"), CASES)
def test_names_do_not_depend_on_what_was_built_before(name, encoder):
    first, second = ([v.path for v in build(name, encoder).weights] for _ in range(2))
    assert first == second


@pytest.mark.parametrize("policy", ["mixed_bfloat16", "mixed_float16"])
@pytest.mark.parametrize(("name", "encoder"), CASES)
def test_mixed_precision_keeps_float32_logits(name, encoder, policy):
    keras.config.set_dtype_policy(policy)
    try:
        model = build(name, encoder)
        logits = model(images((1, 64, 64, 3)), training=True)
    finally:
        keras.config.set_dtype_policy("float32")
    assert logits.dtype == "float32"
    assert np.all(np.isfinite(logits))


@pytest.mark.parametrize(("name", "encoder"), CASES)
def test_compile_and_fit_work_untouched(name, encoder):
    model = build(name, encoder)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile("sgd", loss)
    history = model.fit(
        images((2, 32, 32, 3)), np.zeros((2, 32, 32), "int32"), verbose=0
    )
    assert np.isfinite(history.history["loss"][0])


@pytest.mark.parametrize("name", zoo.names())
def test_an_unknown_encoder_is_refused_with_the_nearest_name(name):
    with pytest.raises(ValueError, match="Did you mean 'resnet50'"):
        zoo.BUILDERS[name](encoder="resnet_50")


@pytest.mark.parametrize("name", ["fcn", "deeplab_v3", "deeplab_v3_plus"])
def test_an_output_stride_that_does_not_exist_is_refused(name):
    with pytest.raises(ValueError, match="Received: output_stride=7"):
        zoo.BUILDERS[name](encoder="tiny", output_stride=7)
