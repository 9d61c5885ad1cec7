"""Options that count as other libraries do, against their formulas in numpy."""

import numpy as np
import pytest
from scipy.special import log_softmax, softmax

from kerasseg import losses

WEIGHTS = (1.0, 5.0, 0.5)


@pytest.fixture
def batch(rng):
    """Images with unequal numbers of ignored pixels."""
    labels = rng.integers(0, 3, (3, 4, 5))
    labels[0, :3] = 255
    return labels, rng.normal(size=(3, 4, 5, 3)).astype("float32")


def test_pytorch_divides_by_the_weights_of_all_pixels(batch):
    labels, logits = batch
    valid = labels != 255
    nll = -np.take_along_axis(
        log_softmax(logits, -1), np.where(valid, labels, 0)[..., None], -1
    )[..., 0]
    weights = np.array(WEIGHTS)[np.where(valid, labels, 0)] * valid
    loss = losses.CrossEntropy(WEIGHTS, divisor="weights", per_image=False)
    expected = (weights * nll).sum() / weights.sum()
    assert float(loss(labels, logits)) == pytest.approx(expected, rel=1e-5)
    loss = losses.CrossEntropy(WEIGHTS, per_image=False)
    expected = (weights * nll).sum() / valid.sum()
    assert float(loss(labels, logits)) == pytest.approx(expected, rel=1e-5)


def test_an_unknown_divisor_is_refused():
    with pytest.raises(ValueError, match=r"Unknown divisor.*'weight'"):
        losses.CrossEntropy(divisor="weight")


@pytest.mark.parametrize("weighted", [False, True])
def test_batch_wise_dice_sums_over_the_images(batch, weighted, rng):
    labels, logits = batch
    of_pixels = rng.random(labels.shape) if weighted else np.ones(labels.shape)
    valid = (labels != 255) * of_pixels
    p, truth = softmax(logits, -1), np.eye(3)[labels % 255] * valid[..., None]
    axes = (0, 1, 2)
    both = 2 * (p * truth).sum(axes)
    dice = both / ((p * valid[..., None]).sum(axes) + truth.sum(axes))
    loss = losses.Dice(per_image=False)
    weights = of_pixels if weighted else None
    assert float(loss(labels, logits, weights)) == pytest.approx(
        1 - dice.mean(), rel=1e-5
    )


@pytest.mark.parametrize(
    "name", ["CrossEntropy", "Dice", "Jaccard", "Lovasz", "Tversky"]
)
def test_a_batch_as_one_is_one_long_image(batch, name):
    labels, logits = batch
    found = getattr(losses, name)(per_image=False)(labels, logits)
    long = labels.reshape(1, 12, 5), logits.reshape(1, 12, 5, 3)
    expected = float(getattr(losses, name)()(*long))
    assert float(found) == pytest.approx(expected, rel=1e-5)


def test_weights_of_images_are_those_of_their_pixels_in_a_batch(batch):
    labels, logits = batch
    weights = np.array([1.0, 2.0, 0.5])
    loss = losses.Dice(per_image=False) + losses.CrossEntropy()
    of_pixels = np.broadcast_to(weights[:, None, None], labels.shape)
    expected = float(loss(labels, logits, of_pixels))
    assert float(loss(labels, logits, weights)) == pytest.approx(expected, rel=1e-6)
    mixed = losses.Dice(per_image=False) + losses.Jaccard()
    with pytest.raises(ValueError, match="parts of one `per_image`"):
        mixed(labels, logits, weights)
