"""Outlines of classes over images, beside the functions of single ones."""

import numpy as np
import pytest
from scipy import ndimage

from kerasseg import metrics
from kerasseg.tasks.outlines import Outlines

NAMES = ("ground", "a", "b", "absent", "missed")


def maps(rng, size):
    """A label and a prediction that is shifted and lacks a class."""
    noise = ndimage.gaussian_filter(rng.normal(size=size), 4)
    label = np.digitize(noise, np.quantile(noise, [0.5, 0.8, 0.9])).astype("int32")
    label = np.array([0, 1, 2, 4])[label]
    found = np.roll(label, (1, 2), (0, 1))
    found[found == 4] = 2
    label[:3], label[10:14, 5:30] = 255, 255
    return label, found


def test_scores_are_those_of_each_class_on_whole_images(rng):
    pairs = [maps(rng, (40, 60)), maps(rng, (33, 47))]
    outlines = Outlines(len(NAMES), 255)
    for label, found in pairs:
        before = label.copy(), found.copy()
        outlines.add(label, found)
        np.testing.assert_array_equal(before[0], label)
        np.testing.assert_array_equal(before[1], found)
    result = outlines.result(NAMES)
    assert [*result["classes"]] == ["ground", "a", "b", "missed"]
    bands = sum(metrics.boundary_iou_counts(*pair, 5) for pair in pairs)
    lines = metrics.cl_dice(sum(metrics.centerline_counts(*pair, 5) for pair in pairs))
    for number, name in enumerate(NAMES):
        if name == "absent":
            continue
        one = result["classes"][name]
        assert one["boundary_iou"] == pytest.approx(
            bands[number, 0] / bands[number, 1], abs=1e-6
        )
        assert one["cl_dice"] == pytest.approx(lines[number], abs=1e-6)
        distances = [metrics.surface_distances(*pair, number) for pair in pairs]
        nsd = np.mean([metrics.surface_dice(x, 2.0) for x in distances])
        assert one["surface_dice"] == pytest.approx(nsd, abs=1e-6)
        if name == "missed":
            assert one["hd95_px"] is one["assd_px"] is None
            assert one["in_one_map"] == one["images"] == 2 and one["surface_dice"] == 0
            continue
        for key in ("hd95", "assd"):
            mean = np.mean([getattr(metrics, key)(x) for x in distances])
            assert one[f"{key}_px"] == pytest.approx(mean, abs=1e-6)
        assert (one["images"], one["in_one_map"]) == (2, 0)


def test_an_equal_map_has_perfect_outlines(rng):
    label, _ = maps(rng, (40, 60))
    outlines = Outlines(len(NAMES), 255)
    outlines.add(label, np.where(label == 255, 0, label))
    for one in outlines.result(NAMES)["classes"].values():
        assert one["boundary_iou"] == one["surface_dice"] == one["cl_dice"] == 1
        assert one["hd95_px"] == one["assd_px"] == 0


def test_without_an_ignored_label_all_pixels_count():
    label = np.zeros([12, 12], "int32")
    label[4:8, 4:8] = 1
    outlines = Outlines(2, None)
    outlines.add(label, np.roll(label, 1, 0))
    assert outlines.result(NAMES[:2])["classes"]["a"]["hd95_px"] == 1


def test_thick_classes_have_no_centre_line():
    label = np.zeros([100, 120], "int32")
    label[10:70, 10:100], label[80:84] = 1, 2
    outlines = Outlines(3, 255)
    outlines.add(label, label)
    outlines.add(np.full_like(label, 2), label)
    found = outlines.result(NAMES[:3])["classes"]
    assert found["a"]["cl_dice"] is None
    assert found["b"]["cl_dice"] is None  # in the second image it is everywhere
    outlines = Outlines(3, 255)
    outlines.add(label, label)
    assert outlines.result(NAMES[:3])["classes"]["b"]["cl_dice"] == 1


def test_very_large_images_are_left_out(monkeypatch):
    monkeypatch.setattr("kerasseg.tasks.outlines.MOST_PX", 15)
    outlines = Outlines(2, 255)
    outlines.add(np.zeros([4, 4], "int32"), np.zeros([4, 4], "int32"))
    assert outlines.result(NAMES[:2])["num_images"] == 0
    outlines.add(np.zeros([3, 4], "int32"), np.zeros([3, 4], "int32"))
    assert outlines.result(NAMES[:2])["num_images"] == 1
