"""Weights by name: layouts of PyTorch, shapes, and all or nothing."""

import keras
import numpy as np
import pytest

from kerasseg import layers, weights
from kerasseg.weights import WeightsError


def small_model(channels=3):
    x = image = keras.Input((8, 8, channels))
    x = keras.layers.Conv2D(4, 3, use_bias=False, name="stem_conv")(x)
    x = keras.layers.BatchNormalization(name="stem_norm")(x)
    x = keras.layers.DepthwiseConv2D(3, name="mid_conv")(x)
    x = keras.layers.GlobalAveragePooling2D()(x)
    return keras.Model(image, keras.layers.Dense(2, name="head")(x))


def arrays_of(model):
    return {k: v.numpy() for k, v in weights.named_variables(model).items()}


def test_a_keras_weight_file_is_read(tmp_path):
    model = small_model()
    model.save_weights(tmp_path / "a.weights.h5")
    arrays = weights.read(tmp_path / "a.weights.h5")
    kernel = next(a for name, a in arrays.items() if a.shape == (3, 3, 3, 4))
    np.testing.assert_array_equal(kernel, model.get_layer("stem_conv").kernel)


def test_assign_lists_every_problem_at_once_and_changes_nothing(rng):
    model = small_model()
    before = arrays_of(model)
    arrays = {k: v + 1 for k, v in before.items() if k != "head/bias"}
    arrays["head/kernel"] = np.zeros((4, 3), "float32")
    arrays["tail/kernel"] = np.zeros(2)
    with pytest.raises(WeightsError) as info:
        weights.assign(model, arrays, path="a.npz")
    for part in ("a.npz", "unknown: 'tail/kernel'", "missing: 'head/bias'"):
        assert part in str(info.value)
    assert "'head/kernel (4, 3) for (4, 2)'" in str(info.value)
    for name, array in arrays_of(model).items():
        np.testing.assert_array_equal(array, before[name])


def test_a_saved_npz_loads_into_another_model(tmp_path, rng):
    source, target = small_model(), small_model()
    np.savez(tmp_path / "a.npz", **arrays_of(source))
    assert weights.load(target, tmp_path / "a.npz") is target
    image = rng.uniform(size=(1, 8, 8, 3))
    np.testing.assert_array_equal(source(image), target(image))


def test_partial_loading_sets_what_fits_by_name():
    model = small_model()
    given = {"head/bias": np.float32([1, 2]), "other/bias": np.zeros(3)}
    assert weights.assign(model, given, partial=True) == ["head/bias"]
    np.testing.assert_array_equal(model.get_layer("head").bias, [1, 2])
    with pytest.raises(WeightsError, match="unknown: 'other/bias'"):
        weights.assign(model, {"other/bias": np.zeros(3)}, partial=True)


def torch_arrays(rng, channels=3):
    shapes = {
        "conv1.weight": (4, channels, 3, 3),
        **{f"bn1.{kind}": (4,) for kind in ("weight", "bias", "running_mean")},
        "bn1.running_var": (4,),
        "bn1.num_batches_tracked": (),
        "dw.weight": (4, 1, 3, 3),
        "dw.bias": (4,),
        "fc.weight": (2, 4),
        "fc.bias": (2,),
        "aux.weight": (9, 9),
    }
    arrays = {name: rng.uniform(1, 2, shape) for name, shape in shapes.items()}
    return {name: np.asarray(array, "float32") for name, array in arrays.items()}


RULES = (
    (r"^aux\.", None),
    (r"^conv1\.", "stem_conv."),
    (r"^bn1\.", "stem_norm."),
    (r"^dw\.", "mid_conv."),
    (r"^fc\.", "head."),
)


def test_torch_layouts_become_those_of_keras(rng):
    model, arrays = small_model(), torch_arrays(rng)
    result = weights.from_torch(arrays, model, RULES)
    weights.assign(model, result)
    # the same number at [out, in, row, column] and at [row, column, in, out]
    assert result["stem_conv/kernel"][0, 1, 2, 3] == arrays["conv1.weight"][3, 2, 0, 1]
    assert result["mid_conv/kernel"][0, 1, 2, 0] == arrays["dw.weight"][2, 0, 0, 1]
    assert result["head/kernel"][3, 1] == arrays["fc.weight"][1, 3]
    for ours, theirs in [("gamma", "weight"), ("moving_variance", "running_var")]:
        np.testing.assert_array_equal(
            result[f"stem_norm/{ours}"], arrays[f"bn1.{theirs}"]
        )


