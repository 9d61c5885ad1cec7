import keras
import numpy as np
import pytest
from scipy import ndimage

from kerasseg import losses

CROSS = ndimage.generate_binary_structure(2, 1)
HUGE = 50.0


def logits_of(mask):
    """One certain binary logit per pixel."""
    return np.where(mask, HUGE, -HUGE).astype("float32")[None, ..., None]


def value(loss, label, mask):
    return float(loss(np.asarray(label, "int32")[None], logits_of(mask)))


def line(height=32, width=48, thick=3):
    mask = np.zeros((height, width), bool)
    mask[14 : 14 + thick, 4:44] = True
    return mask


def skeleton(mask, iterations):
    """Algorithm 1 of the paper, on sets: unions and openings of SciPy."""
    found = np.zeros_like(mask)
    for _ in range(iterations + 1):
        thin = ndimage.binary_erosion(mask, CROSS, border_value=1)
        found |= mask & ~ndimage.binary_dilation(thin, np.ones((3, 3)))
        mask = thin
    return found


@pytest.mark.parametrize("seed", range(3))
def test_cl_dice_of_sets_is_that_of_the_paper(seed):
    rng = np.random.default_rng(seed)
    label, mask = (
        ndimage.gaussian_filter(rng.normal(size=(40, 56)), 3) > 0.02 for _ in range(2)
    )
    thin_label, thin_mask = skeleton(label, 8), skeleton(mask, 8)
    precision = np.sum(thin_mask & label) / thin_mask.sum()
    recall = np.sum(thin_label & mask) / thin_label.sum()
    expected = 1 - 2 * precision * recall / (precision + recall)
    found = value(losses.ClDice(8, smooth=0.0), label, mask)
    assert found == pytest.approx(expected, abs=1e-5)


def test_cl_dice_sees_gaps_and_no_widths():
    loss, thick = losses.ClDice(smooth=0.0), line(thick=5)
    assert value(loss, thick, line(thick=3) | np.roll(line(thick=3), 1, 0)) < 0.05
    gap = thick.copy()
    gap[:, 20:28] = False
    cost = value(loss, thick, gap)
    # A fifth of the centre line is missing: a recall of about 0.8.
    assert cost == pytest.approx(1 - 2 * 0.8 / 1.8, abs=0.04)
    assert value(losses.Dice(), thick, gap) == pytest.approx(
        1 - 2 * 0.8 / 1.8, abs=0.01
    )


def test_cl_dice_leaves_the_background_out():
    label, mask = line().astype("int32"), line(thick=5) & (np.arange(48) > 9)
    both = np.concatenate([-logits_of(mask), logits_of(mask)], axis=-1)
    loss = losses.ClDice()
    assert float(loss(label[None], both)) == pytest.approx(value(loss, label, mask))
    assert float(loss(0 * label[None], both)) == 0


def boundary_f(label, mask, tolerance):
    """F of one-pixel inner outlines, with a square of `tolerance` pixels every way."""
    lines = [
        x & ~ndimage.binary_erosion(x, np.ones((3, 3)), border_value=1)
        for x in (label, mask)
    ]
    near = [
        ndimage.binary_dilation(x, np.ones((2 * tolerance + 1,) * 2)) for x in lines
    ]
    precision = np.sum(lines[1] & near[0]) / lines[1].sum()
    recall = np.sum(lines[0] & near[1]) / lines[0].sum()
    return 2 * precision * recall / (precision + recall)


@pytest.mark.parametrize("tolerance_px", [3, 5])
@pytest.mark.parametrize("seed", range(2))
def test_boundary_is_one_minus_the_f_of_outlines(seed, tolerance_px):
    rng = np.random.default_rng(seed)
    label, mask = (
        ndimage.gaussian_filter(rng.normal(size=(40, 56)), 4) > 0 for _ in range(2)
    )
    loss = losses.Boundary(tolerance_px=tolerance_px)
    expected = 1 - boundary_f(label, mask, tolerance_px // 2)
    assert value(loss, label, mask) == pytest.approx(expected, abs=1e-5)


def test_small_shifts_of_a_boundary_cost_nothing_and_large_ones_all():
    label, loss = line(thick=8), losses.Boundary()
    assert value(loss, label, np.roll(label, 2, 0)) == pytest.approx(0, abs=1e-5)
    assert value(loss, label, np.zeros_like(label)) == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize("make", [losses.ClDice, losses.Boundary])
def test_a_descent_improves_the_structure(make):
    label = np.stack([line(thick=6)]).astype("int32")
    start = np.where(label[..., None], 0.5, -0.5).astype("float32")
    start[:, :, 20:26] *= -1
    logits = keras.Variable(start)
    loss = make()
    import tensorflow as tf

    values = []
    for _ in range(20):
        with tf.GradientTape() as tape:
            cost = loss(label, logits)
        logits.assign_sub(30.0 * tape.gradient(cost, logits.value))
        values.append(float(cost))
    assert values[-1] < 0.7 * values[0]


def test_options_are_checked():
    with pytest.raises(ValueError, match="`iterations`"):
        losses.ClDice(0)
    with pytest.raises(ValueError, match="`tolerance_px` must be an odd number"):
        losses.Boundary(tolerance_px=4)
