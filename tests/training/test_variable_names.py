"""Names of variables that are the same in every process."""

import keras

from tests.training import training_cases as cases


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
