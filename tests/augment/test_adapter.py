import threading
import time

import numpy as np
import pytest
import tensorflow as tf

from kerasseg import augment


@pytest.fixture
def sample(rng):
    image = rng.integers(0, 256, (20, 30, 3)).astype(np.uint8)
    return {"image": image, "label": image[..., 0].astype(np.int32)}


def crop(image, label, rng):
    y, x = rng.integers(0, 10, 2)
    return image[y : y + 10, x : x + 12], label[y : y + 10, x : x + 12]


def test_the_function_gets_a_generator_made_from_the_seed(sample):
    function = augment.from_numpy(crop, size=(10, 12))
    labels = [function(sample, [0, seed])["label"].numpy() for seed in (1, 1, 2)]
    np.testing.assert_array_equal(labels[0], labels[1])
    assert (labels[0] != labels[2]).any()


def test_in_tf_data_the_size_is_static_and_the_result_the_same(sample):
    function = augment.from_numpy(crop, size=(10, 12))
    dataset = tf.data.Dataset.from_tensors(sample)
    dataset = dataset.map(lambda s: function(s, tf.constant([0, 5])))
    assert dataset.element_spec["image"].shape == (10, 12, 3)
    assert dataset.element_spec["label"].shape == (10, 12)
    result, eager = next(iter(dataset)), function(sample, [0, 5])
    np.testing.assert_array_equal(result["image"], eager["image"])
    np.testing.assert_array_equal(result["image"][..., 0], result["label"])


@pytest.mark.parametrize(
    ("change", "received"),
    [
        (lambda image, label: (image[1:], label), r"uint8 \(19, 30, 3\)"),
        (lambda image, label: (image / 255, label), r"float64 \(20, 30, 3\)"),
        (lambda image, label: (image, label[1:]), r"int32 \(19, 30\)"),
        (lambda image, label: (image, label + 0.5), r"float64 \(20, 30\)"),
        (lambda image, label: image, "ndarray, not 2"),
    ],
)
def test_a_wrong_result_says_what_was_received(sample, change, received):
    function = augment.from_numpy(
        lambda image, label, rng: change(image, label), size=(20, 30)
    )
    with pytest.raises(ValueError, match=f"Received: .*{received}"):
        function(sample, [0, 1])


def test_the_function_is_never_called_twice_at_a_time(sample):
    inside = []

    def slow(image, label, rng):
        inside.append(threading.get_ident())
        assert len(inside) == 1
        time.sleep(0.01)
        inside.pop()
        return image, label

    function = augment.from_numpy(slow, size=(20, 30))
    dataset = tf.data.Dataset.from_tensors(sample).repeat(8)
    dataset = dataset.map(lambda s: function(s, [0, 1]), num_parallel_calls=4)
    assert len(list(dataset)) == 8


def test_size_must_be_two_integers():
    with pytest.raises(ValueError, match="Received: size=10"):
        augment.from_numpy(crop, size=10)
