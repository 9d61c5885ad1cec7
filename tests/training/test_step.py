"""One training step against numpy, keras and itself."""

import keras
import numpy as np
import pytest

from kerasseg import training
from tests.training import training_cases as cases


def squares(labels, logits):
    """[N] mean of squared differences."""
    return keras.ops.mean((logits[..., 0] - labels) ** 2, axis=(1, 2))


def line(weight=2.0, **options):
    """y = weight * x as a network without a bias."""
    conv = keras.layers.Conv2D(1, 1, use_bias=False, **options)
    model = keras.Sequential([keras.Input((2, 2, 1)), conv])
    model.set_weights([np.full((1, 1, 1, 1), weight)])
    return model


def ones(size=2):
    return np.ones((size, 2, 2, 1), "float32"), np.zeros((size, 2, 2), "float32")


def test_a_step_of_gradient_descent_is_the_one_worked_out_by_hand():
    # Loss (2 * 1 - 0)^2 = 4, penalty 0.5 * 2^2 = 2; gradients 2 * 2 = 4 and 2.
    model = line(kernel_regularizer=keras.regularizers.L2(0.5))
    step = training.make_train_step(model, squares, keras.optimizers.SGD(0.1))
    logs = {name: value.numpy() for name, value in step(*ones()).items()}
    assert logs["loss"] == pytest.approx(6.0)
    assert logs["grad_norm"] == pytest.approx(6.0)
    assert logs["learning_rate"] == pytest.approx(0.1)
    assert [logs["images"], logs["failed"], step.position] == [2, False, 1]
    assert model.get_weights()[0].item() == pytest.approx(2.0 - 0.1 * 6.0)


def test_a_step_equals_that_of_keras_fit():
    ours, theirs = cases.network(norm=True), cases.network(norm=True)
    step = cases.make_step(ours)
    optimizer = keras.optimizers.SGD(0.1, momentum=0.9)
    theirs.compile(optimizer, cases.LOSS, jit_compile=False)
    for number in range(3):
        step(*cases.batch(number))
        theirs.fit(*cases.batch(number), batch_size=4, verbose=0)
    for mine, yours in zip(ours.get_weights(), theirs.get_weights()):
        # The same arithmetic, perhaps summed in another order.
        np.testing.assert_allclose(mine, yours, rtol=0, atol=1e-6)


def test_clipping_bounds_the_update_and_reports_the_whole_norm():
    model = line()
    step = training.make_train_step(
        model,
        squares,
        keras.optimizers.SGD(1.0),
        options=training.StepOptions(clip_norm=0.5),
    )
    assert float(step(*ones())["grad_norm"]) == pytest.approx(4.0)
    assert model.get_weights()[0].item() == pytest.approx(1.5)  # 2 - 0.5
    assert float(step(*ones())["grad_norm"]) == pytest.approx(3.0)


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


def test_averages_follow_their_recurrence():
    step = cases.make_step(ema_decay=0.15)
    average = step.model.get_weights()[0]
    for t in range(4):
        step(*cases.batch(t))
        decay = min(0.15, (1 + t) / (10 + t))  # .1, then the limit
        average = decay * average + (1 - decay) * step.model.get_weights()[0]
    with step.averaged_weights():
        np.testing.assert_allclose(step.model.get_weights()[0], average, atol=1e-6)


def test_statistics_of_normalization_are_averaged_with_the_weights():
    step = cases.make_step(cases.network(norm=True), ema_decay=0.15)
    statistics = [w for w in step.model.weights if w.name == "moving_mean"]
    average = statistics[0].numpy()
    for t in range(3):
        step(*cases.batch(t))
        decay = min(0.15, (1 + t) / (10 + t))
        average = decay * average + (1 - decay) * statistics[0].numpy()
    with step.averaged_weights():
        np.testing.assert_allclose(statistics[0].numpy(), average, atol=1e-6)


def test_the_own_weights_come_back_after_the_averaged_ones():
    step = cases.make_step(cases.network(norm=True), ema_decay=0.9)
    step(*cases.batch(0))
    before = cases.values(step)
    with pytest.raises(ZeroDivisionError), step.averaged_weights():
        with pytest.raises(RuntimeError, match="averaged weights now"):
            step(*cases.batch(1))
        raise ZeroDivisionError
    cases.assert_identical(before, cases.values(step))


def test_without_averaging_the_block_changes_nothing():
    step = cases.make_step()
    before = cases.values(step)
    with step.averaged_weights():
        cases.assert_identical(before, cases.values(step))


@pytest.mark.parametrize(
    ("weights", "expected"), [(None, 4 + 0.4 * 1), ({"logits": 0.5, "aux": 2}, 4.0)]
)
def test_every_output_counts_with_its_weight(weights, expected):
    x = keras.Input((2, 2, 1))
    outputs = {"logits": line(2.0)(x), "aux": line(1.0)(x)}  # losses 4 and 1
    step = training.make_train_step(
        keras.Model(x, outputs),
        squares,
        keras.optimizers.SGD(0.1),
        options=training.StepOptions(loss_weights=weights),
    )
    assert float(step(*ones())["loss"]) == pytest.approx(expected)


def test_weights_of_unknown_outputs_are_refused():
    step = cases.make_step(loss_weights={"logit": 1.0})
    with pytest.raises(ValueError, match="Did you mean 'logits'"):
        step(*cases.batch(0))


