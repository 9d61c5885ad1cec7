"""Compiled models with our losses and metrics survive saving; small trainings learn."""

import keras
import numpy as np

from kerasseg import losses, metrics, zoo


def test_a_compiled_model_saves_and_loads_with_our_losses_and_metrics(tmp_path):
    model = zoo.unet(3, "tiny", decoder_filters=(16, 16, 8, 8, 8))
    loss = losses.Weighted([(1.0, losses.CrossEntropy()), (0.5, losses.Dice())])
    model.compile("adam", loss, metrics=[metrics.MeanIoU(3)])
    images = np.random.default_rng(0).uniform(0, 255, (2, 32, 32, 3))
    labels = np.random.default_rng(1).integers(0, 3, (2, 32, 32))
    model.fit(images, labels, verbose=0)
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    expected = model.evaluate(images, labels, verbose=0)
    np.testing.assert_allclose(loaded.evaluate(images, labels, verbose=0), expected)
