"""StarDist equals the package `stardist`: maps of probabilities, rays and objects."""

import os
import pathlib
import subprocess

import numpy as np
import pytest
from scipy.special import expit

from kerasseg import tasks, zoo
from kerasseg.images.values import between_percentiles
from kerasseg.metrics.instances import iou_table
from tests.parity.cases import STARS
from tests.parity.test_parity import ROOT, note, relative_error

PYTHON = os.environ.get("KERASSEG_STARDIST_PYTHON", ROOT / ".venv-stardist/bin/python")
pytestmark = pytest.mark.parity


@pytest.fixture(scope="module", params=STARS)
def reference(tmp_path_factory, request):
    """Name of a case, and the files that StarDist wrote: CASE.zip and CASE.npz."""
    if not pathlib.Path(PYTHON).exists():
        pytest.skip("needs StarDist's environment (scripts/parity.sh builds it)")
    folder = tmp_path_factory.mktemp("stardist")
    command = [PYTHON, "-m", "tests.parity.stardist_reference", folder, request.param]
    subprocess.run(command, cwd=ROOT, check=True)
    return request.param, folder / request.param


def test_objects_are_those_of_the_reference(reference):
    case, file = reference
    channels, name = STARS[case][2], f"stardist/{case}"
    model = zoo.from_reference(name, weights=file.with_suffix(".zip"))
    with np.load(file.with_suffix(".npz")) as stored:
        arrays = dict(stored)
    image = between_percentiles(arrays["0/image"], (1, 99.8))
    shape = 1, *image.shape[:2], channels
    maps = model(np.asarray(image).reshape(shape), training=False)
    probabilities = expit(np.asarray(maps["logits"])[0, ..., 0])
    # It raises smaller ones to that.
    distances = np.maximum(np.asarray(maps["distances"])[0], 1e-3)
    errors = [
        relative_error(probabilities, arrays["probabilities"]),
        relative_error(distances, arrays["distances"]),
    ]
    assert max(errors) <= 1e-4
    shares, num = [], 0
    for index in (0, 1):
        labels = arrays[f"{index}/labels"].astype("int32")
        found = tasks.predict(model, arrays[f"{index}/image"])
        assert len(found) == labels.max()
        num += len(found)
        shares += iou_table(labels, found.to_label_map()).max(1).tolist()
    same = np.mean(np.array(shares) >= 0.99)
    note(case, name, shape[1:3], max(errors), same)
    # See tests/zoo/test_star_unet.py.
    assert num > 20 and same > 0.9
