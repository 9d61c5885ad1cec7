"""YOLACT equals a network rebuilt in PyTorch, stage by stage and as a whole."""

import pathlib
import subprocess

import numpy as np
import pytest
from keras import ops

from kerasseg import encoders, zoo
from tests.parity import seeded
from tests.parity.cases import YOLACT, YOLACT_SIZE
from tests.parity.test_detectors import overlaps
from tests.parity.test_parity import PYTHON, ROOT, note, relative_error

LEVELS = (3, 4, 5, 6, 7)
pytestmark = pytest.mark.parity


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Folder of what the rebuilt networks give."""
    if not pathlib.Path(PYTHON).exists():
        pytest.skip("needs PyTorch's environment (scripts/parity.sh builds it)")
    folder = tmp_path_factory.mktemp("yolact")
    command = [PYTHON, "-m", "tests.parity.rebuilt_yolact", folder]
    subprocess.run(command, cwd=ROOT, check=True)
    return folder


@pytest.fixture(scope="module", params=YOLACT)
def parts(folder, request):
    """Weights, what each stage gives, and the objects: dicts of arrays."""
    found = {"case": request.param, "w": {}, "s": {}, "0": {}}
    with np.load(folder / f"{request.param}.npz") as file:
        for name in file.files:
            part, _, rest = name.partition("/")
            found[part][rest] = file[name]
    return found


@pytest.fixture(scope="module")
def model(parts):
    name = f"yolact/{YOLACT[parts['case']]}"
    return zoo.from_reference(name, 3, weights=parts["w"])


def test_stages_are_those_of_the_reference(parts, model):
    theirs, image = parts["s"], seeded.images(*YOLACT_SIZE)[:1]
    taps = encoders.of(model)(image, training=False)
    pyramid = model.get_layer("fpn")([taps[f"c{i}"] for i in LEVELS[:3]])
    for level in LEVELS:
        assert relative_error(pyramid[f"p{level}"], theirs[f"p{level}"]) <= 5e-4
    head, rows = model.get_layer("prediction_head"), []
    for level in LEVELS:
        rows.append(head(theirs[f"p{level}"], training=False))
    for name in ("logits", "deltas", "coefficients"):
        found = np.concatenate([one[name] for one in rows], 1)
        assert relative_error(found, theirs[name]) <= 1e-4
    found = model.get_layer("protonet")(theirs["p3"], training=False)
    assert relative_error(found["prototypes"], theirs["prototypes"]) <= 1e-4
    boxes, priors = model.get_layer("detections").anchors / 550, theirs["priors"]
    np.testing.assert_allclose((boxes[:, :2] + boxes[:, 2:]) / 2, priors[:, :2], 1e-5)
    np.testing.assert_allclose(boxes[:, 2:] - boxes[:, :2], priors[:, 2:], atol=1e-6)


def test_objects_of_the_same_maps_are_those_of_the_reference(parts, model):
    maps = [parts["s"][x] for x in ("logits", "deltas", "coefficients", "prototypes")]
    found = model.get_layer("detections")(maps)
    found = {name: ops.convert_to_numpy(x)[0] for name, x in found.items()}
    expected = parts["0"]
    np.testing.assert_allclose(found["scores"], expected["scores"], atol=1e-6)
    places = partners(found, expected)
    np.testing.assert_allclose(found["boxes"][places], expected["boxes"], atol=1e-2)
    masks = found["masks"][places]
    assert masks.shape == expected["masks"].shape == (100, 138, 138)
    # A side that lies on a pixel is decided by rounding.
    assert (np.abs(masks - expected["masks"]) > 1e-3).mean() < 1e-4


def test_objects_of_an_image_are_those_of_the_reference(parts, model):
    found = model(seeded.images(*YOLACT_SIZE)[:1], training=False)
    found = {name: ops.convert_to_numpy(x)[0] for name, x in found.items()}
    expected, case = parts["0"], parts["case"]
    places = partners(found, expected)
    overlap = np.diag(overlaps(expected["boxes"], found["boxes"][places]))
    error = np.abs(expected["scores"] - found["scores"][places]).max()
    same = (overlap > 0.9).mean()
    note(case, f"yolact/{YOLACT[case]}", YOLACT_SIZE, error, same)
    assert same == 1 and error < 1e-3


def partners(found, expected):
    """Index of the found object of the same place and class, for each expected one.

    Neighbours of nearly equal scores change places, no others.
    """
    same = overlaps(expected["boxes"], found["boxes"])
    same = np.where(expected["classes"][:, None] == found["classes"], same, 0)
    places = same.argmax(1)
    assert (np.abs(places - np.arange(len(places))) <= 1).all()
    return places
