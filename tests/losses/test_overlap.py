import numpy as np
import pytest

from kerasseg.losses import Dice, Jaccard, Tversky


def probabilities(logits):
    p = np.exp(logits.astype("float64"))
    return p / p.sum(-1, keepdims=True)


def tversky_index(truth, p, alpha, beta):
    """Per class, from sums over explicit loops of pixels [P, K]."""
    hits = (truth * p).sum(0)
    false_positives = ((1 - truth) * p).sum(0)
    false_negatives = (truth * (1 - p)).sum(0)
    return hits / (hits + alpha * false_positives + beta * false_negatives)


@pytest.fixture
def batch(rng):
    """Labels with all three classes and some ignored pixels, logits."""
    labels = rng.integers(0, 3, (2, 6, 5))
    labels[:, 0] = 255
    return labels, rng.normal(size=(2, 6, 5, 3)).astype("float32")


def brute_force(labels, logits, alpha, beta):
    values = []
    for label, logit in zip(labels, logits):
        valid = label != 255
        truth, p = np.eye(3)[label[valid]], probabilities(logit)[valid]
        values.append(np.mean(1 - tversky_index(truth, p, alpha, beta)))
    return values


# A 2x2 map with one binary logit, foreground probabilities 0.8 0.4 / 0.2 0.6,
# truth 1 1 / 0 0: TP = 1.2, P = 2.0, T = 2, so FP = 0.8 and FN = 0.8.
HAND_LABELS = np.array([[[1, 1], [0, 0]]])
HAND_LOGITS = np.log([[[[0.8 / 0.2], [0.4 / 0.6]], [[0.2 / 0.8], [0.6 / 0.4]]]])


@pytest.mark.parametrize(
    ("loss", "expected"),
    [
        (Dice(), 1 - 2.4 / 4.0),
        (Dice(smooth=1.0), 1 - 3.4 / 5.0),
        # sum of p^2: 0.64 + 0.16 + 0.04 + 0.36 = 1.2
        (Dice(squared=True), 1 - 2.4 / 3.2),
        (Jaccard(), 1 - 1.2 / 2.8),
        (Jaccard(smooth=1.0), 1 - 2.2 / 3.8),
        (Tversky(0.25, 0.75), 1 - 1.2 / (1.2 + 0.2 + 0.6)),
        (Tversky(1.0, 0.0), 1 - 1.2 / 2.0),
    ],
)
def test_values_by_hand_on_a_2x2_map(loss, expected):
    assert float(loss(HAND_LABELS, HAND_LOGITS)) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize(
    ("loss", "alpha", "beta"),
    [(Dice(), 0.5, 0.5), (Jaccard(), 1, 1), (Tversky(), 0.3, 0.7)],
)
def test_multiclass_equals_a_brute_force_sum(loss, alpha, beta, batch):
    expected = brute_force(*batch, alpha, beta)
    np.testing.assert_allclose(loss.call(*batch), expected, rtol=1e-5)


def test_squared_multiclass_dice_equals_a_brute_force_sum(batch):
    labels, logits = batch
    values = []
    for label, logit in zip(labels, logits):
        valid = label != 255
        truth, p = np.eye(3)[label[valid]], probabilities(logit)[valid]
        dice = 2 * (truth * p).sum(0) / ((p**2).sum(0) + truth.sum(0))
        values.append(np.mean(1 - dice))
    loss = Dice(squared=True)
    np.testing.assert_allclose(loss.call(labels, logits), values, rtol=1e-5)


def test_two_softmax_logits_equal_one_binary_logit_on_the_foreground(rng):
    logits = rng.normal(size=(2, 4, 4, 1)).astype("float32")
    labels = rng.integers(0, 2, (2, 4, 4))
    pair = np.concatenate([np.zeros_like(logits), logits], -1)
    foreground = Dice(class_weights=[0.0, 1.0])
    assert float(foreground(labels, pair)) == pytest.approx(
        float(Dice()(labels, logits)), rel=1e-5
    )


def test_class_weights_weigh_the_mean_over_present_classes(batch):
    labels, logits = batch
    labels = np.where(labels == 2, 255, labels)  # class 2 is absent
    each = [float(Dice(class_weights=np.eye(3)[k])(labels, logits)) for k in range(2)]
    value = float(Dice(class_weights=[1.0, 3.0, 9.0])(labels, logits))
    assert value == pytest.approx((each[0] + 3 * each[1]) / 4, rel=1e-5)


def test_no_prediction_at_all_is_no_division_by_zero():
    # beta = 0 and no probability mass: 0 / 0 but for the floor
    loss = Tversky(1.0, 0.0)
    value = float(loss(HAND_LABELS, np.full((1, 2, 2, 1), -1e4)))
    assert value == 1.0


@pytest.mark.parametrize(
    ("make", "argument"),
    [
        (lambda: Dice(smooth=-1), "smooth"),
        (lambda: Tversky(alpha=-1), "alpha"),
        (lambda: Tversky(beta=float("nan")), "beta"),
    ],
)
def test_options_out_of_range_are_refused(make, argument):
    with pytest.raises(ValueError, match=f"`{argument}` must lie in .*Received"):
        make()
