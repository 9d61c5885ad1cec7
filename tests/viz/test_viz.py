"""Pictures: colours, overlays, outlines, galleries and charts."""

import subprocess
import sys

import cv2
import numpy as np
import pytest
from skimage import color, io, measure

from kerasseg import viz

QUADRANTS = np.kron([[0, 1], [2, 255]], np.ones([10, 12], int))  # 20 x 24 pixels
# Vienot et al., 1999: linear RGB as a deuteranope sees it.
DEUTERANOPE = [[0.29275, 0.70725, 0], [0.29275, 0.70725, 0], [-0.02234, 0.02234, 1]]


def lab_distances(colors):
    lab = color.rgb2lab(np.asarray(colors, float)[None] / 255)[0]
    distances = np.linalg.norm(lab[:, None] - lab, axis=-1)
    return distances[~np.eye(len(lab), dtype=bool)]


def test_a_longer_palette_starts_with_the_shorter_one():
    assert viz.palette(1).tolist() == [[0, 0, 0]]
    for num in (5, 8, 9, 40, 256):
        np.testing.assert_array_equal(viz.palette(300)[:num], viz.palette(num))


def test_palette_colors_differ_clearly():
    assert lab_distances(viz.palette(21)).min() > 25  # 2.3 is just noticeable
    assert lab_distances(viz.palette(64)).min() > 12
    assert len(np.unique(viz.palette(256), axis=0)) == 256


def test_first_colors_differ_for_a_deuteranope():
    linear = (viz.palette(8) / 255) ** 2.2
    seen = np.clip(linear @ np.transpose(DEUTERANOPE), 0, 1) ** (1 / 2.2)
    assert lab_distances(255 * seen).min() > 10


def test_palette_refuses_no_colors():
    with pytest.raises(ValueError, match="Received: num=0"):
        viz.palette(0)


def test_colorize_paints_each_quadrant():
    picture = viz.colorize(QUADRANTS, [[9, 9, 9], [1, 2, 3], [4, 5, 6]])
    corners = picture[[0, 0, -1, -1], [0, -1, 0, -1]].tolist()
    assert corners == [[9, 9, 9], [1, 2, 3], [4, 5, 6], list(viz.IGNORED)]
    assert picture.dtype == np.uint8


def test_colorize_without_ignore_label_needs_all_colors():
    assert viz.colorize(QUADRANTS, ignore_label=None).shape == (20, 24, 3)
    with pytest.raises(ValueError, match="up to 255"):
        viz.colorize(QUADRANTS, viz.palette(3), ignore_label=None)


@pytest.mark.parametrize("label", [np.zeros([2, 2, 2], int), [[0.5]], [[-1]]])
def test_colorize_refuses_what_is_no_label_map(label):
    with pytest.raises(ValueError, match="Received"):
        viz.colorize(label)


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


def test_legend_adds_columns_when_it_may_not_be_high():
    names = [f"class {i}" for i in range(12)]
    tall, wide = viz.legend(names), viz.legend(names, height_px=100)
    assert wide.shape[0] <= 100 < tall.shape[0] and wide.shape[1] > 2 * tall.shape[1]


def test_legend_refuses_a_class_without_a_name():
    with pytest.raises(ValueError, match="Received: 2 names"):
        viz.legend(["a", "b"], class_ids=[1, 3])


def test_errors_mark_wrong_pixels_but_not_ignored_ones():
    wrong = viz.errors(np.zeros([20, 24]), QUADRANTS, np.zeros([20, 24], int))
    is_wrong = (wrong == (213, 94, 0)).all(-1)
    np.testing.assert_array_equal(is_wrong, (QUADRANTS == 1) | (QUADRANTS == 2))


@pytest.mark.parametrize("size", [(1, 1), (64, 64), (2000, 2000)])
def test_triptych_is_as_large_for_every_image(size):
    label = np.zeros(size, int)
    picture = viz.triptych(label.astype("uint8"), label, label, panel_px=300)
    assert picture.shape[1] == 4 * 300 + 3 * 8 + 2 * 8