def test_a_convolution_of_grey_images_is_not_taken_for_a_depthwise_one(rng):
    model = small_model(channels=1)
    arrays = torch_arrays(rng, channels=1)
    result = weights.from_torch(arrays, model, RULES)
    weights.assign(model, result)
    assert result["stem_conv/kernel"][0, 1, 0, 3] == arrays["conv1.weight"][3, 0, 0, 1]


def test_two_arrays_of_one_name_are_refused(rng):
    rules = ((r"^(bn1|dw|conv1)\.", "same."), (r"^fc\.", "head."))
    with pytest.raises(WeightsError, match="two arrays are both 'same/"):
        weights.from_torch(torch_arrays(rng), small_model(), rules)


@pytest.mark.parametrize("channels", [1, 4])
def test_a_first_kernel_fits_other_channels_and_grey_pictures_look_the_same(
    rng, channels
):
    source, target = small_model(), small_model(channels)
    weights.load(target, arrays_of(source))
    grey = rng.uniform(size=(1, 8, 8, 1))
    expected = source(np.repeat(grey, 3, -1))
    np.testing.assert_allclose(
        target(np.repeat(grey, channels, -1)), expected, rtol=1e-4, atol=1e-5
    )


def test_a_keras_file_of_another_model_is_a_typed_error_and_changes_nothing(tmp_path):
    small_model().save_weights(tmp_path / "a.weights.h5")
    image = keras.Input((8, 8, 3))
    x = keras.layers.Conv2D(4, 3, use_bias=False)(image)  # the only layer that fits
    other = keras.Model(image, keras.layers.Conv2D(2, 1)(keras.layers.ReLU()(x)))
    before = other.get_weights()
    with pytest.raises(WeightsError, match=r"a\.weights\.h5.*does not fit"):
        weights.load(other, tmp_path / "a.weights.h5")
    for array, expected in zip(other.get_weights(), before):
        np.testing.assert_array_equal(array, expected)


def test_names_that_no_rule_knows_are_reported_as_they_are_in_the_file(rng):
    arrays = {**torch_arrays(rng), "neck.2.weight": np.zeros((2, 2))}
    with pytest.raises(WeightsError, match=r"unknown: 'neck\.2\.weight'\."):
        weights.load(small_model(), arrays, rules=RULES)


def encoder(channels=3, dilation=1, classes=2):
    """Small enough to check, with a layer whose class depends on the dilation."""
    x = image = keras.Input((8, 8, channels))
    x = keras.layers.Conv2D(4, 3, padding="same", name="stem_conv")(x)
    kind = keras.layers.Conv2D if dilation == 1 else layers.AtrousConv2D
    x = kind(4, 3, padding="same", dilation_rate=dilation, name="deep_conv")(x)
    taps = keras.Model(image, x, name="encoder")
    image = keras.Input((8, 8, channels))
    x = keras.layers.Conv2D(classes, 1, name="head")(taps(image))
    return keras.Model(image, x, name="whole")


@pytest.fixture(params=[".weights.h5", ".npz"])
def trained(request, tmp_path):
    model, path = encoder(), tmp_path / f"trained{request.param}"
    if request.param == ".npz":
        np.savez(path, **arrays_of(model))
    else:
        model.save_weights(path)
    return model, path


def test_weights_go_into_a_model_of_another_dilation(trained):
    source, path = trained
    dense = weights.load(encoder(dilation=2), path)
    for name, array in arrays_of(dense).items():
        np.testing.assert_array_equal(array, arrays_of(source)[name])


def test_weights_go_into_a_model_of_other_channels(trained):
    source, path = trained
    five = arrays_of(weights.load(encoder(channels=5), path))
    kernel = arrays_of(source)["stem_conv/kernel"]
    expected = kernel.mean(2, keepdims=True).repeat(5, 2) * (3 / 5)
    np.testing.assert_allclose(five["stem_conv/kernel"], expected, rtol=1e-6)
    np.testing.assert_array_equal(
        five["deep_conv/kernel"], arrays_of(source)["deep_conv/kernel"]
    )


def test_another_head_is_named_and_left_out_on_request(trained, caplog):
    source, path = trained
    other = encoder(classes=5)
    before = arrays_of(other)
    with pytest.raises(WeightsError, match=r"misshapen: 'head/bias \(2,\) for \(5,\)'"):
        weights.load(other, path)
    weights.load(other, path, partial=True)
    assert "'head/kernel (1, 1, 4, 2) for (1, 1, 4, 5)'" in caplog.text
    for name, array in arrays_of(other).items():
        expected = before if name.startswith("head") else arrays_of(source)
        np.testing.assert_array_equal(array, expected[name])
