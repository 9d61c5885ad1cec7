import keras
import numpy as np
import pytest
import tensorflow as tf
from scipy import ndimage

from kerasseg import augment, data, datasets, losses, training, zoo


def by_hand(label, weight, sigma):
    """Equation 2 of the paper, with the distances to each region in turn."""
    distances = []
    for number in np.setdiff1d(label, [0, 255]):
        regions, count = ndimage.label(label == number)
        for region in range(1, count + 1):
            distances.append(ndimage.distance_transform_edt(regions != region))
    found = np.ones(label.shape)
    if len(distances) > 1:
        d1, d2 = np.sort(distances, axis=0)[:2]
        gaps = weight * np.exp(-((d1 + d2) ** 2) / (2 * sigma**2))
        found += np.where(label == 0, gaps, 0)
    return found


@pytest.mark.parametrize("seed", range(3))
def test_weights_are_those_of_the_paper(seed):
    rng = np.random.default_rng(seed)
    noise = ndimage.gaussian_filter(rng.normal(size=(64, 80)), 3)
    label = np.where(noise > 0.05, np.where(noise > 0.12, 2, 1), 0).astype(np.int32)
    label[:4] = 255
    sample = {"image": np.zeros((64, 80, 3), np.uint8), "label": label}
    function = augment.border_weights(weight=8.0, sigma=3.0)
    found = function(sample, tf.constant([0, 0]))["weights"]
    np.testing.assert_allclose(found, by_hand(label, 8.0, 3.0), atol=1e-3)


@pytest.mark.parametrize("value", [0, 1, 255])
def test_one_region_or_none_weighs_one(value):
    sample = {"image": np.zeros((8, 8, 3)), "label": np.full((8, 8), value, np.int32)}
    found = augment.border_weights()(sample, tf.constant([0, 0]))["weights"]
    assert (found.numpy() == 1).all()


@pytest.mark.slow
def test_batches_of_pairs_train_and_fit():
    function = augment.compose(
        augment.geometry(size=(32, 32)), augment.border_weights()
    )
    stream = data.pipeline(datasets.shapes(4, size=64), batch_size=2, augment=function)
    images, (labels, weights) = next(data.batches(stream))
    assert labels.shape == weights.shape == (2, 32, 32) and weights.numpy().max() > 1
    model = zoo.unet(4, base_filters=2)
    loss = losses.CrossEntropy()
    step = training.make_train_step(model, loss, keras.optimizers.SGD(0.0))
    found = float(step(images, (labels, weights))["loss"])
    assert found > float(step(images, labels)["loss"])
    model.compile("sgd", loss)
    pairs = stream.map(lambda images, pair: (images, *pair))
    history = model.fit(pairs, steps_per_epoch=1, verbose=0, shuffle=False)
    assert history.history["loss"][0] == pytest.approx(found, rel=1e-3)
