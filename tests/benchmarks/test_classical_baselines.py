"""Scores of the classical baselines on maps that can be counted."""

import cv2
import numpy as np
import pytest

from benchmarks.classical_baselines import (
    find_nuclei,
    iou,
    label_map_scores,
    line_strength,
    nuclei,
)


def test_iou_of_half():
    found, truth = np.array([True, True, False]), np.array([False, True, True])
    assert iou(found, truth) == pytest.approx(1 / 3)
    assert iou(found & False, truth & False) == 1


def test_scores_of_label_maps_add_up_over_images():
    # Two objects of 4 and 2 pixels; one is found in the first image, both in the other.
    truth = np.array([[1, 1, 1, 1, 0, 2, 2, 0]])
    scores = label_map_scores(
        [(truth, np.minimum(truth, 1) * (truth < 2)), (truth,) * 2]
    )
    assert scores["label_ap"] == scores["label_ap50"] == pytest.approx(3 / 4)
    assert scores["f1"] == scores["pq"] == pytest.approx(6 / 7)
    assert scores["aji"] == pytest.approx((4 / 6 + 1) / 2)
    assert scores["iou"] == pytest.approx((4 / 6 + 1) / 2)


@pytest.fixture
def disks():
    """Two touching disks of equal brightness and a dim one: grey, and their number."""
    image = np.full([80, 120], 20, "uint8")
    for x, y, value in ((30, 40, 220), (57, 40, 220), (98, 40, 140)):
        cv2.circle(image, (x, y), 15, value, -1)
    return image


@pytest.mark.parametrize("invert", [False, True])
def test_bright_and_dark_nuclei_are_counted(disks, invert):
    image = np.repeat((255 - disks if invert else disks)[..., None], 3, axis=2)
    found = find_nuclei(image)
    assert len(np.unique(found)) == 4
    assert iou(found > 0, disks > 20) > 0.97


def test_an_even_image_has_no_nuclei():
    assert not find_nuclei(np.full([20, 30, 3], 90, "uint8")).any()


def test_dark_lines_are_stronger_than_dark_spots_and_bright_lines(rng):
    image = rng.normal(150, 10, [120, 160])
    image[:, 38:43] -= 60
    image[:, 78:83] += 60
    cv2.circle(image, (120, 60), 4, 90, -1)
    strength = line_strength(image)
    line, bright_line, spot = (
        strength[30:90, 40],
        strength[30:90, 80],
        strength[60, 120],
    )
    assert line.min() > max(bright_line.max(), spot)


@pytest.mark.slow
def test_nuclei_are_found(data_root):
    scores = nuclei(data_root("dsb2018"))
    assert scores["images"] == 30 and scores["f1"] > 0.5
