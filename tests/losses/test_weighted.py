import keras
import numpy as np
import pytest

from kerasseg.losses import CrossEntropy, Dice, Focal, Weighted


@pytest.fixture
def batch(rng):
    labels = rng.integers(0, 3, (2, 4, 5))
    return labels, rng.normal(size=(2, 4, 5, 3)).astype("float32")


def test_value_is_the_weighted_sum(batch):
    loss = Weighted([(1.0, CrossEntropy()), (0.5, Dice())])
    expected = float(CrossEntropy()(*batch)) + 0.5 * float(Dice()(*batch))
    assert float(loss(*batch)) == pytest.approx(expected, rel=1e-6)


def test_sums_nest_and_come_back_from_their_config(batch):
    inner = Weighted([(2.0, Focal(gamma=1.5)), (1.0, Dice(smooth=1.0))])
    loss = Weighted([(0.3, inner), (0.7, CrossEntropy([1.0, 2.0, 3.0]))])
    config = keras.saving.serialize_keras_object(loss)
    copy = keras.saving.deserialize_keras_object(config)
    assert copy.losses[0][1].losses[0][1].gamma == 1.5
    assert float(copy(*batch)) == float(loss(*batch))


@pytest.mark.parametrize("losses", [[], [CrossEntropy()], [(1.0, "dice")]])
def test_anything_but_pairs_is_refused(losses):
    with pytest.raises(ValueError, match=r"must be \(weight, loss\) pairs.*Received"):
        Weighted(losses)


def test_a_loss_with_a_value_a_pixel_is_refused(batch):
    loss = Weighted([(1.0, keras.losses.SparseCategoricalCrossentropy())])
    with pytest.raises(ValueError, match=r"one value per image.*\(2, 4, 5\)"):
        loss(np.asarray(batch[0]), batch[1])
