"""Scores of found objects, worked out by hand."""

import dataclasses
import json

import numpy as np
import pytest

from kerasseg import evaluate, predict
from kerasseg.datasets.samples import Samples
from kerasseg.instance.instances import Instances
from kerasseg.metrics import instances as scoring
from kerasseg.predict.options import InstanceOptions
from kerasseg.tasks import label_maps, objects
from tests.fake_instances import CLASSES, make_fake_model, make_samples

RED, GREEN, BLUE = (0, 4, 4, 24, 24), (1, 32, 8, 60, 60), (2, 4, 32, 28, 60)


@pytest.fixture(scope="module")
def model():
    return make_fake_model()


def test_what_is_found_exactly_scores_one(model):
    samples = make_samples(((64, 64), RED, GREEN), ((64, 90), GREEN), ((64, 64),))
    seen = []
    result = evaluate.score(model, samples, on_progress=seen.append)
    for name in ("mask_ap", "mask_ap50", "box_ap", "label_ap", "f1", "rq"):
        assert result[name] == pytest.approx(1), name
    # Four corner pixels of each mask are rounded off.
    assert 0.98 < result["pq"] < 1 and 0.98 < result["aji"] < 1
    assert result["classes"]["green"] == {"mask_ap": 1.0, "box_ap": 1.0, "objects": 2}
    assert result["classes"]["blue"] == {"mask_ap": None, "box_ap": None, "objects": 0}
    rows = [(row["objects"], row["found"], row["ap"]) for row in result["samples"]]
    assert rows == [(2, 2, 1.0), (1, 1, 1.0), (0, 0, 1.0)]
    assert [event["index"] for event in seen] == [1, 2, 3]
    json.dumps(result, allow_nan=False)


def test_label_maps_hold_what_scores_enough_and_coco_ranks_all(model):
    samples = make_samples(((64, 64), RED, BLUE))  # blue scores 0.2
    result = evaluate.score(model, samples)
    assert result["mask_ap"] == pytest.approx(1)
    assert result["label_ap50"] == pytest.approx(1 / 2)  # TP 1, FP 0, FN 1
    assert result["f1"] == pytest.approx(2 / 3)
    low = evaluate.score(model, samples, {"score_threshold": 0.1})
    assert low["label_ap50"] == pytest.approx(1)
    assert low["settings"]["score_threshold"] == 0.1
    enlarged = evaluate.score(model, samples, {"zoom": 2.0})
    assert enlarged["mask_ap"] == pytest.approx(1)
    assert enlarged["settings"]["zoom"] == 2.0


def test_a_class_that_is_never_found_halves_the_mean(model):
    samples = make_samples(((64, 64), RED, GREEN))
    shown = samples[0]
    shown["image"][..., 1] = 0
    result = evaluate.score(model, samples)
    assert result["classes"]["green"]["mask_ap"] == 0
    assert result["mask_ap"] == pytest.approx(1 / 2)


def test_crowds_are_neither_missed_nor_found(model):
    samples = make_samples(((64, 64), RED), ((64, 64), GREEN), crowds=[1])
    result = evaluate.score(model, samples)
    assert result["mask_ap"] == pytest.approx(1)
    assert result["label_ap"] == pytest.approx(1)
    assert result["samples"][1]["objects"] == result["samples"][1]["found"] == 0


def test_classes_of_one_name_are_scored_apart(model):
    # As COCO's numbers of no category, which published detectors know as "N/A".
    samples = make_samples(((64, 64), RED, GREEN), ((64, 64), BLUE))
    names = ("background", "N/A", "green", "N/A")
    result = evaluate.score(model, dataclasses.replace(samples, classes=names))
    assert len(result["classes"]) == 3 and "green" in result["classes"]
    assert [one["objects"] for one in result["classes"].values()] == [1, 1, 1]
    assert "N/A" in evaluate.table(result)


