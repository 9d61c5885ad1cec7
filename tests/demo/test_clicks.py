"""Segmentations corrected by clicks."""

import json
import pathlib

import numpy as np
import pytest
from PIL import Image

from kerasseg import demo, images, viz
from kerasseg.predict import tables


def clicked(image, *clicks, **options):
    answer = demo.untouched(image)
    for click in clicks:
        answer = demo.corrected(answer, *click, **options)
    return answer


def is_bright(picture):
    return picture[..., 0] > 100


def test_a_click_grows_a_region(picture):
    one = clicked(picture, (14, 14, "grow"))
    left = np.arange(64) < 30
    assert ((one.label == 1) == is_bright(picture) & left).all()
    two = demo.corrected(one, 30, 46, "grow")
    assert ((two.label > 0) == is_bright(picture)).all() and two.label.max() == 2
    assert two.clicks == ((14, 14, "grow"), (30, 46, "grow"))
    far = clicked(picture, (14, 14, "grow"), tolerance=255)
    assert (far.label == 1).all()


def test_clicks_on_object_and_background_cut_it_out(picture):
    answer = clicked(picture, (14, 14, "object"), (30, 46, "not object"))
    assert answer.label[14, 14] == 1 and answer.label[30, 46] == 0
    assert answer.label[3, 60] == 0


def test_clicks_are_markers_of_regions(picture):
    answer = clicked(picture, (14, 14, "region"), (30, 46, "region"))
    assert set(np.unique(answer.label)) == {1, 2}
    assert answer.label[14, 14] != answer.label[30, 46]


@pytest.mark.parametrize("click", [(-1, 0, "grow"), (0, 64, "grow"), (0, 0, "paint")])
def test_wrong_clicks_are_refused(picture, click):
    with pytest.raises(ValueError, match="A click must"):
        clicked(picture, click)


def found_by_a_model(image, label, names=("background", "coin", "stamp")):
    """Answer of class ids, as models of class maps give it."""
    rows = tables.of_class_map(label, names)
    return demo.Answer(image, label, viz.palette(3), rows, False, 1.0, names)


def test_clicks_correct_what_a_model_found_and_nothing_else(picture, tmp_path):
    left = np.arange(64) < 30
    label = np.where(is_bright(picture) & left, 2, 0).astype("int32")
    label[40:46, 2:8] = 2  # a false alarm
    answer = found_by_a_model(picture, label)
    answer = demo.corrected(answer, 30, 46, "object")
    right = is_bright(picture) & ~left
    assert (answer.label[right] == 2).mean() > 0.95  # most that was found is a stamp
    assert (answer.label == label)[~right].mean() > 0.99
    answer = demo.corrected(answer, 43, 5, "not object")
    assert not answer.label[40:46, 2:8].any()
    assert (answer.label[label == 2] == 2).mean() > 0.8
    assert [row[0] for row in answer.classes()] == ["background", "coin", "stamp"]
    mask, cut, objects = answer.write(tmp_path, "one")
    assert (images.read_mask(mask) == answer.label).all()
    cut = np.asarray(Image.open(cut))
    assert ((cut[..., 3] > 0) == (answer.label > 0)).all()
    # Nothing of the background, which is 20, lies hidden under it.
    assert (cut[..., 0][answer.label == 0] == 20).mean() < 0.05
    document = json.loads(pathlib.Path(objects).read_text())
    assert document["categories"] == [{"id": 2, "name": "stamp"}]
    areas = [entry["area"] for entry in document["annotations"]]
    assert sum(areas) == (answer.label > 0).sum()


def test_a_region_beside_the_classes_of_a_model_is_one_more(picture):
    answer = found_by_a_model(picture, np.zeros([48, 64], "int32"))
    answer = demo.corrected(answer, 14, 14, "grow")
    names = ["background", "coin", "stamp", "region 3"]
    assert [row[0] for row in answer.classes()] == names
    assert answer.label.max() == 3 and len(answer.palette) == 4
    assert demo.corrected(answer, 30, 46, "object").label[30, 46] == 3


def test_objects_keep_their_class_and_score(picture):
    label = np.where(is_bright(picture) & (np.arange(64) < 30), 1, 0).astype("int32")
    row = {"id": 1, "class_id": 4, "class": "cell", "area_px": 1, "score": 0.75}
    found = tables.Found([row], {"cell_area_px": 1})
    answer = demo.Answer(picture, label, viz.palette(2), found, True, 1.0)
    answer = demo.corrected(answer, 30, 46, "object")
    assert answer.label[30, 46] == 2 and answer.classes()[0][0] == "cell"
    first, second = answer.objects()
    assert (first[1], first[7], second[1], second[7]) == ("cell", 0.75, "cell", "")
    answer = demo.corrected(answer, 14, 14, "not object")
    assert [row["id"] for row in answer.found.objects][-1] == 2


def test_what_is_taken_from_one_object_is_not_taken_from_its_neighbour(picture):
    label = is_bright(picture) * np.int32(1)
    label[:, 14:30] *= 2  # the left disc is of two halves that touch
    rows = [{"id": i, "class_id": 1, "class": "cell", "score": 0.5} for i in (1, 2)]
    found = tables.Found(rows, {"cell_area_px": 1})
    answer = demo.Answer(picture, label, viz.palette(3), found, True, 1.0)
    answer = demo.corrected(answer, 14, 18, "not object")
    assert ((answer.label == 1) == (label == 1)).all()
    assert (answer.label == 2).sum() < 0.2 * (label == 2).sum()
