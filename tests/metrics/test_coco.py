"""COCO's scores on objects that can be counted."""

import numpy as np
import pytest

from kerasseg.metrics import coco_scores
from tests.metrics.coco_truth import TRUTH, entry, mask


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
    "change",
    [
        *({"image_id": 9}, {"category_id": 1}, {"bbox": [1, 2, 3]}),
        *({"score": float("nan")}, {"score": None}, {"score": "0.9"}),
        {"bbox": None, "segmentation": None},
        {"bbox": [1, 2, -3, 4]},
    ],
)
@pytest.mark.parametrize("kind", ["masks", "boxes"])
def test_a_result_of_something_else_is_refused(change, kind):
    with pytest.raises(ValueError, match=r"results\[0\]"):
        coco_scores(TRUTH, [{**result(mask(0, 0)), **change}], kind=kind)
    with pytest.raises(ValueError, match="`kind`"):
        coco_scores(TRUTH, [], kind="keypoints")


@pytest.mark.parametrize("results", ["[]", {"annotations": []}, [None], 3])
def test_results_that_are_no_list_of_dicts_are_called_that(results):
    with pytest.raises(ValueError, match=r"must be a list of dicts.*Received"):
        coco_scores(TRUTH, results)


# The last two end the process in pycocotools, the first scores 0.
BROKEN = {
    "size": {"size": [100, 400], "counts": [0, 40000]},
    "sum": {"size": [200, 200], "counts": [10, 20]},
    "packed": {"size": [200, 200], "counts": "zzzz~~"},
    "far": [[1e9, 2, 20, 2, 20, 20]],
    "nan": [[float("nan"), 2, 20, 2, 20, 20]],
}


@pytest.mark.parametrize("code", BROKEN.values(), ids=BROKEN)
def test_masks_that_cannot_be_are_refused_on_both_sides(code):
    with pytest.raises(ValueError, match=r"results\[0\]: .*Received"):
        coco_scores(TRUTH, [{**result(mask(0, 0)), "segmentation": code}])
    truth = {**TRUTH, "annotations": [entry(7, 3, mask(0, 0), segmentation=code)]}
    with pytest.raises(ValueError, match=r"annotation 7: .*Received"):
        coco_scores(truth, [])


def test_polygons_need_the_size_of_their_image():
    square = entry(1, 3, mask(0, 0), segmentation=[[0, 0, 40, 0, 40, 40, 0, 40]])
    truth = {**TRUTH, "images": [{"id": 1}], "annotations": [square]}
    with pytest.raises(ValueError, match="images with height and width"):
        coco_scores(truth, [])


@pytest.mark.parametrize(
    "code",
    [
        [[0, 0, 40, 0, 40, 40, 0, 40]],
        {"size": [200, 200], "counts": [*[0, *[40, 160] * 39, 40], 200 * 160 + 160]},
    ],
)
def test_masks_of_results_may_be_polygons_or_plain_counts(code):
    found = [{**result(mask(0, 0)), "segmentation": code}, result(mask(100, 100))]
    for one in found:
        del one["bbox"]
    assert coco_scores(TRUTH, iter(found))["ap"] == pytest.approx(1)


def test_results_may_be_of_numpys_numbers():
    found = {key: np.asarray(x)[()] for key, x in result(mask(0, 0)).items()}
    found["segmentation"] = result(mask(0, 0))["segmentation"]
    assert coco_scores(TRUTH, [found]) == coco_scores(TRUTH, [result(mask(0, 0))])


def test_files_of_crowds_or_of_nothing_have_no_score():
    crowds = [{**one, "iscrowd": 1} for one in TRUTH["annotations"]]
    for annotations in (crowds, []):
        truth = {**TRUTH, "annotations": annotations}
        assert coco_scores(truth, [result(mask(0, 0))])["ap"] is None


def test_annotations_of_images_that_are_not_listed_do_not_count():
    stray = entry(3, 3, mask(0, 100), image_id=8)
    truth = {**TRUTH, "annotations": [*TRUTH["annotations"], stray]}
    found = [result(mask(0, 0)), result(mask(100, 100))]
    with pytest.warns(UserWarning, match="1 of 3 annotations are of images that"):
        assert coco_scores(truth, found)["ap"] == 1
