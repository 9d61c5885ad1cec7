"""Promises of every semantic builder, tried on small encoders."""

import inspect

import keras
import numpy as np
import pytest
import tensorflow as tf

from kerasseg import encoders, zoo
from tests.contracts.cases import CASES, build

SIDES = [
    (name, option)
    for name, builder in zoo.BUILDERS.items()
    for option in ("aux", "deep_supervision")
    if option in inspect.signature(builder).parameters
]
STRIDED = [
    name
    for name, builder in zoo.BUILDERS.items()
    if "output_stride" in inspect.signature(builder).parameters
]

SLOW = pytest.mark.slow
# Saved, cast and fitted in the quick part: attention, poolings, unpooling, dilation.
FITTED = [("ocrnet", "tiny"), ("pan", "tiny"), ("pspnet", "tiny"), ("segnet", "tiny")]
FITTED += [("unet", "plain"), ("upernet", "tiny")]
few_quick = pytest.mark.parametrize(
    "model",
    [pytest.param(x, marks=[SLOW] * (x not in FITTED)) for x in CASES],
    ids="-".join,
    indirect=True,
)


@pytest.fixture(scope="module", params=CASES, ids="-".join)
def model(request):
    return build(*request.param)


@pytest.fixture(scope="module")
def traced(model):
    """The model as a graph for images of any size."""
    return tf.function(model, input_signature=[tf.TensorSpec(model.input.shape)])


def images(shape, seed=0):
    return np.random.default_rng(seed).integers(0, 256, shape).astype("float32")


def test_logits_of_any_size_are_those_of_a_trace_that_changes_nothing(model, traced):
    before = [np.array(variable.numpy()) for variable in model.variables]
    for shape in [(1, 65, 97, 3), (2, 32, 64, 3)]:
        image = images(shape)
        logits = model(image, training=False)
        assert logits.shape == (*shape[:3], 3)
        assert logits.dtype == "float32"
        tolerance = 1e-4 * np.abs(logits).max()
        np.testing.assert_allclose(traced(image), logits, atol=tolerance)
    for old, variable in zip(before, model.variables):
        np.testing.assert_array_equal(old, variable)


def test_images_of_any_size_from_one_pixel_on_give_logits(model, traced):
    for size in [(1, 1), (3, 200), (15, 15)]:
        image = images((1, *size, 3))
        expected, found = model(image), traced(image)
        assert expected.shape[:3] == (1, *size)
        scale = np.abs(expected).max()
        assert np.isfinite(scale)
        np.testing.assert_allclose(found, expected, atol=1e-4 * scale)


def test_every_weight_gets_a_gradient(model):
    # Large enough that statistics at the smallest scale of PAN are of several values.
    labels = np.random.default_rng(1).integers(0, 3, (2, 128, 192))
    with tf.GradientTape() as tape:
        logits = model(images((2, 128, 192, 3)), training=True)
        losses = keras.losses.sparse_categorical_crossentropy(labels, logits, True)
        loss = tf.reduce_mean(losses)
    values = [variable.value for variable in model.trainable_variables]
    gradients = tape.gradient(loss, values)
    paths = {variable.path for variable in model.variables}
    for variable, gradient in zip(model.trainable_variables, gradients):
        if variable.path.replace("_conv/bias", "_norm/gamma") in paths - {
            variable.path
        }:
            continue  # the mean of the normalisation takes such a bias away
        assert gradient is not None, variable.path
        assert np.any(np.asarray(gradient)), variable.path


def test_layer_names_are_given_by_hand_and_unique(model):
    variables = [variable.path for variable in model.variables]
    assert len(set(variables)) == len(variables)
    for layer in model._flatten_layers(include_self=False):
        automatic = keras.src.utils.naming.to_snake_case(type(layer).__name__)
        assert not layer.name.startswith(automatic + "_"), layer.name


@few_quick
def test_saving_and_loading_gives_identical_logits(model, tmp_path):
    model.save(tmp_path / "model.keras")
    model.save_weights(tmp_path / "model.weights.h5")
    image = images((1, 48, 40, 3))
    loaded = keras.models.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(loaded(image), model(image))
    for variable in loaded.variables:
        variable.assign(np.zeros(variable.shape))
    loaded.load_weights(tmp_path / "model.weights.h5")
    for variable, expected in zip(loaded.weights, model.weights):
        np.testing.assert_array_equal(variable, expected)


@few_quick
@pytest.mark.parametrize(
    ("policy", "num_classes", "channels"),
    [
        ("mixed_bfloat16", 1, 1),
        pytest.param("mixed_float16", 21, 4, marks=SLOW),
    ],
)
def test_precision_classes_and_channels_are_free_and_change_no_name(
    request, model, policy, num_classes, channels
):
    case, shape = request.node.callspec.params["model"], (None, None, channels)
    keras.config.set_dtype_policy(policy)
    try:
        other = build(*case, num_classes, input_shape=shape)
        logits = other(images((2, 48, 64, channels)), training=True)
    finally:
        keras.config.set_dtype_policy("float32")
    assert logits.shape == (2, 48, 64, num_classes)
    assert logits.dtype == "float32"
    assert np.all(np.isfinite(logits))
    # Nor do names depend on what was built before.
    assert [v.path for v in other.weights] == [v.path for v in model.weights]


