"""Loss and gradient of a batch: slices, outputs, clipping."""

import keras
import numpy as np
import pytest

from kerasseg import training
from tests.training import training_cases as cases


def test_clipping_bounds_the_update_and_reports_the_whole_norm():
    model = cases.line()
    step = training.make_train_step(
        model,
        cases.squares,
        keras.optimizers.SGD(1.0),
        options=training.StepOptions(clip_norm=0.5),
    )
    assert float(step(*cases.ones())["grad_norm"]) == pytest.approx(4.0)
    assert model.get_weights()[0].item() == pytest.approx(1.5)  # 2 - 0.5
    assert float(step(*cases.ones())["grad_norm"]) == pytest.approx(3.0)


@pytest.mark.parametrize("accumulate", [2, 4])
def test_slices_of_a_batch_give_the_update_of_the_whole(accumulate):
    penalty = keras.regularizers.L2(0.01)
    steps = [
        cases.make_step(cases.network(penalty=penalty), clip_norm=0.1, accumulate=k)
        for k in (1, accumulate)
    ]
    for number in range(3):
        whole, slices = (step(*cases.batch(number)) for step in steps)
        assert float(whole["loss"]) == pytest.approx(float(slices["loss"]), abs=1e-6)
        assert int(slices["images"]) == 4
    # Float32 sums in another order.
    cases.assert_close(*map(cases.values, steps), tolerance=1e-6)


def test_a_batch_that_does_not_divide_into_slices_is_refused():
    with pytest.raises(ValueError, match="Received: 4 images, accumulate=3"):
        cases.make_step(accumulate=3)(*cases.batch(0))


@pytest.mark.parametrize(
    ("weights", "expected"), [(None, 4 + 0.4 * 1), ({"logits": 0.5, "aux": 2}, 4.0)]
)
def test_every_output_counts_with_its_weight(weights, expected):
    x = keras.Input((2, 2, 1))
    outputs = {
        "logits": cases.line(2.0)(x),
        "aux": cases.line(1.0)(x),
    }  # losses 4 and 1
    step = training.make_train_step(
        keras.Model(x, outputs),
        cases.squares,
        keras.optimizers.SGD(0.1),
        options=training.StepOptions(loss_weights=weights),
    )
    assert float(step(*cases.ones())["loss"]) == pytest.approx(expected)


def test_weights_of_unknown_outputs_are_refused():
    step = cases.make_step(loss_weights={"logit": 1.0})
    with pytest.raises(ValueError, match="Did you mean 'logits'"):
        step(*cases.batch(0))


def test_loss_scale_leaves_the_norm_and_its_clipping_alone():
    scaled = keras.optimizers.LossScaleOptimizer(keras.optimizers.SGD(1.0))
    model = cases.line()
    step = training.make_train_step(
        model, cases.squares, scaled, options=training.StepOptions(clip_norm=0.5)
    )
    assert float(step(*cases.ones())["grad_norm"]) == pytest.approx(4.0)
    assert model.get_weights()[0].item() == pytest.approx(1.5)


@pytest.mark.parametrize("accumulate", [1, 2, 4])
def test_a_loss_of_keras_leaves_its_ignored_class_out_as_in_fit(accumulate):
    images, labels = cases.batch(0)
    labels[0, :6], labels[1:, :2] = 255, 255  # unequal shares of the slices
    loss = keras.losses.SparseCategoricalCrossentropy(True, ignore_class=255)
    ours, theirs = cases.network(), cases.network()
    step = training.make_train_step(
        ours,
        loss,
        keras.optimizers.SGD(0.1),
        options=training.StepOptions(accumulate=accumulate),
    )
    theirs.compile(keras.optimizers.SGD(0.1), loss, jit_compile=False)
    for _ in range(2):
        theirs.reset_metrics()  # Keras 3.14 gives the mean over batches
        found, expected = step(images, labels), theirs.train_on_batch(images, labels)
        assert float(found["loss"]) == pytest.approx(float(expected), rel=1e-5)
    for mine, yours in zip(ours.get_weights(), theirs.get_weights()):
        # The same arithmetic, perhaps summed in another order.
        np.testing.assert_allclose(mine, yours, rtol=0, atol=1e-6)


def test_a_batch_whose_every_pixel_is_ignored_changes_nothing():
    images, labels = cases.batch(0)
    loss = keras.losses.SparseCategoricalCrossentropy(True, ignore_class=255)
    step = training.make_train_step(cases.network(), loss, keras.optimizers.SGD(0.1))
    logs = step(images, np.full_like(labels, 255))
    assert [float(logs["loss"]), float(logs["grad_norm"])] == [0, 0]
