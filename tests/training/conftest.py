"""A run that tests compare theirs with."""

import pytest

from tests.training import training_cases as cases


@pytest.fixture(scope="session")
def whole(tmp_path_factory):
    """A run without a break: its folder, variables and weights of the best epoch."""
    folder = tmp_path_factory.mktemp("whole")
    step = cases.full_step()
    result = cases.fit(step, folder, validate=cases.brightness(step), log_every=3)
    return folder, cases.values(step), result
