"""Evaluation: counts, scores, samples, what stands beside a number."""

import json
import threading

import keras
import numpy as np
import pytest

from kerasseg import evaluate, images
from kerasseg.datasets.samples import Samples
from tests.evaluate.made import make_samples


def count_by_hand(samples, predictions):
    matrix = np.zeros([3, 3], int)
    for i, predicted in enumerate(predictions):
        for truth, found in zip(samples[i]["label"].flat, predicted.flat):
            if truth != 255:
                matrix[truth, found] += 1
    return matrix


@pytest.mark.parametrize("tile_px", [None, 64])
@pytest.mark.parametrize("flips", [False, "both"])
def test_one_matrix_counts_all_samples(model, tile_px, flips):
    sizes = [(6, 5), (6, 5), (9, 4), (6, 5), (150, 250)]
    samples = make_samples(sizes)
    result = evaluate.score(model, samples, {"flips": flips, "tile_px": tile_px})
    red, blue = (
        [samples[i]["image"][..., c] > 0 for i in range(len(sizes))] for c in (0, 2)
    )
    expected = count_by_hand(samples, [r * 1 + b * 2 for r, b in zip(red, blue)])
    assert result["matrix"] == expected.tolist()
    hits, union = (
        np.diag(expected),
        expected.sum(0) + expected.sum(1) - np.diag(expected),
    )
    assert result["mean_iou"] == pytest.approx((hits / union).mean())
    assert result["settings"]["image_sizes"] == {"min": [6, 5], "max": [150, 250]}


def test_each_sample_has_scores_of_its_own(model):
    result = evaluate.score(model, make_samples([(6, 5), (4, 7)]))
    # Of 5 rows that count one is wrong; of 3 rows.
    accuracies = [row["pixel_accuracy"] for row in result["samples"]]
    assert accuracies == pytest.approx([4 / 5, 2 / 3])
    assert [row["name"] for row in result["samples"]] == ["sample0", "sample1"]


def test_a_sample_without_counted_pixels_has_no_score(model):
    result = evaluate.score(model, make_samples([(1, 5), (4, 4)]))
    assert result["samples"][0]["mean_iou"] is None
    assert evaluate.extremes(result)["Worst"] == [result["samples"][1]]


def test_binary_models_have_two_classes():
    x = keras.Input([None, None, 1])
    layer = keras.layers.Conv2D(1, 1)
    model = keras.Model(x, layer(x))
    layer.set_weights([np.ones([1, 1, 1, 1]), np.array([-100.0])])
    ramp = np.arange(200, dtype="uint8").reshape(10, 20)
    sample = {"image": ramp, "label": (ramp > 110).astype("int32")}
    samples = Samples(("a",), lambda index: sample, ("below", "above"))
    # 101..110 are above 100 but not above 110.
    assert evaluate.score(model, samples)["matrix"] == [[101, 10], [0, 89]]


def test_result_is_ready_for_json(model):
    result = evaluate.score(model, make_samples([(6, 5)] * 3), limit=2)
    assert json.loads(json.dumps(result, allow_nan=False)) == result
    assert result["settings"]["num_images"] == len(result["samples"]) == 2


def test_progress_is_reported_after_each_image(model):
    seen = []
    sizes = [(6, 5), (6, 5), (4, 4)]
    evaluate.score(model, make_samples(sizes), on_progress=seen.append)
    assert [(event["index"], event["num"]) for event in seen] == [
        (1, 3),
        (2, 3),
        (3, 3),
    ]
    assert all(0 < event["mean_iou"] < 1 and event["seconds"] >= 0 for event in seen)


def test_samples_are_read_in_order_by_another_thread(model):
    made, order, threads = make_samples([(40, 50)] * 9), [], set()

    def read(index):
        order.append(index)
        threads.add(threading.get_ident())
        return made[index]

    evaluate.score(model, make_samples([(40, 50)] * 9, read=read))
    assert order == list(range(9)) and threads.isdisjoint({threading.get_ident()})


