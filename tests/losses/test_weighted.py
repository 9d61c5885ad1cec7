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


def test_losses_add_up_by_plus_and_times(batch):
    loss = (CrossEntropy() + 0.5 * Dice() + Focal() / 4) * 2
    assert [weight for weight, _ in loss.losses] == [2.0, 1.0, 0.5]
    parts = [float(x(*batch)) for x in (CrossEntropy(), Dice(), Focal())]
    expected = 2 * parts[0] + parts[1] + parts[2] / 2
    assert float(loss(*batch)) == pytest.approx(expected, rel=1e-6)
    assert float(sum([CrossEntropy(), Dice()])(*batch)) == pytest.approx(sum(parts[:2]))
    for half in (np.float32(0.5) * Dice(), Dice() * np.int64(1) / 2):
        assert half.losses[0][0] == 0.5
    with pytest.raises(TypeError):
        CrossEntropy() * Dice()
    with pytest.raises(TypeError):
        CrossEntropy() + 1


def test_a_list_of_losses_weighs_each_alike(batch):
    plain = Weighted([CrossEntropy(), (0.5, Dice())])
    assert float(plain(*batch)) == pytest.approx(
        float((CrossEntropy() + 0.5 * Dice())(*batch)), rel=1e-6
    )


@pytest.mark.parametrize(
    "losses", [[], None, CrossEntropy(), [(1.0, "dice")], [(CrossEntropy(), 1.0)]]
)
def test_anything_but_losses_and_pairs_is_refused(losses):
    with pytest.raises(
        ValueError, match=r"list of losses or \(weight, loss\).*Received"
    ):
        Weighted(losses)


def test_losses_of_two_reductions_do_not_add_up():
    with pytest.raises(ValueError, match=r"one `reduction`.*'sum_over_batch_size'"):
        CrossEntropy(reduction="sum") + Dice()


@pytest.mark.parametrize("shape", [(2, 4, 5), (2, 4, 5, 1)])
@pytest.mark.parametrize("weights", [None, (2,), (2, 4, 5)])
def test_a_loss_of_keras_may_be_a_part(batch, shape, weights, rng):
    labels, logits = batch
    weights = None if weights is None else rng.random(weights)
    theirs = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    of_pixels = weights
    if weights is not None and weights.ndim == 1:
        of_pixels = np.broadcast_to(weights[:, None, None], (2, 4, 5))
    expected = 3 * float(theirs(labels, logits, of_pixels))
    for loss in (2 * CrossEntropy() + theirs, theirs + 2 * CrossEntropy()):
        found = loss(labels.reshape(shape), logits, weights)
        assert float(found) == pytest.approx(expected, rel=1e-5)


def test_keras_ignore_class_is_left_out_of_each_image(batch):
    labels, logits = batch
    labels[:, :2] = 255
    theirs = keras.losses.SparseCategoricalCrossentropy(True, ignore_class=255)
    found = float((CrossEntropy() + theirs)(labels, logits))
    assert found == pytest.approx(2 * float(CrossEntropy()(labels, logits)), rel=1e-5)


def test_a_binary_loss_of_keras_takes_labels_without_channels(batch, rng):
    labels, logits = batch[0] % 2, batch[1][..., :1]
    theirs = keras.losses.BinaryCrossentropy(from_logits=True)
    weights = rng.random(labels.shape)
    found = float(Weighted([theirs])(labels, logits, weights))
    expected = CrossEntropy()(labels, logits, weights)
    assert found == pytest.approx(float(expected), rel=1e-5)


@pytest.mark.parametrize(
    ("loss", "fix"),
    [
        (keras.losses.SparseCategoricalCrossentropy(), r"\(from_logits=True\)"),
        (keras.losses.Dice(), r"kerasseg.losses.Dice\(\)"),
    ],
)
def test_losses_of_keras_that_read_probabilities_are_refused(loss, fix):
    with pytest.raises(ValueError, match=f"takes logits.*{fix}"):
        CrossEntropy() + loss


def test_a_sum_with_a_loss_of_keras_is_saved_and_loaded(batch):
    theirs = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    loss = Weighted([Dice(), (0.3, theirs)])
    config = keras.saving.serialize_keras_object(loss)
    copy = keras.saving.deserialize_keras_object(config)
    assert float(copy(*batch)) == float(loss(*batch))
