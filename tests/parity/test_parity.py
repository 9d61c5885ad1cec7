"""Equal to reference implementations in PyTorch, on random weights and images."""

import json
import os
import pathlib
import subprocess

import numpy as np
import pytest

from kerasseg import encoders, zoo
from tests.parity import seeded
from tests.parity.cases import (
    CASES,
    DETECTORS,
    FIXTURES,
    STARS,
    TOLERANCE,
    TOLERANCES,
    YOLACT,
)

ROOT = pathlib.Path(__file__).parents[2]
PYTHON = os.environ.get("KERASSEG_PARITY_PYTHON", ROOT / ".venv-parity/bin/python")
RESULTS = os.environ.get("KERASSEG_PARITY_RESULTS")
FIXTURE_FILE = ROOT / "tests/files/parity.npz"


@pytest.fixture(scope="module")
def references(request, tmp_path_factory):
    """Folder of state dicts and logits of the chosen cases, from the references."""
    if not pathlib.Path(PYTHON).exists():
        pytest.skip("needs PyTorch's environment (scripts/parity.sh builds it)")
    folder = tmp_path_factory.mktemp("parity")
    chosen = {
        item.callspec.params["case"]
        for item in request.session.items
        if item.get_closest_marker("parity")
        and "references" in item.fixturenames
        and item.path == request.path
    }
    command = [PYTHON, "-m", "tests.parity.reference", folder, *sorted(chosen)]
    subprocess.run(command, cwd=ROOT, check=True)
    return folder


def run(case, arrays):
    """Outputs by name of our model with the reference's weights."""
    name, options, _, size = CASES[case]
    if name in zoo.REFERENCES:
        model = zoo.from_reference(name, 3, weights=arrays, **options)
    else:
        model = zoo.load_torch(encoders.ENCODERS[name](**options), arrays)
    outputs = model(seeded.images(*size), training=False)
    outputs = outputs if isinstance(outputs, dict) else {"logits": outputs}
    return {name: np.asarray(output) for name, output in outputs.items()}


def relative_error(found, expected):
    return np.abs(found - expected).max() / np.abs(expected).max()


def note(case, ours, size, error, agree, encoder=None):
    """Write what was measured into the file that scripts/parity.sh names.

    Args:
        case: its name in `cases`.
        ours: name of our reference or encoder.
        size: (height, width) of the images.
        error: largest one, of the largest value.
        agree: share of pixels of the same class, or of objects that are the same.
        encoder: its name, if there are several.
    """
    if not RESULTS:
        return
    path = pathlib.Path(RESULTS)
    old = json.loads(path.read_text()) if path.is_file() else {}
    old[case] = {
        "reference": ours,
        "encoder": encoder,
        "size": list(size),
        "error": float(f"{error:.1e}"),
        "same_class": round(float(agree), 5),
    }
    kept = {x: old[x] for x in [*CASES, *DETECTORS, *STARS, *YOLACT] if x in old}
    path.write_text(json.dumps(kept, indent=1, sort_keys=True) + "\n")


@pytest.mark.parity
@pytest.mark.parametrize("case", CASES)
def test_logits_equal_the_reference(references, case):
    with np.load(references / f"{case}.npz") as file:
        arrays = dict(file)
    state = {k[2:]: v for k, v in arrays.items() if k.startswith("w/")}
    found = run(case, state)
    names = {*arrays} - {f"w/{name}" for name in state}
    assert names <= {*found}
    errors = [relative_error(found[name], arrays[name]) for name in names]
    same = [(found[n].argmax(-1) == arrays[n].argmax(-1)).mean() for n in names]
    ours, options, _, size = CASES[case]
    note(case, ours, size[:2], max(errors), min(same), options.get("encoder"))
    assert max(errors) <= TOLERANCES.get(case, TOLERANCE)


@pytest.mark.parametrize("case", FIXTURES)
def test_logits_equal_those_that_the_reference_once_gave(case):
    with np.load(FIXTURE_FILE) as file:
        lines = str(file[f"{case}/shapes"]).split("\n")
        expected = file[f"{case}/logits"]
    shapes = {
        name: tuple(map(int, sizes)) for name, *sizes in (x.split() for x in lines)
    }
    found = run(case, seeded.weights(shapes))["logits"]
    assert relative_error(found[:1, ::16, ::16], expected) <= TOLERANCE
