"""The same logits from TensorFlow, JAX and PyTorch."""

import os
import pathlib
import subprocess

import numpy as np
import pytest

from tests.contracts.cases import CASES
from tests.parity.backend_logits import logits
from tests.parity.test_parity import PYTHON, ROOT, relative_error

# JAX compiles every operation by itself: without optimising, in half of the time.
QUICKLY = "--xla_backend_optimization_level=0 --xla_llvm_disable_expensive_passes=true"


@pytest.fixture(scope="module", params=["jax", "torch"])
def others(request, tmp_path_factory):
    """Logits by case that another backend gave in the environment of parity.sh."""
    if not pathlib.Path(PYTHON).exists():
        pytest.skip("needs the environment that scripts/parity.sh builds")
    file = tmp_path_factory.mktemp("backends") / f"{request.param}.npz"
    command = [PYTHON, "-m", "tests.parity.backend_logits", file]
    environment = {**os.environ, "KERAS_BACKEND": request.param, "XLA_FLAGS": QUICKLY}
    subprocess.run(command, cwd=ROOT, check=True, env=environment)
    with np.load(file) as arrays:
        return dict(arrays)


@pytest.mark.parity
@pytest.mark.parametrize("case", CASES, ids="-".join)
def test_logits_are_those_of_tensorflow(others, case):
    assert relative_error(others["-".join(case)], logits(*case)) <= 1e-4
