"""The confusion matrix of arrays."""

import numpy as np
import pytest

from kerasseg import metrics


@pytest.mark.parametrize("dtype", ["uint8", "int8", "uint16", "int64", "float32"])
def test_labels_of_any_type_are_widened(dtype):
    ids = np.arange(100, dtype=dtype).reshape(4, 25)  # 99 * 100 overflows 8 and 16 bits
    matrix = metrics.confusion_matrix(ids, ids, 100)
    assert metrics.mean_iou(matrix) == 1
    np.testing.assert_array_equal(matrix, np.eye(100))


def test_a_last_axis_of_one_is_taken_off():
    labels, found = np.array([[0, 1, 255]]), np.array([[0, 0, 1]])
    expected = metrics.confusion_matrix(labels, found, 2)
    for one, other in ((labels[..., None], found), (labels, found[..., None])):
        found_ = metrics.confusion_matrix(one, other, 2)
        np.testing.assert_array_equal(found_, expected)


@pytest.mark.parametrize(
    ("labels", "predictions", "message"),
    [
        ([[0, 1]], [[0.2, 0.7]], r"`predictions` must be class ids.*> 0.5"),
        ([[0, np.nan]], [[0, 1]], "`labels` must be class ids"),
        ([[0, 1]], [[[0.0, 1.0], [1.0, 0.0]]], r"predictions.argmax\(-1\)"),
        ([[0, 2]], [[0, 1]], r"`labels` must be within 0..1\. Received: 0..2"),
        ([[0, 1]], [[0, -1]], "`predictions` must be within"),
    ],
)
def test_what_are_no_ids_is_refused(labels, predictions, message):
    with pytest.raises(ValueError, match=message):
        metrics.confusion_matrix(labels, predictions, 2)


def test_a_mask_of_0_and_255_without_an_ignore_label_is_told():
    with pytest.raises(ValueError, match="labels > 127"):
        metrics.confusion_matrix([[0, 255]], [[0, 1]], 2, ignore_label=None)


def test_a_mask_of_0_and_255_is_told(rng):
    mask = (rng.random([8, 8]) < 0.4).astype("uint8") * 255
    with pytest.warns(UserWarning, match=r"labels > 127"):
        metrics.confusion_matrix(mask, mask > 0, 2)
    mask[0, 0] = 1  # with an object 255 is the ignore label
    assert metrics.confusion_matrix(mask, mask > 0, 2)[1, 1] == 1
    assert metrics.confusion_matrix([[0, 0]], [[0, 1]], 2).tolist() == [[1, 1], [0, 0]]


def test_count_by_hand():
    label = np.array([[0, 0, 1], [2, 2, 255]])
    found = np.array([[0, 1, 1], [2, 0, 1]])
    expected = [[1, 1, 0], [0, 1, 0], [1, 0, 1]]
    assert metrics.confusion_matrix(label, found, 3).tolist() == expected


def test_count_can_do_without_an_ignore_label():
    matrix = metrics.confusion_matrix(
        np.array([[255]]), np.array([[1]]), 256, ignore_label=None
    )
    assert matrix[255, 1] == matrix.sum() == 1


@pytest.mark.parametrize("label", [[[3, 0]], [[-1, 0]], [[0, 0, 0]]])
def test_count_refuses_what_it_cannot_count(label):
    with pytest.raises(ValueError, match="Received"):
        metrics.confusion_matrix(np.array(label), np.zeros([1, 2], int), 3)


@pytest.mark.parametrize("num_classes", [0, 3.0, "3", None])
def test_what_is_no_number_of_classes_is_refused(num_classes):
    with pytest.raises(ValueError, match="`num_classes` must be an integer"):
        metrics.confusion_matrix([0], [0], num_classes)


def test_one_hot_labels_are_told(rng):
    one_hot = np.eye(3)[rng.integers(0, 3, (6, 7))]
    with pytest.raises(ValueError, match=r"labels.argmax\(-1\)"):
        metrics.confusion_matrix(one_hot, one_hot, 3)


def test_one_hot_labels_beside_ids_are_told(rng):
    ids = rng.integers(0, 3, (6, 7))
    with pytest.raises(ValueError, match=r"One-hot labels.*labels.argmax\(-1\)"):
        metrics.confusion_matrix(np.eye(3)[ids], ids, 3)