def test_gallery_keeps_to_its_width_with_long_names():
    label = np.zeros([30, 40], int)
    row = {"image": label.astype("uint8"), "label": label, "prediction": label}
    rows = [
        {**row, "name": "x" * 300, "score": 0.25},
        {**row, "name": "b", "score": None},
    ]
    one = viz.gallery({"Worst": rows[1:]}, panel_px=100)
    picture = viz.gallery({"Worst": rows, "Best": rows}, panel_px=100)
    assert picture.shape[1] == one.shape[1] == 4 * 100 + 3 * 8 + 16
    assert picture.shape[0] > 2.5 * one.shape[0]


def test_gallery_refuses_nothing():
    with pytest.raises(ValueError, match="at least one row"):
        viz.gallery({"Worst": []})


def test_curves_draw_what_the_rows_hold(tmp_path):
    rows = [{"step": i, "loss": 1 / i, "learning_rate": 1e-3} for i in range(1, 400)]
    rows[10] |= {"loss": float("nan"), "mean_iou": 0.5, "is_best": True, "note": "text"}
    viz.curves(rows, tmp_path / "three.png")
    viz.curves(
        [{"step": 1, "loss": None}, {"step": 1, "loss": 2.0}], tmp_path / "one.png"
    )
    three, one = (io.imread(tmp_path / name) for name in ("three.png", "one.png"))
    assert three.shape[0] > 2 * one.shape[0] and three[..., :3].std() > 5


@pytest.mark.parametrize("rows", [[], [{"step": 1, "loss": None}], [{"loss": 1.0}]])
def test_curves_refuse_rows_without_numbers(rows, tmp_path):
    with pytest.raises(ValueError, match="must hold a 'step'"):
        viz.curves(rows, tmp_path / "curves.png")


def test_confusion_colors_the_share_of_each_row(tmp_path):
    # 99 % and 1 %; all wrong; no pixels: two dark cells and three grey ones of nine.
    viz.confusion([[99, 1, 0], [7, 0, 0], [0, 0, 0]], "abc", tmp_path / "c.png")
    picture = io.imread(tmp_path / "c.png")[..., :3].astype(int)
    grey = (picture == 237).all(-1).sum()
    dark = (np.abs(picture - [8, 48, 107]).max(-1) < 12).sum()
    assert 0.6 < dark / grey < 0.75  # 2 / 3, and the end of the colour bar


@pytest.mark.parametrize("num", [2, 25, 26, 60])
def test_confusion_takes_any_number_of_classes(num, tmp_path):
    viz.confusion(np.eye(num), [f"class ${i}$" for i in range(num)], tmp_path / "c.png")
    assert min(io.imread(tmp_path / "c.png").shape[:2]) > 250


def test_confusion_refuses_names_that_do_not_fit(tmp_path):
    with pytest.raises(ValueError, match=r"shape=\(2, 2\), 3 names"):
        viz.confusion(np.eye(2), "abc", tmp_path / "c.png")


def test_import_leaves_matplotlib_out():
    code = (
        "import sys, kerasseg.viz; assert not {'matplotlib', 'keras'} & {*sys.modules}"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_boundaries_mark_pixels_that_differ_from_the_next(rng):
    labels = rng.integers(0, 4, [6, 8]).repeat(5, 0).repeat(5, 1)
    picture = viz.boundaries(np.zeros(labels.shape, "uint8"), labels, color=(9, 9, 9))
    expected = [
        any(
            labels[y, x] != other
            for other in (*labels[y, x + 1 : x + 2], *labels[y + 1 : y + 2, x])
        )
        for y, x in np.ndindex(labels.shape)
    ]
    np.testing.assert_array_equal(picture[..., 0].ravel() == 9, expected)


def test_wider_boundaries_mark_more_pixels():
    image = np.zeros([20, 24], "uint8")
    counts = [(viz.boundaries(image, QUADRANTS, width_px=w) > 0).sum() for w in (1, 3)]
    assert counts[1] > 2 * counts[0]


def test_mean_colors_average_each_region_and_leave_unreached_white(rng):
    image = rng.integers(0, 256, [9, 10, 3]).astype("uint8")
    labels = rng.integers(-1, 3, [9, 10])
    picture = viz.mean_colors(image, labels)
    for k in (0, 1, 2):
        expected = np.round(image[labels == k].mean(0))
        assert (picture[labels == k] == expected).all()
    assert (picture[labels < 0] == 255).all()