@few_quick
def test_compile_and_fit_work_untouched(model):  # the last: it changes the weights
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile("sgd", loss)
    labels = np.zeros((2, 32, 32), "int32")
    history = model.fit(images((2, 32, 32, 3)), labels, verbose=0)
    assert np.isfinite(history.history["loss"][0])


@pytest.mark.parametrize(("name", "option"), SIDES)
def test_side_outputs_come_behind_the_logits(name, option):
    outputs = build(name, "tiny", **{option: True})(images((1, 33, 49, 3)))
    assert next(iter(outputs)) == "logits"
    assert len(outputs) > 1
    for output, logits in outputs.items():
        assert output == "logits" or output.startswith("aux")
        assert logits.shape == (1, 33, 49, 3)
        assert logits.dtype == "float32"


@pytest.mark.parametrize("name", zoo.names())
def test_an_unknown_encoder_is_refused_with_the_nearest_name(name):
    with pytest.raises(ValueError, match="Did you mean 'resnet50'"):
        zoo.BUILDERS[name](encoder="resnet_50")


@pytest.mark.parametrize("name", STRIDED)
def test_an_output_stride_that_does_not_exist_is_refused(name):
    with pytest.raises(ValueError, match="Received: output_stride=7"):
        zoo.BUILDERS[name](encoder="tiny", output_stride=7)


def test_a_frozen_encoder_stays_bit_identical_statistics_too():
    model = zoo.freeze(build("unet", "tiny"), "encoder")
    encoder = next(x for x in model.layers if isinstance(x, keras.Model))
    before = encoder.get_weights()
    model.compile("sgd", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    labels = np.zeros((2, 32, 32), "int32")
    model.fit(images((2, 32, 32, 3)), labels, verbose=0)
    for old, new in zip(before, encoder.get_weights()):
        np.testing.assert_array_equal(old, new)
    assert model.trainable_variables


def learning(model):
    return {variable.path for variable in model.trainable_variables}


def test_what_was_frozen_learns_again():
    model = build("unet", "tiny")
    everything = learning(model)
    zoo.freeze(zoo.freeze(model, "encoder"), "decoder")
    frozen = learning(model)
    assert 0 < len(frozen) < len(learning(zoo.unfreeze(model, "decoder")))
    assert learning(zoo.unfreeze(model)) == everything
    norms = [path for path in everything if "gamma" in path or "beta" in path]
    assert learning(zoo.unfreeze(model, norm=False)) == everything - {*norms}
    zoo.unfreeze(zoo.freeze(zoo.unfreeze(model)), "encoder", norm=False)
    inner = {variable.path for variable in encoders.of(model).variables}
    assert learning(model) == everything - ({*norms} & inner) != everything
    with pytest.raises(ValueError, match="Received: part='neck'"):
        zoo.unfreeze(model, "neck")


def test_features_are_those_of_the_encoder_in_a_model():
    model, image = build("unet", "tiny"), images((1, 48, 64, 3))[0]
    found = encoders.features(model, image)
    assert [x.shape[:2] for x in found.values()][:3] == [(24, 32), (12, 16), (6, 8)]
    inner = encoders.of(model)
    expected = inner(image[None], training=False)
    for name, values in encoders.features(inner, image.astype("float64")).items():
        np.testing.assert_array_equal(values, found[name])
        np.testing.assert_allclose(values, expected[name][0], atol=1e-6)
    grey = encoders.features(model, image[..., 0])
    again = encoders.features(model, np.repeat(image[..., :1], 3, -1))
    np.testing.assert_array_equal(grey["c5"], again["c5"])
    with pytest.raises(ValueError, match=r"must be \[H, W, 3\]"):
        encoders.features(model, image[..., :2])


def test_a_stage_of_the_encoder_is_a_part():
    model = build("fpn", "tiny")
    names = [x.name for x in encoders.of(model).layers]
    stage = names[-1].partition("_")[0]
    assert {x.name for x in zoo.part_of(model, stage)} == {
        name for name in names if name.startswith(stage)
    }


def test_freezing_a_part_that_does_not_exist_is_refused():
    with pytest.raises(ValueError, match="Received: part='neck'"):
        zoo.freeze(build("unet", "tiny"), "neck")


@pytest.mark.parametrize("name", zoo.names())
def test_every_builder_names_its_paper(name):
    assert "Reference: " in zoo.BUILDERS[name].__doc__
