"""Behaviour that needs processes of its own: two devices, peak memory, kill -9."""

import pytest

from tests.training.children import run_child, start_child

HERE = {"TF_NUM_INTRAOP_THREADS": "2", "TF_ENABLE_ONEDNN_OPTS": "0"}
ELSEWHERE = {"TF_NUM_INTRAOP_THREADS": "1", "TF_ENABLE_ONEDNN_OPTS": "1"}


@pytest.fixture(scope="module")
def devices():
    return run_child("child_devices.py")


@pytest.fixture(scope="module")
def kills(tmp_path_factory):
    folder = tmp_path_factory.mktemp("kills")
    return folder, run_child("child_kills.py", folder, **HERE)


@pytest.mark.slow
def test_two_devices_train_as_one(devices):
    # Six steps of Adam; float32 sums in another order.
    assert devices["devices"] < 1e-5


@pytest.mark.slow
def test_slices_on_two_devices_train_as_one(devices):
    assert devices["slices"] < 1e-5


@pytest.mark.slow
def test_averages_of_devices_and_slices_are_those_of_one_batch(devices):
    assert devices["averages"] < 1e-4


@pytest.mark.slow
def test_an_ignored_class_counts_for_no_slice_of_two_devices(devices):
    assert devices["masked"] < 1e-5


@pytest.mark.slow
def test_an_objective_in_slices_on_two_devices_trains_as_on_one(devices):
    assert devices["objective"] < 1e-5


@pytest.mark.slow
def test_slices_need_the_memory_of_a_slice(devices):
    # Of 16 images, 2 at a time; gradients and buffers keep it from being an eighth.
    assert devices["memory"]["8"] < 0.5 * devices["memory"]["1"]


@pytest.mark.slow
def test_a_step_that_is_not_finite_changes_no_device(devices):
    assert devices["restored"]


@pytest.mark.slow
def test_a_model_made_outside_of_the_strategy_is_refused(devices):
    assert "inside `with strategy.scope():`" in devices["outside"]


@pytest.mark.slow
def test_synchronized_normalization_sees_the_whole_batch(devices):
    assert devices["synchronized"] < 1e-5


@pytest.mark.slow
def test_a_run_killed_while_it_saves_ends_bit_by_bit_the_same(kills):
    _, report = kills
    assert report["saving"]


@pytest.mark.slow
def test_kills_at_random_instants_change_nothing(kills):
    _, report = kills
    assert report["kills"] >= 8
    assert report["rows"] and report["best"]


@pytest.mark.slow
def test_resuming_with_other_threads_and_onednn_is_right_and_says_so(kills):
    folder, _ = kills
    arguments = folder / "broken", folder / "whole"
    printed = start_child("child_run.py", *arguments, **ELSEWHERE)
    assert "may not be bit-identical" in printed
    for name, value in HERE.items():
        assert f"{name} was {value!r}, is {ELSEWHERE[name]!r}" in printed