def test_an_unreadable_sample_stops_the_evaluation(model, tmp_path):
    def read(index):
        return {"image": images.read_image(tmp_path / "missing.png"), "label": None}

    with pytest.raises(images.ImageError, match=r"missing\.png"):
        evaluate.score(model, make_samples([(4, 4)] * 3, read=read))


def test_a_wrong_label_is_an_error_with_the_name_of_the_sample(model):
    samples = make_samples([(4, 4)] * 3)
    samples[1]["label"][2, 2] = 7
    with pytest.raises(ValueError, match=r"Sample 'sample1'.* Received: 0\.\.7"):
        evaluate.score(model, samples)


def test_classes_must_be_those_of_the_model(model):
    with pytest.raises(ValueError, match="one logit per class"):
        evaluate.score(model, make_samples([(4, 4)], classes=("a", "b")))


def test_nothing_to_evaluate_is_an_error(model):
    with pytest.raises(ValueError, match="There must be a sample"):
        evaluate.score(model, make_samples([(4, 4)]), limit=0)


def test_extremes_are_the_lowest_and_the_highest():
    rows = [{"name": str(i), "mean_iou": i / 10} for i in (5, 1, 9, 3, 7)]
    groups = evaluate.extremes({"samples": rows}, num=2)
    assert [row["name"] for row in groups["Worst"]] == ["1", "3"]
    assert [row["name"] for row in groups["Best"]] == ["9", "7"]
    assert evaluate.extremes({"samples": rows[:1]})["Best"] == []


def test_gallery_is_a_picture(model):
    samples = make_samples([(30, 40)] * 2)
    result = evaluate.score(model, samples)
    picture = evaluate.gallery(model, samples, result)
    assert picture.dtype == np.uint8 and picture.shape[0] > 400 < picture.shape[1]


def test_table_lists_classes_and_means_in_percent():
    scores = {"iou": 0.5, "dice": 2 / 3, "precision": None, "recall": 1.0}
    result = {"classes": {"cat": {**scores, "pixels": 12345}}, "mean_iou": 0.5}
    text = evaluate.table({**result, "mean_dice": 2 / 3, "pixel_accuracy": 0.125})
    assert "cat     50.00   66.67       -  100.00        12,345" in text
    assert text.endswith("pixel accuracy 12.50 %")


def test_a_bad_sample_is_listed_and_the_others_are_scored():
    x = keras.Input([None, None, 3])
    model = keras.Model(x, keras.layers.Conv2D(2, 1, kernel_initializer="zeros")(x))
    label = np.zeros([4, 4], "int32")

    def read(index):
        if index == 1:
            raise MemoryError
        channels = 5 if index == 2 else 3
        return {
            "image": np.zeros([4, 4, channels], "uint8"),
            "label": label + index // 3,
        }

    samples = Samples(tuple("abcd"), read, ("sky", "ground"))
    with pytest.raises(MemoryError):
        evaluate.score(model, samples)
    result = evaluate.score(model, samples, on_error="list")
    assert [one["name"] for one in result["failed"]] == ["b", "c"]
    assert [row["name"] for row in result["samples"]] == ["a", "d"]
    # All is found to be sky: of two images, the one of ground is not detected.
    assert result["detection"] == {
        "ground": {"images": 1, "detected": 0, "false_alarms": 0}
    }
    assert result["inspection"]["bad"] == 1 and result["inspection"]["found"] == 0
    assert "something to find 1, without 1: found 0.0 %" in evaluate.table(result)
    with pytest.raises(ValueError, match=r"No sample can be .* The first: b: Memory"):
        evaluate.score(model, samples.subset([1, 2]), on_error="list")


@pytest.mark.parametrize("wrong", [[{"image": 0}], (1, 2), {"image": [], "label": []}])
def test_what_is_no_data_set_is_called_that(model, wrong):
    with pytest.raises(ValueError, match=r"`samples` must .*without names, classes"):
        evaluate.score(model, wrong)


def test_a_sample_without_a_label_is_named(model):
    image = np.zeros([4, 4, 3], "uint8")
    samples = make_samples([(4, 4)], read=lambda index: {"image": image})
    with pytest.raises(ValueError, match=r"'sample0': .*must have 'label'.*of image"):
        evaluate.score(model, samples)
