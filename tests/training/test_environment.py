"""The environment of a run, compared on resume."""

import pytest

from kerasseg import runs
from kerasseg.runs import devices
from tests.training import forks
from tests.training import training_cases as cases


def test_another_environment_is_reported_on_resume(tmp_path):
    cases.fit(cases.make_step(), tmp_path, steps=4)
    with pytest.warns(UserWarning, match="accumulate was 1, is 2"):
        cases.fit(cases.make_step(accumulate=2), tmp_path, steps=8)


def test_a_fork_of_a_process_that_has_used_tensorflow_is_told_what_to_do(tmp_path):
    step = cases.make_step()

    def train():
        with pytest.raises(RuntimeError, match=r"Fork before .*or start .*'spawn'"):
            cases.fit(step, tmp_path / "run")
        with pytest.raises(RuntimeError, match=r"process of its own. Received: a fork"):
            devices.prepare()
        with pytest.raises(RuntimeError, match=r"process of its own. Received: a fork"):
            runs.evaluate(tmp_path)

    assert forks.run(train) == 0
    cases.fit(step, steps=2)  # in the process itself all is well
