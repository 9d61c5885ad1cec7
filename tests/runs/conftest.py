"""A run of two epochs, which tests read."""

import pytest

from kerasseg.cli import main
from tests.runs.small import SETTINGS


@pytest.fixture(scope="session")
def run(tmp_path_factory):
    out = tmp_path_factory.mktemp("job") / "run"
    assert main(["train", "--out", str(out), *SETTINGS]) == 0
    return out
