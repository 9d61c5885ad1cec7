"""Annotation files of every form, as pycocotools reads them right."""

import contextlib
import copy
import io

import numpy as np
import pytest
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from kerasseg.metrics import coco_scores
from tests.metrics.coco_truth import TRUTH, entry, mask

FORMS = {
    "ids from 0": lambda d: (
        [one.update(id=one["id"] - 1) for one in d["images"] + d["annotations"]],
        [one.update(image_id=one["image_id"] - 1) for one in d["annotations"]],
    ),
    "annotation ids anew in each image": lambda d: [
        one.update(id=0) for one in d["annotations"]
    ],
    "strings": lambda d: (
        [one.update(id=f"x{one['id']}") for one in d["images"] + d["categories"]],
        [
            one.update({key: f"x{one[key]}" for key in ("image_id", "category_id")})
            for one in d["annotations"]
        ],
    ),
    "digits as strings": lambda d: [
        one.update(id=str(one["id"])) for one in d["images"]
    ],
    "no crowd, area, box": lambda d: [
        [one.pop(key) for key in ("iscrowd", "area", "bbox")]
        for one in d["annotations"]
    ],
    "objects for lists": lambda d: d.update(
        {
            "annotations": {str(one.pop("id")): one for one in d["annotations"]},
            "images": {str(one["id"]): one for one in d["images"]},
        }
    ),
    "a root category": lambda d: (
        d["categories"].insert(0, {"id": 0, "name": "disc", "supercategory": "none"}),
        [one.update(supercategory="disc") for one in d["categories"][1:]],
    ),
    "a ring of four numbers": lambda d: [
        one.update(segmentation=[[1, 1, 9, 9], outline(one["bbox"])])
        for one in d["annotations"]
    ],
    "one box without an outline": lambda d: d["annotations"].append(
        {
            "id": 99,
            "image_id": d["images"][0]["id"],
            "category_id": 3,
            "segmentation": [],
        }
    ),
}


def outline(box):
    x, y, width, height = box
    return [x, y, x + width, y, x + width, y + height, x, y + height]


def two_images():
    annotations = [
        {
            **entry(number + 1, 3 + 2 * (number % 2), mask(20 * number, 45)),
            "image_id": i,
        }
        for number, i in enumerate([1, 1, 2, 2])
    ]
    images = [{"id": i, "height": 200, "width": 200} for i in (1, 2)]
    return copy.deepcopy({**TRUTH, "images": images, "annotations": annotations})


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("kind", ["masks", "boxes"])
def test_perfect_results_score_one_in_every_form(form, kind):
    truth = two_images()
    masks = [one["segmentation"] for one in truth["annotations"]]
    boxes = [one["bbox"] for one in truth["annotations"]]
    FORMS[form](truth)
    listed = truth["annotations"]
    listed = listed.values() if isinstance(listed, dict) else listed
    results = [
        {
            **{key: one[key] for key in ("image_id", "category_id")},
            **{"segmentation": code, "bbox": box, "score": 0.9},
        }
        for one, code, box in zip(listed, masks, boxes)
    ]
    before = copy.deepcopy(truth)
    scores = coco_scores(truth, results, kind=kind)
    assert truth == before
    assert scores["ap"] == scores["ar100"] == pytest.approx(1)
    assert scores["classes"] == {"disc": pytest.approx(1), "square": pytest.approx(1)}


@pytest.mark.parametrize("kind", ["masks", "boxes"])
def test_twelve_numbers_are_those_of_pycocotools_on_the_renumbered_file(rng, kind):
    truth, results = two_images(), []
    for one in truth["annotations"]:
        row, column = (int(x) for x in rng.integers(0, 160, 2))
        shifted = {**one, **entry(0, one["category_id"], mask(row, column))}
        close = {**one, "bbox": [x + 2 for x in one["bbox"]]}
        for found, score in ((shifted, rng.random()), (close, rng.random())):
            keys = ("category_id", "segmentation", "bbox")
            found = {key: found[key] for key in keys} | {"score": float(score)}
            results.append({**found, "image_id": one["image_id"]})
    truth["annotations"][1]["iscrowd"] = 1
    with contextlib.redirect_stdout(io.StringIO()):
        reference = COCO()
        reference.dataset = {"info": {}, **copy.deepcopy(truth)}
        reference.createIndex()
        found = reference.loadRes(copy.deepcopy(results))
        expected = COCOeval(reference, found, {"masks": "segm", "boxes": "bbox"}[kind])
        expected.evaluate()
        expected.accumulate()
        expected.summarize()
    # The same file with ids from 0, as strings of which pycocotools makes nothing.
    for one in truth["images"] + truth["annotations"]:
        one["id"] = f"{one['id'] - 1}"
    for one in truth["annotations"] + results:
        one["image_id"] = f"{one['image_id'] - 1}"
    scores = list(coco_scores(truth, results, kind=kind).values())[:12]
    scores = [-1 if score is None else score for score in scores]
    np.testing.assert_allclose(scores, expected.stats, atol=1e-12)


def test_two_categories_of_one_name_are_told_apart():
    truth = copy.deepcopy(TRUTH)
    truth["categories"][1]["name"] = "disc"
    assert list(coco_scores(truth, [])["classes"]) == ["disc (id 3)", "disc (id 5)"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"annotations": None}, "a list 'annotations'"),
        ({"images": [{"id": 1}, {"id": "1"}]}, "images with unique ids"),
        ({"categories": [{"id": 3, "name": "disc"}]}, None),
        ({"categories": [{"id": 5, "name": "disc"}]}, "known images, categories"),
    ],
)
def test_a_wrong_truth_is_refused(change, message):
    if message is None:
        assert coco_scores({**TRUTH, **change}, [])["ap"] == 0
        return
    with pytest.raises(ValueError, match=f"`truth` must have .*{message}"):
        coco_scores({**TRUTH, **change}, [])


def test_boxes_of_corners_are_told():
    truth = two_images()
    for one in truth["annotations"]:
        x, y, width, height = one["bbox"]
        one["segmentation"] = [outline(one["bbox"])]
        one["bbox"] = [x, y, x + width, y + height]
    with pytest.warns(UserWarning, match=r"\(x1, y1, x2, y2\)"):
        coco_scores(truth, [], kind="boxes")


def test_boxes_written_as_strings_are_those_of_the_file():
    # Twice as wide as the mask, whose own box has an IoU of .5 with it.
    wide = entry(1, 3, mask(0, 0), bbox=["0", "0", "80", "40"], area="1600")
    truth = {**TRUTH, "annotations": [wide]}
    found = [{"image_id": 1, "category_id": 3, "score": 0.9, "bbox": [0, 0, 80, 40]}]
    assert coco_scores(truth, found, kind="boxes")["ap"] == pytest.approx(1)
