"""Compiled models with our losses and metrics survive saving; with their state."""

import keras
import numpy as np

from kerasseg import losses, metrics, zoo


def test_a_compiled_model_saves_and_loads_with_our_losses_and_metrics(tmp_path):
    model = zoo.fcn(3, "tiny")
    loss = losses.Weighted([(1.0, losses.CrossEntropy()), (0.5, losses.Dice())])
    model.compile("sgd", loss, metrics=[metrics.MeanIoU(3)])
    images = np.random.default_rng(0).uniform(0, 255, (2, 32, 32, 3))
    labels = np.random.default_rng(1).integers(0, 3, (2, 32, 32))
    model.train_on_batch(images, labels)
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    expected = model.evaluate(images, labels, verbose=0)
    np.testing.assert_allclose(loaded.evaluate(images, labels, verbose=0), expected)
