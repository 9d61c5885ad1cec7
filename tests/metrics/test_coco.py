"""COCO's scores on objects that can be counted."""

import contextlib
import copy
import io

import numpy as np
import pytest
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from kerasseg.instance.rle import encode_rle
from kerasseg.metrics import coco_scores


def mask(row, column, side=40):
    pixels = np.zeros([200, 200], bool)
    pixels[row : row + side, column : column + side] = True
    return pixels


def entry(number, category, pixels, **more):
    rows, columns = np.nonzero(pixels)
    box = [columns.min(), rows.min(), np.ptp(columns) + 1, np.ptp(rows) + 1]
    return {
        "id": number,
        "image_id": 1,
        "category_id": category,
        "segmentation": encode_rle(pixels),
        "bbox": [float(x) for x in box],
        "area": float(pixels.sum()),
        "iscrowd": 0,
        **more,
    }


TRUTH = {
    "images": [{"id": 1, "height": 200, "width": 200}],
    "categories": [{"id": 3, "name": "disc"}, {"id": 5, "name": "square"}],
    "annotations": [entry(1, 3, mask(0, 0)), entry(2, 3, mask(100, 100))],
}


def result(pixels, score=0.9, category=3):
    return {**entry(0, category, pixels), "score": score}


@pytest.mark.parametrize("kind", ["masks", "boxes"])
def test_what_is_found_exactly_scores_one(kind):
    scores = coco_scores(TRUTH, [result(mask(0, 0)), result(mask(100, 100))], kind=kind)
    assert scores["ap"] == scores["ap50"] == scores["ap_medium"] == pytest.approx(1)
    assert scores["ap_small"] is None and scores["ar1"] == pytest.approx(0.5)
    assert scores["classes"] == {"disc": pytest.approx(1), "square": None}


def test_one_of_two_reaches_half_of_the_recalls():
    scores = coco_scores(TRUTH, [result(mask(0, 0))])
    assert scores["ap"] == pytest.approx(51 / 101)  # recalls 0, 0.01, ..., 0.5
    assert scores["ar100"] == pytest.approx(0.5)


def test_a_shifted_mask_counts_up_to_its_overlap():
    # 36 of 44 columns shared: IoU .818 passes the thresholds .5 to .8, 7 of 10.
    found = [result(mask(0, 4)), result(mask(100, 104))]
    scores = coco_scores(TRUTH, found)
    assert scores["ap"] == pytest.approx(0.7)
    assert scores["ap50"] == scores["ap75"] == pytest.approx(1)


def test_a_better_scored_mistake_halves_the_precision():
    found = [result(mask(150, 0), 0.95), result(mask(0, 0)), result(mask(100, 100))]
    assert coco_scores(TRUTH, found)["ap"] == pytest.approx(2 / 3)


@pytest.mark.parametrize(("most", "recall"), [(10, 10 / 15), (15, 1), (300, 1)])
def test_only_so_many_results_of_an_image_count(most, recall):
    masks = [mask(0, 13 * place, side=12) for place in range(15)]
    objects = [entry(number, 3, pixels) for number, pixels in enumerate(masks, 1)]
    truth = {**TRUTH, "annotations": objects}
    scores = coco_scores(truth, [result(x) for x in masks], max_results=most)
    assert scores[f"ar{most}"] == pytest.approx(recall)
    assert scores["ap"] == pytest.approx(recall, abs=0.01)
    with pytest.raises(ValueError, match="`max_results`"):
        coco_scores(truth, [], max_results=9)


def test_nothing_found_scores_zero():
    assert coco_scores(TRUTH, [])["ap"] == 0


@pytest.mark.parametrize(
    "change", [{"image_id": 9}, {"category_id": 1}, {"score": float("nan")}]
)
def test_a_result_of_something_else_is_refused(change):
    with pytest.raises(ValueError, match=r"results\[0\]"):
        coco_scores(TRUTH, [{**result(mask(0, 0)), **change}])
    with pytest.raises(ValueError, match="`kind`"):
        coco_scores(TRUTH, [], kind="keypoints")


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


def test_files_of_crowds_or_of_nothing_have_no_score():
    crowds = [{**one, "iscrowd": 1} for one in TRUTH["annotations"]]
    for annotations in (crowds, []):
        truth = {**TRUTH, "annotations": annotations}
        assert coco_scores(truth, [result(mask(0, 0))])["ap"] is None


def test_two_categories_of_one_name_are_told_apart():
    truth = copy.deepcopy(TRUTH)
    truth["categories"][1]["name"] = "disc"
    assert list(coco_scores(truth, [])["classes"]) == ["disc (id 3)", "disc (id 5)"]


def test_annotations_of_images_that_are_not_listed_do_not_count():
    stray = entry(3, 3, mask(0, 100), image_id=8)
    truth = {**TRUTH, "annotations": [*TRUTH["annotations"], stray]}
    found = [result(mask(0, 0)), result(mask(100, 100))]
    with pytest.warns(UserWarning, match="1 of 3 annotations are of images that"):
        assert coco_scores(truth, found)["ap"] == 1


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
