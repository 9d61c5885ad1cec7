import math

import keras
import numpy as np
import pytest

from kerasseg.losses import CrossEntropy, Focal, TopK


@pytest.fixture
def multiclass(rng):
    labels = rng.integers(0, 4, (3, 6, 5))
    return labels, rng.normal(size=(3, 6, 5, 4)).astype("float32")


@pytest.fixture
def binary(rng):
    labels = rng.integers(0, 2, (3, 6, 5, 1))
    return labels, rng.normal(size=(3, 6, 5, 1)).astype("float32")


def test_cross_entropy_by_hand_on_a_2x2_map():
    # p of the truth: 1/2, 3/4, ignored, 1/4  (logits ln 3 and 0 give 3/4 and 1/4)
    labels = [[[0, 0], [255, 1]]]
    logits = np.log([[[[1, 1], [3, 1]], [[1, 9], [3, 1]]]]).astype("float32")
    expected = -(math.log(1 / 2) + math.log(3 / 4) + math.log(1 / 4)) / 3
    assert float(CrossEntropy()(labels, logits)) == pytest.approx(expected)


def test_class_weights_by_hand_divide_by_the_number_of_pixels():
    # p = 1/2 everywhere: ln 2 per pixel, three pixels of weight 1 and one of weight 5
    labels, logits = [[[0, 0], [0, 1]]], np.zeros((1, 2, 2, 2))
    loss = CrossEntropy(class_weights=[1.0, 5.0])
    assert float(loss(labels, logits)) == pytest.approx(math.log(2) * (3 + 5) / 4)


def test_binary_class_weights_are_background_and_foreground():
    labels, logits = [[[0, 0], [0, 1]]], np.zeros((1, 2, 2, 1))
    loss = CrossEntropy(class_weights=[1.0, 5.0])
    assert float(loss(labels, logits)) == pytest.approx(math.log(2) * (3 + 5) / 4)


def test_multilabel_class_weights_weigh_channels():
    # ln 2 in each of 4 pixels x 2 channels; weights 1 and 3, 8 entries
    labels, logits = np.zeros((1, 2, 2, 2)), np.zeros((1, 2, 2, 2))
    loss = CrossEntropy(class_weights=[1.0, 3.0])
    expected = math.log(2) * (4 * 1 + 4 * 3) / 8
    assert float(loss(labels, logits)) == pytest.approx(expected)


def test_multiclass_equals_keras(multiclass):
    expected = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    assert float(CrossEntropy()(*multiclass)) == pytest.approx(
        float(expected(*multiclass)), rel=1e-6
    )


def test_binary_and_multilabel_equal_keras(binary, multiclass):
    expected = keras.losses.BinaryCrossentropy(from_logits=True)
    several = (multiclass[1] > 0.3, multiclass[1][..., ::-1])
    for labels, logits in (binary, several):
        assert float(CrossEntropy()(labels, logits)) == pytest.approx(
            float(expected(labels, logits)), rel=1e-6
        )


def test_label_smoothing_equals_keras(multiclass, binary):
    labels, logits = multiclass
    expected = keras.losses.CategoricalCrossentropy(
        from_logits=True, label_smoothing=0.2
    )(np.eye(4)[labels], logits)
    loss = CrossEntropy(label_smoothing=0.2)
    assert float(loss(labels, logits)) == pytest.approx(float(expected), rel=1e-6)
    expected = keras.losses.BinaryCrossentropy(from_logits=True, label_smoothing=0.2)
    assert float(loss(*binary)) == pytest.approx(float(expected(*binary)), rel=1e-6)


def test_every_image_counts_alike_however_much_is_ignored():
    # image 0: one valid pixel, ln 2; image 1: four pixels of certain truth, 0
    labels = np.array([[[0, 255], [255, 255]], [[0, 0], [0, 0]]])
    logits = np.zeros((2, 2, 2, 2), "float32")
    logits[1, ..., 0] = 60
    assert float(CrossEntropy()(labels, logits)) == pytest.approx(math.log(2) / 2)


@pytest.mark.parametrize("gamma", [0.5, 1.0, 2.0, 5.0])
def test_binary_focal_equals_keras(binary, gamma):
    expected = keras.losses.BinaryFocalCrossentropy(
        gamma=gamma, alpha=0.25, apply_class_balancing=True, from_logits=True
    )
    loss = Focal(gamma, alpha=0.25)
    assert float(loss(*binary)) == pytest.approx(float(expected(*binary)), rel=1e-5)