def test_small_objects_show_in_front_of_the_truth():
    samples = make_samples(((64, 64), (0, 0, 0, 64, 64), (1, 8, 8, 24, 24)))
    present, crowd = objects.truth_of(samples[0])
    assert present.boxes.tolist() == [[0, 0, 64, 64], [8, 8, 24, 24]]
    assert present.classes.tolist() == [0, 1] and not crowd.any()


def test_the_table_names_classes_and_means(model):
    samples = make_samples(((64, 64), RED, GREEN))
    table = evaluate.table(evaluate.score(model, samples))
    assert "green  100.00  100.00        1" in " ".join(table.split("\n")).replace(
        "green      ", "green"
    )
    assert "F1, PQ, AJI 100.00" in table


def test_a_picture_shows_worst_and_best(model):
    scenes = [((64, 64), RED, BLUE), ((64, 90), GREEN), ((64, 64), RED)]
    samples = make_samples(*scenes)
    result = evaluate.score(model, samples)
    extremes = evaluate.extremes(result, 1)
    assert extremes["Worst"][0]["name"] == "scene0"
    picture = evaluate.gallery(model, samples, result, num=1)
    assert picture.dtype == np.uint8 and picture.shape[1] > 3 * 300


def test_weak_parts_of_tiles_spoil_no_mask(model):
    # A red bar over three tiles of 64 px, and weak blue objects on what is right of it,
    # which an evaluation sees, too: average precision needs low scores.
    sample = dict(make_samples(((64, 160), (0, 20, 20, 140, 40)))[0])
    sample["image"] = sample["image"].copy()
    sample["image"][4:60, 40:, 2] = 255
    samples = Samples(("a",), lambda index: sample, CLASSES)
    found = predict.instances(model, sample["image"], score_threshold=0.3)
    maps = sample["instances"].max(0), found.to_label_map()
    result = evaluate.score(model, samples, {"score_threshold": 0.3})
    assert len(found) == 1
    assert result["pq"] == pytest.approx(scoring.panoptic_quality(*maps)["pq"])
    assert result["pq"] > 0.9
    options = InstanceOptions(score_threshold=0.3)
    every = predict.instances_of_all_scores(model, sample["image"], options)
    np.testing.assert_array_equal(every.above(0.3).masks, found.masks)


def test_boxes_and_areas_of_an_annotation_file_are_the_truth(model):
    samples = make_samples(((64, 64), RED))
    sample = samples[0]
    # 20 x 20 pixels were annotated as a box of 20 x 15, and as a large area.
    shown = {**sample, "boxes": np.array([[4, 4, 24, 19.0]]), "areas": [1e4]}
    samples = dataclasses.replace(samples, read=lambda index: shown)
    result = evaluate.score(model, samples)
    assert result["mask_ap"] == pytest.approx(1)
    # IoU 15 / 20 = 0.75 passes the thresholds 0.5 to 0.75, 6 of 10.
    assert result["box_ap"] == pytest.approx(0.6)
    assert result["masks"]["ap_large"] == pytest.approx(1)
    assert result["masks"]["ap_small"] is None


def test_without_any_object_there_is_no_score(model):
    result = evaluate.score(model, make_samples(((64, 64),)))
    for name in ("mask_ap", "box_ap", "label_ap", "f1", "pq", "aji"):
        assert result[name] is None, name
    json.dumps(result, allow_nan=False)
    assert "AP at IoU 0.5 -, -" in evaluate.table(result)


def test_what_covers_a_crowd_and_a_little_more_is_not_false():
    masks = np.zeros([3, 60, 60], bool)
    masks[0, 5:20, 5:20] = masks[1, 30:50, 30:50] = masks[2, 29:51, 29:51] = True

    def instances(chosen):
        ones = np.ones(2, "float32")
        return Instances(np.zeros([2, 4]), np.zeros(2, "int32"), ones, masks[chosen])

    maps = label_maps.of(instances([0, 1]), np.array([False, True]), instances([0, 2]))
    scores = label_maps.Scores()
    scores.add(*maps)
    found = scores.result()
    assert [found[name] for name in ("label_ap", "f1", "pq", "aji")] == [1, 1, 1, 1]
