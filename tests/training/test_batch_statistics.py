"""Averages of BatchNorm after slices, against numpy."""

import keras
import numpy as np
import pytest

from kerasseg import layers, training
from tests.training import training_cases as cases


def norm_network(kind, momentum=0.9, shared=False):
    keras.utils.set_random_seed(0)
    image = keras.Input((8, 8, 3))
    norm = kind(momentum=momentum, name="norm")
    x = norm(norm(image)) if shared else norm(image)
    return keras.Model(image, keras.layers.Conv2D(3, 1)(x)), norm


@pytest.mark.parametrize("accumulate", [1, 2, 4, 8])
@pytest.mark.parametrize(
    "kind", [keras.layers.BatchNormalization, layers.BatchNormalization]
)
def test_averages_move_once_by_the_statistics_of_the_batch(accumulate, kind):
    model, norm = norm_network(kind)
    step = cases.make_step(model, accumulate=accumulate)
    mean, variance = np.zeros(3), np.ones(3)
    for number in range(3):
        images, labels = cases.batch(number, 8)
        images += 40 * np.arange(8)[:, None, None, None]  # slices differ
        step(images, labels)
        mean = 0.9 * mean + 0.1 * images.mean((0, 1, 2))
        variance = 0.9 * variance + 0.1 * images.var((0, 1, 2))
    np.testing.assert_allclose(norm.moving_mean, mean, rtol=1e-5)
    np.testing.assert_allclose(norm.moving_variance, variance, rtol=1e-4)


@pytest.mark.parametrize("momentum", [0.999, 1.0])
def test_extreme_momentum_stays_right(momentum):
    model, norm = norm_network(keras.layers.BatchNormalization, momentum)
    images, labels = cases.batch(0, 8)
    cases.make_step(model, accumulate=4)(images, labels)
    expected = momentum + (1 - momentum) * images.var((0, 1, 2))
    np.testing.assert_allclose(norm.moving_variance, expected, rtol=1e-4)


def test_frozen_averages_do_not_move():
    model, norm = norm_network(keras.layers.BatchNormalization)
    norm.trainable = False
    cases.make_step(model, accumulate=2)(*cases.batch(0))
    assert not norm.moving_mean.numpy().any()


def test_a_layer_used_twice_moves_twice_an_update():
    model, norm = norm_network(keras.layers.BatchNormalization, shared=True)
    same, one = norm_network(keras.layers.BatchNormalization, shared=True)
    images, labels = cases.batch(0)
    images[:] = images[:1]  # equal slices: those of the batch
    cases.make_step(model, accumulate=4)(images, labels)
    cases.make_step(same)(images, labels)
    np.testing.assert_allclose(norm.moving_mean, one.moving_mean, atol=1e-5)
    np.testing.assert_allclose(norm.moving_variance, one.moving_variance, rtol=1e-5)


def test_the_averages_of_weights_follow_them():
    model, norm = norm_network(keras.layers.BatchNormalization)
    options = training.StepOptions(accumulate=2, ema_decay=0.5)
    loss, optimizer = cases.LOSS, keras.optimizers.SGD(0.1)
    step = training.make_train_step(model, loss, optimizer, options=options)
    step(*cases.batch(0))
    with step.averaged_weights():
        averaged = norm.moving_mean.numpy()
    assert 0 < averaged[0] < norm.moving_mean.numpy()[0] * 1.001
