import numpy as np
import pytest

from kerasseg.losses import Lovasz


def jaccard_loss(truth, wrong):
    """1 - IoU of the class when exactly the pixels `wrong` are misclassified."""
    predicted = truth ^ wrong
    return 1 - (truth & predicted).sum() / (truth | predicted).sum()


def lovasz_extension(truth, errors):
    """Definition 1 of Berman et al.: sum of m_i (F(i worst) - F(i - 1 worst))."""
    wrong, value, before = np.zeros(len(errors), bool), 0.0, 0.0
    for i in np.argsort(-errors):
        wrong[i] = True
        now = jaccard_loss(truth, wrong)
        value, before = value + errors[i] * (now - before), now
    return value


def softmax_reference(label, logits):
    """Mean over present classes for one image, ignored pixels taken out."""
    p = np.exp(logits.astype("float64"))
    p = (p / p.sum(-1, keepdims=True))[label != 255]
    label = label[label != 255]
    values = []
    for k in np.unique(label):
        truth = label == k
        errors = np.where(truth, 1 - p[:, k], p[:, k])
        values.append(lovasz_extension(truth, errors))
    return np.mean(values)


def hinge_reference(label, logits):
    valid = label != 255
    truth, logits = label[valid] == 1, logits[valid].astype("float64")
    errors = np.maximum(0, 1 - np.where(truth, logits, -logits))
    return lovasz_extension(truth, errors)


def test_softmax_form_equals_the_published_definition(rng):
    labels = rng.integers(0, 3, (3, 5, 4))
    labels[rng.random(labels.shape) < 0.3] = 255
    logits = rng.normal(size=(3, 5, 4, 4)).astype("float32")  # class 3 is absent
    expected = [softmax_reference(*pair) for pair in zip(labels, logits)]
    np.testing.assert_allclose(Lovasz().call(labels, logits), expected, rtol=1e-5)


def test_hinge_form_equals_the_published_definition(rng):
    labels = rng.integers(0, 2, (3, 5, 4))
    labels[rng.random(labels.shape) < 0.3] = 255
    logits = 2 * rng.normal(size=(3, 5, 4, 1)).astype("float32")
    expected = [hinge_reference(y, x[..., 0]) for y, x in zip(labels, logits)]
    np.testing.assert_allclose(Lovasz().call(labels, logits), expected, rtol=1e-5)


def test_multilabel_is_the_mean_of_binary_losses(rng):
    labels = rng.integers(0, 2, (2, 5, 4, 3))
    logits = rng.normal(size=(2, 5, 4, 3)).astype("float32")
    each = [Lovasz().call(labels[..., k], logits[..., k : k + 1]) for k in range(3)]
    expected = np.mean(each, axis=0)
    np.testing.assert_allclose(Lovasz().call(labels, logits), expected, rtol=1e-5)


def test_certain_predictions_cost_one_minus_the_iou():
    # labels 0 0 1 / 0 1 1 / 1 1 1, predictions 0 0 0 / 0 1 1 / 1 1 0:
    # IoU of 0 is 3/5, of 1 is 4/6
    labels = np.array([[[0, 0, 1], [0, 1, 1], [1, 1, 1]]])
    predictions = np.array([[[0, 0, 0], [0, 1, 1], [1, 1, 0]]])
    logits = 100 * np.eye(2)[predictions]
    expected = 1 - (3 / 5 + 4 / 6) / 2
    assert float(Lovasz()(labels, logits)) == pytest.approx(expected, rel=1e-6)


def test_weights_do_not_cancel_in_a_large_image():
    # All p = 1/2: every order is right, and the sum of all weights is 1 - 0 = 1, so
    # each class costs 1/2 whatever the number of pixels.
    labels = np.zeros((1, 512, 512), int)
    labels[0, 0, 0] = 1
    logits = np.zeros((1, 512, 512, 2), "float32")
    assert float(Lovasz()(labels, logits)) == pytest.approx(0.5, rel=1e-4)