@pytest.mark.parametrize("accumulate", [1, 2])
def test_a_step_that_is_not_finite_changes_nothing(accumulate):
    model = cases.network(norm=True, dropout=0.2)
    step = cases.make_step(model, ema_decay=0.9, accumulate=accumulate)
    step(*cases.batch(0))
    before = cases.values(step)
    images, labels = cases.batch(1)
    images[0, 0, 0, 0] = np.nan
    assert bool(step(images, labels)["failed"])
    cases.assert_identical(before, cases.values(step))


def test_float16_gets_a_loss_scale_that_halves_on_overflow():
    model = cases.network(norm=True, dtype="mixed_float16")
    step = cases.make_step(model, ema_decay=0.9)
    assert isinstance(step.optimizer, keras.optimizers.LossScaleOptimizer)
    assert not bool(step(*cases.batch(0))["failed"])
    step.optimizer.dynamic_scale.assign(2.0**100)  # no float16 gradient fits this
    weights = [weight.numpy() for weight in model.trainable_weights]
    assert not bool(step(*cases.batch(1))["failed"])
    assert float(step.optimizer.dynamic_scale.numpy()) == 2.0**99
    for weight, value in zip(model.trainable_weights, weights):
        np.testing.assert_array_equal(weight.numpy(), value)
    assert step.position == 2  # the place in the data, not the number of updates


def test_float16_fails_when_no_smaller_scale_can_help():
    step = cases.make_step(cases.network(dtype="mixed_float16"))
    step(*cases.batch(0))
    images, labels = cases.batch(1)
    assert bool(step(np.full_like(images, np.inf), labels)["failed"])


def test_loss_scale_leaves_the_norm_and_its_clipping_alone():
    scaled = keras.optimizers.LossScaleOptimizer(keras.optimizers.SGD(1.0))
    model = line()
    step = training.make_train_step(
        model, squares, scaled, options=training.StepOptions(clip_norm=0.5)
    )
    assert float(step(*ones())["grad_norm"]) == pytest.approx(4.0)
    assert model.get_weights()[0].item() == pytest.approx(1.5)


def test_bfloat16_trains_float32_weights():
    step = cases.make_step(cases.network(norm=True, dtype="mixed_bfloat16"))
    losses = [float(step(*cases.batch(0))["loss"]) for _ in range(20)]
    assert losses[-1] < losses[0]
    assert {v.dtype for v in step.model.weights} == {"float32"}


def test_xla_computes_the_same():
    models = [line(), line()]
    for model, jit in zip(models, (False, True)):
        step = training.make_train_step(
            model,
            squares,
            keras.optimizers.SGD(0.1),
            options=training.StepOptions(accumulate=2, jit_compile=jit),
        )
        step(*ones())
    np.testing.assert_allclose(*(m.get_weights()[0] for m in models), rtol=1e-6)


def test_all_batches_of_one_shape_share_a_trace():
    step = cases.make_step()
    for number in range(5):
        step(*cases.batch(number))
    assert step._function.experimental_get_tracing_count() == 1


def test_names_of_variables_do_not_depend_on_what_was_built_before():
    first, second = (
        cases.make_step(
            cases.network(norm=True), keras.optimizers.Adam(), ema_decay=0.9
        )
        for _ in range(2)
    )
    assert list(first.variables) == list(second.variables)
    assert first.model.weights[0].path != second.model.weights[0].path
    assert "optimizer/adam/momentum/conv2d/kernel#2" in first.variables


def test_names_given_by_hand_stay_and_seeds_are_among_them():
    x = keras.Input((4, 4, 1))
    y = keras.layers.Conv2D(1, 1, name="decoder_2")(x)
    model = keras.Model(x, keras.layers.Dropout(0.1)(y))
    names = cases.make_step(model).variables
    assert "model/decoder_2/kernel" in names
    assert "optimizer/sgd/momentum/decoder_2/bias" in names
    assert "model/seed_generator/seed_generator_state" in names


def test_every_variable_is_named_once():
    model = cases.network(norm=True, dropout=0.1)
    step = cases.make_step(model, ema_decay=0.9)
    named = {id(variable) for variable in step.variables.values()}
    expected = [*model.variables, *step.optimizer.variables]
    assert {id(variable) for variable in expected} <= named
    averages = len(model.weights)  # all of them are numbers to average here
    assert len(step.variables) == len(expected) + averages + 1  # the position


def test_compile_and_fit_of_the_model_still_work():
    model = line()
    step = training.make_train_step(model, squares, keras.optimizers.SGD(0.1))
    step(*ones())
    model.compile(keras.optimizers.SGD(0.1), squares, jit_compile=False)
    model.fit(*ones(), epochs=1, verbose=0)
    step(*ones())
    # Each step takes 0.1 * 2 w from the weight: 2 -> 1.6 -> 1.28 -> 1.024.
    assert model.get_weights()[0].item() == pytest.approx(1.024)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"accumulate": 0}, "accumulate.*Received: 0"),
        ({"clip_norm": 0.0}, "clip_norm.*Received: 0.0"),
        ({"ema_decay": 1.0}, "ema_decay.*Received: 1.0"),
        (
            {"optimizer": keras.optimizers.SGD(gradient_accumulation_steps=2)},
            "Use `accumulate` here",
        ),
        ({"model": keras.Sequential([keras.layers.Dense(1)])}, "must be built"),
    ],
)
def test_arguments_out_of_range_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        cases.make_step(**options)
