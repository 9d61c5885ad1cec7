"""Objects of images of any size, by a model that knows the answer."""

import json

import cv2
import keras
import numpy as np
import pytest

from kerasseg import datasets, predict
from kerasseg.images import write_image
from tests.contracts.objects import build
from tests.fake_instances import draw, make_fake_model


@pytest.fixture(scope="module")
def model():
    return make_fake_model()


def iou(mask, box):
    x1, y1, x2, y2 = box
    other = np.zeros(mask.shape, bool)
    other[y1:y2, x1:x2] = True
    return (mask & other).sum() / (mask | other).sum()


def test_a_small_image_keeps_its_size(model):
    image, _ = draw((30, 45), (0, 4, 8, 24, 28), (1, 28, 0, 45, 16))
    found = predict.instances(model, image)
    assert found.classes.tolist() == [0, 1]
    assert found.boxes.tolist() == [[4, 8, 24, 28], [28, 0, 45, 16]]
    assert found.masks.shape == (2, 30, 45)
    assert iou(found.masks[0], (4, 8, 24, 28)) > 0.98


def test_the_range_of_the_image_can_be_given(model):
    image, _ = draw((30, 45), (0, 4, 8, 24, 28), (1, 28, 0, 45, 16))
    deep = (image.astype("float32") * 4095 / 255).round().astype("uint16")
    expected = predict.instances(model, image)
    with pytest.raises(ValueError, match=r"value_range=\(0, 4095\)"):
        predict.instances(model, deep)
    for fit in ("tile", "resize"):
        given = {"fit": fit, "value_range": (0, 4095)}
        found = predict.instances(model, deep, **given)
        assert found.classes.tolist() == expected.classes.tolist()
    np.testing.assert_array_equal(found.boxes.round(), expected.boxes)


def test_what_scores_less_is_left_out(model):
    image, _ = draw((64, 64), (2, 4, 4, 40, 40))  # blue scores 0.2
    assert len(predict.instances(model, image)) == 0
    assert len(predict.instances(model, image, score_threshold=0.1)) == 1


def test_a_stretched_image_loses_its_proportions_and_gets_its_masks_back(model):
    # 64 x 64 as 128 x 32: two pixels for one along y, one for two along x.
    image, maps = draw((32, 128), (0, 32, 8, 96, 24), (1, 0, 0, 16, 32))
    found = predict.instances(model, image, fit="stretch")
    assert found.boxes.tolist() == [[32, 8, 96, 24], [0, 0, 16, 32]]
    for mask, truth in zip(found.masks, maps):
        both, either = np.sum(mask & (truth > 0)), np.sum(mask | (truth > 0))
        assert both / either > 0.85


@pytest.mark.parametrize(
    "size, box",
    [
        ((64, 160), (52, 8, 68, 40)),  # cut by a tile, whole in its neighbour
        ((64, 160), (8, 20, 152, 44)),  # longer than a tile
        ((150, 170), (12, 24, 160, 140)),  # on all of nine tiles or more
        ((64, 65), (0, 0, 65, 64)),
    ],
)
@pytest.mark.parametrize("overlap_px", [None, 32])
def test_an_object_cut_by_tiles_is_one(model, size, box, overlap_px):
    image, _ = draw(size, (0, *box))
    found = predict.instances(model, image, overlap_px=overlap_px)
    assert found.boxes.tolist() == [list(box)]
    assert iou(found.masks[0], box) > 0.95
    assert found.to_label_map().max() == 1


@pytest.mark.parametrize("size, scale", [((128, 96), 8), ((20, 30), 2), ((64, 64), 4)])
def test_a_resized_image_gives_boxes_and_masks_in_its_own_pixels(model, size, scale):
    box = np.array([2, 1, 8, 7]) * scale
    image, _ = draw(size, (0, *box))
    found = predict.instances(model, image, fit="resize")
    assert np.abs(found.boxes[0] - box).max() <= 0.25 * scale
    assert found.masks.shape == (1, *size)
    assert iou(found.masks[0], box) > 0.85


@pytest.mark.parametrize("zoom", [2.0, 1.6, 0.5])
@pytest.mark.parametrize("size", [(64, 64), (70, 100), (30, 20)])
def test_a_zoom_gives_boxes_and_masks_in_pixels_of_the_image(model, size, zoom):
    boxes = (0, 4, 4, 16, 20), (1, size[1] - 12, 8, size[1], 24)
    image, _ = draw(size, *boxes)
    found = predict.instances(model, image, zoom=zoom)
    assert found.classes.tolist() == [0, 1]
    assert found.masks.shape == (2, *size)
    for mask, box, (_, *true) in zip(found.masks, found.boxes, boxes):
        assert np.abs(box - true).max() <= 2 / zoom
        assert iou(mask, true) > (0.9 if zoom > 1 else 0.6)


def test_small_objects_are_drawn_better_enlarged(model):
    image, _ = draw((64, 64), (0, 5, 6, 11, 13))
    plain, enlarged = (
        iou(predict.instances(model, image, zoom=zoom).masks[0], (5, 6, 11, 13))
        for zoom in (1.0, 4.0)
    )
    assert plain < 0.9 < enlarged


