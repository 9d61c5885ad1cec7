"""GrabCut from a box, probabilities and scribbles."""

import cv2
import numpy as np
import pytest

from kerasseg import classical
from tests.classical.pictures import disks


def hints(mask):
    scribbles = np.full(mask.shape, 255)
    scribbles[28:33, 40:50], scribbles[:4] = 1, 0
    return {
        "box": {"box": (20, 8, 70, 55)},
        "probabilities": {"probabilities": np.where(disks((28, 42, 14)), 0.8, 0.2)},
        "scribbles": {"scribbles": scribbles},
    }


@pytest.mark.parametrize("hint", ["box", "probabilities", "scribbles"])
def test_grabcut_finds_the_disk(scene, hint):
    image, mask = scene
    found = classical.grabcut(image, **hints(mask)[hint])
    assert (found == mask).mean() > 0.99


def test_grabcut_does_not_depend_on_opencvs_random_state(scene):
    image, _ = scene
    results = []
    for seed in (1, 2):
        cv2.setRNGSeed(seed)
        results.append(classical.grabcut(image, box=(20, 8, 70, 55)))
    np.testing.assert_array_equal(*results)


@pytest.mark.parametrize("value", [0.0, 0.4, 1.0])
def test_grabcut_of_one_class_is_that_class(scene, value):
    found = classical.grabcut(scene[0], probabilities=np.full([60, 90], value))
    assert (found == round(value)).all()


@pytest.mark.parametrize(
    "hint",
    [
        {},
        {"box": (0, 0, 90, 60)},
        {"box": (10, 10, 95, 20)},
        {"box": (10, 10, 10, 20)},
        {"box": (1, 2, 3)},
        {"box": (1, 2, np.nan, 4)},
        {"box": (1, 1, 9, 9), "scribbles": np.zeros([60, 90], int)},
        {"probabilities": np.full([60, 90], 1.5)},
        {"probabilities": np.full([60, 90], np.nan)},
        {"probabilities": np.zeros([60, 90, 2])},
        {"scribbles": np.zeros([60, 90], int)},
        {"scribbles": np.full([60, 90], 7)},
        {"scribbles": np.zeros([6, 9], int)},
    ],
)
def test_grabcut_refuses_bad_hints(scene, hint):
    with pytest.raises(ValueError, match="Received"):
        classical.grabcut(scene[0], **hint)
