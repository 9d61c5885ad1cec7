"""What needs processes of its own: two devices, peak memory, kill -9."""

import json
import os
import pathlib
import signal
import subprocess
import sys

import pytest

FOLDER = pathlib.Path(__file__).parent


def child(script, *arguments, **environment):
    """Run a script of this folder; return its exit code and what it printed."""
    paths = [str(FOLDER.parents[1]), os.environ.get("PYTHONPATH", "")]
    done = subprocess.run(
        [sys.executable, FOLDER / script, *map(str, arguments)],
        env={
            **os.environ,
            "PYTHONPATH": os.pathsep.join(filter(None, paths)),
            **environment,
        },
        capture_output=True,
        text=True,
    )
    if done.returncode > 0:
        pytest.fail(done.stderr[-3000:])
    return done.returncode, done.stdout


@pytest.fixture(scope="module")
def devices():
    return json.loads(child("child_devices.py")[1].splitlines()[-1])


@pytest.mark.slow
def test_two_devices_train_as_one(devices):
    # Six steps of Adam; float32 sums in another order.
    assert devices["devices"] < 1e-5


@pytest.mark.slow
def test_slices_on_two_devices_train_as_one(devices):
    assert devices["slices"] < 1e-5


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
def test_a_run_killed_while_it_saves_ends_bit_by_bit_the_same(tmp_path):
    # The sixth file is the checkpoint of step 8, after that epoch's best weights.
    code, _ = child("child_run.py", tmp_path, 5, 0)
    assert code == -signal.SIGKILL
    code, printed = child("child_run.py", tmp_path, 0, 0)
    assert code == 0 and not printed.strip()


@pytest.mark.slow
def test_resuming_with_other_threads_and_onednn_is_right_and_says_so(tmp_path):
    elsewhere = {"TF_NUM_INTRAOP_THREADS": "1", "TF_ENABLE_ONEDNN_OPTS": "1"}
    here = {"TF_NUM_INTRAOP_THREADS": "2", "TF_ENABLE_ONEDNN_OPTS": "0"}
    assert child("child_run.py", tmp_path, 5, 0, **here)[0] == -signal.SIGKILL
    _, printed = child("child_run.py", tmp_path, 0, 1e-4, **elsewhere)
    assert "may not be bit-identical" in printed
    for name in here:
        assert f"{name} was {here[name]!r}, is {elsewhere[name]!r}" in printed


@pytest.mark.slow
def test_kills_at_random_instants_change_nothing(tmp_path):
    _, printed = child("child_kills.py", tmp_path)
    report = json.loads(printed.splitlines()[-1])
    assert report["kills"] >= 10
    assert report["rows"] and report["best"]


@pytest.mark.slow
def test_synchronized_normalization_sees_the_whole_batch(devices):
    assert devices["synchronized"] < 1e-5
