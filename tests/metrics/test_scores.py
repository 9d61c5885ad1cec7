import json
import math

import numpy as np
import pytest
from keras import ops

from kerasseg import metrics

# Label map 3x3      prediction      so rows (labels) x columns (predictions):
#   0 0 0              0 0 1          0: three as 0, one as 1
#   0 1 1              0 1 1          1: four as 1
#   1 1 3              1 1 0          2: never occurs
#                                     3: one as 0
MATRIX = np.array([[3, 1, 0, 0], [0, 4, 0, 0], [0, 0, 0, 0], [1, 0, 0, 0]])
NAN = math.nan
PER_CLASS = {
    "iou_per_class": [3 / 5, 4 / 5, NAN, 0],
    "dice_per_class": [6 / 8, 8 / 9, NAN, 0],
    "precision_per_class": [3 / 4, 4 / 5, NAN, NAN],
    "recall_per_class": [3 / 4, 4 / 4, NAN, 0],
}
TOTALS = {
    "mean_iou": (3 / 5 + 4 / 5) / 3,
    "mean_dice": (6 / 8 + 8 / 9) / 3,
    "pixel_accuracy": 7 / 9,
    "mean_accuracy": (3 / 4 + 1) / 3,
    "frequency_weighted_iou": (4 * 3 / 5 + 4 * 4 / 5) / 9,
}
ALL = {**PER_CLASS, **TOTALS}


@pytest.mark.parametrize("name", ALL)
def test_scores_by_hand(name):
    np.testing.assert_allclose(getattr(metrics, name)(MATRIX), ALL[name], rtol=1e-12)


@pytest.mark.parametrize("name", ALL)
def test_tensors_give_the_same_scores_as_arrays(name):
    score = getattr(metrics, name)(ops.convert_to_tensor(MATRIX))
    np.testing.assert_allclose(score, ALL[name], rtol=1e-6)


@pytest.mark.parametrize("name", ALL)
def test_nothing_counted_is_nan_without_a_warning(name):
    assert np.all(np.isnan(getattr(metrics, name)(np.zeros((3, 3), int))))


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("matrix", [[[1, 2, 3], [4, 5, 6]], [1, 2], 3])
def test_a_matrix_that_is_not_square_is_refused(name, matrix):
    with pytest.raises(ValueError, match=r"`matrix` must be square.*Received: shape"):
        getattr(metrics, name)(np.array(matrix))


def test_counts_of_a_whole_data_set_stay_exact():
    # float32 cannot tell 10^12 from 10^12 + 1
    matrix = np.array([[10**12, 1], [0, 1]], "int64")
    assert metrics.pixel_accuracy(matrix) == (10**12 + 1) / (10**12 + 2)
    assert metrics.precision_per_class(matrix)[1] == 0.5


def test_summary_is_json_with_none_for_absent_classes():
    report = metrics.summary(MATRIX, ["sky", "road", "tree", "car"])
    assert json.loads(json.dumps(report, allow_nan=False)) == report
    assert {name: report[name] for name in TOTALS} == pytest.approx(TOTALS)
    assert report["classes"]["road"] == {
        "iou": 0.8,
        "dice": pytest.approx(8 / 9),
        "precision": 0.8,
        "recall": 1.0,
        "pixels": 4,
    }
    assert report["classes"]["tree"]["iou"] is None
    assert report["classes"]["car"] == {
        "iou": 0.0,
        "dice": 0.0,
        "precision": None,
        "recall": 0.0,
        "pixels": 1,
    }


@pytest.mark.parametrize("names", [["a", "b", "c"], ["a", "b", "c", "a"]])
def test_summary_wants_one_name_a_class(names):
    with pytest.raises(ValueError, match="`class_names` must be 4 different names"):
        metrics.summary(MATRIX, names)


@pytest.mark.parametrize("name", ALL)
def test_normalised_and_weighted_matrices_give_the_same_scores(name):
    for matrix in (MATRIX / 90, ops.convert_to_tensor(MATRIX / 90)):
        found = getattr(metrics, name)(matrix)
        np.testing.assert_allclose(found, ALL[name], rtol=1e-5)


def label_map(dtype="int32", size=64):
    label = np.zeros((size, size), dtype)
    label[size // 4 : size // 2] = 1
    label[:, size // 2 :] = 2
    return label


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize(
    "wrong",
    [
        label_map(),
        label_map("uint8", 4),
        label_map("float32"),
        label_map(size=8),
        np.eye(4, dtype=bool),
        [[1.0, -1.0], [0.0, 1.0]],
        [[1.0, math.nan], [0.0, 1.0]],
    ],
    ids=lambda x: f"{np.asarray(x).dtype}{np.shape(x)}",
)
def test_what_is_no_confusion_matrix_is_refused(name, wrong):
    with pytest.raises(ValueError, match=r"metrics.confusion_matrix\(labels.*Received"):
        getattr(metrics, name)(wrong)


def test_matrices_of_many_classes_and_few_pixels_are_taken(rng):
    labels = np.repeat(np.arange(60), 40)
    found = np.where(rng.random(labels.shape) < 0.7, labels, rng.integers(0, 60, 2400))
    matrix = metrics.confusion_matrix(labels, found, 60)
    assert 0 < metrics.mean_iou(matrix) < 1
    assert metrics.mean_iou(np.eye(150, dtype=int)) == 1
