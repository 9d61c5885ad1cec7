"""Images for display, overlays and contours, checked pixel by pixel."""

import subprocess
import sys

import cv2
import numpy as np
import pytest
from skimage import measure

from kerasseg import viz
from tests.viz.pictures import QUADRANTS


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32", "float64", "bool"])
@pytest.mark.parametrize("shape", [(5, 7), (5, 7, 1), (5, 7, 3), (5, 7, 4)])
def test_every_image_can_be_displayed(dtype, shape, rng):
    image = (rng.random(shape) * 200).astype(dtype)
    picture = viz.display(image)
    assert picture.shape == (5, 7, 3) and picture.dtype == np.uint8


def test_display_reads_the_range_of_floats():
    ramp = np.linspace(0, 1, 256).reshape(16, 16)
    expected = np.arange(256).reshape(16, 16)
    for image in (ramp, ramp * 255, (ramp * 255).astype("float32")):
        np.testing.assert_array_equal(viz.display(image)[..., 0], expected)


def test_display_stretches_deep_images():
    image = np.full([10, 10], 1000, "uint16")
    image[5:] = 3000  # a 12-bit camera
    assert viz.display(image)[[0, 9], 0, 0].tolist() == [0, 255]


def test_overlay_leaves_background_and_tints_the_rest():
    image = np.full([20, 24, 3], 100, "uint8")
    picture = viz.overlay(image, QUADRANTS, alpha=0.5)
    assert picture[3, 3].tolist() == [100, 100, 100]
    # Orange (230, 159, 0), half and half with 100.
    assert np.abs(picture[3, 20].astype(int) - [165, 130, 50]).max() <= 1
    assert picture[3, 12].tolist() == [230, 159, 0]  # outline, opaque
    assert (image == 100).all()


def test_overlay_without_contours_has_two_colors_only():
    image, label = np.zeros([9, 9], "uint8"), np.eye(9, dtype=int)
    picture = viz.overlay(image, label, contours=False, alpha=0.5)
    assert len(np.unique(picture.reshape(-1, 3), axis=0)) == 2


def test_overlay_tints_background_on_request():
    white = np.full([20, 24], 255, "uint8")
    picture = viz.overlay(white, QUADRANTS, background=None, alpha=0.5, contours=False)
    assert picture[3, 3].tolist() == [128, 128, 128]


def test_overlay_refuses_another_size():
    with pytest.raises(ValueError, match=r"label \(20, 24\), image \(5, 5\)"):
        viz.overlay(np.zeros([5, 5], "uint8"), QUADRANTS)


def test_overlay_legend_names_the_classes_that_occur():
    image = np.zeros([220, 240, 3], "uint8")
    label = QUADRANTS.repeat(11, 0).repeat(10, 1)
    plain = viz.overlay(image, label)
    picture = viz.overlay(image, label, class_names=["nothing", "sky", "$5", "car"])
    np.testing.assert_array_equal(picture[8:228, 8:248], plain)
    legend = picture[:, 260:].reshape(-1, 3)
    shown = {tuple(c) for c in viz.palette(4).tolist()} & set(
        map(tuple, legend.tolist())
    )
    assert shown == {tuple(c) for c in viz.palette(4)[1:3].tolist()}


def test_filling_contours_gives_back_the_label_map(rng):
    blobs = cv2.blur(rng.random([60, 80]).astype("float32"), (7, 7))
    label = np.digitize(blobs, [0.48, 0.52, 0.55])
    drawn = np.zeros_like(label, "uint8")
    regions = viz.contours(label)
    for region in regions:
        rings = [np.array(ring) for ring in region["rings"]]
        mask = cv2.fillPoly(np.zeros_like(drawn), rings, 1)
        assert mask.sum() == region["area_px"]
        drawn += mask * np.uint8(region["class_id"])
    np.testing.assert_array_equal(drawn, label)
    parts = [measure.label(label == i, connectivity=2).max() for i in (1, 2, 3)]
    assert len(regions) == sum(parts)


def test_contours_leave_out_small_regions_and_ignored_pixels():
    label = np.zeros([8, 8], int)
    label[1, 1], label[4:6, 4:6], label[7] = 1, 1, 255
    regions = viz.contours(label, min_area_px=2)
    assert [(r["class_id"], r["area_px"]) for r in regions] == [(1, 4)]
    assert regions[0]["rings"][0][0] == [4, 4]


def test_import_leaves_matplotlib_out():
    code = (
        "import sys, kerasseg.viz; assert not {'matplotlib', 'keras'} & {*sys.modules}"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
