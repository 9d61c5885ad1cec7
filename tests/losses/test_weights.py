"""Weights of classes, images and pixels."""

import keras
import numpy as np
import pytest

from kerasseg import losses

THEIRS = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
REGION = ("Dice", "Jaccard", "Lovasz", "Tversky")


def batch(rng, images=2, classes=3):
    labels = rng.integers(0, max(classes, 2), (images, 4, 5))
    return labels, rng.normal(size=(images, 4, 5, classes)).astype("float32")


@pytest.mark.parametrize("images", [1, 2, 4, 5])  # 4 and 5 as height and width
@pytest.mark.parametrize("last", [(), (1,)])
def test_weights_of_pixels_are_those_of_keras(images, last, rng):
    labels, logits = batch(rng, images)
    weights = rng.random(labels.shape)
    found = losses.CrossEntropy()(labels, logits, weights.reshape(*labels.shape, *last))
    expected = float(THEIRS(labels, logits, weights))
    assert float(found) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("images", [1, 2, 4, 5])
@pytest.mark.parametrize("shape", [(-1,), (-1, 1), (-1, 1, 1), (-1, 1, 1, 1)])
def test_weights_of_images_multiply_their_values(images, shape, rng):
    labels, logits = batch(rng, images)
    weights = rng.random(images)
    for name in ("CrossEntropy", "Dice"):
        loss = getattr(losses, name)()
        expected = np.mean(loss.call(labels, logits).numpy() * weights)
        found = float(loss(labels, logits, weights.reshape(shape)))
        assert found == pytest.approx(expected, rel=1e-5)


def test_lists_and_names_of_keras_are_taken(rng):
    labels, logits = batch(rng)
    weights = [1.0, 3.0]
    expected = float(losses.CrossEntropy()(labels, logits, np.array(weights)))
    found = losses.CrossEntropy()(
        y_true=labels.tolist(), y_pred=logits.tolist(), sample_weight=weights
    )
    assert float(found) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("shape", [(3,), (2, 4), (2, 5, 4), (2, 4, 5, 3), (4, 5)])
def test_weights_of_another_shape_are_refused(shape, rng):
    with pytest.raises(
        ValueError, match=r"per image \[N\], or per pixel.*Received: sh"
    ):
        losses.Dice()(*batch(rng), np.ones(shape))


@pytest.mark.parametrize("name", REGION)
@pytest.mark.parametrize("classes", [1, 3])
def test_a_region_counts_a_pixel_as_often_as_its_weight(name, classes, rng):
    labels, logits = batch(rng, classes=classes)
    weights = rng.integers(0, 3, labels.shape)
    weights[:, 3, 4] = 1
    loss = getattr(losses, name)()
    expected = []
    for label, logit, weight in zip(labels, logits, weights):
        times = weight.ravel()
        label = np.repeat(label.ravel(), times).reshape(1, 1, -1)
        logit = np.repeat(logit.reshape(-1, classes), times, axis=0)[None, None]
        expected.append(float(loss(label, logit)))
    found = float(loss(labels, logits, weights))
    assert found == pytest.approx(np.mean(expected), rel=1e-5)


def test_fit_takes_weights_of_pixels(rng):
    labels, images = batch(rng, 5)
    weights = rng.random(labels.shape)
    found = []
    for loss in (losses.CrossEntropy(), THEIRS):
        keras.utils.set_random_seed(0)
        model = keras.Sequential([keras.Input((4, 5, 3)), keras.layers.Conv2D(3, 1)])
        model.compile(keras.optimizers.SGD(0.1), loss)
        options = {"sample_weight": weights, "verbose": 0, "batch_size": 5}
        history = model.fit(images, labels, epochs=2, **options)
        found.append(history.history["loss"])
    np.testing.assert_allclose(*found, rtol=1e-5)


def test_weights_of_pixels_need_a_mean_over_pixels(rng):
    loss = losses.CrossEntropy(reduction="mean_with_sample_weight")
    with pytest.raises(ValueError, match="another `reduction`"):
        loss(*batch(rng), np.ones((2, 4, 5)))


@pytest.mark.parametrize(
    "given", [{0: 1, 1: 5.0, 2: 2}, {2: 2, 0: 1, 1: 5}, {"0": 1, "1": 5, "2": 2}]
)
@pytest.mark.parametrize("name", ["CrossEntropy", "Focal", "TopK", *REGION])
def test_class_weights_may_be_a_dict_of_classes(name, given):
    loss = getattr(losses, name)
    assert loss(class_weights=given).class_weights == (1.0, 5.0, 2.0)
    numpy_ids = {np.int64(k): v for k, v in enumerate((1, 5, 2))}
    assert loss(class_weights=numpy_ids).class_weights == (1.0, 5.0, 2.0)


@pytest.mark.parametrize(
    "given", [{1: 5.0}, {1: 1, 2: 2}, {0: 1, 0.5: 2}, {"road": 1.0}, {0: 1, 2: 1}]
)
def test_a_dict_that_leaves_classes_out_is_refused(given):
    with pytest.raises(ValueError, match=r"every class id, 0 to K - 1.*Received"):
        losses.CrossEntropy(class_weights=given)


@pytest.mark.parametrize("given", ["balanced", {1.0, 2.0}, 2.0, [[1.0, 2.0]]])
def test_class_weights_of_another_kind_are_refused(given):
    with pytest.raises(ValueError, match="`class_weights` must be finite numbers"):
        losses.CrossEntropy(class_weights=given)
