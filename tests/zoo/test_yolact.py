"""YOLACT: from raw predictions to objects, worked out by hand."""

import pathlib

import numpy as np
import pytest

from kerasseg import weights, zoo
from kerasseg.zoo.yolact import YolactDetections, _parts, _predict
from tests.parity import seeded
from tests.parity.test_parity import relative_error
from tests.zoo.mask_grid import MASK_SIZE, SIZE, inside


def test_an_anchor_becomes_a_box_and_its_coefficients_a_mask():
    detect = YolactDetections(SIZE, [4, 8, 24, 32, 48], {"num_detections": 2})
    num = len(detect.anchors)
    areas = np.prod(detect.anchors[:, 2:] - detect.anchors[:, :2], 1)
    whole = (detect.anchors.min(1) >= 0) & (detect.anchors.max(1) <= 64)
    chosen = np.argmax(areas * whole)
    logits = np.tile(np.array([5, 0, 0], "float32"), (1, num, 1))
    logits[0, chosen] = [0, 0, 5]
    deltas = np.zeros([1, num, 4], "float32")
    deltas[0, chosen, 2] = 5 * np.log(0.5)  # half as wide: weight 5
    coefficients = np.zeros([1, num, 2], "float32")
    coefficients[0, chosen] = [1, -1]
    prototypes = np.zeros([1, *MASK_SIZE, 2], "float32")
    prototypes[0, :7, :, 0] = prototypes[0, 7:, :, 1] = 20
    found = detect([logits, deltas, coefficients, prototypes])
    x1, y1, x2, y2 = detect.anchors[chosen]
    box = [x1 + (x2 - x1) / 4, y1, x2 - (x2 - x1) / 4, y2]
    np.testing.assert_allclose(found["boxes"][0, 0], box, rtol=1e-5)
    assert np.array(found["classes"]).tolist() == [[1, -1]]
    top = np.arange(16)[:, None] < 7
    mask = np.array(found["masks"])[0, 0] > 0.5
    assert mask.any()
    np.testing.assert_array_equal(mask, inside(box) & top)


PUBLISHED = pathlib.Path(__file__).parents[1] / "files/yolact.npz"


@pytest.fixture(scope="module")
def state():
    """Seeded weights by the names of the authors' files."""
    with np.load(PUBLISHED) as file:
        lines = str(file["shapes"]).split("\n")
    shapes = {name: tuple(map(int, sizes)) for name, *sizes in map(str.split, lines)}
    return seeded.weights(shapes)


def test_published_anchors_are_squares_spread_evenly():
    detect = YolactDetections((50, 50), [24, 48, 96, 192, 384], {}, as_published=True)
    # Levels of 7, 4, 2, 1 and 1 rows and columns: 71 positions of 3 anchors.
    assert len(detect.anchors) == 3 * (49 + 16 + 4 + 1 + 1)
    centre, root = 50 / 7 / 2, np.sqrt(2)
    for anchor, side in zip(detect.anchors, (24, 24 / root, 24 * root)):
        box = [centre - side / 2] * 2 + [centre + side / 2] * 2
        np.testing.assert_allclose(anchor, box, rtol=1e-5)
    assert detect.mask_size == (14, 14)


def test_a_published_mask_is_one_pixel_wider_than_its_box():
    options = {"num_detections": 2}
    detect = YolactDetections((64, 64), [24, 48, 96, 192, 384], options, True)
    logits = np.tile(np.array([9, 0], "float32"), (1, len(detect.anchors), 1))
    chosen = 3 * (3 * 8 + 3)  # the first anchor of row 3, column 3: (16, 16, 40, 40)
    logits[0, chosen] = [0, 9]
    deltas = np.zeros([1, len(logits[0]), 4], "float32")
    coefficients = np.ones([1, len(logits[0]), 1], "float32")
    prototypes = np.full([1, 16, 16, 1], 9, "float32")
    found = detect([logits, deltas, coefficients, prototypes])
    np.testing.assert_allclose(found["boxes"][0, 0], [16, 16, 40, 40])
    # In pixels of 4: 4 to 10, whose last is 10 where the box ends before it.
    rows = np.flatnonzero((np.array(found["masks"])[0, 0] > 0.5).any(1))
    assert rows.tolist() == [3, 4, 5, 6, 7, 8, 9, 10]
    assert not np.array(found["masks"])[0, 1].any()  # padding


@pytest.mark.slow
def test_maps_equal_those_that_the_reference_once_gave(state):
    options = {"image_size": (100, 100)}
    model = zoo.from_reference("yolact/resnet50", 3, weights=state, options=options)
    assert model.predict_options == {"fit": "stretch", "score_threshold": 0.15}
    found = _predict(_parts(model), seeded.images(100, 100)[:1], training=False)
    with np.load(PUBLISHED) as file:
        for name, places in (
            ("deltas", np.s_[0, ::20]),
            ("logits", np.s_[0, ::20]),
            ("prototypes", np.s_[0, ::5, ::5]),
        ):
            assert relative_error(np.asarray(found[name])[places], file[name]) <= 1e-4


@pytest.mark.slow
def test_published_weights_are_refused_by_the_network_of_the_paper(state):
    with pytest.raises(weights.WeightsError, match=r"as_published=False \(True\)"):
        zoo.yolact(3, image_size=(64, 64), weights=state)