@pytest.mark.parametrize("size", [(64, 160), (150, 170)])
def test_an_object_cut_by_tiles_of_an_enlarged_image_is_one(model, size):
    box = (8, 6, size[1] - 6, size[0] - 9)
    image, _ = draw(size, (0, *box))
    found = predict.instances(model, image, zoom=2.0)
    assert np.abs(found.boxes - box).max() <= 1
    assert iou(found.masks[0], box) > 0.95


def test_grey_and_16_bit_images_are_taken(model):
    image = np.zeros([64, 64], "uint16")
    image[8:40, 8:40] = 65535
    found = predict.instances(model, image)
    assert found.classes.tolist() == [0, 1]  # grey is bright in all channels


def test_small_and_many_objects_are_left_out(model):
    image, _ = draw((64, 64), (0, 4, 4, 12, 12), (1, 20, 20, 60, 60))
    large = predict.instances(model, image, min_area_px=65)
    assert large.classes.tolist() == [1]
    with pytest.warns(UserWarning, match="more objects than max_objects=1"):
        best = predict.instances(model, image, max_objects=1)
    assert best.classes.tolist() == [0] and best.masks.shape == (1, 64, 64)


@pytest.mark.parametrize(
    "options, message",
    [
        ({"fit": "squeeze"}, "`fit` must be in"),
        ({"overlap_px": 64}, "`overlap_px` must be in 0..63"),
        ({"overlap_px": 32, "zoom": 2.0}, "`overlap_px` must be in 0..31"),
        ({"zoom": 0.0}, "`zoom` must be in 0.125..8"),
        ({"zoom": 2.0, "fit": "resize"}, "`zoom` is for fit='tile'"),
    ],
)
def test_options_out_of_range_are_refused(model, options, message):
    with pytest.raises(ValueError, match=message):
        predict.instances(model, np.zeros([64, 64, 3], "uint8"), **options)


def test_a_model_of_class_maps_is_refused():
    x = keras.Input([64, 64, 3])
    model = keras.Model(x, keras.layers.Conv2D(2, 1)(x))
    with pytest.raises(ValueError, match=r"predict\.class_ids"):
        predict.instances(model, np.zeros([64, 64, 3], "uint8"))


def test_a_folder_gets_label_maps_pictures_and_one_coco_file(model, tmp_path):
    scenes = {"a": [(0, 4, 4, 24, 24), (1, 40, 8, 60, 60)], "b": []}
    for name, boxes in scenes.items():
        write_image(tmp_path / f"in/{name}.png", draw((64, 80), *boxes)[0])
    (tmp_path / "in/broken.png").write_bytes(b"no image")
    out, names = tmp_path / "out", ["red", "green", "blue"]
    report = predict.folder_of_instances(model, tmp_path / "in", out, class_names=names)
    assert [len(report[key]) for key in ("images", "failed")] == [2, 1]
    label = cv2.imread(str(out / "masks/a.png"), cv2.IMREAD_UNCHANGED)
    assert label.dtype == np.uint16 and np.unique(label).tolist() == [0, 1, 2]
    content = json.loads((out / "instances.json").read_text())
    assert [one["category_id"] for one in content["annotations"]] == [1, 2]
    again = datasets.coco(tmp_path, annotations="out/instances.json", images="in")
    assert again.classes == ("background", *names)
    assert again[again.names.index("b")]["classes"].size == 0
    sample = again[again.names.index("a")]
    np.testing.assert_array_equal(sample["instances"][0], label)
    assert {path.name for path in (out / "overlays").iterdir()} == {"a.png", "b.png"}


def test_the_cut_out_of_an_image_holds_all_its_objects(model, tmp_path):
    image, _ = draw((64, 80), (0, 4, 4, 24, 24), (1, 40, 8, 60, 60))
    write_image(tmp_path / "a.png", image)
    options = {"cut_outs": True}
    out = tmp_path / "out"
    predict.folder_of_instances(model, tmp_path / "a.png", out, options=options)
    cut = cv2.imread(str(out / "cutouts/a.png"), cv2.IMREAD_UNCHANGED)
    label = cv2.imread(str(out / "masks/a.png"), cv2.IMREAD_UNCHANGED)
    np.testing.assert_array_equal(cut[..., 3], np.where(label > 0, 255, 0))
    np.testing.assert_array_equal(cut[label > 0][:, 2::-1], image[label > 0])


def test_options_of_class_maps_are_refused(model, tmp_path):
    write_image(tmp_path / "a.png", draw((64, 64))[0])
    with pytest.raises(ValueError, match="Received: 'flips'"):
        predict.folder_of_instances(
            model, tmp_path, tmp_path / "out", options={"flips": True}
        )


def test_objects_of_an_image_by_its_sides_lie_within_it():
    model = build("mask_rcnn", corners=True, nms={"score_threshold": 0.0})
    image = np.random.default_rng(0).integers(0, 256, (50, 75, 3), "uint8")
    found = predict.instances(model, image, fit="64x80", score_threshold=0.0)
    assert found.masks.shape[1:] == (50, 75)
    assert (found.boxes >= 0).all() and (found.boxes[:, 2:] <= (75, 50)).all()


def test_a_model_that_does_not_tell_its_options_is_refused():
    model = build("mask_rcnn")
    bare = keras.Model(model.input, model.output, name="mine")
    with pytest.raises(ValueError, match="not from a file"):
        predict.instances(bare, np.zeros((9, 9, 3), "uint8"), fit="64x80")
