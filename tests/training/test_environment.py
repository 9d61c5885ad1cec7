"""The environment of a run, compared on resume."""

import pytest

from tests.training import training_cases as cases


def test_another_environment_is_reported_on_resume(tmp_path):
    cases.fit(cases.make_step(), tmp_path, steps=4)
    with pytest.warns(UserWarning, match="accumulate was 1, is 2"):
        cases.fit(cases.make_step(accumulate=2), tmp_path, steps=8)