def test_multiclass_focal_equals_its_formula(multiclass):
    labels, logits = multiclass
    p = np.exp(logits.astype("float64"))
    p = np.take_along_axis(p / p.sum(-1, keepdims=True), labels[..., None], -1)
    expected = np.mean(-((1 - p) ** 2) * np.log(p))
    assert float(Focal()(labels, logits)) == pytest.approx(expected, rel=1e-5)


def test_focal_without_gamma_is_cross_entropy(multiclass):
    assert float(Focal(gamma=0)(*multiclass)) == float(CrossEntropy()(*multiclass))


def test_focal_alpha_for_class_ids_is_refused_with_the_fix(multiclass):
    with pytest.raises(ValueError, match=r"use `class_weights`.*alpha=0\.25"):
        Focal(alpha=0.25)(*multiclass)


def hardest(labels, logits, count):
    """Mean of the `count` largest cross-entropies of each image, in NumPy."""
    p = np.exp(logits.astype("float64"))
    p = np.take_along_axis(p / p.sum(-1, keepdims=True), labels[..., None], -1)
    losses = np.sort(-np.log(p).reshape(len(labels), -1))
    return losses[:, ::-1][:, :count].mean(-1)


def test_top_k_is_the_mean_of_the_hardest_pixels(multiclass):
    # 30 pixels per image, a fifth of them is 6
    values = TopK(0.2).call(*multiclass)
    np.testing.assert_allclose(values, hardest(*multiclass, 6), rtol=1e-5)


def test_top_k_of_all_pixels_is_cross_entropy(multiclass):
    expected = CrossEntropy().call(*multiclass)
    np.testing.assert_allclose(TopK(1.0).call(*multiclass), expected, rtol=1e-6)


def test_top_k_takes_its_fraction_of_the_valid_pixels(multiclass):
    labels, logits = multiclass
    labels[:, :4] = 255  # 10 of 30 pixels stay, a fifth of them is 2
    expected = hardest(labels[:, 4:], logits[:, 4:], 2)
    np.testing.assert_allclose(TopK(0.2).call(labels, logits), expected, rtol=1e-5)


def test_top_k_keeps_at_least_one_pixel(multiclass):
    values = TopK(0.0).call(*multiclass)
    np.testing.assert_allclose(values, hardest(*multiclass, 1), rtol=1e-5)


def test_top_k_threshold_adds_all_improbable_pixels():
    # p of the truth: 0.1, 0.4, 0.6, 0.9; below 0.5 are two, a quarter is one
    p = np.array([0.1, 0.4, 0.6, 0.9])
    logits = np.log(np.stack([p, 1 - p], -1)).reshape(1, 2, 2, 2).astype("float32")
    labels = np.zeros((1, 2, 2), int)
    expected = -(math.log(0.1) + math.log(0.4)) / 2
    assert float(TopK(0.25, 0.5)(labels, logits)) == pytest.approx(expected, rel=1e-5)
    assert float(TopK(0.25)(labels, logits)) == pytest.approx(-math.log(0.1), rel=1e-5)


def test_top_k_lets_ties_share_the_places():
    import tensorflow as tf

    # Four pixels alike, two places: each gets half a place, (p - 1) / 2 / 2 = -1/8.
    logits = tf.zeros((1, 2, 2, 2))
    with tf.GradientTape() as tape:
        tape.watch(logits)
        value = TopK(0.5)(np.zeros((1, 2, 2)), logits)
    assert float(value) == pytest.approx(math.log(2))
    np.testing.assert_allclose(tape.gradient(value, logits)[..., 0], -1 / 8)


def test_top_k_weighs_classes_after_the_choice():
    # p of the truth: 0.5, 0.4 (class 0) and 0.9, 0.8 (class 1, weight 100)
    p = np.array([0.5, 0.4, 0.9, 0.8])
    sides = np.stack([p, 1 - p], -1)
    sides[2:] = sides[2:, ::-1]
    logits = np.log(sides).reshape(1, 2, 2, 2).astype("float32")
    loss = TopK(0.25, class_weights=[1.0, 100.0])
    value = float(loss([[[0, 0], [1, 1]]], logits))
    assert value == pytest.approx(-math.log(0.4), rel=1e-5)


@pytest.mark.parametrize(
    ("make", "argument"),
    [
        (lambda: CrossEntropy(label_smoothing=1.5), "label_smoothing"),
        (lambda: Focal(gamma=-1), "gamma"),
        (lambda: Focal(alpha=2), "alpha"),
        (lambda: TopK(fraction=25), "fraction"),
        (lambda: TopK(threshold=0), "threshold"),
    ],
)
def test_options_out_of_range_are_refused(make, argument):
    with pytest.raises(ValueError, match=f"`{argument}` must lie in .*Received"):
        make()
