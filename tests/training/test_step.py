"""One training step against numpy, keras and itself."""

import gc
import weakref

import keras
import numpy as np
import pytest

from kerasseg import training
from tests.training import training_cases as cases


def test_a_step_of_gradient_descent_is_the_one_worked_out_by_hand():
    # Loss (2 * 1 - 0)^2 = 4, penalty 0.5 * 2^2 = 2; gradients 2 * 2 = 4 and 2.
    model = cases.line(kernel_regularizer=keras.regularizers.L2(0.5))
    step = training.make_train_step(model, cases.squares, keras.optimizers.SGD(0.1))
    logs = {name: value.numpy() for name, value in step(*cases.ones()).items()}
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
    images = np.full_like(images, np.inf)
    # Kernels of some processors make 0 of NaN, so that only gradients are not finite:
    # these are put down to the scale of 2^15 until it has been halved to 1.
    failed = [bool(step(images, labels)["failed"]) for _ in range(17)]
    assert failed[-1] and failed == sorted(failed)


def test_bfloat16_trains_float32_weights():
    step = cases.make_step(cases.network(norm=True, dtype="mixed_bfloat16"))
    losses = [float(step(*cases.batch(0))["loss"]) for _ in range(20)]
    assert losses[-1] < losses[0]
    assert {v.dtype for v in step.model.weights} == {"float32"}


def test_xla_computes_the_same():
    models = [cases.line(), cases.line()]
    for model, jit in zip(models, (False, True)):
        step = training.make_train_step(
            model,
            cases.squares,
            keras.optimizers.SGD(0.1),
            options=training.StepOptions(accumulate=2, jit_compile=jit),
        )
        step(*cases.ones())
    np.testing.assert_allclose(*(m.get_weights()[0] for m in models), rtol=1e-6)


def test_xla_compiles_norms_in_slices_and_ignored_classes():
    loss = keras.losses.SparseCategoricalCrossentropy(True, ignore_class=0)
    steps = []
    for jit in (False, True):
        options = training.StepOptions(accumulate=2, jit_compile=jit)
        model, optimizer = cases.network(norm=True), keras.optimizers.SGD(0.1)
        steps.append(training.make_train_step(model, loss, optimizer, options=options))
        steps[-1](*cases.batch(0))
    cases.assert_close(*map(cases.values, steps), tolerance=1e-5)


def test_all_batches_of_one_shape_share_a_trace():
    step = cases.make_step()
    for number in range(5):
        step(*cases.batch(number))
    assert step._function.experimental_get_tracing_count() == 1


def test_compile_and_fit_of_the_model_still_work():
    model = cases.line()
    step = training.make_train_step(model, cases.squares, keras.optimizers.SGD(0.1))
    step(*cases.ones())
    model.compile(keras.optimizers.SGD(0.1), cases.squares, jit_compile=False)
    model.fit(*cases.ones(), epochs=1, verbose=0)
    step(*cases.ones())
    # Each step takes 0.1 * 2 w from the weight: 2 -> 1.6 -> 1.28 -> 1.024.
    assert model.get_weights()[0].item() == pytest.approx(1.024)


@pytest.mark.parametrize("accumulate", [1, 2])
def test_a_training_that_is_over_leaves_nothing_behind(accumulate):
    step = cases.make_step(cases.network(norm=True), accumulate=accumulate)
    step(*cases.batch(0))
    (concrete,) = step._function._list_all_concrete_functions()
    graph, weight = weakref.ref(concrete.graph), weakref.ref(step._weights[0])
    del step, concrete
    gc.collect()
    assert graph() is None and weight() is None
